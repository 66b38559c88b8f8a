"""What billing needs from the outside."""
