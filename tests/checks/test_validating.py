"""nbgrader's Validate knows errors alone: there a check that is not green is one, as the card's text."""

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from dgmlib.checks import check
from dgmlib.checks.engine.card import NotPassed


def wrong(f, x):
    return x


def right(f, x):
    import torch

    return torch.func.vmap(torch.func.jacrev(f))(x)


def stub(f, x):
    raise NotImplementedError


@pytest.mark.parametrize(("answer", "state"), [(right, "solved"), (wrong, "wrong"), (stub, "unsolved")])
def test_only_green_passes(monkeypatch, answer, state):
    monkeypatch.delenv("NBGRADER_VALIDATING", raising=False)
    card = check("batch_jacobian", answer)
    assert card.state == state
    monkeypatch.setenv("NBGRADER_VALIDATING", "1")
    if state == "solved":
        assert check("batch_jacobian", answer) == card
    else:
        with pytest.raises(NotPassed) as caught:
            check("batch_jacobian", answer)
        assert str(caught.value) == repr(card)


def test_ipython_shows_the_card_and_no_traceback(capsys, tmp_path):
    shell = InteractiveShell(ipython_dir=str(tmp_path), config=Config({"HistoryManager": {"enabled": False}}))
    shell.run_cell("from dgmlib.checks.engine.card import NotPassed\nraise NotPassed('✗ one: 1 of 2 laws passed')")
    assert capsys.readouterr().out.strip() == "✗ one: 1 of 2 laws passed"
