"""A class that was never graded: submissions, verdict files and results made up, for feedback, report and export."""

import json
import random
import shutil
from dataclasses import replace

from dgmlib.checks import ASSIGNMENTS
from dgmlib.checks.engine.verdict import WAITS
from grading.course import CHECKOUT, Course, write
from grading.judging import store
from grading.judging.verdict import ExerciseResult, LawResult, State, Status, Verdict, tidy, without
from grading.notebook.submission import digest

NAME = "01_forward_reverse_kl"
PROOF = "duality_proof"
UNSOLVED = "not solved yet"
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e\x07 {{7*7}} " + "&" * 500
FIRST = ["Ada", "Bo", "Cy", "Dana", "Eve", "Finn", "Gita", "Hugo", "Ines", "Jan"]
FIRST += ["Kim", "Lea", "Max", "Noor", "Omar", "Pia", "Quinn", "Rui", "Sara", "Tom"]


def verdict(student: str, wrong: dict[str, str | LawResult] | None = None, **about) -> Verdict:
    """All right but for `wrong`: what is said of an exercise's first law, for which the others wait."""
    assignment = ASSIGNMENTS[NAME]
    exercises = {}
    for name, exercise in assignment.exercises.items():
        said = (wrong or {}).get(name)
        laws = tuple(law(row, said, place == 0) for place, row in enumerate(exercise.laws))
        score = None if exercise.written else tidy(sum(r.weight for r in laws if r.passed))
        exercises[name] = ExerciseResult(score, tidy(exercise.points), laws, exercise.slide)
    score = sum(e.score for e in exercises.values() if e.score is not None)
    made = without(student, assignment, "", "bwrap", Status.GRADED)
    return replace(made, **{"score": score, "exercises": exercises, "written": {PROOF: "0"}} | about)


def law(row, said: str | LawResult | None, first: bool) -> LawResult:
    name, weight = row.name, tidy(row.weight)
    if said is None:
        return LawResult(name, weight, State.PASSED)
    if said == UNSOLVED:
        return LawResult(name, weight, State.UNSOLVED, said)
    if not first:
        return LawResult(name, weight, State.WAITING, WAITS.ours)
    if isinstance(said, LawResult):
        return replace(said, law=name, weight=weight)
    return LawResult(name, weight, State.FAILED, said)


def mistaken(ours: str, mistake: str) -> LawResult:
    """What is said of an answer whose mistake is known."""
    return LawResult("", 0, State.FAILED, ours, mistake=mistake)


def refused(student: str, reason: str, status: Status = Status.REFUSED) -> Verdict:
    return without(student, ASSIGNMENTS[NAME], reason, "bwrap", status)


def notebook(answers: dict[str, str]) -> bytes:
    cells = [{"cell_type": "code", "id": n, "metadata": {}, "source": s} for n, s in answers.items()]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def released(root, *names: str) -> Course:
    """A course folder with these assignments of this course."""
    for name in names or (NAME,):
        shutil.copytree(CHECKOUT / "course" / name, root / "course" / name)
    return Course(root)


def on_file(course: Course, found: list[Verdict]):
    """Hand in, file the verdicts, and mark them as recorded, as autograde leaves them."""
    version = store.made_by(course.released_notebook(course.assignment(NAME)).read_bytes())
    for number, made in enumerate(found):
        data = notebook({"gaussian_kl": f"# {made.student}"})
        write(course.submitted / made.student / NAME / "forward_reverse_kl.ipynb", data)
        about = {"key": key(made.student, number), "seconds": 1.0 + number / 10, "version": made.version or version}
        filed = replace(made, file=digest(data), **about)
        store.save(course, filed)
        if filed.graded:
            store.mark_recorded(course, filed)


def key(student: str, number: int) -> str:
    return f"{store.whose(student)}-{number:064x}"


def a_class(size: int = 120, seed: int = 0) -> list[Verdict]:
    """Many students, with the known mistakes of each exercise."""
    rng = random.Random(seed)
    found = []
    for number in range(size):
        student = f"{FIRST[number % 20]} {chr(65 + number // 20)}."
        wrong = {}
        for name, exercise in ASSIGNMENTS[NAME].exercises.items():
            if exercise.mistakes and rng.random() < 0.25:
                message = rng.choice(exercise.mistakes[:3]).message
                value = rng.gauss(0, 3)
                wrong[name] = mistaken(f"loss: expected {value:.5g} at [0], got {-value:.5g} at [0].", message)
            elif exercise.mistakes and rng.random() < 0.06:
                wrong[name] = UNSOLVED
        notes = [f"cell {number % 9}: NameError: name 'x{number}' is not defined"] if rng.random() < 0.1 else []
        found.append(verdict(student, wrong, notes=tuple(notes), written={PROOF: "0"} if rng.random() < 0.8 else {}))
    slow = "your answer took too long: allowed are 20 s of computing or 60 s of waiting"
    first, *others = found[3].exercises["gaussian_kl"].laws
    laws = (replace(first, state=State.CRASHED, ours=slow, theirs="", mistake=""), *others)
    exercises = found[3].exercises | {"gaussian_kl": replace(found[3].exercises["gaussian_kl"], laws=laws)}
    found[3] = replace(found[3], exercises=exercises, crashes=("gaussian_kl took too long",))
    found[5] = refused(found[5].student, "not a Jupyter notebook: no valid JSON (cut off on the way?)")
    found[7] = refused(found[7].student, "the sandbox did not start: out of memory", Status.FAILED)
    return found
