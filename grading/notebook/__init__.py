"""A submission's bytes become steps to run and sources to read: parsed and repaired around the released notebook."""
