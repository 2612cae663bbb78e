"""One submission's time in the sandbox: cells in order, exercises on the way, a new start after a crash or a hang."""

from dataclasses import dataclass, field

from .process import Process, WorkerEnded, WorkerGone, WorkerSlow

CPU = 20.0
WALL = 3.0
STARTS = 3
HANGS = 3


class SandboxFailed(RuntimeError):
    """The sandbox did not start: no fault of the submission."""


@dataclass(frozen=True)
class Answer:
    """What an exercise's run gave: arrays, or the reason why there are none."""

    arrays: dict | None
    reason: str = ""
    raised: str = ""  # the exception, where the answer could not be called
    crashed: bool = False  # or hung, so not worth another try


@dataclass
class Session:
    """`start` makes a worker; `seed` names the cells' random state; `budget` bounds the CPU of it all, in seconds.

    A third of the time that a worker sleeps counts as well, so that all ends within `WALL` times the budget. After
    `HANGS` cells or answers that took too long nothing more is run.
    """

    start: object
    seed: int
    budget: float
    done: list = field(default_factory=list)
    process: Process | None = None
    spent: float = 0.0
    hangs: int = 0
    crash: str = ""  # how the last request lost the worker

    def cell(self, name: str, source: str) -> tuple[str, str]:
        """Execute a cell: `(error, printed)`. One that crashes or hangs is left out of every replay."""
        try:
            reply, _ = self.ask({"op": "cell", "name": name, "source": source, "seed": self.seed})
        except WorkerGone as error:
            return gone("this cell", error), ""
        self.done.append((name, source))
        return text(reply, "error", 1500), text(reply, "printed", 8000)

    def exercise(self, name: str, seed: int, inputs: dict, call: dict) -> Answer:
        """Hand the student's answer to the `run` part of its check; `call` says how it is called."""
        try:
            reply, arrays = self.ask({"op": "exercise", "name": name, "seed": seed, "call": call}, inputs)
        except WorkerGone as error:
            return Answer(None, gone("your answer", error), crashed=True)
        if reply.get("missing"):
            return Answer(None, "missing")
        if reply.get("error"):
            return Answer(None, "your answer could not be called:", text(reply, "error", 500))
        return Answer(arrays)

    def ask(self, header: dict, arrays=None):
        """One request within the budgets; after a crash or a hang the process is gone."""
        self.crash = ""
        self.left()
        process, left = self.alive(), self.left()
        self.crash = ""  # replayed cells may have left another
        cpu, waited = process.cpu(), process.waited
        try:
            return process.ask(header, arrays, left, left * WALL)
        except WorkerGone as error:
            slow, self.crash = isinstance(error, WorkerSlow), kind(error)
            self.spent += left if slow else 1.0
            self.hangs += slow
            self.close()
            raise
        finally:
            if self.process:
                self.spent += max(0.0, process.cpu() - cpu, (process.waited - waited) / WALL)

    def left(self) -> float:
        """Seconds of CPU that the next request may take. Raises WorkerEnded where none are left."""
        if self.hangs >= HANGS:
            raise WorkerEnded(f"{HANGS} cells or answers of this submission took too long")
        if self.spent >= self.budget:
            raise WorkerEnded(f"the submission used up its {self.budget:.0f} s of computing")
        return min(CPU, self.budget - self.spent)

    def alive(self) -> Process:
        """The worker, started anew and with the earlier cells replayed where it is gone."""
        if self.process is None:
            self.process = self.fresh()
            cells, self.done = self.done, []
            for name, source in cells:
                self.cell(name, source)
        return self.process or self.alive()

    def fresh(self) -> Process:
        for attempt in range(STARTS):
            try:
                return Process(self.start)
            except (WorkerGone, OSError) as error:
                if attempt == STARTS - 1:
                    raise SandboxFailed(f"the sandbox did not start: {error}") from error
        raise AssertionError

    def close(self):
        if self.process:
            self.process.close()
            self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def gone(what: str, error: WorkerGone) -> str:
    return f"{what} {kind(error) or 'was not run'}: {error}"


def kind(error: WorkerGone) -> str:
    """How a worker was lost; empty where it was not asked."""
    if isinstance(error, WorkerEnded):
        return ""
    return "took too long" if isinstance(error, WorkerSlow) else "ended the process"


def text(reply: dict, key: str, longest: int) -> str:
    """A text that the worker sent, if it is one."""
    value = reply.get(key)
    return "".join(c for c in value[:longest] if c.isprintable() or c in "\n\t") if isinstance(value, str) else ""
