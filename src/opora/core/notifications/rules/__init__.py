"""Whom a notice reaches and when: pure functions, told the time and the preferences."""
