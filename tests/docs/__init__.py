"""The documents say what is true: links lead somewhere, examples parse, names exist."""
