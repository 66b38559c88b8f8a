"""Calls that leave by HTTP: SMS, Web Push and webhooks, to addresses that may be called."""
