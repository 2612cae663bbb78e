"""A verdict as Gradescope's results.json: a test a law."""

from ..judging.verdict import ExerciseResult, State, Verdict

PERSON = "Read and graded by a person."
UNPROTECTED = "no sandbox works in this container: the notebook ran as another user"
WAITING = "waits until the values are right"


def results(verdict: Verdict) -> dict:
    """Of a graded or refused submission; one that failed has none, so that nobody gets a false 0."""
    tests = [test for name, exercise in verdict.exercises.items() for test in of_exercise(name, exercise)]
    said = verdict.reason or f"{verdict.score:g} of {points(verdict):g} points that are graded by program."
    return {
        "score": verdict.score or 0,
        "output": "\n".join([said, *verdict.notes]),
        "output_format": "text",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {"sandbox": verdict.sandbox if verdict.sandbox != "none" else UNPROTECTED},
    }


def of_exercise(name: str, exercise: ExerciseResult) -> list[dict]:
    if exercise.score is None:
        return [{"name": name, "output": PERSON, "output_format": "text"}]
    return [
        {
            "name": f"{name}: {law.law}",
            "score": law.weight if law.passed else 0,
            "max_score": law.weight,
            "status": "passed" if law.passed else "failed",
            "output": WAITING if law.state is State.WAITING else law.message,
            "output_format": "text",
        }
        for law in exercise.laws
    ]


def points(verdict: Verdict) -> float:
    return sum(exercise.max_score for exercise in verdict.exercises.values() if exercise.score is not None)
