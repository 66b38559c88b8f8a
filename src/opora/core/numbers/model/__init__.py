"""What a campaign is made of: projects, numbers, hours, calls."""
