"""`solutions/` becomes `course/`."""
