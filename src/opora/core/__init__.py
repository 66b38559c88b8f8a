"""The inside: plain Python that knows no framework, no driver and no clock of its own."""
