"""The files that editors and platforms make of a notebook."""

import json
import warnings

import nbformat

from ..grading.classroom import cell


def dumps(notebook: dict, **how) -> str:
    return json.dumps(notebook, ensure_ascii=False, indent=1, **how) + "\n"


def jupyterlab(notebook):
    for each in notebook["cells"]:
        each["source"] = each["source"].splitlines(True)


def classic(notebook):
    notebook["nbformat_minor"] = 4
    for each in notebook["cells"]:
        del each["id"]
        each["metadata"] |= {"collapsed": True, "trusted": True}


def vscode(notebook):
    jupyterlab(notebook)
    for each in notebook["cells"]:
        each["metadata"]["vscode"] = {"languageId": "python"}
    notebook["metadata"] = {"kernelspec": {"name": "python3"}, "language_info": {"name": "python", "version": "3.12.1"}}


def pycharm(notebook):
    notebook["metadata"]["kernelspec"] = {
        "name": "pycharm-4711",
        "display_name": "PyCharm (course)",
        "language": "python",
    }
    for each in notebook["cells"]:
        each["metadata"]["pycharm"] = {"name": "#%%\n", "is_executing": False}


def colab(notebook):
    notebook |= {"nbformat_minor": 0}
    notebook["metadata"] = {"colab": {"provenance": []}, "kernelspec": {"name": "python3", "display_name": "Python 3"}}
    for each in notebook["cells"]:
        user = {"displayName": "Ada", "userId": "1"}
        each["metadata"] = {"id": each.pop("id"), "executionInfo": {"user": user, "status": "ok"}, "outputId": "x"}


def colab_without_ids(notebook):
    colab(notebook)
    for number, each in enumerate(notebook["cells"]):
        each["metadata"]["id"] = f"aB{number}cDeFgHiJk"


def kaggle(notebook):
    notebook["nbformat_minor"] = 4
    for number, each in enumerate(notebook["cells"]):
        del each["id"]
        each["metadata"] = {"_uuid": f"8f2839f{number}", "_cell_guid": f"b1076dfc-{number}", "trusted": True}
        each["metadata"]["papermill"] = {"duration": 0.01, "status": "completed", "tags": []}


def deepnote(notebook):
    notebook["nbformat_minor"] = 0
    for number, each in enumerate(notebook["cells"]):
        del each["id"]
        about = {"cell_id": f"{number:032x}", "deepnote_cell_type": each["cell_type"], "source_hash": "b623e53d"}
        each["metadata"] = about | {"execution_start": 1, "deepnote_to_be_reexecuted": False}
    notebook["metadata"] = {"deepnote": {}, "deepnote_notebook_id": "0", "deepnote_execution_queue": []}


def marimo(notebook):
    for number, each in enumerate(notebook["cells"]):
        each["id"], each["metadata"] = f"Hb{number:02}", {"marimo": {"config": {"hide_code": True}}}
        if each["cell_type"] == "markdown":
            each |= {"cell_type": "code", "source": f'mo.md(r"""\n{each["source"]}\n""")', "outputs": []}


def databricks(notebook):
    for each in notebook["cells"]:
        del each["id"]
        each["metadata"] = {"application/vnd.databricks.v1+cell": {"title": "", "showTitle": False, "inputWidgets": {}}}


def foreign(notebook):
    notebook["cells"].insert(1, {"cell_type": "heading", "level": 2, "metadata": {}, "source": "Notes"})
    notebook["cells"].append({"cell_type": "sql", "metadata": {}, "source": "select 1"})


def sparse(notebook):
    for each in notebook["cells"]:
        each.pop("outputs", None)
        each.pop("execution_count", None)


def strange(notebook):
    notebook |= {"extra": {"a": 1}, "metadata": {"kernelspec": None, "title": "Mine", "authors": [{"name": "Ada"}]}}
    notebook["cells"].append({"cell_type": "markdown", "metadata": None, "source": None or "", "collapsed": 3})


def named(notebook):
    notebook["cells"].append(cell("mine", "Müller – log|det J|", "markdown"))


def minor(number: int):
    def change(notebook):
        notebook["nbformat_minor"] = number
        for each in notebook["cells"]:
            each.pop("id")

    return change


def format_3(notebook) -> bytes:
    """As Jupyter's own converter writes it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nbformat.v3.writes_json(nbformat.convert(nbformat.from_dict(notebook), 3)).encode()


def encoded(encoding: str):
    return lambda notebook: dumps(notebook).encode(encoding)


def utf8(notebook) -> bytes:
    return dumps(notebook).encode()


# name: (what the editor changes, how it writes)
FILES = {
    "JupyterLab": (jupyterlab, utf8),
    "the classic notebook": (classic, utf8),
    "VS Code": (vscode, utf8),
    "PyCharm": (pycharm, utf8),
    "Colab": (colab, utf8),
    "Colab with ids of its own": (colab_without_ids, lambda n: json.dumps(n).encode()),
    "Kaggle": (kaggle, utf8),
    "Deepnote": (deepnote, utf8),
    "marimo": (marimo, utf8),
    "Databricks": (databricks, lambda n: json.dumps(n).encode()),
    "foreign cells": (foreign, utf8),
    "no outputs": (sparse, utf8),
    "strange metadata": (strange, utf8),
    **{f"format 4.{number}": (minor(number), utf8) for number in range(5)},
    "format 3": (named, format_3),
    "format as a text": (lambda n: n.update(nbformat="4"), utf8),
    "a byte mark": (named, encoded("utf-8-sig")),
    "UTF-16": (named, encoded("utf-16")),
    "UTF-16 without a mark": (named, encoded("utf-16-le")),
    "windows-1252": (named, encoded("cp1252")),
    "Windows's line ends": (named, lambda n: dumps(n).replace("\n", "\r\n").encode()),
    "escapes alone": (named, lambda n: json.dumps(n).encode()),
}  # fmt: skip
