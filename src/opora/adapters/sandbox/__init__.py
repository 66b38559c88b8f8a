"""Processes that read what strangers send: bounded in memory, processor and wall time, without our secrets."""
