"""Partner drops: a folder of this machine, or a server that speaks SFTP."""
