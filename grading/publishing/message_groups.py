"""The same mistake made by many: what laws say, grouped by what is the same for all who made it."""

from collections import defaultdict
from dataclasses import dataclass

from ..judging.verdict import LawResult, State, Verdict


@dataclass(frozen=True)
class Group:
    """`students` who made this mistake in this exercise, each once; the laws that it failed."""

    exercise: str
    message: str
    students: tuple[str, ...]
    laws: tuple[str, ...]


def groups(verdicts: list[Verdict]) -> list[Group]:
    """The commonest first; exercises that were left out are no mistakes."""
    failed = defaultdict(list)
    for verdict in verdicts:
        for name, exercise in verdict.exercises.items():
            for law in exercise.laws:
                if law.state not in (State.PASSED, State.WAITING, State.UNSOLVED):
                    failed[name, shared(law)].append((verdict.student, law))
    found = [group(exercise, made) for (exercise, _), made in failed.items()]
    return sorted(found, key=lambda g: (-len(g.students), g.exercise, g.message))


def shared(law: LawResult) -> tuple[str, ...]:
    """What is the same for two students who made the same mistake: the mistake, if it is known; else that there is no
    answer, or the kind of exception; else the law."""
    if law.mistake:
        return ("mistake", law.mistake)
    if law.state in (State.UNDEFINED, State.CRASHED):
        return (law.state,)
    return ("raised", law.theirs.partition(":")[0]) if law.theirs else ("law", law.law)


def group(exercise: str, made: list[tuple[str, LawResult]]) -> Group:
    """Those who `made` it. Where no mistake is known, what the first of them read stands for all."""
    words = made[0][1].mistake or made[0][1].message
    students = dict.fromkeys(student for student, _ in made)
    laws = dict.fromkeys(law.law for _, law in made)
    return Group(exercise, words, tuple(students), tuple(laws))
