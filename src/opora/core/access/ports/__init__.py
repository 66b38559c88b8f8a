"""What access needs from the outside."""
