"""Who hands in, as a platform's download says it."""

from collections.abc import Callable
from dataclasses import dataclass, field

Path = tuple[str, ...]


@dataclass(frozen=True)
class Submitter:
    """`name`: as it is shown, "" where it is hidden; `ids`: what the platform calls them; `order`: later attempts are
    higher; `text`: no file of theirs but what they wrote on the platform."""

    name: str
    ids: dict[str, str] = field(default_factory=dict)
    order: tuple[int, ...] = ()
    late: bool = False
    text: bool = False

    @property
    def key(self) -> tuple:
        """The same for all files of one person in a download."""
        return tuple(sorted(self.ids.items())) or (self.name,)

    @property
    def number(self) -> str:
        """What tells namesakes apart."""
        return next(iter(self.ids.values()), "")


Reader = Callable[[Path], list[Submitter] | None]
