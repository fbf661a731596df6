"""What an index is, and how it is filled: images, encoder, catalog, vectors, pipeline."""

__version__ = "0.1.0"
