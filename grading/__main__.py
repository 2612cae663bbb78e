import atexit
import contextlib
import gc
import os
import sys

from .cli import main


def leave(status: int):
    """End without the second in which Python takes torch apart."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # closed by whoever read it
            stream.flush()
    os._exit(status)


gc.set_threshold(50_000)  # a sixth of the time of every import
# jsonschema imports it for addresses in a format of their own, which no notebook has: 1.6 s of every command.
sys.modules.setdefault("rfc3987_syntax", None)
leave(main())
