"""SQL of notices and their deliveries."""
