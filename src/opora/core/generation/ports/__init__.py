"""What generation needs from the outside."""
