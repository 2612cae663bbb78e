"""A class that was never graded: submissions, verdict files and results made up, for feedback, report and export."""

import json
import random

from dgmlib.checks import ASSIGNMENTS
from dgmlib.checks.engine.verdict import WAITS
from grading.course import Course, write
from grading.judging import judge, results, store

NAME = "01_forward_reverse_kl"
PROOF = "duality_proof"
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e\x07 {{7*7}} " + "&" * 500
FIRST = ["Ada", "Bo", "Cy", "Dana", "Eve", "Finn", "Gita", "Hugo", "Ines", "Jan"]
FIRST += ["Kim", "Lea", "Max", "Noor", "Omar", "Pia", "Quinn", "Rui", "Sara", "Tom"]


def verdict(student: str, wrong: dict[str, str] | None = None, **about) -> dict:
    """All right but for `wrong`: the message of an exercise's first law, for which the others wait."""
    assignment = ASSIGNMENTS[NAME]
    exercises = {}
    for name, exercise in assignment.exercises.items():
        said = (wrong or {}).get(name)
        results_ = [law(row, said, place == 0) for place, row in enumerate(exercise.laws)]
        score = None if exercise.written else judge.tidy(sum(r["weight"] for r in results_ if r["passed"]))
        exercises[name] = {"score": score, "max_score": judge.tidy(exercise.points), "laws": results_}
    score = sum(e["score"] for e in exercises.values() if e["score"] is not None)
    made = judge.refused(student, assignment, "", "bwrap", "graded") | {"score": score, "exercises": exercises}
    return made | {"written": {PROOF: "0"}} | about


def law(row, said: str | None, first: bool) -> dict:
    message = "" if said is None else said if first or said == "not solved yet" else WAITS
    return {"law": row.name, "passed": said is None, "weight": judge.tidy(row.weight), "message": message}


def refused(student: str, reason: str, status: str = "refused") -> dict:
    return judge.refused(student, ASSIGNMENTS[NAME], reason, "bwrap", status)


def notebook(answers: dict[str, str]) -> bytes:
    cells = [{"cell_type": "code", "id": n, "metadata": {}, "source": s} for n, s in answers.items()]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def on_file(course: Course, found: list[dict]):
    """Hand in, file the verdicts, and store the results, as autograde leaves them."""
    for number, made in enumerate(found):
        student = made["student"]
        data = notebook({"gaussian_kl": f"# {student}"})
        write(course.submitted / student / NAME / "forward_reverse_kl.ipynb", data)
        key = f"{number:064x}"
        store.save(course, key, made)
        extra = {"key": key} if made["status"] == "graded" else {}
        results.remember(course, [made | extra | {"seconds": 1.0 + number / 10}])


def a_class(size: int = 120, seed: int = 0) -> list[dict]:
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
                wrong[name] = f"loss: expected {value:.5g} at [0], got {-value:.5g} at [0]. {message}"
            elif exercise.mistakes and rng.random() < 0.06:
                wrong[name] = "not solved yet"
        notes = [f"cell {number % 9}: NameError: name 'x{number}' is not defined"] if rng.random() < 0.1 else []
        found.append(verdict(student, wrong, notes=notes, written={PROOF: "0"} if rng.random() < 0.8 else {}))
    found[3]["exercises"]["gaussian_kl"]["laws"][0] |= {
        "passed": False,
        "message": "your answer took too long: allowed are 20 s of computing or 60 s of waiting",
    }
    found[5] = refused(found[5]["student"], "not a Jupyter notebook: no valid JSON (cut off on the way?)")
    found[7] = refused(found[7]["student"], "the sandbox did not start: out of memory", "failed")
    return found
