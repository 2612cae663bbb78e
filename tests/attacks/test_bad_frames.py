"""Answers that send what no answer would: each costs its own points, through the command line, and nobody else's."""

import json

import pytest

from grading.cli import main

from ..grading import classroom
from ..grading.classroom import NAMES, at, edited

ZEROS = "\ndef batch_jacobian(f, x): return torch.zeros(len(x), x.shape[1], x.shape[1], dtype=x.dtype)"
ARRAYS = """import dgmlib.checks.run as run
old = run.run
run.run = lambda call, answer, inputs: {arrays} if answer is batch_jacobian else old(call, answer, inputs)"""
BYTES = """import worker.frames as frames, json, struct
old = frames.encode
def frame(header, body=b''):
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack('<4sIQ', b'DGM1', len(header), len(body)) + header + body
def encode(head, arrays=None):
    if not any('/' in key for key in arrays or ()): return old(head, arrays)
    {bytes}
frames.encode = encode"""
SENT = {
    "an int8 error": "{'value/error': torch.tensor([-1], dtype=torch.int8)}",
    "an error beside zeros": "{'value/jacobian': torch.zeros(5, 3, 3), 'value/error.call': torch.tensor(float('nan'))}",
    "every dtype": "{'value/jacobian': torch.ones(5, 3, 3).bool(), 'one row/jacobian': torch.zeros(1, 4, 4) * 1j}",
    "60 MB of a text": "{'value/error': torch.zeros(30_000_000, dtype=torch.uint8), 'value/x': torch.zeros(7_000_000)}",
}
RAW = {
    "a huge shape of no numbers": "return frame({**head, 'arrays': [['value/x', 'float32', [0] + [2**26] * 11]]})",
    "a name of slashes": "return frame({**head, 'arrays': [['/' * 200, 'uint8', []]]}, b'x')",
    "two of one name": "return frame({**head, 'arrays': [['value/jacobian', 'uint8', [1]]] * 2}, b'xy')",
    "an infinite axis": "return frame(b'{\"n\": %d, \"arrays\": [[\"value/x\", \"uint8\", [1e400]]]}' % head['n'])",
    "half a pair and a cursor": "return frame({'n': head['n'], 'error': '\\ud800\\x1b[2J\\u202e' * 99, 'arrays': []})",
    "lists for words": "return frame({'n': head['n'], 'error': [1], 'missing': {}, 'arrays': []})",
    "answers in advance": "return b''.join(frame({'n': head['n'] + i, 'arrays': []}) for i in range(40))",
    "a length of 2^64": "return struct.pack('<4sIQ', b'DGM1', 10, 2**64 - 1)",
}  # fmt: skip


def hostile() -> dict[str, str]:
    """Sources by name."""
    found = {name: ARRAYS.replace("{arrays}", arrays) for name, arrays in SENT.items()}
    return found | {name: BYTES.replace("{bytes}", code) for name, code in RAW.items()}


@pytest.mark.attack
def test_a_class_that_sends_bad_frames(course, hand_in, tmp_path, capsys):
    hand_in("honest", classroom.data(classroom.solved()))
    words = ["autograde", "--course", str(course.root), "--secret", "s", "--quiet", "--jobs", "2"]
    assert main(words) == 0
    (alone,) = course.verdicts.glob("*/*.json")
    before, students = alone.read_bytes(), {}
    for number, (name, source) in enumerate(hostile().items()):
        students[f"s{number}"] = name
        hand_in(f"s{number}", edited(lambda n, s=source: at(n, NAMES[0]).update(source=s + ZEROS)))
    assert main([*words, "--json", str(tmp_path / "o.json")]) == 0, capsys.readouterr().err
    rows = {row["student"]: row for row in json.loads((tmp_path / "o.json").read_text())["submissions"]}
    assert {row["status"] for row in rows.values()} == {"graded"}
    for student, name in students.items():
        scores = {exercise: e["score"] for exercise, e in rows[student]["exercises"].items()}
        # an encoder that breaks is the submission's own; where one exercise alone lies, the other keeps its points
        assert scores == {NAMES[0]: 0, NAMES[1]: 3 if name in SENT else scores[NAMES[1]]}, name
        if name in RAW:  # else it is the zeros that were judged: no frame of its own was sent
            assert not rows[student]["exercises"][NAMES[0]]["laws"][0]["message"].startswith("jacobian: expected")
    assert rows["honest"]["score"] == 5
    assert alone.read_bytes() == before
