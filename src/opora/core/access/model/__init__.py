"""What access is about: people, keys, tokens, scopes and rates."""
