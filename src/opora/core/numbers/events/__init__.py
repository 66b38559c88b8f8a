"""Facts that the numbers context announces."""
