"""What is left of a cell that failed because of the sandbox: its definitions, and the imports that succeed.

The sandbox starts no program, has no network, nobody to ask, none of the student's files, not every package, and of
dgmlib only what grading opens.
"""

import ast
import errno
import socket

from IPython.core.error import StdinNotImplementedError, UsageError

from dgmlib.checks.run.closed import ClosedInGrading

NOTE = "; this does not work while grading, so the definitions and imports of this cell were run once more alone"
DENIED = {
    errno.EPERM, errno.EACCES, errno.EAGAIN, errno.ENOSYS, errno.EROFS, errno.ENOENT,
    errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH, errno.ECONNREFUSED, errno.EAFNOSUPPORT,
}  # fmt: skip
CLOSED = "dgmlib"
THREADS = "can't start new thread"
LONGEST_CHAIN = 20


def is_ours(error: BaseException) -> bool:
    """Whether an error, or the one behind it, is the sandbox's and not the student's."""
    for _ in range(LONGEST_CHAIN):
        if error is None or denied(error):
            break
        reason = getattr(error, "reason", None)  # urllib's
        error = reason if isinstance(reason, BaseException) else error.__cause__ or error.__context__
    return error is not None


def denied(error: BaseException) -> bool:
    match error:
        case ModuleNotFoundError() | StdinNotImplementedError() | socket.gaierror() | ClosedInGrading():
            return True
        case ImportError():
            return str(error.name).partition(".")[0] == CLOSED
        case UsageError():
            return "magic function" in str(error) and "not found" in str(error)
        case OSError():
            return error.errno in DENIED
        case RuntimeError():
            return THREADS in str(error)
    return False


def definitions(source: str, failed: int) -> list[ast.stmt]:
    """Each definition and import of a cell, and what only binds names below the line that failed."""
    found = [part for node in ast.parse(source).body for part in parts(node)]
    return [part for part in found if always(part) or (part.lineno > failed and binds(part))]


def parts(node: ast.stmt) -> list[ast.stmt]:
    """`import a, b` as two imports: one may be installed."""
    if isinstance(node, ast.Import):
        return [ast.copy_location(ast.Import([alias]), node) for alias in node.names]
    return [node]


def always(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom)


def binds(node: ast.stmt) -> bool:
    """Assignments to names, and blocks of nothing but these and definitions."""
    match node:
        case ast.Assign(targets=targets):
            return all(isinstance(name, ast.Name | ast.Tuple) for name in targets)
        case ast.AnnAssign(target=ast.Name()) | ast.Pass():
            return True
        case ast.If(body=body, orelse=other):
            return all(map(settles, [*body, *other]))
        case ast.Try(body=body, orelse=other, finalbody=last, handlers=handlers):
            return all(map(settles, [*body, *other, *last, *(part for h in handlers for part in h.body)]))
    return False


def settles(node: ast.stmt) -> bool:
    return always(node) or binds(node)
