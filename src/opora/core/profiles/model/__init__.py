"""What a profile is made of, what its tables hold, and what may be asked for."""
