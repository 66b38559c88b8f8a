"""What people can do with profiles."""
