"""How events are wrapped, described and ordered."""
