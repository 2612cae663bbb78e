"""Grading anew under other checks: said first, then recorded with a line of who changed what; a person's marks stay."""

import re
from dataclasses import replace

import pytest

from grading import cli
from grading.judging import regraded, store
from grading.judging.verdict import State
from grading.recording import record, scores
from grading.recording.gradebook import opened, url

from . import synthetic
from .synthetic import NAME, PROOF, verdict


@pytest.fixture
def room(tmp_path):
    return synthetic.released(tmp_path)


def again(room, made, **other):
    """The same file under checks of another version: on file, not recorded."""
    held = store.recorded(room, NAME, made.student)
    new = replace(made, file=held.file, key=synthetic.key(made.student, 99), version="newer", seconds=1.0, **other)
    store.save(room, new)
    return new


def words(made, name: str, said: str):
    laws = tuple(replace(law, state=State.FAILED, ours=said, mistake="") for law in made.exercises[name].laws)
    return {**made.exercises, name: replace(made.exercises[name], laws=laws)}


def test_a_change_names_old_and_new(room):
    synthetic.on_file(
        room, [verdict("ann", {"gaussian_kl": "wrong"}), verdict("bo"), verdict("cy", {"gaussian_kl": "x"})]
    )
    assert str(regraded.change(room, again(room, verdict("ann")))) == f"ann: {NAME}: 15 -> 18: gaussian_kl 0 -> 3"
    assert regraded.change(room, again(room, verdict("bo"))) is None
    cy = verdict("cy", {"gaussian_kl": "x"})
    said = regraded.change(room, again(room, cy, exercises=words(cy, "gaussian_kl", "another word")))
    assert str(said) == f"cy: {NAME}: 15 -> 15: other words for gaussian_kl"


def test_another_file_is_no_change(room):
    synthetic.on_file(room, [verdict("ann")])
    assert regraded.change(room, replace(again(room, verdict("ann", {"gaussian_kl": "x"})), file="another")) is None
    assert regraded.change(room, verdict("new")) is None


def test_what_is_recorded_anew_leaves_a_line_and_keeps_a_persons_marks(room):
    first = verdict("ann", {"gaussian_kl": "wrong"})
    synthetic.on_file(room, [first])
    record.record(room, room.assignment(NAME), [store.recorded(room, NAME, "ann")])
    with opened(url(room)) as book:
        grade = book.find_grade(PROOF, "forward_reverse_kl", NAME, "ann")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        book.db.commit()
    recorder = record.Recorder(room)
    for _ in range(2):  # the second changes nothing, and says nothing
        recorder.add(again(room, verdict("ann")))
        recorder.finish()
    (line,) = (room.data / "audit.log").read_text().splitlines()
    assert re.fullmatch(rf"\d{{4}}-\S+ \S+: ann: {NAME}: 15 -> 18: gaussian_kl 0 -> 3", line)
    hands = scores.by_hand(room, NAME)["ann"]
    assert hands[PROOF].score == 1.5
    assert store.recorded(room, NAME, "ann").score == 18


def test_changed_records_nothing(room, monkeypatch, capsys):
    synthetic.on_file(room, [verdict("ann", {"gaussian_kl": "wrong"})])
    before = store.recorded(room, NAME, "ann")
    monkeypatch.setattr("grading.cli.judging.batch", lambda *given: [again(room, verdict("ann"))])
    assert cli.main(["autograde", "--changed", "--secret", "s", "--course", str(room.root)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"ann: {NAME}: 15 -> 18: gaussian_kl 0 -> 3" in said
    assert "1 would change; autograde without --changed records them" in said
    assert store.recorded(room, NAME, "ann") == before
    assert not (room.data / "audit.log").exists()
    assert not (room.data / "gradebook.db").exists()
