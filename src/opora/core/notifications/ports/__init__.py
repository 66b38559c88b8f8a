"""What notices need from the outside."""
