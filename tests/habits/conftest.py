"""The grader's fixtures."""

from ..grading.conftest import bundle, cage, canaries, grade, start

__all__ = ["bundle", "cage", "canaries", "grade", "start"]
