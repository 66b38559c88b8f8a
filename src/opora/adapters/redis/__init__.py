"""What stands on a Redis (or Valkey) server: limits that are exact over machines, denials, figures."""
