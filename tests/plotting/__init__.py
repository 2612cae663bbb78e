"""Figures: same axes and limits, labels, bad input."""

import matplotlib.pyplot as plt


def drawn() -> plt.Figure:
    """The current figure, drawn."""
    figure = plt.gcf()
    figure.canvas.draw()
    return figure
