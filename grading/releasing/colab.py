"""The repository's address, one setting: `[tool.dgm] url` in pyproject.toml. Without it no badge, no wheel to fetch."""

import re
import tomllib
from pathlib import Path

from ..course import CourseError

BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
GITHUB = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?")
WHEEL = 'os.environ.get("DGMLIB_WHEEL", "{}")'


def wheel(url: str, version: str) -> str:
    """Where the release of a version keeps its one wheel."""
    return f"{url}/releases/download/v{version}/dgmlib-{version}-py3-none-any.whl"


def colab(url: str, assignment: str, stem: str) -> str:
    """Colab's own page of a released notebook."""
    repository = GITHUB.fullmatch(url)[1]
    return f"https://colab.research.google.com/github/{repository}/blob/main/course/{assignment}/{stem}.ipynb"


def setting(root: Path) -> tuple[str, str]:
    """`(url, version)` of a course folder; an empty url where none is set. Raises CourseError."""
    file = root / "pyproject.toml"
    project = tomllib.loads(file.read_text()) if file.is_file() else {}
    url = project.get("tool", {}).get("dgm", {}).get("url", "")
    if url and not GITHUB.fullmatch(url):
        raise CourseError(f"{file}: [tool.dgm] url: expected https://github.com/OWNER/REPOSITORY, got {url!r}")
    return url.removesuffix("/").removesuffix(".git"), project.get("project", {}).get("version", "")


def link(notebook, root: Path, assignment: str, stem: str):
    """Write the badge above the title and the wheel's address into the set-up cell, where there is an address."""
    url, version = setting(root)
    if not url:
        return
    title = notebook.cells[0]
    title.source = f"[![Open in Colab]({BADGE})]({colab(url, assignment, stem)})\n\n{title.source}"
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "setup":
            cell.source = cell.source.replace(WHEEL.format(""), WHEEL.format(wheel(url, version)))
