"""What leaves for the event bus: envelopes, their schemas, and the order in which they go."""
