"""Programs that a bench starts as processes and measures beside Opora."""
