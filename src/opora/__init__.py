"""Opora: one self-hosted REST backend for keys, profiles, documents, numbers, appointments and text."""

__version__ = "0.1.0"
