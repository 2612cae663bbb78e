"""`grading/roster.json`: what the platforms call each student, and who was late; made by collect."""

import json
from datetime import datetime

from ..course import Course, write
from ..plaintext import one_line

STABLE = ("canvas", "sid", "login", "email", "github", "brightspace")  # Moodle's number is new in every assignment
LONGEST = 128  # characters that nbgrader's gradebook keeps of a name


def load(course: Course) -> dict[str, dict]:
    """`{student: {"canvas": id, "sid", "email", "name", "moodle": {assignment: number}, "late": [assignment],
    "excused": [assignment], "extended": {assignment: date}, "handed": {assignment: {"file", "time", "upload"}}}}`."""
    try:
        roster = json.loads((course.data / "roster.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return {k: v for k, v in roster.items() if isinstance(v, dict)} if isinstance(roster, dict) else {}


def save(course: Course, roster: dict[str, dict]):
    write(
        course.data / "roster.json", (json.dumps(roster, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()
    )


def note(entry: dict, assignment: str, ids: dict[str, str], late: bool, name: str = "") -> dict:
    """A student's entry with what one submission adds. What a roster says of a person stays."""
    new = {key: value for key, value in ids.items() if key != "moodle"} | ({"name": name} if name else {})
    made = {**entry, **new, **{k: v for k, v in entry.items() if k in new and entry.get("class")}}
    if "moodle" in ids:
        made["moodle"] = {**entry.get("moodle", {}), assignment: ids["moodle"]}
    others = [name for name in entry.get("late", []) if name != assignment]
    made["late"] = sorted([*others, assignment] if late else others)
    return made


def handed(entry: dict, assignment: str, file: str, when: float | None, upload: str) -> dict:
    """A student's entry with the file that is graded: its name and time, and Canvas's number of the upload."""
    time = datetime.fromtimestamp(when).isoformat(timespec="minutes") if when else ""
    about = {"file": file, "time": time} | ({"upload": upload} if upload else {})
    return entry | {"handed": entry.get("handed", {}) | {assignment: about}}


def standing(entry: dict, assignment: str) -> str:
    """`excused`, `extended`, `late`, or nothing of that. Who hands in after an extension is late again."""
    if assignment in entry.get("excused", []):
        return "excused"
    extended = entry.get("extended", {})
    if assignment in extended:
        until, time = extended[assignment], entry.get("handed", {}).get(assignment, {}).get("time", "")
        return "late" if until and time[: len(until)] > until else "extended"
    return "late" if assignment in entry.get("late", []) else ""


def missing(course: Course, roster: dict[str, dict], assignment: str) -> dict[str, str]:
    """Who of the class handed in nothing that can be graded, and what came instead: "" for nothing."""
    there = {student for student, files in course.submissions(assignment).items() if files}
    return {s: str(e.get("other", {}).get(assignment, "")) for s, e in sorted(roster.items()) if s not in there}


def numbers(entry: dict, assignment: str) -> list[tuple[str, str]]:
    """What platforms call this person, as far as it holds in this assignment."""
    found = [(key, entry[key]) for key in STABLE if isinstance(entry.get(key), str)]
    moodle = entry.get("moodle")
    return [*found, ("moodle", moodle[assignment])] if isinstance(moodle, dict) and assignment in moodle else found


def is_another(entry: dict, ids: dict[str, str], assignment: str) -> bool:
    """Whether these ids contradict what is known of a student of this name."""
    known = dict(numbers(entry, assignment))
    return any(key in ids and ids[key] != value for key, value in known.items())


def person(roster: dict[str, dict], student: str) -> dict[str, str]:
    """What is known of `first_name`, `last_name`, `email`. A name is "Ada B. Lovelace" or "Lovelace, Ada"."""
    entry = roster.get(student, {})
    last, comma, first = line(entry.get("name")).partition(",")
    if not comma:
        first, _, last = last.rpartition(" ")
    known = {"first_name": first.strip(), "last_name": last.strip(), "email": line(entry.get("email"))}
    return {key: value for key, value in known.items() if value}


def line(value: object) -> str:
    """A text as one printable line; "" where it is none, or longer than the gradebook keeps."""
    if not isinstance(value, str):
        return ""
    text = " ".join(one_line(value).split())
    return text if len(text) <= LONGEST else ""
