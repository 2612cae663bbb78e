"""`make gpu` where there is no GPU: the script runs, on a hundredth of the data; with one, its numbers are real."""

import itertools

import pytest
import torch

from benchmarks import gpu


def test_the_script_runs_on_a_cpu(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(gpu, "TABLE", tmp_path / "gpu.md")
    assert gpu.main(["--device", "cpu", "--small", "--no-tests"]) == 0
    cells = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    times = [float(ms) for _, ms, *_ in cells[1:]]  # below the header
    assert len(times) == 5
    assert min(times) > 0
    assert not gpu.TABLE.exists()  # times on a CPU are nobody's


def test_flows_keep_to_the_device_that_is_asked_for():
    """On meta, in full size: whatever was made on the CPU, or read from the device, would raise."""
    realnvp, maf = itertools.islice(gpu.gpu_rows(torch.device("meta"), small=False), 2)
    with torch.no_grad():
        assert (realnvp.run().shape, realnvp.run().device.type) == ((65536,), "meta")
        assert (maf.run().shape, maf.run().device.type) == ((4096, 32), "meta")


def test_without_a_gpu_it_says_what_to_run(capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit):
        gpu.main([])
    assert "no GPU here" in capsys.readouterr().err


@pytest.mark.cuda
def test_a_wait_is_counted():
    x = torch.ones(3, device="cuda")
    assert gpu.syncs(lambda: x.sum()) == 0
    assert gpu.syncs(lambda: x.sum().item()) == 1
