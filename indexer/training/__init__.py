"""Contrastive training of dual encoders; it made the built-in model `mini` (docs/training.md)."""
