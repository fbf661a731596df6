"""How an index is shown: HTTP API, page, and the `sightline` command."""
