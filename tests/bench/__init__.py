"""Benchmarks: every path beside its peers, measured in the same run."""
