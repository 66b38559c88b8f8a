"""The machine itself: its clock, its names, its randomness."""
