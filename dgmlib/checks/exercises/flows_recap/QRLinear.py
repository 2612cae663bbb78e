"""`QRLinear`: z = W x with W = Q R, both trained."""

from ...engine import Exercise
from ...run.linear_layer import linear_layer
from ...run.watch import DETERMINANTS
from ._linear import MISTAKES, QR_MISTAKES, RETURNS, SLIDE, Reference, cases
from ._linear_laws import laws

COST = "forward or inverse calls {found}: with R at hand, log_det is a sum over its diagonal."
STEP = "Q must stay orthogonal whatever a step does to its parameters, R triangular (triu), and log_det come from the trained R."


def probe(answer, given, record):
    linear_layer(answer, given, record, DETERMINANTS)


EXERCISE = Exercise(
    __name__,
    points=3,
    slide=SLIDE,
    call="weight",
    returns=RETURNS,
    probe=probe,
    cases=cases,
    reference=Reference,
    reference_breaks=("cost",),
    laws=laws([0.25, 0.5, 0.25, 0.375, 0.125, 0.125, 0.125, 0.125, 0.125], COST, STEP),
    mistakes=MISTAKES + QR_MISTAKES,
)
