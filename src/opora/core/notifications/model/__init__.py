"""What a notice is, which kinds there are, and what becomes of one."""
