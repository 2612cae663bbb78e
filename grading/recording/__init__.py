"""Verdicts become nbgrader's gradebook and the notebooks that formgrader shows; a person's points come back."""
