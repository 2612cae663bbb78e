"""The process that runs a student's cells and the `run` part of the checks. Whatever it says is checked outside.

Started as `python -I main.py FD OPTIONS`: FD is a socket, OPTIONS is JSON: `{"kind", "uid", ...}`.
"""

import gc
import json
import os
import shutil
import signal
import socket
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main():
    sys.path.insert(0, ROOT)
    link, options = socket.socket(fileno=int(sys.argv[1])), json.loads(sys.argv[2])
    drop_root(options)
    make_home()
    import_libraries()
    shell = import_course()
    for imports in PRELOADS.values():
        imports()
    confine(options)
    silence_stdio()
    Worker(link, shell).serve()


def drop_root(options: dict):
    """Give up root before anything else, and end with the grader where no namespace sees to it."""
    from worker import isolate, limits

    if options.get("bound_inodes"):
        isolate.bound_inodes()
    if options.get("uid"):
        limits.drop(options["uid"], options.get("reads_all", False))
    elif options.get("drop_capabilities"):
        limits.give_up_capabilities()
    if options.get("orphan"):
        limits.end_with(options["orphan"])


def make_home():
    """A private folder for everything that wants one; matplotlib's font list comes with the bundle."""
    fonts = os.path.join(ROOT, "mpl")
    os.makedirs(os.environ["HOME"], exist_ok=True)
    if os.path.isdir(fonts):
        shutil.copytree(fonts, os.environ["MPLCONFIGDIR"], dirs_exist_ok=True)


def import_libraries():
    """What every notebook needs, so that address space and time are measured after it."""
    gc.disable()  # a sixth of the time; till `import_course` ends
    import IPython.core.interactiveshell  # noqa: F401
    import torch
    import torch.func

    torch.set_num_threads(1)
    make_home()  # with fonts, which may have come since
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot


def import_compiler():
    """A thousand modules, at the first call of torch.func and of most optimisers."""
    import torch

    torch.func.vmap(torch.func.jacrev(torch.sin))(torch.ones(2, 2))


def import_shapes():
    """sympy, at the first distribution over vectors."""
    import torch

    torch.broadcast_shapes((1,), (1,))


PRELOADS = {"compiler": import_compiler, "shapes": import_shapes}


def import_course():
    """What the assignment opens of the library, and the shell of its notebook."""
    from worker import shell

    import dgmlib.checks.run
    import dgmlib.data
    import dgmlib.plotting
    from dgmlib.checks.run.closed import close

    close(dgmlib, dgmlib.CLOSED)
    gc.enable()
    return shell.shell()


def confine(options: dict):
    """The limits, Landlock where it is the sandbox, and the filter last."""
    from worker import landlock, limits, seccomp

    limits.limit()
    if options["kind"] == "landlock":
        landlock.restrict(options["readable"], options["listable"])
    if options["kind"] != "none":
        seccomp.install(landlock=options["kind"] == "landlock")


def silence_stdio():
    """Nothing reads what a library prints past Python."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Worker:
    def __init__(self, link: socket.socket, shell):
        from worker import frames
        from worker.shell import seed

        self.link, self.frames = link, frames
        self.shell, self.seed = shell, seed

    def serve(self):
        """Answer requests until the other side is gone."""
        self.link.sendall(self.frames.encode({"n": 0}))
        while request := self.request():
            header, arrays = request
            self.link.sendall(getattr(self, "do_" + header["op"])(header, arrays))

    def request(self):
        prefix = self.read(self.frames.PREFIX.size)
        if prefix is None:
            return None
        head, body = self.frames.sizes(prefix)
        return self.frames.decode(self.read(head), self.read(body))

    def read(self, size: int) -> bytes | None:
        parts = []
        while size:
            part = self.link.recv(min(size, 1 << 20))
            if not part:
                return None
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def do_cell(self, header: dict, arrays: dict) -> bytes:
        """Execute one cell."""
        import matplotlib.pyplot as plt

        self.seed(header["seed"])
        error, printed = self.shell.run(header["source"], header["name"])
        plt.close("all")
        return self.frames.encode({"n": header["n"], "error": error, "printed": printed})

    def do_exercise(self, header: dict, arrays: dict) -> bytes:
        """Hand the student's answer to the `run` part of its check."""
        from worker.shell import described

        from dgmlib.checks.run import Invocation, run

        head, name = {"n": header["n"]}, header["name"]
        if (answer := self.shell.names.get(name)) is None:
            return self.frames.encode(head | {"missing": True})
        self.seed(header["seed"])
        try:
            return self.frames.encode(head, run(Invocation(**header["call"]), answer, arrays))
        except BaseException as error:
            return self.frames.encode(head | {"error": described(error, "")})


if __name__ == "__main__":
    main()
