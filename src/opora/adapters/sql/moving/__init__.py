"""A whole installation's rows, moved from one store to another and compared."""
