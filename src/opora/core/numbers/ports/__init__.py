"""What the numbers context needs from the outside."""
