"""Facts that billing announces."""
