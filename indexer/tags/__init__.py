"""Tags: what images are labelled with, by lists of words that are compared with their embeddings, and by hand."""
