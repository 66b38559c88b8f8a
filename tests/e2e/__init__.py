"""Stories from the first call to the last, against processes."""
