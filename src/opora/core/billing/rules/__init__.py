"""Decisions about plans, balances and payments."""
