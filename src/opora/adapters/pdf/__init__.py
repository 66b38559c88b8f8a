"""Profile sheets as PDF files."""
