"""The names that an exercise's own probe may use, beside its constants: nothing here knows a right value."""

import math

import torch
from torch import Tensor, nn

from .fixtures import argument
from .fixtures.maps import CouplingConditioner, CouplingModule
from .linear_layer import linear_layer
from .record import kind
from .watch import DETERMINANTS, FACTORISATIONS, Largest

__all__ = [
    "DETERMINANTS",
    "FACTORISATIONS",
    "CouplingConditioner",
    "CouplingModule",
    "Largest",
    "Tensor",
    "argument",
    "kind",
    "linear_layer",
    "math",
    "nn",
    "torch",
]
