"""Texts, the prompts they are made from, and what is said between us and an engine."""
