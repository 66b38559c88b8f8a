"""SQL of services, calendars and appointments."""
