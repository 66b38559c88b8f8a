"""Secrets and their traces: password hashes, key digests, sealed texts, signed tokens."""
