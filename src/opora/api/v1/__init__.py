"""Version 1 of the API: one module of controllers for each context."""
