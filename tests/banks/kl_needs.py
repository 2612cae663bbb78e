"""Answers to `objective_needs`."""

from . import right, wrong


@right("objective_needs")
def as_sets():
    return {
        "forward_kl": {"f", "base density", "target samples"},
        "reverse_kl": {"g", "base samples", "target density"},
    }


@right("objective_needs")
def as_frozensets():
    return {name: frozenset(words) for name, words in as_sets().items()}


@right("objective_needs")
def by_subtraction():
    everything = {"f", "g", "base density", "base samples", "target density", "target samples"}
    reverse = {"g", "base samples", "target density"}
    return {"reverse_kl": reverse, "forward_kl": everything - reverse}


@right("objective_needs")
def built_up():
    forward, reverse = set(), set()
    forward.update(["f", "target samples", "base density"])
    for word in ("target density", "g", "base samples"):
        reverse.add(word)
    return dict(forward_kl=forward, reverse_kl=reverse)


def needs(forward=("f", "base density", "target samples"), reverse=("g", "base samples", "target density")):
    return {"forward_kl": set(forward), "reverse_kl": set(reverse)}


@wrong("objective_needs", law="forward KL", says="'g' is not needed")
def forward_wants_g():
    return needs(forward=("f", "g", "base density", "target samples"))


@wrong("objective_needs", law="reverse KL", says="'base density' is not needed")
def reverse_wants_base_density():
    return needs(reverse=("g", "base samples", "base density", "target density"))


@wrong("objective_needs", law="reverse KL", says="'f' is not needed")
def reverse_wants_f():
    return needs(reverse=("f", "g", "base samples", "target density"))


@wrong("objective_needs", law="forward KL", says="'target density' is not needed")
def forward_wants_target_density():
    return needs(forward=("f", "base density", "target samples", "target density"))


@wrong("objective_needs", law="forward KL", says="has to be evaluated")
def forward_without_base():
    return needs(forward=("f", "target samples"))


@wrong("objective_needs", law="reverse KL", says="expectation")
def reverse_without_samples():
    return needs(reverse=("g", "target density"))


@wrong("objective_needs", law="forward KL", says="set of words")
def as_lists():
    return {name: sorted(words) for name, words in needs().items()}


@wrong("objective_needs", law="forward KL", says="dictionary")
def as_a_pair():
    return tuple(needs().values())


@wrong("objective_needs", law="reverse KL", says="'reverse_kl' is missing")
def misspelt_key():
    answer = needs()
    return {"forward_kl": answer["forward_kl"], "reverse kl": answer["reverse_kl"]}


@wrong("objective_needs", law="forward KL", says="'p(z)'")
def symbols():
    return needs(forward=("f", "p(z)", "target samples"))


@wrong("objective_needs", law="reverse KL", says="not needed")
def exchanged():
    answer = needs()
    return {"forward_kl": answer["reverse_kl"], "reverse_kl": answer["forward_kl"]}


@wrong("objective_needs", law="reverse KL", says="not needed")
def everything():
    words = ("f", "g", "base density", "base samples", "target density", "target samples")
    return needs(words, words)


@wrong("objective_needs", law="forward KL", says="None")
def no_return():
    needs()
