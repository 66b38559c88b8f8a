"""What appointments need from the outside."""
