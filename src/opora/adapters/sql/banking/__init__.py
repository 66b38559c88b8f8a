"""SQL of packets for the core banking system, contracts and their links."""
