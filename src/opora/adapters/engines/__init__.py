"""Engines that write text: one of our own, and those that speak over HTTP."""
