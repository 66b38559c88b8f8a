"""The contexts of the core as the simulation plays them: what clients do in each, and what must hold."""
