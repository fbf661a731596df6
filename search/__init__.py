"""How to ask an index: queries, engine, results."""
