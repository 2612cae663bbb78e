"""Nothing on stderr costs a point: neither where an answer is defined, nor while it is graded, nor beside it."""

from . import classroom
from .classroom import NAMES, RIGHT, at, own
from .test_judge import FULL, scores

LOUD = """import logging, os, sys, warnings
warnings.simplefilter("always")
def shout():
    warnings.warn("deprecated, they say")
    logging.getLogger("mine").warning("a log line")
    print("100%|##########|", file=sys.stderr, flush=True)
    sys.stderr.buffer.write(b"raw bytes") if hasattr(sys.stderr, "buffer") else None
    os.write(2, b"past Python")
shout()
"""


def loud_everywhere(notebook):
    for name in NAMES:
        head, body = RIGHT[name].split("\n", 1)
        at(notebook, name)["source"] = f"{LOUD}{head}\n    shout()\n{body}"
    notebook["cells"].insert(2, own(LOUD + "print(1 / 0)"))


def test_a_shouting_answer_keeps_all_points(grade):
    assert scores(grade(classroom.edited(loud_everywhere))) == FULL
