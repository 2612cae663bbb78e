"""Whether an answer leaves the device of its inputs, watched without a GPU: it is called on tensors of torch's `meta`
device, which carry shapes and no numbers. What meets there a tensor of the CPU would have raised on CUDA."""

from torch import Tensor, ops, uint8
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

from .record import Record, describe, line_at_work, seeded, untext
from .watch import Watch

COPIES = {ops.aten.copy_.default, ops.aten.fill_.Tensor}
CPU_INDICES = {ops.aten.index, ops.aten.index_put, ops.aten.index_put_}
MOST_READS = 1000
MOST_OPERATIONS = 5000
TO_NUMPY = "meta device type tensor to numpy"  # torch's words


class MixedDevices(RuntimeError):
    pass


class OneDevice(Watch):
    """Raise `MixedDevices` where a tensor of another device joins in. A 0-d constant of the CPU is right on any device;
    a 0-d number of the device is not right for a larger tensor of the CPU. Keeps the line that made a tensor."""

    def __init__(self):
        super().__init__()
        self.reads = self.operations = 0
        self.made = WeakIdKeyDictionary()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.operations += 1
        if self.operations > MOST_OPERATIONS:
            raise RuntimeError("enough seen: a long loop does the same in every round")
        if function is ops.aten._local_scalar_dense.default and args[0].is_meta:
            return self.read(args[0])
        tensors = leaves((args, kwargs))
        if len({tensor.device.type for tensor in tensors if tensor.ndim or tensor.is_meta}) > 1:
            if function in COPIES:
                return args[0]
            if function._overloadpacket not in CPU_INDICES:
                raise MixedDevices(self.origin(tensors) or "a tensor on the CPU met the input's device")
        out = function(*args, **(kwargs or {}))
        for tensor in leaves(out):
            if not tensor.is_meta:
                self.made[tensor] = self.origin(tensors) or made_at(line_at_work())
        return out

    def origin(self, tensors: list[Tensor]) -> str:
        """Where the first of these that is on the CPU was made."""
        return next(filter(None, (self.made.get(t) for t in tensors if not t.is_meta and t.ndim)), "")

    def read(self, value: Tensor):
        """`.item()` of a number that does not exist: true, so that validations pass; a loop that waits ends."""
        self.reads += 1
        if self.reads > MOST_READS:
            raise RuntimeError("too many reads of a value")
        return True if value.dtype.itemsize == 1 else 1.0 if value.dtype.is_floating_point else 1


def leaves(tree) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def made_at(line: str) -> str:
    return f"`{line[:120]}` makes a tensor on the CPU" if line else ""


def on_meta(invocation, answer, arrays: dict[str, Tensor]) -> dict[str, Tensor]:
    """`{"device": text}` if the answer leaves the device of its inputs, else nothing. What `meta` can't run passes."""
    record, watch = Record(), OneDevice()
    given = {name: value.to("meta") for name, value in arrays.items()}
    try:
        with seeded(arrays), watch:
            invocation.call(answer, given, record)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        record.text("error", said := describe(error))
        if not mixed(said):
            return {}
    came = (key for key in record if key not in invocation.counts)
    found = next(filter(None, (left(record, watch, key) for key in came)), "")
    return {"device": Record().text("device", found)} if found else {}


def left(record: Record, watch: OneDevice, key: str) -> str:
    """How one output, or one exception, shows another device; else an empty string."""
    value = record[key]
    if value.dtype == uint8:
        return mixed(untext(value)) if key.startswith("error") else ""
    if value.is_meta or not value.ndim:
        return ""
    return watch.made.get(value) or f"{key} came back on the CPU"


def mixed(said: str) -> str:
    """What an exception says of two devices, and where; else an empty string."""
    if said.startswith("MixedDevices: "):
        words = said.removeprefix("MixedDevices: ")
        return words.partition(" (at `")[0] if words.startswith("`") else words
    _, at, line = said.rpartition(" (at `")
    return f"numpy takes no tensor of a GPU{at}{line}" if TO_NUMPY in said else ""
