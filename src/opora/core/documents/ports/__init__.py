"""What documents need from the outside."""
