"""The tables as data, for migrations and diagrams; repositories never import them."""
