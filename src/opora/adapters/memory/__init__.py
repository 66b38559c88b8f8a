"""What stands in this process alone: limits for one process, their guard, what is remembered for a moment."""
