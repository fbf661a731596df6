"""What Alembic runs for every command: on the connection it was given, in that connection's transaction.

So a migration that fails leaves nothing behind, on SQLite too, where Alembic by itself would not begin one for DDL.
"""

from alembic import context

from indexer.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
