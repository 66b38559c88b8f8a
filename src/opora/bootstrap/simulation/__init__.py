"""The real program over the real SQLite adapters, in many simulated processes, under seeded faults.

It stands here because it is a composition: only the root may know both the adapters and the worker.
"""
