"""Contract suites and builders, shipped for whoever writes an adapter."""
