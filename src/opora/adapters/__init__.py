"""The driven outside: one folder for each technology, none of which knows another."""
