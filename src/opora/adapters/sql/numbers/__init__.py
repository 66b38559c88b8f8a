"""SQL of projects and phone numbers."""
