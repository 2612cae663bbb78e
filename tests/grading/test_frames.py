"""Whatever a frame holds, reading it gives arrays or a FrameError: no more memory than it has bytes."""

import copy
import json
import random
import struct

import numpy as np
import pytest
import torch

from dgmlib.checks.run.record import text, untext
from grading.judging import judge
from grading.running.session import Answer
from grading.running.worker import frames
from grading.running.worker.frames import FrameError

from . import classroom


def listed(*entries) -> bytes:
    return json.dumps({"n": 1, "arrays": list(entries)}).encode()


BAD = {
    "not UTF-8": (b"\xff\xfe{}", b""),
    "a byte order mark": (b"\xef\xbb\xbf{}", b""),
    "no JSON": (b"{", b""),
    "nothing": (b"", b""),
    "NaN": (b'{"n": NaN, "arrays": []}', b""),
    "minus infinity": (b'{"n": -Infinity, "arrays": []}', b""),
    "deep lists": (b"[" * 100_000, b""),
    "deep objects": (b'{"a":' * 100_000, b""),
    "a number of 10^5 digits": (b'{"n": ' + b"9" * 100_000 + b', "arrays": []}', b""),
    "a list": (b"[]", b""),
    "null": (b"null", b""),
    "no arrays": (b'{"n": 1}', b""),
    "arrays as an object": (b'{"arrays": {}}', b""),
    "arrays as null": (b'{"arrays": null}', b""),
    "too many arrays": (listed(*[[f"a/{i}", "uint8", [0]] for i in range(frames.MAX_ARRAYS + 1)]), b""),
    "a huge shape of no numbers": (listed(["a/x", "float32", [0] + [2**26] * 11]), b""),
    "a huge shape of no numbers, zero last": (listed(["a/x", "bool", [2**26] * 11 + [0]]), b""),
    "a negative axis": (listed(["a/x", "uint8", [-1]]), b""),
    "two negative axes": (listed(["a/x", "uint8", [-1, -8]]), b"x" * 8),
    "an axis of 2^64": (listed(["a/x", "uint8", [2**64]]), b""),
    "an axis as a float": (listed(["a/x", "uint8", [1.0]]), b"x"),
    "an axis as true": (listed(["a/x", "uint8", [True]]), b"x"),
    "an infinite axis": (b'{"arrays": [["a/x", "uint8", [1e400]]]}', b""),
    "a shape as a number": (listed(["a/x", "uint8", 1]), b"x"),
    "thirteen axes": (listed(["a/x", "uint8", [1] * 13]), b"x"),
    "an unknown dtype": (listed(["a/x", "object", [1]]), b"x" * 8),
    "a dtype of torch's own": (listed(["a/x", "torch.float32", [1]]), b"x" * 4),
    "a dtype as a list": (listed(["a/x", ["uint8"], [1]]), b"x"),
    "a quantised dtype": (listed(["a/x", "qint8", [1]]), b"x"),
    "a name as a number": (listed([1, "uint8", [1]]), b"x"),
    "a name as a list": (listed([["a"], "uint8", [1]]), b"x"),
    "a long name": (listed(["a" * 201, "uint8", [1]]), b"x"),
    "two of one name": (listed(["a/x", "uint8", [1]], ["a/x", "uint8", [1]]), b"xy"),
    "too few bytes": (listed(["a/x", "float64", [2]]), b"x" * 15),
    "too many bytes": (listed(["a/x", "float64", [2]]), b"x" * 17),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_frame_is_a_frame_error(name):
    with pytest.raises(FrameError) as caught:
        frames.decode(*BAD[name])
    assert "\n" not in str(caught.value)


GOOD = {
    "a/x": torch.linspace(0, 1, 6, dtype=torch.float64).reshape(2, 3),
    "a/none": torch.empty(0, 5, dtype=torch.bfloat16),
    "a/one": torch.tensor(1 + 2j, dtype=torch.complex64),
    "a/flags": torch.tensor([True, False]),
    "a/error": text("ValueError: ünlike"),
}


def test_what_was_sent_comes_back():
    data = frames.encode({"n": 7, "error": "ü"}, GOOD)
    head, _ = frames.sizes(data[: frames.PREFIX.size])
    start = frames.PREFIX.size
    header, arrays = frames.decode(data[start : start + head], data[start + head :])
    assert header == {"n": 7, "error": "ü"}
    assert arrays.keys() == GOOD.keys()
    for name, sent in GOOD.items():
        assert arrays[name].dtype == sent.dtype
        assert torch.equal(arrays[name], sent)


ODD = (
    None,
    True,
    -1,
    0,
    1,
    2**26,
    2**63,
    2**70,
    1e308,
    0.5,
    "",
    "uint8",
    "int8",
    "\ud800",
    [],
    [0],
    [[]],
    {},
    [-1],
    [0, 2**26, 2**26],
)


def mutated(draw: random.Random) -> tuple[bytes, bytes]:
    """A good frame with some of its parts replaced, and some of its bytes."""
    header = {"n": 1, "arrays": [["a/x", "float32", [2, 2]], ["a/error", "uint8", [4]]]}
    for _ in range(draw.randrange(3)):
        place = draw.choice([header, header["arrays"], *header["arrays"]])
        keys = list(place) if isinstance(place, dict) else range(len(place)) if isinstance(place, list) else ()
        if keys:
            place[draw.choice(list(keys))] = copy.deepcopy(draw.choice(ODD))
        if not isinstance(header.get("arrays"), list):
            break
    head, body = bytearray(json.dumps(header).encode()), bytearray(draw.randbytes(20))
    for part in (head, body):
        for _ in range(draw.choice((0, 0, 1, 3))):
            part[draw.randrange(len(part))] = draw.randrange(256)
    return bytes(head[: draw.choice((len(head), draw.randrange(len(head))))]), bytes(body)


def test_ten_thousand_mutated_frames_give_arrays_or_a_frame_error():
    draw, read = random.Random(20251126), 0
    for _ in range(10_000):
        head, body = mutated(draw)
        try:
            header, arrays = frames.decode(head, body)
        except FrameError:
            continue
        read += 1
        assert isinstance(header, dict)
        assert sum(value.numel() * value.element_size() for value in arrays.values()) <= len(body)
    assert 500 < read < 9500  # both ends of the road were travelled


@pytest.mark.parametrize("prefix", [b"", b"DGM1", b"x" * 16, b"x" * 40])
def test_a_prefix_of_another_length_or_magic(prefix):
    with pytest.raises((FrameError, struct.error)):
        frames.sizes(prefix)


@pytest.mark.parametrize(
    "lengths", [(2**32 - 1, 0), (0, 2**64 - 1), (frames.MAX_HEADER + 1, 0), (0, frames.MAX_BODY + 1)]
)
def test_a_promised_length_is_not_trusted(lengths):
    with pytest.raises(FrameError, match="at most"):
        frames.sizes(frames.PREFIX.pack(frames.MAGIC, *lengths))


# What stands where a text is expected.
TEXTS = {
    "a negative int8": torch.tensor([-1], dtype=torch.int8),
    "a float": torch.tensor(float("nan")),
    "floats": torch.full((3,), float("nan")),
    "complex numbers": torch.ones(2, dtype=torch.complex64),
    "flags": torch.ones(3, dtype=torch.bool),
    "a column": torch.ones(3, 1, dtype=torch.uint8),
    "no axis": torch.tensor(7, dtype=torch.uint8),
    "no text": torch.empty(0, dtype=torch.uint8),
    "no UTF-8": torch.tensor([255, 254, 0, 27], dtype=torch.uint8),
}
KEYS = ("error", "error.call", "changed", "device", "missing")


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_one_row_of_bytes_or_a_value_error(name):
    value = TEXTS[name]
    if value.dtype == torch.uint8 and value.ndim == 1:
        assert isinstance(untext(value), str)
    else:
        with pytest.raises(ValueError, match="a text as"):
            untext(value)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("exercise", classroom.FLOWS.exercises)
def test_no_array_escapes_the_judge(name, exercise):
    """Every exercise, its cases filled with what is no text: laws that fail, and no exception."""
    asked = classroom.FLOWS.exercises[exercise]
    inputs = asked.inputs(np.random.default_rng(1))
    cases = {key.split("/")[0] for key in inputs}
    outputs = {f"{case}/{key}": TEXTS[name] for case in cases for key in KEYS}
    laws = judge.Judge.judged(None, asked, inputs, Answer(outputs))
    assert laws
    assert not any(law.passed for law in laws)
