"""The engine of the checks: what an exercise, a law and a verdict are. Trusted; never beside a student's code.

A file in `exercises` imports what it needs from here.
"""

from .assignment import Assignment, assignment
from .compare import NUMBERS, bound, close, compare, differs, first, wrong_dtype
from .exercise import Exercise, proof
from .inputs import covariance, normal, regular, rotation, single, uniform
from .laws import beside, counted, custom, form, gradient, keeps_device, keeps_inputs, shapes, silent, stable, value
from .verdict import CourseFault, Failure, Law, LawResult, Mistake, Seen

__all__ = [
    "NUMBERS",
    "Assignment",
    "CourseFault",
    "Exercise",
    "Failure",
    "Law",
    "LawResult",
    "Mistake",
    "Seen",
    "assignment",
    "beside",
    "bound",
    "close",
    "compare",
    "counted",
    "covariance",
    "custom",
    "differs",
    "first",
    "form",
    "gradient",
    "keeps_device",
    "keeps_inputs",
    "normal",
    "proof",
    "regular",
    "rotation",
    "shapes",
    "silent",
    "single",
    "stable",
    "uniform",
    "value",
    "wrong_dtype",
]
