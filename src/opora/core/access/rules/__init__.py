"""What access decides: pure functions, told the time and the randomness."""
