"""Pure decisions about time, seats, fees and who may do what."""
