"""How likely a hit is to be what was asked for, and how many such pictures a collection holds: calibrated, per query.

`vocabulary` are the texts that a query is held against, `background` what they and a sample of the collection say of
one picture and of one query, `features` the few numbers made of it, `head` the logistic regression over them, and
`claim` what is said of an answer. docs/relevance.md has the reasons and the figures.
"""
