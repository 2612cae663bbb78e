"""What a student's own notebook showed, on the feedback page: where it helps, and nothing but text and PNG."""

import base64
import io
import json
import struct
import zlib

import matplotlib.pyplot as plt
import pytest

from grading.course import CHECKOUT, Course, write
from grading.judging import filed, store
from grading.notebook import outputs, pictures
from grading.notebook.submission import prepare
from grading.publishing import feedback

from . import classroom
from .synthetic import EVIL, NAME, verdict
from .test_feedback import harmless

RELEASED = (CHECKOUT / "course" / NAME / "forward_reverse_kl.ipynb").read_bytes()
EXERCISE = "gaussian_kl"
CALL = "gaussian_kl(torch.zeros(2), torch.eye(2), torch.ones(2), torch.eye(2))"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int = 2, height: int = 2, *more: bytes, noise: bytes = b"") -> bytes:
    """A grey picture; `more` chunks stand before its pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = noise or zlib.compress((b"\0" + b"\x80" * min(width, 9)) * min(height, 9))
    return pictures.PNG + header + b"".join(more) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def drawn(data: bytes | str) -> dict:
    value = data if isinstance(data, str) else coded(data)
    about = {"image/png": value, "text/plain": "<Figure size 640x480 with 1 Axes>", "text/html": EVIL}
    return {"output_type": "display_data", "data": about, "metadata": {}}


def said(text) -> dict:
    return {"output_type": "stream", "name": "stdout", "text": text}


def submission(*stored, source: str = CALL) -> bytes:
    """A wrong answer, and below its check a cell of the student's own that showed `stored`."""
    notebook = json.loads(RELEASED)
    classroom.at(notebook, EXERCISE)["source"] = "def gaussian_kl(*words):\n    return 0"
    card = {"text/plain": "✗ gaussian_kl: 0 of 3", "text/html": "<b>the card</b>"}
    classroom.at(notebook, f"check_{EXERCISE}")["outputs"] = [{"output_type": "execute_result", "data": card}]
    own = classroom.own(source)
    own["outputs"] = list(stored)
    notebook["cells"].insert(classroom.place(notebook, f"check_{EXERCISE}") + 1, own)
    return json.dumps(notebook).encode()


def shown(data: bytes, *names: str) -> dict[str, list[outputs.Output]]:
    return outputs.by_exercise(prepare(RELEASED, data).outputs, list(names))


def found(data: bytes) -> list[outputs.Output]:
    return shown(data, EXERCISE).get(EXERCISE, [])


@pytest.fixture
def page(tmp_path):
    """The feedback page of ann, who lost the points of `wrong`."""
    course = Course(tmp_path)
    write(course.released / NAME / "forward_reverse_kl.ipynb", RELEASED)

    def made(data: bytes, wrong: dict[str, str]) -> bytes:
        scored = verdict("ann", wrong, key="k")
        whole, pictures = filed.keep(prepare(RELEASED, data), scored)
        store.save(course, whole, pictures)
        ((path,), _) = feedback.feedback(course, {NAME: [store.load(course, NAME, "k")]})
        return path.read_bytes()

    return made


def test_a_figure_and_a_text_stand_below_the_exercise_that_lost_points(page):
    figure, stream = plt.figure(), io.BytesIO()
    figure.add_subplot().plot([1, 3, 2])
    figure.savefig(stream, format="png", metadata={"Author": "ann@example.org"})
    plt.close(figure)
    stream.seek(0)
    data = submission(said("kl is 0\n"), drawn(stream.getvalue()))
    made = page(data, {EXERCISE: "wrong"})
    words = harmless(made).words
    assert "What your notebook showed" in words
    assert "kl is 0" in words
    (output,) = [o for o in found(data) if o.png]
    assert coded(output.png).encode() in made
    assert plt.imread(io.BytesIO(output.png)).shape == plt.imread(stream).shape
    assert b"example.org" not in output.png
    assert "the card" not in words


def rearranged(after: str, source: str = CALL) -> bytes:
    """A cell of the student's own that printed a word, after another cell."""
    notebook = json.loads(submission())
    own = classroom.at(notebook, "own") | {"source": source, "outputs": [said("a word")]}
    notebook["cells"] = [cell for cell in notebook["cells"] if cell.get("id") != "own"]
    notebook["cells"].insert(classroom.place(notebook, after) + 1, own)
    return json.dumps(notebook).encode()


@pytest.mark.parametrize(
    ("after", "source", "belongs"),
    [
        (EXERCISE, "plt.plot(1)", EXERCISE),
        ("widths_predict", "plt.plot(1)", EXERCISE),
        ("about_forward_kl_loss", "plt.plot(1)", "forward_kl_loss"),
        ("summary", CALL, EXERCISE),
        ("check_forward_kl_loss", CALL, EXERCISE),
        ("title", "plt.plot(1)", None),
    ],
)
def test_a_cell_belongs_to_what_it_calls_else_to_the_exercise_above(after, source, belongs):
    made = shown(rearranged(after, source), EXERCISE, "forward_kl_loss")
    assert {name: [o.text for o in found] for name, found in made.items()} == ({belongs: ["a word"]} if belongs else {})


