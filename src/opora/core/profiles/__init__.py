"""Synthetic people: made from a seed, kept for those who asked, exported as files."""
