"""A student's evening in JupyterLab: Run All, one right and one wrong answer, Validate."""

import pytest

pytestmark = pytest.mark.xdist_group("browser")
NOTEBOOK = "course/00_flows_recap/flows_recap.ipynb"
EXERCISES = (
    "batch_jacobian", "change_of_variables_log_prob", "LULinear", "QRLinear", "autoregressive_forward",
    "autoregressive_inverse", "AffineCoupling", "flow_log_prob",
)  # fmt: skip
GREY, GREEN, RED = "rgb(138, 138, 138)", "rgb(0, 158, 115)", "rgb(213, 94, 0)"


def wait_until_shown(lab, name: str, text: str):
    """In the outputs of a cell; JupyterLab draws them once they are in view."""
    lab.eventually(lambda: text in lab.cell(name).inner_text(), f"{text!r} below {name}")


@pytest.mark.slow
def test_a_guess_a_hint_a_slider_in_light_and_dark_and_all_once_more(lab):
    lab.open(NOTEBOOK)
    lab.run_all()
    wait_until_shown(lab, "right_density", "No guess yet")
    wait_until_shown(lab, "count_guesses", "4 questions, no guess yet")
    lab.retype("guess_bumps", "guess_bumps = 2")
    for name in ("guess_bumps", "right_density", "count_guesses"):
        lab.run(name)
    wait_until_shown(lab, "right_density", "✓ How many bumps has x? Your guess: 2. It is: 2.")
    wait_until_shown(lab, "count_guesses", "You guessed 1 of 4 times; 1 came out as you thought.")

    hint = lab.cell("about_batch_jacobian").locator("details").first
    assert hint.get_attribute("open") is None
    hint.locator("summary").click()
    assert hint.get_attribute("open") is not None
    assert hint.locator("code").first.is_visible()

    before = lab.figure("ribbon")
    handle = lab.cell("ribbon").locator(".noUi-handle")
    handle.focus()
    for _ in range(6):
        lab.page.keyboard.press("ArrowRight")
    lab.eventually(lambda: lab.figure("ribbon") not in (before, ""), "another figure")
    lab.picture("7-slider")

    light = lab.contrast("count_guesses")
    lab.menu("Settings", "Theme", "JupyterLab Dark")
    lab.eventually(lambda: lab.contrast("count_guesses") != light, "the dark theme")
    assert min(light, lab.contrast("count_guesses")) > 4.5  # of WCAG 2, for text
    assert min(lab.contrast(f"check_{name}") for name in EXERCISES) > 4.5
    lab.picture("8-dark")

    lab.menu("Kernel", "Restart Kernel and Run All Cells…")
    lab.page.locator(".jp-Dialog .jp-mod-accept").click()
    lab.all_run()
    wait_until_shown(lab, "count_guesses", "You guessed 1 of 4 times")
    assert lab.dialogs() == []


def test_grey_then_green_and_red_then_validate(lab):
    lab.open(NOTEBOOK)
    lab.picture("1-opened")
    lab.run_all()
    lab.picture("2-run-all")
    for name in EXERCISES:
        assert lab.card(name) == (GREY, f"○ {name}: not solved yet")
    lab.picture("3-grey")
    assert lab.dialogs() == []

    lab.solve("batch_jacobian", "return torch.func.vmap(torch.func.jacrev(f))(x)")
    assert lab.source("batch_jacobian").endswith('"""\n    return torch.func.vmap(torch.func.jacrev(f))(x)')
    wrong = ("mu, log_sigma = conditioner(x)", "return (x - mu) * torch.exp(-log_sigma), log_sigma.sum(-1)")
    lab.solve("autoregressive_forward", *wrong)
    for name in ("batch_jacobian", "autoregressive_forward"):
        lab.run(name)
        lab.run(f"check_{name}")
    colour, text = lab.card("batch_jacobian")
    assert colour == GREEN, text
    assert "✗" not in text
    lab.picture("4-green")
    colour, text = lab.card("autoregressive_forward")
    assert colour == RED, text
    assert "The sign of log_det is flipped" in text
    lab.picture("5-red")
    assert lab.dialogs() == []

    lab.page.get_by_text("Validate", exact=True).click()
    dialog = lab.page.locator(".jp-Dialog")
    dialog.wait_for(timeout=200_000)
    lab.picture("6-validate")
    said = dialog.inner_text()
    assert said.count("The following cell failed") == len(EXERCISES) - 1
    assert 'check("batch_jacobian", batch_jacobian)' not in said
    assert "The sign of log_det is flipped" in said
    assert "Traceback" not in said
    dialog.get_by_role("button", name="Ok").click()
    dialog.wait_for(state="detached")
