"""What a profile is, and what becomes of it."""
