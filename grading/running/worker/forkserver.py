"""Imports once, then forks a worker for every link that it is sent. It never runs a student's code.

Started like the worker, with a control socket: each message carries one file, the link of a new worker, and names what
that one will want imported.
"""

import ctypes
import gc
import json
import os
import signal
import socket
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main():
    sys.path.insert(0, ROOT)
    from worker import main

    control, options = socket.socket(fileno=int(sys.argv[1])), json.loads(sys.argv[2])
    main.drop_root(options)
    main.make_home()
    main.import_libraries()
    if not control.recv(16):  # "filled": the library has come
        return
    shell = main.import_course()
    main.silence_stdio()
    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE: nobody looks into this process
    gc.collect()
    gc.freeze()
    control.send(trial(options))
    serve(control, options, shell)


def serve(control: socket.socket, options: dict, shell):
    """Until the grader is gone."""
    from worker import main

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    server, preloads = os.getpid(), dict(main.PRELOADS)
    while True:
        message, files, _, _ = socket.recv_fds(control, 64, 4)
        if not message:
            return
        for name in message.decode().split():
            if imports := preloads.pop(name, None):
                imports()
        for link in files:
            if os.fork() == 0:
                run_worker(link, options, server, shell)
            os.close(link)


def run_worker(link: int, options: dict, server: int, shell):
    """In the forked child of `server`: close what is not its own, isolate, work. Never returns."""
    try:
        from worker import limits

        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        close_all_but(link)
        if options["kind"] == "bwrap":
            from worker import isolate

            isolate.enter_namespaces()
            fork_under_reaper(link)
            fork_under_reaper(link)
            isolate.mount_private_tmpfs()
            isolate.drop_capabilities()
        else:
            limits.end_with(server)
        work(link, options, shell)
    finally:
        os._exit(1)


def close_all_but(link: int):
    """Close every file but the standard ones and the link."""
    os.closerange(3, link)
    os.closerange(link + 1, os.sysconf("SC_OPEN_MAX"))


def fork_under_reaper(link: int):
    """Go on in a child; the parent waits for it. So the worker is process 2, under a reaper."""
    if child := os.fork():
        os.close(link)
        os.waitpid(child, 0)
        os._exit(0)


def work(link: int, options: dict, shell):
    from worker import main

    if options["kind"] == "bwrap":
        main.make_home()
    main.confine(options)
    main.Worker(socket.socket(fileno=link), shell).serve()


def trial(options: dict) -> bytes:
    """Whether a child can be isolated here: b"ready", or why not."""
    if options["kind"] != "bwrap":
        return b"ready"
    mine, other = socket.socketpair()
    if os.fork() == 0:
        try:
            from worker import isolate

            isolate.enter_namespaces()
            fork_under_reaper(mine.fileno())
            isolate.mount_private_tmpfs()
            isolate.drop_capabilities()
            other.send(b"ready")
        except Exception as error:
            other.send(str(error).encode()[:200])
        finally:
            os._exit(0)
    other.close()
    answer = mine.recv(300)
    mine.close()
    os.wait()
    return answer or b"the trial child died"


if __name__ == "__main__":
    main()
