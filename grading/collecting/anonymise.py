"""Colab notes a student's name and account in every notebook, others its authors: removed before it is stored."""

import json

from ..notebook import parse
from ..notebook.parse import Refused, mapping

NOTED = (b'"executionInfo"', b'"colab"', b'"authors"')


def removed(data: bytes) -> bytes:
    """The notebook without them. Where there are none, and where it is no notebook, the same bytes."""
    if not any(word in data for word in NOTED) and b"\0" not in data:  # a long way round for most; UTF-16 has zeros
        return data
    try:
        notebook = mapping(parse.parsed(data))
    except Refused:
        return data
    cells = notebook.get("cells") if isinstance(notebook.get("cells"), list) else []
    noted = [mapping(mapping(cell).get("metadata")).pop("executionInfo", None) for cell in cells]
    about = mapping(notebook.get("metadata"))
    noted += [about.pop(key, None) for key in ("colab", "authors")]
    if not any(noted):
        return data
    # packed, so that no file outgrows what is accepted; half a surrogate pair goes back to its escape
    return json.dumps(notebook, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")
