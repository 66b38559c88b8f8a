"""SQL of bank documents."""
