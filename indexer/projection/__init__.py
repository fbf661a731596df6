"""A map of a collection: every picture a point of a plane, beside those that it looks like.

`layout` places embeddings, `regions` names what lies where, `picture_map` is the file that both end in, `making` makes
it of a collection and `current` brings it up to what the collection holds now.
"""
