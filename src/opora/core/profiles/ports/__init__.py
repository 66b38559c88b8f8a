"""What profiles need from the outside."""
