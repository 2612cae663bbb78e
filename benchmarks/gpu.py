"""`make gpu`, or `python -m benchmarks.gpu`: every test that needs a GPU, then the rows that are promised on one.

The table goes to the screen and into `benchmarks/gpu.md`. `--device cpu --small` runs the same script where there is
no GPU, on a hundredth of the data, to see that it works; its times mean nothing, and no file is written.
A row waits for the device where its column "waits" says so: PyTorch counts what makes the CPU wait for the GPU.
"""

import argparse
import platform
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from dgmlib.flows import MAF, Flow, RealNVP, StandardNormal
from dgmlib.lvm import PPCA, GaussianMixture, naive_gaussian_log_likelihood
from dgmlib.lvm.mixture_em import fit_mixture

HEADER = "| work | ms | promised | GB | promised | waits |\n|---|---|---|---|---|---|"
TABLE = Path(__file__).with_name("gpu.md")


@dataclass(frozen=True)
class GpuRow:
    work: str
    run: Callable[[], object]
    ms: float  # promised, for one of `parts`
    parts: int = 1
    gigabytes: float | None = None  # promised, at the peak, beside the inputs


def gpu_rows(device: torch.device, small: bool) -> Iterator[GpuRow]:
    """Lazily, so that only one row's data lives at a time."""

    def size(n: int) -> int:
        return n // 100 if small else n

    def randn(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        return torch.randn(*shape, dtype=dtype, device=device)

    realnvp, x = Flow(StandardNormal(64), RealNVP(64, 8)).to(device), randn(size(65536), 64)
    yield GpuRow("RealNVP, 8 layers, 128x2, D=64, batch 65536: log_prob", lambda: realnvp.log_prob(x), 1.5)
    maf, n = Flow(StandardNormal(32), MAF(32, 5)).to(device), size(4096)
    yield GpuRow("MAF, 5 layers, 128x2, D=32, batch 4096: sample", lambda: maf.sample(n), 7.0)
    points, K = randn(size(1_000_000), 8, dtype=torch.float64), 16
    weights, eye = torch.full((K,), 1 / K).to(points), torch.eye(8).to(points)
    start = GaussianMixture(weights, points[:K].clone(), eye.expand(K, 8, 8))
    yield GpuRow(
        "mixture EM, 1M x 8, K=16, float64: an iteration", lambda: fit_mixture(start, points, 20), 0.6, parts=20
    )
    data = randn(size(1_000_000), 256)
    yield GpuRow("PPCA fit, 1M x 256, d=16, float32", lambda: PPCA.maximum_likelihood(data, 16), 25.0)
    images, means, sigma = randn(size(10_000), 784), randn(size(10_000), 784), torch.tensor(0.5, device=device)
    many = lambda: naive_gaussian_log_likelihood(images, means, sigma)  # noqa: E731
    yield GpuRow("naive Monte Carlo, 10⁴ x 10⁴, d=784, float32", many, 4.0, gigabytes=0.5)


@torch.no_grad()
def line(row: GpuRow, device: torch.device, repeats: int = 20) -> str:
    """One line of the table: the median of `repeats` runs, each waited for, after two to warm up."""
    times = [seconds(row.run, device) for _ in range(repeats + 2)][2:]
    ms = 1e3 * statistics.median(times) / row.parts
    gigabytes, waits = ("", "") if device.type != "cuda" else (f"{peak(row.run) / 1e9:.2f}", str(syncs(row.run)))
    promised = "" if row.gigabytes is None else f"{row.gigabytes:g}"
    return f"| {row.work} | {ms:.3g} | {row.ms:g} | {gigabytes} | {promised} | {waits} |"


def seconds(run: Callable[[], object], device: torch.device) -> float:
    wait(device)
    start = time.perf_counter()
    run()
    wait(device)
    return time.perf_counter() - start


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def peak(run: Callable[[], object]) -> int:
    """Bytes that the GPU's memory grew by at its largest."""
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    run()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def syncs(run: Callable[[], object]) -> int:
    """How often the CPU waited for the GPU in one run."""
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            run()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum("synchroniz" in str(warning.message) for warning in caught)


def cuda_tests() -> int:
    """The exit code of every test that needs a GPU; without one they skip."""
    return subprocess.run([sys.executable, "-m", "pytest", "-q", "-m", "cuda", "tests"], timeout=300).returncode


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="a hundredth of the data, three runs a row")
    parser.add_argument("--no-tests", action="store_true", help="the table alone")
    options = parser.parse_args(arguments)
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        parser.error("no GPU here; to see that the script works: python -m benchmarks.gpu --device cpu --small")
    torch.manual_seed(0)
    failed = 0 if options.no_tests else cuda_tests()
    name = torch.cuda.get_device_name() if device.type == "cuda" else platform.machine()
    table = [f"{name}, torch {torch.__version__}", "", HEADER]
    print("\n".join(table))
    for row in gpu_rows(device, options.small):
        table.append(line(row, device, repeats=3 if options.small else 20))
        print(table[-1], flush=True)
    if device.type == "cuda" and not options.small:
        TABLE.write_text("\n".join(table) + "\n")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
