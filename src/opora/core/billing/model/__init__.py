"""What plans, balances and payments are."""
