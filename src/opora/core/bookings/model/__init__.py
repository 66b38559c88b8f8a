"""What is booked, when, by whom, and under which terms."""
