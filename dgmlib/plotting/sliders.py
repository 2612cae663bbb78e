"""Figures that are dragged, and stand still where widgets don't run."""

import io
from collections.abc import Callable

import matplotlib.pyplot as plt

VIEW = "application/vnd.jupyter.widget-view+json"


def sliders(draw: Callable[..., None], **ranges: tuple[float, float, float]) -> None:
    """Show the figure that `draw(name=value, ...)` makes, above it a slider for each `name=(low, high, start)`.

    A page that shows no widgets (a web page, a script, a missing ipywidgets) shows the figure at the starting values.
    Works with ipywidgets 7, which Colab has, and 8.
    """
    for name, values in ranges.items():
        if len(values) != 3 or not values[0] <= values[2] <= values[1]:
            raise ValueError(f"{name}: expected (low, high, start) with start between, got {values}")
    starts = {name: start for name, (_, _, start) in ranges.items()}
    if not in_a_kernel():
        draw(**starts)
        return
    try:
        from ipywidgets import FloatSlider, VBox, interactive_output
    except ImportError:
        draw(**starts)
        return
    from IPython.display import display

    def redraw(**values: float) -> None:
        draw(**values)
        plt.show()

    handles = {
        name: FloatSlider(start, min=low, max=high, step=(high - low) / 40, description=name, continuous_update=False)
        for name, (low, high, start) in ranges.items()
    }
    still = picture(draw, starts)
    figure = interactive_output(redraw, handles)
    box = VBox([*handles.values(), figure])
    # One output with both: a page takes the richest that it can show. Version 7 of a widget would display itself alone.
    display({VIEW: box.get_view_spec(), "image/png": still, "text/plain": "a figure with sliders"}, raw=True)


def in_a_kernel() -> bool:
    """Whether a notebook's kernel runs us: only there does a slider reach anybody."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return hasattr(get_ipython(), "kernel")


def picture(draw: Callable[..., None], values: dict[str, float]) -> bytes:
    """The figure as a PNG; the figure itself is closed."""
    draw(**values)
    file = io.BytesIO()
    plt.gcf().savefig(file, format="png")
    plt.close()
    return file.getvalue()
