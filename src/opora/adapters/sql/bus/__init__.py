"""Rows that wait for the event bus."""
