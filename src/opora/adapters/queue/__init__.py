"""Handing work over by taskiq: in this process, or through Redis. A message is a hint; the job's row is the truth."""
