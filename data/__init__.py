"""Scripts that make the pictures for the demo and the tests; run from the checkout, never installed."""
