"""What honest students put above an answer, in cells of their own before it, and how they write its cell."""

import textwrap

from ..grading.classroom import NAMES, at, own, place

ANSWER = NAMES[0]
ABOVE = {
    "a shell command": "!true",
    "a command's lines": "files = !ls\nprint(len(files))",
    "a command with a value in it": "word = 'x'\n!echo {word} $word",
    "a command below an if": "if True:\n    !true",
    "pip": "%pip --version",
    "a plot's backend": "%matplotlib inline",
    "a backend by a call": "from IPython import get_ipython\nget_ipython().run_line_magic('matplotlib', 'inline')",
    "sharp figures": "%config InlineBackend.figure_format = 'retina'",
    "autoreload": "%load_ext autoreload\n%autoreload 2",
    "an environment variable": "%env DGM_HABIT=1\nimport os\nassert os.environ['DGM_HABIT'] == '1'",
    "a time with its value": "seven = %time 3 + 4\nassert seven == 7",
    "a time of its own": "%timeit -n 1 -r 1 sum(range(9))",
    "a measured time": "best = %timeit -o -q -n 1 -r 1 sum(range(9))\nassert best.average > 0",
    "who": "%who",
    "help": "torch.exp?",
    "a precision": "%precision 3",
    "a traceback's style": "%xmode Plain",
    "the folder": "%cd .",
    "a folder's list": "%ls",
    "a profile": "%prun -q sum(range(9))",
    "the running shell": "assert get_ipython() is not None and 'google' not in str(get_ipython())",
    "a program": "import subprocess, sys\nsubprocess.run([sys.executable, '--version'])",
    "a program's output": "import subprocess\nsubprocess.check_output(['uname'])",
    "a program by the system": "import os\nos.system('true')",
    "a pool of processes": "import multiprocessing\nwith multiprocessing.Pool(1) as pool:\n    pool.map(abs, [1])",
    "a pool of threads": "from concurrent import futures\nfutures.ThreadPoolExecutor(2).submit(abs, 1).result()",
    "a loader with workers": "import torch.utils.data as d\nassert len(list(d.DataLoader([1, 2], num_workers=1))) == 2",
    "a question": "layers = int(input('layers? '))",
    "a password": "import getpass\ngetpass.getpass()",
    "a module of the student's machine": "import studytools",
    "one of several modules": "import studytools, math as m",
    "a name of such a module": "from studytools import helper\nhelper()",
    "a file of the student's machine": "words = open('notes.txt').read()",
    "a file of its own": "open('mine.txt', 'w').write('x')\nassert open('mine.txt').read() == 'x'",
    "a warning": "import warnings\nwarnings.warn('deprecated')",
    "a log line": "import logging\nlogging.warning('here')",
    "long output": "print('x' * 20_000)",
    "a display": "from IPython.display import Markdown, display\ndisplay(Markdown('# here'), 3)",
    "a plot": "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    "an awaited sleep": "import asyncio\nawait asyncio.sleep(0)",
    "an error above": "1 / 0",
    "an unknown name above": "nosuch",
}  # fmt: skip
BEFORE = {
    "a future flag": (["from __future__ import annotations"], "def twin(x: NotThere): pass"),
    "the last value": (["math.pi"], "assert _ == math.pi"),
    "a numbered output": (["math.tau"], "assert math.tau in Out.values()"),
    "a written module": (["%%writefile halves.py\nhalf = 0.5"], "import halves\nassert halves.half == 0.5"),
    "a captured text": (["%%capture said\nprint('hi')"], "assert said.stdout == 'hi\\n'"),
    "a task across cells": (
        ["import asyncio\nasync def five(): return 5\ntask = asyncio.create_task(five())"],
        "assert await task == 5",
    ),
    "a script's output": (["%%bash --out said\ntrue"], "assert said == ''"),
    "scratch cells that fail": (["1 / 0", "def f(:", "raise SystemExit", "%nosuch", "import studytools.nosuch"], ""),
    "cells of other languages": (["%%bash\ntrue", "%%html\n<b>x</b>", "%%latex\n$x$", "%%javascript\n1"], ""),
    "a magic's other name": (["%alias_magic -l tick time"], "%tick 1"),
    "a helper of its own": (["def jac(f): return torch.func.jacrev(f)", "torch.manual_seed(1)"], "jac"),
}  # fmt: skip
WRITTEN = {
    "indented": lambda source: textwrap.indent(source, "    "),
    "pasted from a console": lambda source: ">>> " + source.replace("\n", "\n... "),
    "pasted from IPython": lambda source: "In [3]: " + source.replace("\n", "\n   ...: "),
    "timed": lambda source: "%%time\n" + source,
    "captured": lambda source: "%%capture\n" + source,
    "with Windows's line ends": lambda source: source.replace("\n", "\r\n") + "\r\n",
    "with blanks behind": lambda source: source.replace("\n", "   \n") + "\n\n\n",
    "below an if": lambda source: "if True:\n" + textwrap.indent(source, "    "),
    "with an error below": lambda source: source + "\n1 / 0",
    "with a plot below": lambda source: source + "\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);",
    "as a second name": lambda source: source.replace(ANSWER, "mine") + f"\n{ANSWER} = mine",
    "as a lambda": lambda source: source.replace(f"def {ANSWER}(f, x):\n    return", f"{ANSWER} = lambda f, x:"),
    "decorated": lambda source: "import functools\n@functools.lru_cache\ndef one(): return 1\n" + source,
}
RED = {"an error above", "an unknown name above"}  # the definition below is never reached, in Jupyter neither


def above(lines: str):
    def change(notebook: dict):
        at(notebook, ANSWER)["source"] = f"{lines}\n{at(notebook, ANSWER)['source']}"

    return change


def before(cells: list[str], lines: str):
    def change(notebook: dict):
        where = place(notebook, ANSWER)
        notebook["cells"][where:where] = [own(source, f"own-{number}") for number, source in enumerate(cells)]
        above(lines)(notebook)

    return change


def written(rewrite):
    def change(notebook: dict):
        at(notebook, ANSWER)["source"] = rewrite(at(notebook, ANSWER)["source"])

    return change


HABITS = (
    {name: above(lines) for name, lines in ABOVE.items()}
    | {name: before(*pair) for name, pair in BEFORE.items()}
    | {name: written(rewrite) for name, rewrite in WRITTEN.items()}
)
