"""Figures that are dragged, and stand still where widgets don't run."""

import io
from collections.abc import Callable

import matplotlib.pyplot as plt


def sliders(draw: Callable[..., None], **ranges: tuple[float, float, float]) -> None:
    """Show the figure that `draw(name=value, ...)` makes, above it a slider for each `name=(low, high, start)`.

    A page that shows no widgets (a web page, a missing ipywidgets) shows the figure at the starting values.
    """
    for name, values in ranges.items():
        if len(values) != 3 or not values[0] <= values[2] <= values[1]:
            raise ValueError(f"{name}: expected (low, high, start) with start between, got {values}")
    starts = {name: start for name, (_, _, start) in ranges.items()}
    try:
        from ipywidgets import FloatSlider, interactive
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
    display(interactive(redraw, **handles)._repr_mimebundle_() | {"image/png": picture(draw, starts)}, raw=True)


def picture(draw: Callable[..., None], values: dict[str, float]) -> bytes:
    """The figure as a PNG; the figure itself is closed."""
    draw(**values)
    file = io.BytesIO()
    plt.gcf().savefig(file, format="png")
    plt.close()
    return file.getvalue()
