"""dgmlib beside its peers. `python -m benchmarks` prints one table; `timing.py` says how a row is written."""

import os

# One thread. The libraries read these as they load, and this file runs before any of them is imported.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"
