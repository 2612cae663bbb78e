"""The grader's fixtures."""

from ..grading.conftest import cage, canaries, grade, stage, start

__all__ = ["cage", "canaries", "grade", "stage", "start"]
