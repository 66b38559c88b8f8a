"""Tables in files: CSV and workbooks read in a process of their own, and written."""
