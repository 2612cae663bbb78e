"""Gradescope's export: `submission_123/x.ipynb`, and a list beside these folders that says whose they are."""

import re

import yaml

from .names import student_name
from .submitter import Path, Reader, Submitter

FOLDER = re.compile(r"submission_(\d+)")
METADATA = "submission_metadata.yml"
MOST_IN_A_GROUP = 50


def reader(given) -> Reader | None:
    if not any(FOLDER.fullmatch(top) for top in given.tops):
        return None
    own = (METADATA,)
    listed = mapping(parsed(given.read(own))) if own in given.entries else {}

    def read(path: Path) -> list[Submitter] | None:
        found = FOLDER.fullmatch(path[0]) if len(path) > 1 else None
        return None if path == own else people(mapping(listed.get(path[0])), found) if found else []

    return read


def parsed(text: str):
    """As text: a date, a number or a link to another entry is not needed."""
    try:
        return yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    except (yaml.YAMLError, RecursionError, ValueError):
        return {}


def people(about: dict, folder: re.Match) -> list[Submitter]:
    """Everybody of a group hands it in."""
    number, late = int(folder[1][:18]), value(about, "late").lower() in ("true", "yes")
    listed = about.get(":submitters") or about.get("submitters")
    listed = listed[:MOST_IN_A_GROUP] if isinstance(listed, list) else []
    found = [submitter(mapping(person), number, late) for person in listed]
    return [one for one in found if one.name] or [Submitter(folder[0], {}, (number,), late)]


def submitter(person: dict, number: int, late: bool) -> Submitter:
    ids = {key: text for key in ("sid", "email") if (text := value(person, key)[:200])}
    name = value(person, "name")[:200] or ids.get("email") or ids.get("sid") or ""
    return Submitter(student_name(name), ids, (number,), late)


def value(about: dict, key: str) -> str:
    found = about.get(f":{key}", about.get(key))
    return found if isinstance(found, str) else ""


def mapping(found) -> dict:
    return found if isinstance(found, dict) else {}
