"""The run parts of this assignment."""
