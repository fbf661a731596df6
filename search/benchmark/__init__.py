"""`sightline benchmark`: a model, an index kind and a data set in, a `BenchmarkReport` out; docs/benchmark.md."""
