"""Decisions about numbers: pure functions, told the time."""
