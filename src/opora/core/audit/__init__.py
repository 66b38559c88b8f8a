"""Who did what, when, from where, and whether anybody touched the record of it."""
