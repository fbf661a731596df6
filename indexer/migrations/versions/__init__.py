"""One file a migration, named by its revision; `indexer.schema.HEAD` names the newest."""
