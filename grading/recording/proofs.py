"""Which proofs changed since they were last recorded: `proofs.json` holds a hash of each, by assignment and student.

A person who graded the earlier words is asked to look again. Lost, the file costs that reminder alone.
"""

import json

from ..course import Course, write


def load(course: Course, assignment: str) -> dict[str, dict[str, str]]:
    """`{student: {exercise: hash}}`."""
    return table(course).get(assignment, {})


def table(course: Course) -> dict[str, dict]:
    try:
        read = json.loads((course.data / "proofs.json").read_bytes())
        return {k: v for k, v in read.items() if isinstance(v, dict)}
    except (OSError, ValueError, AttributeError):
        return {}


def rewritten(seen: dict[str, dict[str, str]], result: dict) -> set[str]:
    """The exercises of one result whose words are others than those seen before."""
    before = seen.get(result["student"], {})
    return {name for name, words in result["written"].items() if before.get(name, words) != words}


def remember(course: Course, assignment: str, results: list[dict]):
    """Note the words that are recorded now."""
    now = {r["student"]: r["written"] for r in results if r["written"]}
    if now:
        whole = table(course)
        whole[assignment] = whole.get(assignment, {}) | now
        write(course.data / "proofs.json", [json.dumps(whole, indent=1, ensure_ascii=False, sort_keys=True), "\n"])
