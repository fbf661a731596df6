"""Pictures that are there twice: by their bytes, small grey versions, embeddings, and when they were taken."""
