"""Texts written by engines: prompts, requests as jobs, streams that resume, answers kept for a while."""
