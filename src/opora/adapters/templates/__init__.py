"""Notices in words, by Jinja2."""
