"""The TA side: release, grade, record."""
