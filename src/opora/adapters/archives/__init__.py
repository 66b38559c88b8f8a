"""Archives of an installation: one file whose every part is verified."""
