"""Two watchers of an answer's tensor operations: which factorisations it calls, and whether it leaves its device.

The device is watched without a GPU: the answer is called on tensors of torch's `meta` device, which carry shapes and
no numbers. What meets there a tensor of the CPU would have raised on CUDA.
"""

from torch import Tensor, ops, uint8
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from .record import Record, seeded

COPIES = {ops.aten.copy_.default, ops.aten.fill_.Tensor}
CPU_INDICES = {ops.aten.index, ops.aten.index_put, ops.aten.index_put_}
DETERMINANTS = {"det", "slogdet", "logdet"}
FACTORISATIONS = DETERMINANTS | {
    "inv",
    "inverse",
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
MOST_READS = 1000
MOST_OPERATIONS = 5000


class MixedDevices(RuntimeError):
    pass


class OneDevice(TorchDispatchMode):
    """Raise `MixedDevices` where a tensor of another device joins in. A 0-d constant of the CPU is right on any device;
    a 0-d number of the device is not right for a larger tensor of the CPU."""

    def __init__(self):
        super().__init__()
        self.reads = self.operations = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.operations += 1
        if self.operations > MOST_OPERATIONS:
            raise RuntimeError("enough seen: a long loop does the same in every round")
        if function is ops.aten._local_scalar_dense.default and args[0].is_meta:
            return self.read(args[0])
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        if len({tensor.device.type for tensor in tensors if tensor.ndim or tensor.is_meta}) > 1:
            if function in COPIES:
                return args[0]
            if function._overloadpacket not in CPU_INDICES:
                raise MixedDevices(f"a tensor on the CPU met the input's device in {function._overloadpacket}")
        return function(*args, **(kwargs or {}))

    def read(self, value: Tensor):
        """`.item()` of a number that does not exist: true, so that validations pass; a loop that waits ends."""
        self.reads += 1
        if self.reads > MOST_READS:
            raise RuntimeError("too many reads of a value")
        return True if value.dtype.itemsize == 1 else 1.0 if value.dtype.is_floating_point else 1


def on_meta(call, answer, arrays: dict[str, Tensor]) -> dict[str, Tensor]:
    """`{"device": text}` if the answer leaves the device of its inputs, else nothing. What `meta` can't run passes."""
    record = Record()
    given = {name: value.to("meta") for name, value in arrays.items()}
    with seeded(arrays), OneDevice():
        try:
            call(answer, given, record)
        except MixedDevices as error:
            record.text("error", str(error))
        except (Exception, SystemExit):
            return {}
    return {"device": found} if (found := left_device(record)) is not None else {}


def left_device(record: Record) -> Tensor | None:
    """The first sign of another device: an operation that mixed two, or an output that is elsewhere."""
    for key, value in record.items():
        if key.startswith("error") and b"met the input's device" in bytes(value.tolist()):
            return value
    for key, value in record.items():
        if value.dtype != uint8 and value.ndim and not value.is_meta:
            record.text("device", f"{key} came back on the CPU")
            return record["device"]
    return None


class Calls(TorchDispatchMode):
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


class Largest(TorchDispatchMode):
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
