"""Figures of the notebooks: one message each, same axes and colour limits before and after.

Two layers, so that a notebook's cell stays one line and an unusual figure is still easy:

- parts draw on an axes that you give: `points`, `density`, `curve`; `panels` makes the axes;
- figures are whole and made of parts: `warped_grid`, `densities`, `cost_curves`, ...

A figure leaves itself to pyplot, which shows it below the cell, and returns None; `plt.gcf()` gets it.
A notebook's own figures live in a file of this folder named after its topic (`kl.py`, `elbo.py`, ...)
and are listed here.
"""

from dgmlib.plotting.bayes import bayes_updates, fitted_curves, narrowing_posterior
from dgmlib.plotting.curves import cost_curves, curve, histogram_and_curves
from dgmlib.plotting.elbo import (
    bound_and_evidence,
    elbo_and_gap,
    elbo_surface,
    gaussians_over,
    noise_map,
    q_against_posterior,
    samples_needed,
)
from dgmlib.plotting.em import bound_climbing, half_step, half_steps, histories, latent_axes, responsibilities
from dgmlib.plotting.flows import matrices, through_layers, warped_grid
from dgmlib.plotting.kl import kl_integrands, kl_landscape, latent_densities, latent_dual, sample_by_sample
from dgmlib.plotting.latent import ancestral, dying_estimate, estimates, image_rows, latent_line, latent_plane
from dgmlib.plotting.plane import densities, density, points
from dgmlib.plotting.ribbon import pushed_ribbon
from dgmlib.plotting.sliders import sliders
from dgmlib.plotting.style import COLORS, DATA, DENSITY, MODEL, NOISE, OTHER, SIGNED, panels, use_style

__all__ = [
    "COLORS",
    "DATA",
    "DENSITY",
    "MODEL",
    "NOISE",
    "OTHER",
    "SIGNED",
    "ancestral",
    "bayes_updates",
    "bound_and_evidence",
    "bound_climbing",
    "cost_curves",
    "curve",
    "densities",
    "density",
    "dying_estimate",
    "elbo_and_gap",
    "elbo_surface",
    "estimates",
    "fitted_curves",
    "gaussians_over",
    "half_step",
    "half_steps",
    "histogram_and_curves",
    "histories",
    "image_rows",
    "kl_integrands",
    "kl_landscape",
    "latent_axes",
    "latent_densities",
    "latent_dual",
    "latent_line",
    "latent_plane",
    "matrices",
    "narrowing_posterior",
    "noise_map",
    "panels",
    "points",
    "pushed_ribbon",
    "q_against_posterior",
    "responsibilities",
    "sample_by_sample",
    "samples_needed",
    "sliders",
    "through_layers",
    "use_style",
    "warped_grid",
]
