"""Pictures that are there twice: by their bytes, brightness and colours, embeddings, and when taken."""
