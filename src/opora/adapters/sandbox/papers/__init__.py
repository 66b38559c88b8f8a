"""What a paper is by its own structure: PDF, DOCX, PNG, JPEG. Runs in a child; returns plain JSON values."""
