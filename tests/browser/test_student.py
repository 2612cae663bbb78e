"""A student's evening in JupyterLab: Run All, one right and one wrong answer, Validate."""

import pytest

pytestmark = pytest.mark.xdist_group("browser")
NOTEBOOK = "course/00_flows_recap/flows_recap.ipynb"
EXERCISES = (
    "batch_jacobian", "change_of_variables_log_prob", "LULinear", "QRLinear", "autoregressive_forward",
    "autoregressive_inverse", "AffineCoupling", "flow_log_prob",
)  # fmt: skip
GREY, GREEN, RED = "rgb(138, 138, 138)", "rgb(0, 158, 115)", "rgb(213, 94, 0)"


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
