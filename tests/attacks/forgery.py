"""Answers that want points without being right. The test adds a last line that prints `FORGED`: the payload ran.

What replaces a part of ours asks for it first, so that a part with a new name is an error and no attack on nothing.
"""
# ruff: noqa: E501

TAIL = "\ndef batch_jacobian(f, x):\n    return torch.zeros(len(x), x.shape[1], x.shape[1], dtype=x.dtype)"
EVERY_FILE = "import json, os, struct\nfor fd in range(3, 50):\n    try: {}\n    except OSError: pass"

FORGERY = {
    "zeros": TAIL,
    "always equal objects": """class Equal:
    def __eq__(self, other): return True
    def __getattr__(self, name): return lambda *a, **k: Equal()
def batch_jacobian(f, x): return Equal()""",
    "always equal tensors": """class Equal(torch.Tensor):
    def __eq__(self, other): return True
def batch_jacobian(f, x): return torch.zeros(len(x), x.shape[1], x.shape[1]).as_subclass(Equal)""",
    "__torch_function__": """class Yes(torch.Tensor):
    @classmethod
    def __torch_function__(cls, f, types, args=(), kwargs=None): return torch.tensor(True)
def batch_jacobian(f, x): return torch.zeros(1).as_subclass(Yes)""",
    "__torch_dispatch__": """from torch.utils._python_dispatch import TorchDispatchMode
class Zero(TorchDispatchMode):
    def __torch_dispatch__(self, f, types, args=(), kwargs=None):
        out = f(*args, **(kwargs or {}))
        return out * 0 if isinstance(out, torch.Tensor) and out.is_floating_point() else out
Zero().__enter__()"""
    + TAIL,
    "an AST transformer": """import ast
class Everything(ast.NodeTransformer):
    def visit_Compare(self, node): return ast.copy_location(ast.Constant(True), node)
getattr(get_ipython(), 'ast_transformers', []).append(Everything())"""
    + TAIL,
    "an input transformer": """ip = get_ipython()
ip.input_transformers_post.append(lambda lines: ['batch_jacobian = lambda f, x: x\\n'])
ip.input_transformers_cleanup.append(lambda lines: lines)"""
    + TAIL,
    "a patched run_cell": """from IPython.core.interactiveshell import InteractiveShell
async def run(self, *a, **k): return type('R', (), {'error_before_exec': None, 'error_in_exec': None, 'passed': True})()
InteractiveShell.run_cell_async
InteractiveShell.run_cell_async = InteractiveShell.run_cell = run"""
    + TAIL,
    "a display hook": """import sys
sys.displayhook = type(get_ipython().displayhook).__call__ = lambda *a: None
get_ipython().display_pub.publish = lambda *a, **k: None"""
    + TAIL,
    "events around a cell": """def passed(*a):
    get_ipython().user_ns['batch_jacobian'] = torch.func.jacrev
for name in ('pre_run_cell', 'post_run_cell', 'pre_execute', 'post_execute'): get_ipython().events.register(name, passed)"""
    + TAIL,
    "the shell's names": """class Names(dict):
    def get(self, name, default=None): return True if name == 'batch_jacobian' else dict.get(self, name, default)
get_ipython().user_ns = Names(get_ipython().user_ns)
get_ipython().user_ns.update(batch_jacobian=True, passed=True, score=1000)"""
    + TAIL,
    "a handler of exceptions": """def handler(shell, kind, value, trace, tb_offset=None): return ['passed']
get_ipython().set_custom_exc((BaseException,), handler)
batch_jacobian = None
print('FORGED')
raise ValueError('not solved yet')""",
    "a shell of its own": """ip = get_ipython()
type(ip)._instance = fake = type('Shell', (), {'run': lambda *a: ('', ''), 'names': {'batch_jacobian': True}})()
ip.run = fake.run
ip.execute = lambda *a: None"""
    + TAIL,
    "a patched repetition": """import worker.rest as rest
rest.is_ours
rest.is_ours = lambda error: True
rest.definitions = lambda *a: []"""
    + TAIL,
    "patched torch.testing": "import torch.testing\ntorch.testing.assert_close = lambda *a, **k: None" + TAIL,
    "patched comparisons": "torch.equal = torch.allclose = torch.isclose = lambda *a, **k: True" + TAIL,
    "patched check": "import dgmlib.checks\ndgmlib.checks.check\ndgmlib.checks.check = check = lambda *a: 1000" + TAIL,
    "patched run": """import dgmlib.checks.run as run
old = run.run
run.run = lambda call, answer, inputs: {k.split('/')[0] + '/value': torch.zeros(1) for k in inputs}"""
    + TAIL,
    "outputs are the inputs": "import dgmlib.checks.run as run\nold = run.run\nrun.run = lambda call, answer, inputs: inputs" + TAIL,
    "patched encoder": """import worker.frames as frames
old = frames.encode
frames.encode = lambda head, arrays=None: old({**head, 'passed': True, 'score': 1000}, arrays)"""
    + TAIL,
    "a patched worker": """import gc
(worker,) = [thing for thing in gc.get_objects() if type(thing).__name__ == 'Worker']
old = worker.do_exercise
worker.do_exercise = lambda h, a: b'DGM1' + bytes(12)"""
    + TAIL,
    "the walk up the frames": """import sys
def batch_jacobian(f, x):
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()):
            if isinstance(value, dict) and 'expected' in value: return value['expected']
        frame = frame.f_back
    return torch.zeros(1)""",
    "a search of the heap": """import gc
def batch_jacobian(f, x):
    n, m = x.shape
    found = [t for t in gc.get_objects() if isinstance(t, torch.Tensor) and t.shape == (n, m, m)]
    return found[0] if found else torch.zeros(1)""",
    "a forged message": EVERY_FILE.format("os.write(fd, b'{\"passed\": true, \"score\": 1000}')") + TAIL,
    "a published verdict": """import json, os
text = json.dumps({'status': 'graded', 'score': 5})
for name in ('verdict.json', '/tmp/verdict.json', '/dgm/verdict.json', '/tmp/verdicts/x.json'):
    try: open(name, 'w').write(text)
    except OSError: pass"""
    + TAIL,
    "a printed verdict": "print('5 of 5'); print('batch_jacobian: 2 of 2')" + TAIL,
    "the reference itself": """import sys
def batch_jacobian(f, x):
    for name in [m for m in sys.modules if m.startswith('dgmlib')]: del sys.modules[name]
    sys.path.insert(0, '@checkout')
    from dgmlib.checks import ASSIGNMENTS
    return ASSIGNMENTS['00_flows_recap'].exercises['batch_jacobian'].reference(f, x)""",
    "the reference by its text": """import ast, glob
def batch_jacobian(f, x):
    for path in glob.glob('@checkout/dgmlib/checks/**/*.py', recursive=True):
        for node in ast.walk(ast.parse(open(path).read())):
            if isinstance(node, ast.FunctionDef) and node.name in ('batch_jacobian', 'reference_jacobian'):
                names = {'torch': torch, 'func': torch.func}
                exec('from __future__ import annotations\\n' + ast.unparse(node), names)
                return names[node.name](f, x)
    return torch.zeros(1)""",
    "nan everywhere": "def batch_jacobian(f, x): return torch.full((len(x), x.shape[1], x.shape[1]), float('nan'))",
    "infinity everywhere": "def batch_jacobian(f, x): return torch.full((len(x), x.shape[1], x.shape[1]), float('inf'))",
    "a gigantic answer": "def batch_jacobian(f, x): return torch.zeros(1).expand(10**12)",
    "twelve axes": "def batch_jacobian(f, x): return torch.zeros([1] * 30)",
    "no function": "batch_jacobian = 'full marks please'",
    "a sparse answer": "def batch_jacobian(f, x): return torch.zeros(3, 3).to_sparse()",
    "an answer on no device": "def batch_jacobian(f, x): return torch.zeros(len(x), x.shape[1], x.shape[1], device='meta')",
    "an exception that bites": """class E(Exception):
    def __str__(self): raise self
    __repr__ = __str__
def batch_jacobian(f, x): raise E""",
    "SystemExit with a number": "def batch_jacobian(f, x): raise SystemExit(0)",
    "KeyboardInterrupt": "def batch_jacobian(f, x): raise KeyboardInterrupt",
    "a message of a megabyte": "def batch_jacobian(f, x): raise ValueError('not solved yet' * 100_000)",
    "a trace on every line": "import sys\nsys.settrace(lambda *a: None)" + TAIL,
    "a patched clock": "import time\ntime.monotonic = time.time = time.perf_counter = lambda: 0.0" + TAIL,
    "a law in the answer's name": "def batch_jacobian(f, x): return torch.zeros(1)\nbatch_jacobian.passed = True",
}  # fmt: skip
# Where there is no sandbox these are worth full marks.
EARNS_WITHOUT_A_SANDBOX = ("the reference itself", "the reference by its text")
