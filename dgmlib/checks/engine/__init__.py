"""The engine of the checks: what an exercise, a law and a verdict are. Trusted; never beside a student's code.

A file in `exercises` imports what it needs from here.
"""

from .assignment import Assignment, assignment
from .closeness import NUMBERS, bound, close, first
from .compare import compare, differs, wrong_dtype
from .exercise import Exercise, proof
from .inputs import covariance, normal, regular, rotation, single, uniform
from .laws import (
    counted,
    custom,
    gradient,
    interface_laws,
    keeps_device,
    keeps_inputs,
    shapes,
    silent,
    stable,
    supporting_value,
    value,
)
from .verdict import CaseResults, CourseFault, Failure, Law, LawResult, Mistake

__all__ = [
    "NUMBERS",
    "Assignment",
    "CaseResults",
    "CourseFault",
    "Exercise",
    "Failure",
    "Law",
    "LawResult",
    "Mistake",
    "assignment",
    "bound",
    "close",
    "compare",
    "counted",
    "covariance",
    "custom",
    "differs",
    "first",
    "gradient",
    "interface_laws",
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
    "supporting_value",
    "uniform",
    "value",
    "wrong_dtype",
]
