"""Alembic's migrations of the catalog's schema, oldest first in `versions/`; run by `indexer/database.py`."""
