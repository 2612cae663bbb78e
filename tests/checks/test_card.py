"""What a student reads."""

from dataclasses import replace

import torch

from dgmlib.checks import check
from dgmlib.checks.assignments import find
from dgmlib.checks.engine.card import Card
from dgmlib.checks.engine.verdict import WAITS, Failure, LawResult

LAWS = (
    LawResult("log_det", 1.0, Failure("log_det: expected 1, got -1.", mistake="<b>The sign</b>")),
    LawResult("gradient", 0.5, WAITS),
    LawResult("shape", 0.25, WAITS),
    LawResult("cost", 0.25),
)


def test_red_card_names_each_mistake_once_and_what_waits_in_one_line():
    assert repr(Card("f", "wrong", LAWS)).splitlines() == [
        "✗ f: 1 of 4 laws passed",
        "  ✗ log_det: expected 1, got -1. <b>The sign</b>",
        "  ✓ cost",
        f"  ○ gradient, shape: {WAITS.message}",
    ]


def test_page_shows_a_message_as_text():
    page = Card("f", "wrong", LAWS)._repr_html_()
    assert "&lt;b&gt;The sign&lt;/b&gt;" in page
    assert "<b>The sign" not in page


def test_every_name_gets_a_card():
    assert check("no_such_exercise").note.startswith("no exercise has this name")
    assert check("duality_proof").note == "a written answer, read by a person"
    assert check("batch_jacobian").note.startswith("not defined yet")
    assert check("batch_jacobian", lambda f, x: 1 / 0).state == "wrong"


def test_an_exceptions_words_are_text_and_are_cut():
    """Jupyter would run HTML of a card's, and a page of it would hide the laws."""

    def batch_jacobian(f, x):
        raise ValueError("<img src=x onerror=alert(1)>" + "long " * 10_000)

    card = check("batch_jacobian", batch_jacobian)
    page = card._repr_html_()
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<img" not in page
    assert len(page) < 10_000
    assert max(map(len, repr(card).splitlines())) < 1_000


def test_the_reference_and_the_mistakes_run_once_for_a_seed():
    exercise, calls = find("elbo_from_kl"), []

    def reference(log_likelihood, kl):
        calls.append(1)
        return exercise.reference(log_likelihood, kl)

    counted = replace(exercise, reference=reference)
    assert counted.draw(1) is counted.draw(1)
    first = len(calls)
    counted.draw(2)
    assert len(calls) == 2 * first > 0
    counted.draw(3)
    counted.draw(1)  # the last two are kept
    assert len(calls) == 4 * first


def test_a_student_who_writes_into_what_a_card_gives_changes_no_later_card():
    def elbo_from_kl(log_likelihood, kl):
        return log_likelihood.mean(0) + kl

    before = check("elbo_from_kl", elbo_from_kl)
    for given in (before.inputs, before.expected):
        for tensor in filter(torch.is_tensor, given.values()):
            tensor.fill_(7.0)
    assert repr(check("elbo_from_kl", elbo_from_kl)) == repr(before)
