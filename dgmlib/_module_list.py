"""`nn.ModuleList`, of which a type checker knows what its modules are."""

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Generic, TypeVar

    M = TypeVar("M", bound=nn.Module)

    class ModuleList(nn.ModuleList, Generic[M]):
        def __init__(self, modules: Iterable[M]): ...
        def __iter__(self) -> Iterator[M]: ...
        def __getitem__(self, idx: int) -> M: ...

else:
    ModuleList = nn.ModuleList
