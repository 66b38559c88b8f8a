"""SQL of plans, the ledger and payments."""
