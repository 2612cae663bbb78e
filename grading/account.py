"""Colab notes a student's name and account in every notebook: removed before anything is stored."""

import json

from . import intake
from .intake import mapping


def removed(data: bytes) -> bytes:
    """The notebook without them. Where there are none, and where it is no notebook, the same bytes."""
    try:
        notebook = mapping(intake.parsed(data))
    except intake.Refused:
        return data
    cells = notebook.get("cells") if isinstance(notebook.get("cells"), list) else []
    noted = [mapping(mapping(cell).get("metadata")).pop("executionInfo", None) for cell in cells]
    noted.append(mapping(notebook.get("metadata")).pop("colab", None))
    if not any(noted):
        return data
    try:
        return json.dumps(notebook, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return json.dumps(notebook).encode()
