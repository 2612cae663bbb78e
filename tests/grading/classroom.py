"""A small assignment for the grader's tests: two real exercises, and what students do to them."""

import copy
import json
from dataclasses import replace

from dgmlib.checks import ASSIGNMENTS
from grading.course import CHECKOUT

FLOWS = ASSIGNMENTS["00_flows_recap"]
NAMES = ("batch_jacobian", "autoregressive_forward")
TINY = replace(FLOWS, exercises={name: FLOWS.exercises[name] for name in NAMES})
SETUP = """import math
import torch
from torch import Tensor, nn
from dgmlib import data, plotting
from dgmlib.checks import check
"""
# Where it may, it reads this checkout and starts a process; else its exception says what it was refused.
THIEF = f"""def batch_jacobian(f, x):
    import os
    errors = []
    for ask in (lambda: open({str(CHECKOUT / "pyproject.toml")!r}), os.fork):
        try: ask()
        except OSError as error: errors.append(error.errno)
    raise LookupError(f'refused: {{errors}}')"""
REFUSED = ("refused: [2, 1]", "refused: [13, 1]")  # not there, or closed by Landlock; and denied by the filter
BLANK = "\n    # YOUR CODE HERE\n    raise NotImplementedError()"
STUBS = {
    "batch_jacobian": f"def batch_jacobian(f, x):{BLANK}",
    "autoregressive_forward": f"def autoregressive_forward(x, conditioner):{BLANK}",
}
RIGHT = {
    "batch_jacobian": "def batch_jacobian(f, x):\n    return torch.func.vmap(torch.func.jacrev(f))(x)",
    "autoregressive_forward": (
        "def autoregressive_forward(x, conditioner):\n    mu, log_sigma = conditioner(x)\n"
        "    return (x - mu) * torch.exp(-log_sigma), -log_sigma.sum(-1)"
    ),
}


def cell(name: str, source: str, kind: str = "code", **about) -> dict:
    made = {"cell_type": kind, "id": name, "metadata": {}, "source": source}
    if about:
        made["metadata"]["nbgrader"] = {"grade_id": name, "schema_version": 3, "task": False, **about}
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def answer(name: str, source: str) -> dict:
    return cell(name, source, grade=False, solution=True, locked=False)


def released() -> dict:
    """title, setup, and for both exercises the answer and its check; a worked line between."""
    cells = [cell("title", "# Flows", "markdown"), cell("setup", SETUP, grade=False, solution=False, locked=True)]
    for name in NAMES:
        points = float(TINY.exercises[name].points)
        cells.append(answer(name, STUBS[name]))
        about = {"grade": True, "solution": False, "locked": True, "points": points}
        cells.append(cell(f"check_{name}", f'check("{name}", {name})', **about))
    cells.insert(4, cell("worked", "from dgmlib import flows\nworked = 1", grade=False, solution=False, locked=True))
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def solved() -> dict:
    notebook = released()
    for made in notebook["cells"]:
        made["source"] = RIGHT.get(made["id"], made["source"])
    return notebook


def at(notebook: dict, name: str) -> dict:
    return next(c for c in notebook["cells"] if c.get("id") == name)


def place(notebook: dict, name: str) -> int:
    return notebook["cells"].index(at(notebook, name))


def own(source: str, name: str = "own") -> dict:
    return cell(name, source)


def data(notebook: dict) -> bytes:
    return json.dumps(notebook).encode()


def edited(change) -> bytes:
    """A solved notebook after `change`."""
    notebook = copy.deepcopy(solved())
    change(notebook)
    return data(notebook)
