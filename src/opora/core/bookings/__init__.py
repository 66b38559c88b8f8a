"""Appointments: services, working hours, free slots, bookings, series, the waitlist and calendars."""
