"""Who comes in: people, their tokens and sessions, API keys, what each may do and how often."""
