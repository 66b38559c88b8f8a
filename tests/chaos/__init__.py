"""`make chaos`: the faults of a bad week in two minutes, under load, and whether the promises held."""
