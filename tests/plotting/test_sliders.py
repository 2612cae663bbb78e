"""Sliders: in a kernel a widget and the still figure in one output, elsewhere the figure. For Colab see tests/colab."""

import matplotlib.pyplot as plt
import pytest
from nbclient import NotebookClient
from nbformat import v4

from dgmlib import plotting
from dgmlib.plotting.sliders import VIEW

SET_UP = "import sys; import matplotlib.pyplot as plt; from dgmlib import plotting"
DRAW = "plotting.sliders(lambda mean: plt.plot([0, mean]), mean=(-1.0, 1.0, 0.5))"
WITHOUT = 'sys.modules["ipywidgets"] = None'


def test_in_a_kernel_with_and_without_widgets():
    sources = SET_UP, DRAW, f"{WITHOUT}; {DRAW}"
    notebook = v4.new_notebook(cells=[v4.new_code_cell(source) for source in sources])
    NotebookClient(notebook, timeout=30, kernel_name="python3").execute()
    _, (both,), (*_, still) = (cell.outputs for cell in notebook.cells)
    assert {VIEW, "image/png"} <= set(both.data)
    assert "image/png" in still.data
    assert VIEW not in still.data
    widgets = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    shown = [output for w in widgets.values() for output in w["state"].get("outputs", ())]
    assert [set(output["data"]) for output in shown] == [{"image/png", "text/plain"}]
    assert (
        both.data[VIEW]["model_id"] in notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    )


def test_without_a_kernel_the_figure_stands():
    calls = []
    plotting.sliders(lambda mean: calls.append((mean, plt.figure())), mean=(-1.0, 1.0, 0.5))
    assert [mean for mean, _ in calls] == [0.5]
    assert plt.gcf() is calls[0][1]


def test_a_start_lies_inside():
    with pytest.raises(ValueError, match=r"mean: expected \(low, high, start\)"):
        plotting.sliders(lambda mean: None, mean=(0.0, 1.0, 2.0))
