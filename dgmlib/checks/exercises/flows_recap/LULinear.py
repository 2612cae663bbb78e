"""`LULinear`: z = W x with W = P L U, L and U trained."""

from ...engine import Exercise
from ...run.linear_layer import linear_layer
from ...run.watch import FACTORISATIONS
from ._linear import LU_MISTAKES, MISTAKES, RETURNS, SLIDE, Reference, cases
from ._linear_laws import laws

COST = "forward or inverse calls {found}: O(m³). With the factors at hand, log_det is a sum over a diagonal, and a solve is triangular."
STEP = "A step moves every entry of a parameter: mask L (tril(-1), ones on the diagonal) and U (triu) where you use them, and take log_det from the trained U."


def probe(answer, given, record):
    linear_layer(answer, given, record, FACTORISATIONS)


EXERCISE = Exercise(
    __name__,
    points=4,
    slide=SLIDE,
    call="weight",
    returns=RETURNS,
    probe=probe,
    cases=cases,
    reference=Reference,
    reference_breaks=("cost",),
    laws=laws([0.375, 0.625, 0.375, 0.375, 0.25, 0.25, 0.25, 0.125, 0.125], COST, STEP),
    mistakes=MISTAKES + LU_MISTAKES,
)
