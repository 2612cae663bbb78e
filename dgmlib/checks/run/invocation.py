"""How an answer is called, as data: it crosses the sandbox's border with the inputs."""

from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from .fixtures import argument
from .record import Record


@dataclass(frozen=True)
class Invocation:
    """`arguments` and `returns` are names; `counts` gives an output to a fixture's counter. In `grad_cases` the answer is
    called once more and differentiated by `grad`. `probe` is the text of a function that calls the answer instead."""

    arguments: list[str] = field(default_factory=list)
    returns: list[str] = field(default_factory=list)
    counts: dict[str, str] = field(default_factory=dict)
    grad: list[str] = field(default_factory=list)
    grad_cases: list[str] = field(default_factory=list)
    probe: str = ""
    constants: dict = field(default_factory=dict)

    def call(self, answer, given: dict[str, Tensor], record: Record):
        """Call `answer` on the arrays of one case and fill the record."""
        if self.probe:
            self.own_probe(answer, given, record)
            return
        arguments = {text: argument(text, given) for text in self.arguments}
        record.returned(answer(*arguments.values()), *self.returns)
        for output, place in self.counts.items():
            fixture, _, counter = place.partition(".")
            record[output] = torch.tensor(getattr(arguments[f"{fixture}()"], counter))

    def differentiates(self, case: str) -> bool:
        return case in self.grad_cases

    @cached_property
    def own_probe(self):
        """The probe's text as a function. It sees the names of `names` and its constants, here as in the sandbox."""
        from . import names

        scope = {**vars(names), **self.constants}
        exec(compile(self.probe, "<dgmlib probe>", "exec"), scope)
        return scope[self.probe[4 : self.probe.index("(")]]
