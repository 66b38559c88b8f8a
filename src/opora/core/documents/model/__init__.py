"""What a document is, how it moves, whose it is, and the lists that it refers to."""
