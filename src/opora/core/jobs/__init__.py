"""Work that outlives a request: its states, leases and retries."""
