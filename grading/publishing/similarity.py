"""Answers that are alike: runs of 10 tokens of the syntax tree, without the names that a student chose.

What the released notebook and the solutions hold does not count, nor what more than a few of the class write. A hint
for a person to look, never a verdict.
"""

import ast
import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import combinations

from ..course import Course
from ..judging.verdict import Verdict
from ..notebook.source import tree

RUN = 10
MOST_TOKENS = 4000
FEWEST_SHARED = 12
LONG = 40  # tokens from which two who think alike seldom write the same
LEAST_SHARE = 0.4
COMMENT = re.compile(r"#\s*(\S.{14,})$", re.MULTILINE)


@dataclass(frozen=True)
class Pair:
    """`share`: of the rarer marks of the one with fewer, how many the other has too."""

    one: str
    two: str
    shared: int
    share: float
    exercises: tuple[str, ...]


@dataclass(frozen=True)
class Same:
    """Students, however many, whose answers to these `exercises` are the same but for names and comments."""

    students: tuple[str, ...]
    exercises: tuple[str, ...]


def pairs(course: Course, assignment, verdicts: list[Verdict]) -> list[Pair]:
    """Pairs of students, the most alike first."""
    released = released_bytes(course, assignment)
    if released is None:
        return []
    left_out = known_marks(course, assignment, released)
    marks = {v.student: own_marks(v) - left_out for v in verdicts if v.graded}
    return alike(marks)


def same(course: Course, assignment, verdicts: list[Verdict]) -> list[Same]:
    """Groups of identical answers: those of the most exercises first, then the largest."""
    released = released_bytes(course, assignment)
    given = known_marks(course, assignment, released) if released else set()
    holders = defaultdict(list)
    for verdict in sorted(verdicts, key=lambda verdict: verdict.student):
        for name, source in verdict.answers.items() if verdict.graded else ():
            tokens = spelled(source)
            if len(tokens) >= LONG and {(name, mark) for mark in fingerprints(source)} - given:
                holders[name, tokens].append(verdict.student)
    groups = defaultdict(list)
    for (name, _), students in holders.items():
        if len(students) > 1:
            groups[tuple(students)].append(name)
    found = [Same(students, tuple(names)) for students, names in groups.items()]
    return sorted(found, key=lambda s: (-len(s.exercises), -len(s.students), s.students))


def spelled(source: str) -> tuple[str, ...]:
    parsed = tree(source)
    return tuple(walk(parsed) if parsed else source.split())


def released_bytes(course: Course, assignment) -> bytes | None:
    path = course.released_notebook(assignment)
    return path.read_bytes() if path.is_file() else None


def own_marks(verdict: Verdict) -> set:
    """`(exercise, mark)` of the answers that were graded, as they are filed with the verdict."""
    return {(name, mark) for name, source in verdict.answers.items() for mark in fingerprints(source)}


def known_marks(course: Course, assignment, released: bytes) -> set:
    """The marks of everything that was given out, and of the solutions, under every exercise."""
    sources = [source for source in code(released)]
    solved = course.solved_notebook(assignment)
    if solved.is_file():
        sources += code(solved.read_bytes())
    marks = {mark for source in sources for mark in fingerprints(source)}
    return {(name, mark) for name in assignment.exercises for mark in marks}


def code(notebook: bytes) -> list[str]:
    cells = json.loads(notebook)["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def fingerprints(source: str) -> set[str]:
    """Runs of tokens, and comments of some length."""
    tokens = spelled(source)
    runs = {" ".join(tokens[i : i + RUN]) for i in range(len(tokens) - RUN + 1)}
    return runs | {" ".join(comment.lower().split()) for comment in COMMENT.findall(source[:100_000])}


def walk(parsed: ast.AST):
    """Kinds of nodes from top to bottom, with attributes, constants and operators, without chosen names."""
    waiting, count = [parsed], 0
    while waiting and count < MOST_TOKENS:
        node = waiting.pop()
        if isinstance(node, ast.Load | ast.Store | ast.Module) or is_text(node):
            if not isinstance(node, ast.Module):
                continue
        else:
            count += 1
            yield token(node)
        waiting += reversed(list(ast.iter_child_nodes(node)))


def is_text(node: ast.AST) -> bool:
    """A docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def token(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f".{node.attr}"
    if isinstance(node, ast.Constant):
        return repr(node.value)[:40]
    return type(node).__name__ + (f":{node.arg}" if isinstance(node, ast.keyword) else "")


def alike(marks: dict[str, set]) -> list[Pair]:
    """Pairs that share enough of what few others write."""
    count = Counter(mark for own in marks.values() for mark in own)
    common = min(max(3, len(marks) // 10), 12)
    rare = {student: {mark for mark in own if count[mark] <= common} for student, own in marks.items()}
    holders = defaultdict(list)
    for student, own in sorted(rare.items()):
        for mark in own:
            holders[mark].append(student)
    shared = defaultdict(Counter)
    for (exercise, _), students in holders.items():
        for pair in combinations(students, 2):
            shared[pair][exercise] += 1
    found = [made(pair, found, rare) for pair, found in shared.items()]
    found = [pair for pair in found if pair.shared >= FEWEST_SHARED and pair.share >= LEAST_SHARE]
    return sorted(found, key=lambda p: (-p.shared * p.share, p.one, p.two))


def made(pair: tuple[str, str], found: Counter, rare: dict[str, set]) -> Pair:
    one, two = pair
    total = sum(found.values())
    share = total / max(1, min(len(rare[one]), len(rare[two])))
    return Pair(one, two, total, share, tuple(name for name, _ in found.most_common()))
