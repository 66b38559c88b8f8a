"""The driving adapter of work in the background: taskiq wakes it, the job's row decides."""
