"""IPython in the sandbox: what needs a program does nothing, and what the sandbox denies costs its own line alone."""

import pytest

from grading.running.session import Session


def said(session, *cells: str) -> str:
    """What the last of these cells prints; none of them may fail."""
    for number, source in enumerate(cells):
        error, printed = session.cell(f"cell {number}", source)
        assert error == "", source
    return printed.strip()


QUIET = [
    "!ls", "%pip install torch", "%conda install torch", "%%bash\nexit 1", "%%script python\n1 / 0",
    "%matplotlib widget", "%ls", "%sx ls", "get_ipython().system('ls')", "%debug", "%%javascript\n1", "display(3)",
    "exit()",
]  # fmt: skip


@pytest.mark.parametrize("source", QUIET)
def test_what_needs_a_program_or_a_page_does_nothing(shared_session, source):
    assert shared_session.cell("quiet", source)[0] == ""


def test_a_command_gives_no_lines(shared_session):
    assert said(shared_session, "lines = !ls", "print(lines, type(lines).__name__, lines.n == '')") == "[] SList True"


def test_the_shell_is_ipythons_own(shared_session):
    asked = "from IPython import get_ipython as imported\nfrom IPython.core.interactiveshell import InteractiveShell"
    compared = "print(imported() is get_ipython(), isinstance(imported(), InteractiveShell))"
    assert said(shared_session, asked, compared) == "True True"


def test_no_thread_and_no_history_on_disk(shared_session):
    source = "import threading\nprint(threading.active_count(), get_ipython().history_manager.enabled)"
    assert said(shared_session, source) == "1 False"


def test_each_worker_starts_with_a_shell_of_its_own(start):
    for _ in range(2):
        with Session(start, 1, 60) as session:
            assert said(session, "print(len(In), sorted(Out), 'mine' in globals())") == "2 [] False"
            assert said(session, "mine = 1\n5", "print(_)") == "5"


OURS = {
    "a program": "import subprocess\nsubprocess.run(['ls'])",
    "a process": "import os\nos.fork()",
    "the network": "import urllib.request\nurllib.request.urlopen('https://pytorch.org')",
    "a question": "int(input('layers? '))",
    "a password": "import getpass\ngetpass.getpass()",
    "a module": "import nosuch_module",
    "a module among others": "import nosuch_module, cmath",
    "a magic of an extension": "%load_ext nosuch_module",
    "a file": "open('weights.pt')",
    "a part of the library that grading closes": "import torch\nfrom dgmlib import flows\nflows.LULinear(torch.eye(2))",
    "a part of the library that is not there": "from dgmlib.checks import engine",
}


@pytest.mark.parametrize("name", OURS)
def test_what_the_sandbox_denies_costs_its_own_line(session, name):
    below = "import math as m\nscale = m.tau\nprint('not again')\ndef answer(): return scale\nclass Answer: pass"
    error, printed = session.cell("mine", f"{OURS[name]}\n{below}")
    assert "run once more alone" in error
    assert printed == ""
    assert said(session, "print(answer() == math.tau if 'math' in globals() else answer() > 6, Answer)").startswith(
        "True"
    )


def test_imports_that_succeed_are_kept(session):
    session.cell("mine", "import nosuch_module, cmath\nfrom fractions import Fraction")
    assert said(session, "print(cmath.pi > 3, Fraction(1, 2))") == "True 1/2"


THEIRS = ["1 / 0", "nosuch", "raise RuntimeError('mine')", "assert False", "torch.zeros(2) @ torch.zeros(3)", "[][0]"]


@pytest.mark.parametrize("source", THEIRS)
def test_any_other_error_leaves_what_jupyter_would_leave(session, source):
    error, _ = session.cell("mine", f"import torch\nbefore = 1\n{source}\ndef answer(): pass")
    assert error.endswith("(line 3)")
    assert said(session, "print(before, 'answer' in globals())") == "1 False"
