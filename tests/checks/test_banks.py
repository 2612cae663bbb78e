"""Every right answer passes every law, every wrong one fails the law that names its mistake: on several seeds."""

from collections import Counter

import pytest

from dgmlib.checks import ASSIGNMENTS, evaluate
from dgmlib.checks.assignments import find
from tests.banks import RIGHT, WRONG

EXERCISES = [e.name for a in ASSIGNMENTS.values() for e in a.exercises.values() if not e.written]


@pytest.mark.parametrize("entry", RIGHT, ids=lambda entry: entry.label)
def test_right_answer_passes_every_law(entry, seeds):
    for seed in seeds:
        failed = [law for law in evaluate(find(entry.exercise), entry.answer, seed) if not law.passed]
        assert not failed, f"seed {seed}: {failed}"


@pytest.mark.parametrize("entry", WRONG, ids=lambda entry: entry.label)
def test_wrong_answer_fails_the_law_that_names_it(entry, seeds):
    for seed in seeds:
        failed = {law.law: law.message for law in evaluate(find(entry.exercise), entry.answer, seed) if not law.passed}
        assert entry.law in failed, f"seed {seed}: failed {failed}"
        assert entry.says in failed[entry.law], f"seed {seed}: {failed[entry.law]}"


@pytest.mark.parametrize("name", EXERCISES)
def test_bank_is_large_enough(name):
    assert Counter(entry.exercise for entry in RIGHT)[name] >= 4
    assert Counter(entry.exercise for entry in WRONG)[name] + len(find(name).mistakes) >= 6


@pytest.mark.parametrize("name", EXERCISES)
def test_known_mistakes_are_named_and_rejected(name, seeds):
    exercise = find(name)
    for mistake in exercise.mistakes:
        messages = [law.message for law in evaluate(exercise, mistake.answer, seeds[0]) if not law.passed]
        assert any(mistake.message in message for message in messages), f"{mistake.message}: {messages}"
