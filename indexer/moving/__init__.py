"""Moving in and out: embeddings and rows as files that others read, and embeddings that others have made."""
