"""Handing work over by taskiq, through Redis. A message is a hint; the job's row is the truth."""
