"""What is kept in folders: the tables that ship with the program, and blobs."""
