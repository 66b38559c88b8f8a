"""Who may do what to a document, by when it is due, and what an upload must be: pure decisions."""
