"""Refusals of the billing context."""
