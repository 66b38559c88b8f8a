"""Letters by SMTP; letters and SMS into a folder."""
