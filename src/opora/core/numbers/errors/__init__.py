"""Refusals of the numbers context."""
