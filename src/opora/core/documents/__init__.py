"""Clients' papers: sent in through the bank's remote service, judged by its workers, taken over by its own system."""
