"""Run All, as JupyterLab does it."""

from pathlib import Path

from nbclient import NotebookClient
from nbformat import NotebookNode


def run_all(notebook: NotebookNode, folder: Path):
    """Execute the cells in `folder`.

    Without nbclient's own Output widget: what that sends while a cell runs can hide the cell's reply from asyncio, and
    nbclient then waits until its timeout.
    """
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}})
    client.widget_registry = {}
    client.execute()
