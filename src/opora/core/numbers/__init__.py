"""Phone numbers and the campaigns that call them: projects, hours, attempts, calls, conversion."""
