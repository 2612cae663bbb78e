"""Every figure starts in the course's style, and is closed."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

from dgmlib import plotting


@pytest.fixture(autouse=True)
def clean_figures():
    mpl.use("Agg")
    with mpl.rc_context():
        plotting.use_style()
        yield
    plt.close("all")
