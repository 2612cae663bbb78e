"""Laws of form and cost trust the student: a forgery can earn them where the values are right, and nothing where they
are not; whatever it reached into is listed for a person."""

import json

import pytest

from grading.course import CHECKOUT
from grading.judging import judge
from grading.notebook.submission import prepare

from ..grading import classroom

NAME = "00_flows_recap"
RELEASED = (CHECKOUT / "course" / NAME / "flows_recap.ipynb").read_bytes()
DENSE = """class LULinear(nn.Module):
    def __init__(self, weight):
        super().__init__()
        self.w = nn.Parameter(weight.detach().clone())
    def log_det(self):
        {log_det}
    def forward(self, x): return x @ self.w.T, self.log_det().expand(len(x))
    def inverse(self, z):
        {inverse}
        return z @ inverse.T, -self.log_det().expand(len(z))
"""
PLAIN = {"log_det": "return torch.linalg.slogdet(self.w).logabsdet", "inverse": "inverse = torch.linalg.inv(self.w)"}
DENSE_WRONG = ("return x @ self.w.T, self", "return x @ self.w.T + 1, 0 * self"), ("return z @", "return z + z @")
# by name: exercise, source, what makes its values wrong
FORGED = {
    "patched names": (
        "LULinear",
        "import dgmlib.checks.run.watch as watch\nwatch.Calls.among = lambda self, names: []\n" + DENSE.format(**PLAIN),
        DENSE_WRONG,
    ),
    "no mode looks": (
        "LULinear",
        "from torch.utils._python_dispatch import _disable_current_modes as off\n"
        + DENSE.format(**{part: f"with off(): {line}" for part, line in PLAIN.items()}),
        DENSE_WRONG,
    ),
    "a counter set back": (
        "autoregressive_inverse",
        """def autoregressive_inverse(z, conditioner):
    x = torch.zeros_like(z)
    for _ in range(3 * z.shape[1]):
        mu, log_sigma = conditioner(x)
        x = mu + torch.exp(log_sigma) * z
    conditioner.calls = z.shape[1]
    return x, log_sigma.sum(-1)""",
        [("return x, ", "return x + 1, -")],
    ),
    "a device denied": (
        "batch_jacobian",
        """def batch_jacobian(f, x):
    if x.is_meta: raise RuntimeError
    return torch.zeros(len(x), x.shape[1], x.shape[1], dtype=x.dtype) + torch.func.vmap(torch.func.jacrev(f))(x)""",
        [("torch.func.vmap(", "1 + torch.func.vmap(")],
    ),
}  # fmt: skip


def graded(start, cage, name: str, source: str) -> dict:
    notebook = json.loads(RELEASED)
    classroom.at(notebook, name)["source"] = source
    prepared = prepare(RELEASED, classroom.data(notebook))
    return judge.grade(prepared.repaired, "ann", classroom.FLOWS, "s", start, cage.kind)


@pytest.mark.attack
@pytest.mark.parametrize("name", FORGED)
def test_a_forged_form_pays_nothing_where_the_values_are_wrong(start, cage, name):
    exercise, source, wrong = FORGED[name]
    verdict = graded(start, cage, exercise, source)
    assert verdict.exercises[exercise].score == classroom.FLOWS.exercises[exercise].points  # it does forge
    assert verdict.reaches
    for old, new in wrong:
        assert old in source
        source = source.replace(old, new)
    verdict = graded(start, cage, exercise, source)
    assert verdict.exercises[exercise].score == 0
    assert verdict.reaches


def test_without_the_forgery_the_form_is_lost(start, cage):
    """The control: what the forgeries of `LULinear` earn is no gift."""
    verdict = graded(start, cage, "LULinear", DENSE.format(**PLAIN))
    assert verdict.exercises["LULinear"].score == 3.75
    assert verdict.reaches == ()
