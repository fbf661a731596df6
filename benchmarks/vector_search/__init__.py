"""What `benchmarks/search.py` is made of: vectors to search in, engines to search with, clocks, and the report."""
