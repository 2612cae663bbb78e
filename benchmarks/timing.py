"""How the benchmarks measure, and the form of a benchmark file.

A benchmark file is `benchmarks/<topic>.py` with one function

    def rows() -> Iterator[Row]:
        yield Row("PPCA fit, n=50k d=256 k=16", ours, {"scikit-learn": theirs, "plain torch": floor},
                  against="scikit-learn", at_least=6.0)

`ours` and every peer are functions without arguments that do the whole piece of work once; inputs are made
outside of them. They are lambdas or closures, built lazily: `rows` is a generator, so that only one row's
data lives at a time. `against` names the peer of the promised ratio `at_least`; leave both out where nothing
is promised. `memory=True` also reports the peak memory of each. `error` is a number that the note should
carry, such as the difference between our answer and the peer's; `note` is whatever else it should.
`python -m benchmarks` finds the files itself.

The file may also have `growth() -> Iterator[Growth]`: how one piece of work grows with n, m or K.
`python -m benchmarks growth` draws all of them into `benchmarks/growth.png`.

All candidates of a row run in one process, on one thread, in turn: ours, peer, peer, ours, peer, peer, ... .
Ratios are taken within a round and their median is reported, so that a busy machine slows both sides alike.
Times are CPU time of the process: with one thread and nothing to wait for that is wall time on an idle
machine, and it does not count the turns that other programs take.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

Work = Callable[[], object]


@dataclass(frozen=True)
class Row:
    work: str
    ours: Work
    peers: dict[str, Work] = field(default_factory=dict)
    against: str | None = None
    at_least: float | None = None
    memory: bool = False
    error: float | None = None
    note: str = ""
    also: dict[str, float] = field(default_factory=dict)  # further promises, by peer
    at_most_mb: float | None = None  # of our own peak memory

    @property
    def promises(self) -> dict[str, float]:
        return self.also if self.at_least is None else {self.against: self.at_least} | self.also


@dataclass(frozen=True)
class Growth:
    work: str  # "LU flow, batch 64: inverse"
    axis: str  # "m"
    sizes: list[int]
    at: Callable[[int], Work]  # the work of one size, its inputs made


@dataclass(frozen=True)
class Measured:
    row: Row
    seconds: dict[str, float]  # by candidate, "dgmlib" first
    ratio: dict[str, float]  # peer's time over ours, median over rounds
    peak: dict[str, int]  # bytes, where asked for

    @property
    def met(self) -> bool | None:
        """Whether every promise is kept; None where nothing is promised."""
        kept = [self.ratio[peer] >= least for peer, least in self.row.promises.items()]
        if self.row.at_most_mb is not None:
            kept.append(self.peak["dgmlib"] <= self.row.at_most_mb * 2**20)
        return all(kept) if kept else None


def measure(row: Row, budget: float = 4.0, fewest: int = 5, most: int = 200) -> Measured:
    """Rounds over all candidates until `budget` seconds are spent, after one round to warm up."""
    candidates = {"dgmlib": row.ours, **row.peers}
    peak = {name: peak_memory(work) for name, work in candidates.items()} if row.memory else {}
    warm_up = sum(seconds(work) for work in candidates.values())
    rounds = min(max(int(budget / warm_up), fewest), most)
    times = [{name: seconds(work) for name, work in candidates.items()} for _ in range(rounds)]
    return Measured(
        row,
        {name: statistics.median(t[name] for t in times) for name in candidates},
        {name: statistics.median(t[name] / t["dgmlib"] for t in times) for name in row.peers},
        peak,
    )


def seconds(work: Work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def peak_memory(work: Work) -> int:
    """Bytes that the process grew by at its largest while `work` ran; -1 where the kernel does not tell."""
    clear = Path("/proc/self/clear_refs")
    if not clear.exists():
        return -1
    clear.write_text("5")  # sets the high-water mark back to what is in use now
    before = status("VmRSS")
    work()
    return status("VmHWM") - before


def status(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))


def table_line(m: Measured) -> str:
    """One line of the markdown table: times, ratios, promise."""
    times = f"{1e3 * m.seconds['dgmlib']:.3g} ms"
    peers = "; ".join(f"{name} {1e3 * m.seconds[name]:.3g} ms ({m.ratio[name]:.2f}x)" for name in m.row.peers)
    promises = [f"{least:g}x {peer}" for peer, least in m.row.promises.items()]
    promises += [] if m.row.at_most_mb is None else [f"{m.row.at_most_mb:g} MB"]
    promise = "" if m.met is None else f"{', '.join(promises)}: {'met' if m.met else 'NOT MET'}"
    notes = [f"{name} {size / 2**20:.0f} MB" for name, size in m.peak.items()]
    notes += [] if m.row.error is None else [f"difference {m.row.error:.1e}"]
    notes += [m.row.note] if m.row.note else []
    return f"| {m.row.work} | {times} | {peers} | {promise} | {', '.join(notes)} |"


HEADER = "| work | dgmlib | peers (their time / ours) | promised | notes |\n|---|---|---|---|---|"
