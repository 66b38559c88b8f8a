"""Plans and what they entitle to, the ledger, and payments."""
