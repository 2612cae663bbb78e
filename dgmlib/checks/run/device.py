"""Whether an answer leaves the device of its inputs, watched without a GPU: it is called on tensors that say that they
live on torch's `meta` device, and whose numbers are kept on the CPU. What meets there a tensor of the CPU would have
raised on CUDA."""

import torch
from torch import Tensor, ops, uint8
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.weak import WeakIdKeyDictionary

from .record import Record, describe, line_at_work, seeded, untext
from .watch import Watch

COPIES = {ops.aten.copy_.default, ops.aten.fill_.Tensor}
CPU_INDICES = {ops.aten.index, ops.aten.index_put, ops.aten.index_put_}
MOST_OPERATIONS = 5000
TO_NUMPY = "meta device type tensor to numpy"  # torch's words
META, CPU = torch.device("meta"), torch.device("cpu")


class MixedDevices(RuntimeError):
    pass


class Twins:
    """Tensors on `meta`, and the same ones on the CPU, which hold the numbers. Paired by storage, so that views and
    what autograd keeps find theirs; both are kept, since an address may be given again."""

    def __init__(self):
        self.real: dict[int, Tensor] = {}
        self.meta: dict[int, Tensor] = {}

    def pair(self, real: Tensor, base: Tensor):
        self.meta[real.untyped_storage()._cdata] = base
        self.real[base.untyped_storage()._cdata] = real

    def on_meta(self, real: Tensor) -> Tensor:
        """The twin of a tensor of the CPU."""
        real = plain(real)
        if real.untyped_storage()._cdata not in self.meta:
            self.pair(real, torch.empty(entries(real), dtype=real.dtype, device=META))
        base = self.meta[real.untyped_storage()._cdata]
        return base.as_strided(real.shape, real.stride(), real.storage_offset())

    def on_cpu(self, meta: Tensor) -> Tensor:
        """The twin of a tensor on `meta`; ones for what torch.tensor(..., device=x.device) made, which nothing sees."""
        if meta.untyped_storage()._cdata not in self.real:
            self.pair(torch.ones(entries(meta), dtype=meta.dtype), meta.as_strided((entries(meta),), (1,), 0))
        real = self.real[meta.untyped_storage()._cdata]
        same = torch.empty(0, dtype=meta.dtype)
        return same.set_(real.untyped_storage(), meta.storage_offset(), meta.shape, meta.stride())


def entries(tensor: Tensor) -> int:
    """How many numbers its storage holds."""
    return tensor.untyped_storage().nbytes() // tensor.element_size()


def plain(real: Tensor) -> Tensor:
    """The same numbers where a tensor holds them in a way of its own: zeros without a storage, a sign not yet applied."""
    return torch.zeros(real.shape, dtype=real.dtype) if real._is_zerotensor() else real.resolve_conj().resolve_neg()


class OneDevice(Watch):
    """Raise `MixedDevices` where a tensor of another device joins in. A 0-d constant of the CPU is right on any device;
    a 0-d number of the device is not right for a larger tensor of the CPU. Keeps the line that made a tensor."""

    def __init__(self):
        super().__init__()
        self.operations, self.twins = 0, Twins()
        self.made = WeakIdKeyDictionary()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.operations += 1
        if self.operations > MOST_OPERATIONS:
            raise RuntimeError("enough seen: a long loop does the same in every round")
        tensors, wanted = leaves((args, kwargs)), (kwargs or {}).get("device")
        met = {tensor.device.type for tensor in tensors if tensor.ndim or tensor.is_meta}
        allowed = function in COPIES or function._overloadpacket in CPU_INDICES
        if len(met) > 1 and not allowed:
            raise MixedDevices(self.origin(tensors) or "a tensor on the CPU met the input's device")
        real = {id(tensor): self.twins.on_cpu(tensor) for tensor in tensors if tensor.is_meta}
        out = function(*on_cpu(args, real), **on_cpu(kwargs or {}, real))
        if wanted == META or (wanted is None and real):
            return self.on_meta(out, {id(real[id(tensor)]): tensor for tensor in tensors if tensor.is_meta})
        for tensor in leaves(out):
            self.made[tensor] = self.origin(tensors) or made_at(line_at_work())
        return out

    def on_meta(self, out, given: dict[int, Tensor]):
        """What came, on `meta`; what was changed in place is the tensor that was given."""

        def change(leaf):
            if not isinstance(leaf, Tensor):
                return leaf
            if id(leaf) not in given:
                return self.twins.on_meta(leaf)
            form = leaf.shape, leaf.stride(), leaf.storage_offset()
            if (given[id(leaf)].shape, given[id(leaf)].stride(), given[id(leaf)].storage_offset()) != form:
                given[id(leaf)].as_strided_(*form)  # as squeeze_ does
            return given[id(leaf)]

        return tree_map(change, out)

    def origin(self, tensors: list[Tensor]) -> str:
        """Where the first of these that is on the CPU was made."""
        return next(filter(None, (self.made.get(t) for t in tensors if not t.is_meta and t.ndim)), "")


def on_cpu(tree, real: dict[int, Tensor]):
    """Arguments where the numbers are."""

    def change(leaf):
        return real.get(id(leaf), CPU if isinstance(leaf, torch.device) and leaf == META else leaf)

    return tree_map(change, tree)


def leaves(tree) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def made_at(line: str) -> str:
    return f"`{line[:120]}` makes a tensor on the CPU" if line else ""


def on_meta(invocation, answer, arrays: dict[str, Tensor]) -> dict[str, Tensor]:
    """`{"device": text}` if the answer leaves the device of its inputs, else nothing. What can't be run so passes."""
    record, watch = Record(), OneDevice()
    given = {name: watch.twins.on_meta(value.clone()) for name, value in arrays.items()}
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
