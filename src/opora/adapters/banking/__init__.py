"""The bank's own system: an embedded stand-in, a drop by SFTP, HTTP."""
