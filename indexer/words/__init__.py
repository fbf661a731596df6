"""The words that are known about images: names, folders, captions, keywords, titles, in a full-text index."""
