"""Code that reaches into the checker is listed for a person; honest code is not."""

import json
from pathlib import Path

import pytest

from grading.course import CHECKOUT
from grading.judging import results
from grading.notebook.reaches import reaches

from . import classroom
from .classroom import NAMES, RIGHT, at, edited, own
from .test_cli import run  # noqa: F401 - a fixture
from .test_judge import FULL, scores

REACHES = {
    "import dgmlib.checks.run": "dgmlib.checks.run",
    "import dgmlib.checks.run.watch as w\nw.Calls.among = None": "dgmlib.checks.run.watch",
    "from dgmlib.checks import run": "dgmlib.checks.run",
    "from dgmlib.checks.run import record as r": "dgmlib.checks.run.record",
    "import dgmlib\ndgmlib.checks.run.PROBES.clear()": "dgmlib.checks.run",
    "import worker.frames": "worker.frames",
    "from worker import frames": "worker.frames",
    "from torch.utils._python_dispatch import _disable_current_modes": "torch.utils._python_dispatch",
    "with torch.utils._python_dispatch._disable_current_modes(): pass": "torch.utils._python_dispatch",
    "import torch.utils as u\nu._python_dispatch": "torch.utils._python_dispatch",
    "import gc\nfor o in gc.get_objects(): pass": "gc.get_objects",
    "from gc import get_referrers": "gc.get_referrers",
    "import gc as garbage\nm = garbage": "gc",
    "import gc\ngetattr(gc, 'get_' + 'objects')()": "gc, by a computed name",
    "import sys\nsys._getframe(1)": "sys._getframe",
    "import sys as s\ngetattr(s, '_getframe')": "sys._getframe",
    "from sys import _getframe": "sys._getframe",
    "import sys\nsys.modules['dgmlib']": "sys.modules",
    "import sys\nfor name in sys.modules: pass": "sys.modules",
    "import sys\nsys.settrace(print)": "sys.settrace",
    "import sys\nvars(sys)": "sys",
    "import inspect\ninspect.stack()": "inspect.stack",
    "import inspect\nf = inspect.currentframe()": "inspect.currentframe",
    "def f():\n    from ctypes import pythonapi": "ctypes.pythonapi",
    "import builtins\nbuiltins.print = None": "builtins",
    "__builtins__.print = None": "__builtins__",
    "__import__('gc')": "__import__",
    "import importlib\nimportlib.import_module('gc')": "gc",
    "import importlib\nimportlib.import_module('g' + 'c')": "a module by a computed name",
    "exec('import ' + 'gc')": "exec",
    "def f(x):\n    return 0 if x.is_meta else 1": "is_meta",
    "def f(x):\n    return 0 if x.device.type == 'meta' else 1": "the device meta",
    "def f(e):\n    return e.__traceback__.tb_frame.f_back": "f_back",
    "def f(c):\n    c.calls = 1": "calls is written",
    "def f(c):\n    setattr(c, 'calls', 1)": "calls is written",
    "def f(w):\n    return w._version": "_version",
    "torch.allclose = lambda *a: True": "torch.allclose is written",
    "nn.Module.__call__ = None": "torch.nn.Module.__call__ is written",
    "class T(torch.Tensor):\n    def __torch_function__(self, *a): pass": "__torch_function__",
    "object.__subclasses__()": "__subclasses__",
    "f.__globals__['run'] = None": "__globals__",
    "import gc\n%time o = gc.get_objects()": "gc.get_objects",
    "import gc\no = %timeit -n 1 -r 1 -o gc.get_objects()": "gc.get_objects",
    "%%timeit import sys; f = sys._getframe()\npass": "sys._getframe",
    "%prun -s # __import__('gc')": "__import__",
    "get_ipython().run_cell('import ' + 'gc')": "run_cell",
    "import ｇｃ\nｇｃ.get_objects()": "gc.get_objects",
}
HONEST = {
    "memory": "import gc\ndel x\ngc.collect()",
    "Colab": "import sys\nON_COLAB = 'google.colab' in sys.modules\nif 'x' not in sys.modules: pass",
    "paths and streams": "import sys\nsys.path.insert(0, '.')\nprint(1, file=sys.stderr)\nsys.stdout.flush()",
    "the check again": "from dgmlib.checks import check\ncheck('x', 1)\nimport dgmlib.checks\ndgmlib.checks.check('y')",
    "source and signature": "import inspect\nprint(inspect.getsource(f), inspect.signature(f))",
    "reloading": "import importlib\nimport mine\nimportlib.reload(mine)\nimportlib.import_module('sklearn')",
    "names in words": "# gc.get_objects, sys._getframe\nprint('ctypes and inspect.stack()')",
    "a variable": "worker = x > 0\nworker.sum()\ncalls = 1\ngc = 3\nprint(gc)",
    "counters of one's own": "class C:\n    def f(self):\n        self.calls = 0\n        self.calls += 1",
    "settings": "torch.backends.cudnn.deterministic = True\ntorch.set_num_threads(1)\ntorch.__version__",
    "evaluation mode": "model.eval()\nmodel.weight.data = w\nmodel.base.grad = None",
    "a subclass": "class M(nn.Module):\n    def forward(self, x):\n        return super().forward(x)",
    "getattr": "for name in ('a', 'b'):\n    print(getattr(model, name))",
    "magics": "%load_ext autoreload\n!nvidia-smi\n%%time",
    "timing": "%timeit -n 10 f(x)\ny = %time g(x)\n%prun -s cumulative h(x)\nprint(7 %time)",
    "an error": "def f(:",
}