def test_the_closing_figure_is_drawn_by_the_students_answers_and_shown_once():
    losses = ["forward_kl_loss", "reverse_kl_loss", "latent_reverse_kl"]
    solved = (CHECKOUT / "solutions" / NAME / "forward_reverse_kl.ipynb").read_bytes()
    made = shown(solved, EXERCISE, *losses[1:])
    assert list(made) == ["reverse_kl_loss"]
    text, figure = made["reverse_kl_loss"]
    assert "your reverse KL: " in text.text
    assert plt.imread(io.BytesIO(figure.png)).shape[1] > 500


def test_an_answer_without_its_id_that_prints():
    notebook = json.loads(submission())
    answer = classroom.at(notebook, EXERCISE)
    answer |= {"id": "other", "metadata": {}, "outputs": [said("from the answer's cell")]}
    assert [o.text for o in found(json.dumps(notebook).encode())] == ["from the answer's cell"]


@pytest.mark.parametrize("wrong", [{}, {EXERCISE: "not solved yet"}, {"objective_needs": "wrong"}])
def test_it_is_shown_for_a_tried_exercise_alone(page, wrong):
    assert b"What your notebook showed" not in page(submission(said("kl is 0")), wrong)


def test_a_released_figure_is_not_the_students_own(page):
    notebook = json.loads(submission())
    classroom.at(notebook, "widths")["outputs"] = [drawn(png()), said("a released line")]
    assert found(json.dumps(notebook).encode()) == []


HOSTILE = {
    "no base64": drawn("%%%"),
    "no PNG": drawn(b"GIF89a" + b"\0" * 50),
    "SVG as PNG": drawn(b"<svg onload='alert(1)'/>"),
    "a truncated PNG": drawn(png()[:-20]),
    "a damaged PNG": drawn(png()[:40] + b"!" + png()[41:]),
    "a huge picture": drawn(png(10**6, 10**6)),
    "an empty picture": drawn(png(0, 2)),
    "two headers": drawn(png(2, 2, chunk(b"IHDR", bytes(13)))),
    "HTML alone": {"output_type": "display_data", "data": {"text/html": EVIL, "image/svg+xml": "<svg/>"}},
    "a script": {"output_type": "execute_result", "data": {"application/javascript": "alert(1)"}},
    "data is a list": {"output_type": "display_data", "data": [[[]]]},
    "an output is a number": 3,
    "text is nested": said([["x"], {"y": 1}]),
    "an error": {"output_type": "error", "ename": EVIL, "evalue": EVIL, "traceback": [EVIL]},
    "standard error": {"output_type": "stream", "name": "stderr", "text": "warned"},
    "nothing but colours": said("\x1b[31m\x1b]0;title\x07\n" * 10**5),
    "another check card": {
        "output_type": "execute_result",
        "data": {"text/plain": ["✗ gaussian_kl: 0 of 3\n", "  ✗ value"]},
    },
    "lines of a plot": {
        "output_type": "execute_result",
        "data": {"text/plain": "[<Line2D at 0x7f>,\n <Line2D at 0x8f>]"},
    },
    "a widget": {
        "output_type": "display_data",
        "data": {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "w"},
    },
    "half a character as base64": drawn("\ud800"),
    "a chunk longer than the file": drawn(pictures.PNG + struct.pack(">I4s", 2**32 - 1, b"IHDR")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_neither_text_nor_png_is_not_shown(name):
    assert found(submission(HOSTILE[name])) == []


def test_additional_chunks_and_what_follows_the_end_are_left_out():
    (output,) = found(submission(drawn(png(2, 2, chunk(b"tEXt", b"secret\0words")) + b"and more")))
    assert output.png == png()


def test_text_is_plain_and_short(page):
    coloured = "\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x07\n10%\r20%\r100%\n" + EVIL + "long " * 1000
    made = page(submission(said(coloured)), {EXERCISE: "wrong"})
    words = harmless(made.replace(b"http://x", b"")).words
    assert "red link 100% <script>" in words
    assert "20%" not in words
    assert len(words) < 6000


@pytest.mark.parametrize("size", [10, 30_000, 120_000])
def test_many_figures_stay_within_the_page(page, size):
    noise = bytes(range(256)) * (size // 256 + 1)
    data = submission(*[drawn(png(noise=noise[:size]))] * (4_000_000 // (2 * size + 300) if size > 10 else 5000))
    made = page(data, {EXERCISE: "wrong"})
    assert "Left out here" in harmless(made).words
    assert made.count(b"data:image/png") == {10: 6, 30_000: 4, 120_000: 0}[size]


def test_pictures_that_are_gone_are_said(tmp_path):
    """A verdict file whose pictures somebody removed."""
    course, scored = Course(tmp_path), verdict("ann", {EXERCISE: "wrong"}, key="k")
    write(course.released / NAME / "forward_reverse_kl.ipynb", RELEASED)
    whole, pictures = filed.keep(prepare(RELEASED, submission(said("kl is 0"), drawn(png()))), scored)
    store.save(course, whole, pictures)
    (course.verdicts / NAME / "k.pictures").unlink()
    (text, figure) = filed.outputs(course, store.load(course, NAME, "k"), [EXERCISE])[EXERCISE]
    assert (text.text, figure.png) == ("kl is 0", b"")
    ((path,), _) = feedback.feedback(course, {NAME: [store.load(course, NAME, "k")]})
    assert "Left out here: 1 more" in harmless(path.read_bytes()).words
