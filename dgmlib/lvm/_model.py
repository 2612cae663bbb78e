"""What the models of this room share: their parameters are all that they are."""

from typing import Any, ClassVar, Self

import torch
from torch import Tensor


class Model:
    """A law p(x) that shows its parameters in the dtype of the data, and computes with them in float64.

    In float32 a mean far from the origin is rounded by more than a step of EM gains. So what was fitted is kept in
    float64 too, as `exact`, and the attributes are its float32 image.

    A model is a value, as a distribution of torch.distributions is: what it computes once, such as a Cholesky factor,
    belongs to the parameters that it was made of, so after a step of an optimiser make a new one.
    """

    names: ClassVar[tuple[str, ...]]
    exact: tuple[Tensor, ...]

    def __init__(self, *parameters: Tensor):
        self._set(parameters, tuple(p.double() for p in parameters))

    @classmethod
    def _fitted(cls, dtype: torch.dtype, *exact: Tensor) -> Self:
        """The model of these float64 parameters, shown in `dtype`, that of the data that they were fitted to."""
        model = cls.__new__(cls)
        model._set(tuple(p.to(dtype) for p in exact), exact)
        return model

    def _set(self, shown: tuple[Tensor, ...], exact: tuple[Tensor, ...]) -> None:
        self.exact = exact
        vars(self).update(zip(self.names, shown, strict=True))
        self._prepare(*exact)

    def _prepare(self, *exact: Tensor) -> None:
        """Compute what the methods use from the parameters in float64."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Tensor]:
        """The parameters by name: `GaussianMixture(**torch.load(file, weights_only=True))` is the model again."""
        return {name: getattr(self, name) for name in self.names}

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """The model on another device or in another dtype, by the arguments of `Tensor.to`."""
        like = self.state_dict()[self.names[0]].to(*args, **kwargs)
        return self._fitted(like.dtype, *(p.to(like.device) for p in self.exact))

    def __reduce__(self) -> tuple:
        """Pickles and copies are made of parameters alone: these may be leaves of a graph, what they make is not."""
        shown = tuple(self.state_dict().values())
        if any(p.requires_grad for p in shown):
            return type(self), shown
        return type(self)._fitted, (shown[0].dtype, *self.exact)
