"""Normalizing flows (Lecture 3, the recap): `forward` is f: x -> z, `inverse` is g: z -> x."""

from dgmlib.flows.autoregressive import (
    MAF,
    Autoregressive,
    InverseAutoregressive,
    MaskedAutoregressive,
    autoregressive_forward,
    autoregressive_inverse,
)
from dgmlib.flows.base import (
    Bijection,
    Compose,
    Flip,
    Inverse,
    Permutation,
    batch_jacobian,
    change_of_variables_log_prob,
)
from dgmlib.flows.coupling import AffineCoupling, RealNVP
from dgmlib.flows.linear import LULinear, QRLinear
from dgmlib.flows.model import Flow, StandardNormal

__all__ = [
    "MAF",
    "AffineCoupling",
    "Autoregressive",
    "Bijection",
    "Compose",
    "Flip",
    "Flow",
    "Inverse",
    "InverseAutoregressive",
    "LULinear",
    "MaskedAutoregressive",
    "Permutation",
    "QRLinear",
    "RealNVP",
    "StandardNormal",
    "autoregressive_forward",
    "autoregressive_inverse",
    "batch_jacobian",
    "change_of_variables_log_prob",
]
