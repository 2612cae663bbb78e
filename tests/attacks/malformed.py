"""Files that are no notebooks, and honest ones that look odd."""

import json

from ..grading import classroom
from ..grading.classroom import NAMES, RIGHT, at, edited, own, place


def notebook(**change) -> bytes:
    return json.dumps(classroom.released() | change).encode()


MALFORMED = {
    "empty": b"",
    "blanks": b"   \n",
    "text": b"hello",
    "truncated": classroom.data(classroom.solved())[:-100],
    "binary": bytes(range(256)) * 50,
    "a zip archive": b"PK\x03\x04" + bytes(1000),
    "HTML": b"<!DOCTYPE html><html></html>",
    "a list": b"[]",
    "a string": b'"cells"',
    "no cells": notebook(cells=None),
    "cells of text": notebook(cells=["print(1)"]),
    "sources of numbers": notebook(cells=[{"cell_type": "code", "source": 3}]),
    "an unknown cell": notebook(cells=[{"cell_type": "quiz", "source": ""}]),
    "nbformat 3": notebook(nbformat=3, worksheets=[]),
    "nbformat 99": notebook(nbformat=99),
    "deep": b'{"cells": ' + b"[" * 10**6,
    "huge": notebook(padding="x" * 21_000_000),
    "a huge number": b'{"nbformat": ' + b"9" * 10**5 + b"}",
    "another course's": notebook(cells=[own("print('another')")]),
    "no cells left": notebook(cells=[]),
    "too many cells": notebook(cells=[{"cell_type": "raw", "source": ""}] * 2000),
}


def changed(name: str, source: str):
    return lambda nb: at(nb, name).update(source=source)


def added(source: str, where: int = 2):
    return lambda nb: nb["cells"].insert(where, own(source))


def stripped(nb):
    for number, cell in enumerate(nb["cells"]):
        del cell["id"]
        cell["metadata"] = {"id": f"x{number}", "executionInfo": {"user": {"displayName": "A"}}}
    nb["nbformat_minor"] = 0


def reordered(nb):
    nb["cells"].reverse()


def copied(nb):
    nb["cells"].insert(place(nb, NAMES[0]) + 1, dict(at(nb, NAMES[0])))


def check_deleted(nb):
    nb["cells"].remove(at(nb, f"check_{NAMES[0]}"))


def kernel(nb):
    nb["metadata"] = {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}}


def retyped(nb):
    at(nb, NAMES[0])["cell_type"] = "raw"


def windows(nb):
    for cell in nb["cells"]:
        cell["source"] = cell["source"].replace("\n", "\r\n")


HELPED = "def batch_jacobian(f, x):\n    return helper(f)(x)"
HONEST = {
    "warnings": edited(added("import warnings\nwarnings.warn('careful')")),
    "prints on stderr": edited(added("import sys\nprint('x', file=sys.stderr)")),
    "logging": edited(added("import logging\nlogging.basicConfig(level=10); logging.getLogger().debug('x')")),
    "a failing scratch cell": edited(added("1 / 0")),
    "a scratch cell that does not parse": edited(added("def (")),
    "a slow scratch cell": edited(added("import time; time.sleep(1.5)")),
    "magics and a shell": edited(added("%matplotlib inline\n%config X\n!pip install torch\n%%time")),
    "input()": edited(added("name = input('who?')")),
    "saved by Colab": edited(stripped),
    "cells in reverse": edited(reordered),
    "a copied answer": edited(copied),
    "a deleted check": edited(check_deleted),
    "another kernel": edited(kernel),
    "a retyped answer": edited(retyped),
    "Windows line ends": edited(windows),
    "a helper below": edited(lambda nb: (changed(NAMES[0], HELPED)(nb), nb["cells"].append(
        own("def helper(f):\n    return torch.func.vmap(torch.func.jacrev(f))")))),
    "an answer that prints": edited(changed(NAMES[0], RIGHT[NAMES[0]].replace("return", "print(x); return"))),
    "another seed": edited(added("torch.manual_seed(7); torch.set_grad_enabled(True)")),
}  # fmt: skip
