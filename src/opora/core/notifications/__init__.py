"""Who hears of what by which channel: notices kept with their cause, delivered by jobs."""
