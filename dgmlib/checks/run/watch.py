"""Two watchers of an answer's tensor operations: which factorisations it calls, and how large its tensors are."""

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

DETERMINANTS = {"det", "slogdet", "logdet"}
FACTORISATIONS = DETERMINANTS | {
    "inv",
    "inverse",
    "pinv",
    "lu",
    "ldl",
    "qr",
    "geqrf",
    "svd",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "svdvals",
    "lstsq",
    "cholesky",
    "solve",
}
NO_FACTORISATION = {"linalg_solve_triangular", "triangular_solve", "linalg_lu_solve", "lu_unpack", "cholesky_solve"}


class Watch(TorchDispatchMode):
    """Sees every operation. Nothing is compiled meanwhile: to make sure of that, torch would import its compiler."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False


class Calls(Watch):
    """Notes the name of every operation."""

    def __init__(self):
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.names.add(function._overloadpacket.__name__)
        return function(*args, **(kwargs or {}))

    def among(self, names: set[str]) -> list[str]:
        """The called operations that are one of `names`; a solve with factors at hand is none."""
        return sorted(call for call in self.names - NO_FACTORISATION if names & set(call.split("_")))


class Largest(Watch):
    """The most numbers that one tensor made by an operation holds, and its shape."""

    def __init__(self):
        super().__init__()
        self.numbers, self.shape = 0, ()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if isinstance(leaf, Tensor):
                numbers = leaf.untyped_storage().nbytes() // leaf.element_size()
                if numbers > self.numbers:
                    self.numbers, self.shape = numbers, tuple(leaf.shape)
        return out
