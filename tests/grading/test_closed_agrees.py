"""Card and grade agree about the parts of dgmlib that grading closes: both red with one reason, or both green."""

import numpy as np
import pytest

from dgmlib.checks import check

from .classroom import SETUP, TINY

EXERCISE = TINY.exercises["batch_jacobian"]
SAID = "this part of dgmlib is closed while grading: write it yourself"
OWN = "torch.func.vmap(torch.func.jacrev(f))(x)"
FLOWS = "from dgmlib import flows\n"

CLOSED = {
    "bound": FLOWS + "batch_jacobian = flows.batch_jacobian",
    "imported by its name": "from dgmlib.flows import batch_jacobian",
    "another name": "import dgmlib.flows.base as b\n"
    "mine = b.batch_jacobian\ndef batch_jacobian(f, x): return mine(f, x)",
    "wrapped": FLOWS + "def batch_jacobian(f, x): return flows.batch_jacobian(f, x)",
    "imported inside": "def batch_jacobian(f, x):\n"
    "    from dgmlib.flows import batch_jacobian as b\n    return b(f, x)",
    "getattr": "import dgmlib.flows\ndef batch_jacobian(f, x): return getattr(dgmlib.flows, 'batch_jacobian')(f, x)",
    "partial": FLOWS + "import functools\nbatch_jacobian = functools.partial(flows.batch_jacobian)",
    "a method of a class": FLOWS + "class Mine:\n    jacobian = staticmethod(flows.batch_jacobian)\n"
    "def batch_jacobian(f, x): return Mine().jacobian(f, x)",
    "a layer inherited": FLOWS + "class Mine(flows.LULinear): pass\n"
    f"def batch_jacobian(f, x):\n    Mine(torch.eye(2))\n    return {OWN}",
}  # fmt: skip
OPEN = {
    "imported and not called": FLOWS + f"def batch_jacobian(f: flows.Flow, x): return {OWN}",
    "data": f"from dgmlib import data\ndef batch_jacobian(f, x):\n    data.moons(2)\n    return {OWN}",
    "compared in its cell": FLOWS + "theirs = flows.batch_jacobian(torch.sin, torch.ones(2, 2))\nscale = 1.0\n"
    f"def batch_jacobian(f, x): return scale * {OWN}\nbatch_jacobian(torch.sin, torch.ones(2, 2)) - theirs",
    "tried, then one's own": FLOWS + "def batch_jacobian(f, x):\n    try: return flows.batch_jacobian(f, x)\n"
    f"    except RuntimeError: return {OWN}",
}  # fmt: skip


def carded(source: str):
    names: dict = {}
    exec(SETUP + "\n" + source, names)
    return check("batch_jacobian", names["batch_jacobian"]).laws


def graded(session, source: str):
    for cell in (SETUP, "globals().pop('batch_jacobian', None)", source):
        session.cell("cell", cell)
    inputs = EXERCISE.inputs(np.random.default_rng(1))
    answer = session.exercise("batch_jacobian", 1, inputs, EXERCISE.request)
    return EXERCISE.judge(inputs, answer.arrays, EXERCISE.expected(inputs))


@pytest.mark.parametrize("how", CLOSED)
def test_both_are_red_with_the_reason(shared_session, how):
    for laws in (carded(CLOSED[how]), graded(shared_session, CLOSED[how])):
        assert not any(law.passed for law in laws)
        assert SAID in laws[0].message


@pytest.mark.parametrize("how", OPEN)
def test_both_are_green(shared_session, how):
    for laws in (carded(OPEN[how]), graded(shared_session, OPEN[how])):
        assert all(law.passed for law in laws), laws
