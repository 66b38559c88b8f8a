"""The house rules that a program can check, each with violations planted to show that it bites."""
