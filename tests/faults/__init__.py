"""Faults played on real processes."""