@pytest.mark.parametrize(("source", "what"), REACHES.items(), ids=range(len(REACHES)))
def test_each_way_is_named_with_its_line(source, what):
    found = reaches([("cell 1", "import math"), ("cell 7", source)])
    assert any(line.startswith("cell 7, line ") and f": {what}" in line for line in found), found


@pytest.mark.parametrize("source", HONEST.values(), ids=HONEST)
def test_honest_code_is_not(source):
    assert reaches([("cell 1", source)]) == []


def test_a_name_imported_in_another_cell_is_known():
    assert reaches([("cell 1", "import sys as s"), ("cell 2", "def f():\n    return s._getframe()")]) == [
        "cell 2, line 2: sys._getframe"
    ]


@pytest.mark.parametrize("source", ["x = 1\n" * 20_000, "a" + ".b" * 2_500], ids=["long", "deep"])
def test_what_cannot_be_looked_into_is_listed_and_the_rest_is_read(source):
    found = reaches([("cell 1", source), ("cell 2", "import ctypes")])
    assert found[0].startswith("cell 1: ")
    assert found[1:] == ["cell 2, line 1: ctypes"]


def python(path: Path) -> list[str]:
    """The code of a notebook or of a module."""
    text = path.read_text()
    if path.suffix != ".ipynb":
        return [text]
    return ["".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]


@pytest.mark.parametrize("files", ["solutions/*/*.ipynb", "course/*/*.ipynb", "tests/banks/*.py"])
def test_no_answer_of_the_course_reaches_anywhere(files):
    """The solved and the released notebooks, every right and wrong answer of the banks."""
    paths = sorted(CHECKOUT.glob(files))
    assert paths
    assert reaches((path.name, source) for path in paths for source in python(path)) == []


def test_of_the_demos_students_the_cheat_alone():
    paths = sorted(CHECKOUT.glob("grading/demo/students/*.py"))
    found = reaches((path.stem, source) for path in paths for source in python(path))
    assert {line.partition(",")[0] for line in found} == {"jack"}


def test_a_class_with_one_that_reaches(run, course, hand_in):  # noqa: F811
    """Through the command line: the same points, listed in the report with the place, not on the student's page."""

    def forged(notebook):
        at(notebook, NAMES[0])["source"] = f"import dgmlib.checks.run.watch as w\n{RIGHT[NAMES[0]]}"
        notebook["cells"].append(own("import gc, sys\ngc.collect()\nframe = sys._getframe()"))

    hand_in("ann", classroom.data(classroom.solved()))
    hand_in("mal", edited(forged))
    assert run("autograde")[0] == 0
    found = {v.student: v for v in results.load(course, classroom.TINY.name)}
    assert scores(found["mal"]) == FULL
    assert found["ann"].reaches == ()
    assert found["mal"].reaches == ("cell 3, line 1: dgmlib.checks.run.watch", "cell 8, line 3: sys._getframe")
    assert run("report")[0] == run("feedback")[0] == 0
    page = (course.data / "report" / f"{classroom.TINY.name}.html").read_text()
    section = page.partition("Reaches into the checker")[2].partition("</section>")[0]
    assert "mal" in section
    assert "cell 8, line 3: sys._getframe" in section
    assert "ann" not in section
    assert "code that reaches into the checker" in page.partition("Needs a person")[2].partition("</section>")[0]
    assert "reaches" not in next((course.data / "feedback" / "mal").rglob("*.html")).read_text()


def test_cells_too_long_to_be_looked_into_leave_the_others_alone():
    long = "# " + "7" * 150_000
    assert reaches([("cell 1", long), ("cell 2", long), ("cell 3", "import sys\nsys._getframe()")]) == [
        "cell 1: too long to be looked into",
        "cell 2: too long to be looked into",
        "cell 3, line 2: sys._getframe",
    ]
