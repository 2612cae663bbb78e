"""What grading the same file anew changes: old points and new ones, and messages. Read before anything is recorded."""

from dataclasses import dataclass

from ..course import Course
from . import store
from .verdict import ExerciseResult, Verdict, tidy


@dataclass(frozen=True)
class Change:
    """`points`: old and new by exercise, where they differ; `messages`: exercises whose words alone differ."""

    student: str
    assignment: str
    old: float
    new: float
    points: dict[str, tuple[float, float]]
    messages: tuple[str, ...]

    def __str__(self) -> str:
        said = [f"{name} {tidy(old)} -> {tidy(new)}" for name, (old, new) in self.points.items()]
        said += [f"other words for {', '.join(self.messages)}"] if self.messages else []
        return f"{self.student}: {self.assignment}: {tidy(self.old)} -> {tidy(self.new)}: {'; '.join(said)}"


def change(course: Course, verdict: Verdict) -> Change | None:
    """Against the verdict that the gradebook holds of the same file; None where nothing differs or none is held."""
    held = store.recorded(course, str(verdict.assignment), verdict.student)
    if held is None or held.file != verdict.file or not (held.graded and verdict.graded):
        return None
    whole, points, messages = store.whole(course, verdict), {}, []
    for name in dict.fromkeys([*held.exercises, *whole.exercises]):
        old, new = (v.exercises.get(name) for v in (held, whole))
        before, after = ((e.score or 0.0) if e else 0.0 for e in (old, new))
        if before != after:
            points[name] = before, after
        elif words(old) != words(new):
            messages.append(name)
    if not points and not messages:
        return None
    return Change(verdict.student, str(verdict.assignment), held.score or 0, whole.score or 0, points, tuple(messages))


def words(exercise: ExerciseResult | None) -> list[str]:
    return [law.message for law in exercise.laws] if exercise else []
