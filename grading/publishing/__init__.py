"""Verdicts become pages and tables: feedback for students, a report for teachers, exports for platforms."""
