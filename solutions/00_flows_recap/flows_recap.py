# %% [markdown]
# # Normalizing flows, recapped
#
# **The question.** How can a formula turn plain noise into data, and still tell you the density of every point?
#
# Afterwards you can
# - say what a Jacobian determinant does to a density, and compute it without underflow;
# - build layers whose determinant costs almost nothing: linear (LU, QR), autoregressive, coupling;
# - say which direction of a flow is sequential, and what that costs;
# - stack layers into a density, and train it.
#
# 25 points · 8 exercises · about 135 minutes · Lecture 3, the slides "Recap of Previous Lecture"
#
# Run the cells from top to bottom. You write where a cell says `raise NotImplementedError`; the check below it is safe to run at
# any time. Nothing later depends on your answers, so you may skip one and come back; figures use them once their card is green.
# Where a cell says `guess_`, commit to a guess before you run on: nobody grades it. Add cells of your own wherever you like.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import math
import os
import subprocess
import sys
from importlib.util import find_spec

WHEEL = os.environ.get("DGMLIB_WHEEL", "")  # where a fresh Colab finds the course's library
if find_spec("dgmlib") is None:
    if "google.colab" not in sys.modules:
        raise ImportError("dgmlib is missing: run `make lab` in the course's folder")
    if not WHEEL:
        raise ImportError("dgmlib is missing here: the instructor sets [tool.dgm] url in pyproject.toml, then releases")
    subprocess.run([sys.executable, "-m", "pip", "install", "-qq", "--no-deps", WHEEL], check=True)
    print("dgmlib: installed from", WHEEL)

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn

from dgmlib import data, plotting
from dgmlib.checks import check, yours
from dgmlib.guesses import Guesses

plotting.use_style()
guesses = Guesses()
torch.set_num_threads(1)  # for networks this small, more threads only wait for each other


# %% [markdown]
# **Why care.** Is this payment usual, this scan, this engine's hum? A flow answers with a number for every event, $\log p(\mathbf{x})$, and it makes
# new events that look usual. Below, a flow learns two moons from 5000 points; at the end you train one out of your own layers.

# %% nbgrader={"grade": false, "grade_id": "opening_picture", "locked": true, "schema_version": 3, "solution": false, "task": false}
from dgmlib import flows

moons, unseen_moons = data.moons(5000), data.moons(5000, seed=1)


def maximise_likelihood(log_prob, parameters, x, steps=500):
    optimizer = torch.optim.Adam(parameters, lr=2e-3)
    batches = torch.randint(len(x), (steps, 256), generator=torch.Generator().manual_seed(0))
    for batch in batches:
        loss = -log_prob(x[batch]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


torch.manual_seed(0)  # a network's first weights come from the global state alone
realnvp = flows.Flow(flows.StandardNormal(2), flows.RealNVP(2, num_layers=8, hidden=[64, 64]))
maximise_likelihood(realnvp.log_prob, realnvp.parameters(), moons)
usual, strange = realnvp.log_prob(torch.stack([moons[0], torch.tensor([-1.0, -1.0])])).tolist()
print(f"log p of a point on a moon: {usual:.1f}; of (-1, -1), where none is: {strange:.1f}")
opening_noise = realnvp.base.sample((2000,), generator=torch.Generator().manual_seed(0))
plotting.through_layers(realnvp.bijection.as_compose().bijections, opening_noise, extent=4.0)

# %% [markdown]
# Left, noise. Each step bends it a little, and the last has the shape of the data; a point keeps its colour.
#
# **Conventions**, in all five notebooks:
#
# | lecture | code |
# |---|---|
# | data $\mathbf{x}$, noise $\mathbf{z}$ | `x`, `z` of shape `(n, m)`: $n$ rows, one for each event, and $m$ columns |
# | $\mathbf{f}$, from data to noise | `forward(x)` returns `(z, log_det)` |
# | $\mathbf{g} = \mathbf{f}^{-1}$, from noise to data | `inverse(z)` returns `(x, log_det)` |
#
# `log_det`, of shape `(n,)`, is $\log|\det \mathbf{J}|$ **of the direction you called**: $\mathbf{J_f}$ for `forward`,
# $\mathbf{J_g}$ for `inverse`. Logarithms are natural, so log-densities are in nats.
#
# An answer keeps the dtype and the device of its inputs: make a new tensor from one that you were given, `torch.zeros_like(x)` or
# `torch.eye(m, dtype=x.dtype, device=x.device)`. It leaves its inputs as they were, and is differentiable with respect to them and
# to every parameter on the way. Each line of a check's card carries a part of the points.
#
# A layer is called as always in PyTorch: `layer(x)` runs `layer.forward(x)`. Some exercises hand you plain objects, which know only
# the long form; there write `layer.forward(x)`.
#
# ## 1. How a map stretches space
#
# Push a cloud of points through a map. Where the map stretches space, the same probability gets more room, and the density of what
# comes out falls. Where it squeezes, the density rises. So first: by how much does a map stretch, place by place?


# %% nbgrader={"grade": false, "grade_id": "bend", "locked": true, "schema_version": 3, "solution": false, "task": false}
def bend(x):
    x1, x2 = x[..., :1], x[..., 1:]
    return torch.cat([x1, (x2 - 0.6 * torch.sin(2 * x1)) * torch.exp(x1 / 2)], dim=-1)


plotting.warped_grid(bend, extent=1.5)

# %% [markdown]
# Each square keeps its colour: orange ones grew on their way from $\mathbf{x}$ to $\mathbf{z}$, purple ones shrank. The factor
# depends on the place.
#
# Close to a point, a smooth map is linear: $\mathbf{f}(\mathbf{x} + \boldsymbol\epsilon) \approx \mathbf{f}(\mathbf{x}) + \mathbf{J}\boldsymbol\epsilon$ with
#
# $$\mathbf{J} = \frac{\partial \mathbf{z}}{\partial \mathbf{x}}, \qquad J_{ab} = \frac{\partial z_a}{\partial x_b},$$
#
# and a linear map multiplies every area by $|\det\mathbf{J}|$. First at one
# point, then, with the obvious call, for a whole batch:

# %% nbgrader={"grade": false, "grade_id": "jacobians_by_autograd", "locked": true, "schema_version": 3, "solution": false, "task": false}
J_at_point = torch.func.jacrev(bend)(torch.tensor([1.0, 0.5]))
print(J_at_point, f" log|det J| = {J_at_point.det().abs().log():.3f}")

J_of_batch = torch.autograd.functional.jacobian(bend, data.moons(256))
print("a batch of 256:", tuple(J_of_batch.shape), f" not zero: {(J_of_batch != 0).float().mean():.1%} of the entries")


# %% [markdown]
# At the point, $\log|\det\mathbf{J}| = 0.5$ is the figure's colour there. The batch is a failure: autograd differentiated every output row with respect to every input row, although row $i$ of $\mathbf{z}$ depends on row $i$ of $\mathbf{x}$ alone.
# You want the $n$ blocks on the diagonal, and nothing else.
#
# ### Exercise 1 · `batch_jacobian`
# **2 points · ●○○ · 8 minutes**
#
# $$J_{iab} = \frac{\partial f(\mathbf{x}_i)_a}{\partial x_{ib}}$$
#
# `batch_jacobian(f, x)`: `f` maps `(n, m)` to `(n, m)` row by row and accepts a single `(m,)` too; `x` is `(n, m)`.
# Returns `(n, m, m)`, itself differentiable.
#
# *Example.* $f(\mathbf{x}) = (x_1 x_2,\; x_2^2)$ at $\mathbf{x} = (3, 2)$ gives
# $\begin{pmatrix} 2 & 3 \\ 0 & 4 \end{pmatrix}$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# `torch.func.jacrev(f)` is a function: it takes one point `(m,)` and returns its `(m, m)`. What turns a function of one point into a
# function of a batch?
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `torch.func.vmap(g)(x)` applies `g` to every row of `x` at once.
# </details>


# %% nbgrader={"grade": false, "grade_id": "batch_jacobian", "locked": false, "schema_version": 3, "solution": true, "task": false}
def batch_jacobian(f, x: Tensor) -> Tensor:
    """J[i, a, b] = d f(x_i)_a / d x_ib, for x (n, m): a tensor (n, m, m)."""
    ### BEGIN SOLUTION
    return torch.func.vmap(torch.func.jacrev(f))(x)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_batch_jacobian", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("batch_jacobian", batch_jacobian)


# %% [markdown]
# ## 2. Change of variables
#
# Let $z \sim \mathcal{N}(0, 1)$ and $x = g(z)$ with the smooth, increasing $g(z) = \operatorname{asinh}(4z)/1.5$.
# The obvious density of $x$: go back to $z = f(x) = \sinh(1.5x)/4$, and look up the density there.
#
# Is that a density? Measure its area. And the noise has one bump.
#
# **Predict:** how many bumps will $x$ have: 1, 2 or 3?

# %% nbgrader={"grade": false, "grade_id": "guess_bumps", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_bumps = None  # 1, 2 or 3

# %% nbgrader={"grade": false, "grade_id": "naive_density", "locked": true, "schema_version": 3, "solution": false, "task": false}
axis_x = torch.linspace(-2.5, 2.5, 501)
naive_density = torch.distributions.Normal(0.0, 1.0).log_prob(torch.sinh(1.5 * axis_x) / 4).exp()
print(f"area under p(f(x)): {torch.trapezoid(naive_density, axis_x):.3f}")

# %% [markdown]
# Not a density: its area is not 1. Probability must be conserved, $p(x)\,dx = p(z)\,dz$, and $dz = |\det \mathbf{J_f}|\,dx$:
#
# $$p(\mathbf{x}) = p(\mathbf{f}(\mathbf{x}))\,|\det \mathbf{J_f}|, \qquad
# \log p(\mathbf{x}) = \log p(\mathbf{f}(\mathbf{x})) + \log|\det\mathbf{J_f}|.$$
#
# Mind which of the two maps is meant. The points travel by $\mathbf{g}$: where $\mathbf{g}$ stretches, $p(\mathbf{x})$ falls, as in
# section 1. The formula holds $\mathbf{f}$, the way back: where $\mathbf{f}$ stretches, $\mathbf{g}$ squeezes, much noise lands in little
# room, and $p(\mathbf{x})$ **rises**. So $|\det\mathbf{J_f}|$ multiplies.
#
# Here $\mathbf{J_f}$ is the number $f'(x) = 0.375\cosh(1.5x)$:

# %% nbgrader={"grade": false, "grade_id": "right_density", "locked": true, "schema_version": 3, "solution": false, "task": false}
true_density = naive_density * 0.375 * torch.cosh(1.5 * axis_x)
print(f"area under p(f(x)) |det J|: {torch.trapezoid(true_density, axis_x):.3f}")
bump_noise = torch.randn(20_000, generator=torch.Generator().manual_seed(0))
bump_samples = torch.asinh(4 * bump_noise) / 1.5
plotting.histogram_and_curves(bump_samples, axis_x, {"p(f(x)) |det J|": true_density, "p(f(x)) alone": naive_density})
guesses.compare("How many bumps has x?", guess_bumps, 2, [1, 2, 3])

# %% [markdown]
# Two bumps, and the determinant alone made them: around zero, $g$ pulls points apart four times as hard as at $z = 1$.
# Take a thin slice of the noise, and drag it along:


# %% nbgrader={"grade": false, "grade_id": "ribbon", "locked": true, "schema_version": 3, "solution": false, "task": false}
def draw_ribbon(place):
    plotting.pushed_ribbon(lambda z: torch.asinh(4 * z) / 1.5, place)


plotting.sliders(draw_ribbon, place=(-2.4, 2.4, 0.9))

# %% [markdown]
# The slice gets wider by $|g'|$ and lower by $|f'| = 1/|g'|$; the probability in it, its area, stays. All slices together: area 1.
#
# One more thing breaks: in many dimensions a determinant leaves the range of float32 long before its logarithm does.

# %% nbgrader={"grade": false, "grade_id": "underflow", "locked": true, "schema_version": 3, "solution": false, "task": false}
tiny_J = 0.01 * torch.eye(30)
print(f"log of det: {tiny_J.det().log():.1f}   slogdet: {torch.linalg.slogdet(tiny_J).logabsdet:.1f}")


# %% [markdown]
# ### Exercise 2 · `change_of_variables_log_prob`
# **3 points · ●●○ · 10 minutes**
#
# $$\log p(\mathbf{x}) = \log p(\mathbf{f}(\mathbf{x})) + \log|\det\mathbf{J_f}(\mathbf{x})|$$
#
# `change_of_variables_log_prob(f, x, base_log_prob)`: `f` as in exercise 1; `base_log_prob(z)` returns `(n,)`. Returns `(n,)`.
#
# *Example.* $f(\mathbf{x}) = 2\mathbf{x}$, base $\mathcal{N}(0, \mathbf{I})$, $\mathbf{x} = (0.5, 0)$: $\mathbf{z} = (1, 0)$ with
# $\log p(\mathbf{z}) = -2.338$, and $|\det\mathbf{J}| = 4$. So $\log p(\mathbf{x}) = -2.338 + 1.386 = -0.952$.
#
# You may call your `batch_jacobian`. Or write its line again: then a mistake in exercise 1 costs nothing here.
#
# <details><summary>Hint 1: a nudge</summary>
#
# Two terms. The Jacobian is taken at $\mathbf{x}$, the base density at $\mathbf{z}$. Stay in logarithms from the start.
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `torch.linalg.slogdet(J)` takes a batch `(n, m, m)`, and its `.logabsdet` is `(n,)`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "change_of_variables_log_prob", "locked": false, "schema_version": 3, "solution": true, "task": false}
def change_of_variables_log_prob(f, x: Tensor, base_log_prob) -> Tensor:
    """log p(x) = log p(f(x)) + log|det J_f(x)|, for x (n, m): a tensor (n,)."""
    ### BEGIN SOLUTION
    J = torch.func.vmap(torch.func.jacrev(f))(x)
    return base_log_prob(f(x)) + torch.linalg.slogdet(J).logabsdet
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_change_of_variables_log_prob", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("change_of_variables_log_prob", change_of_variables_log_prob)

# %% [markdown]
# ## 3. Linear flows: read the determinant off
#
# Exercise 2 works for every flow, and is too slow to train one: $m$ backward passes for $\mathbf{J}$ and $O(m^3)$ for its
# determinant, at every step. The rest of this notebook is one idea: **choose maps whose determinant you can read off**.
#
# The simplest map is $\mathbf{z} = \mathbf{W}\mathbf{x}$, with $\mathbf{J_f} = \mathbf{W}$ everywhere. For a batch of rows:
# `z = x @ W.T`.
#
# > **Trap.** The slide says $\mathbf{J_f} = \mathbf{W}^T$. In the layout of the Jacobian slide, $J_{ab} = \partial z_a/\partial x_b$,
# > it is $\mathbf{W}$. The determinant is the same for both.
#
# Decompose $\mathbf{W}$ once, then train the factors: $\mathbf{W} = \mathbf{P}\mathbf{L}\mathbf{U}$ (Glow, Kingma and Dhariwal 2018) or
# $\mathbf{W} = \mathbf{Q}\mathbf{R}$ (Hoogeboom et al. 2019).

# %% nbgrader={"grade": false, "grade_id": "factors", "locked": true, "schema_version": 3, "solution": false, "task": false}
W = torch.randn(8, 8, generator=torch.Generator().manual_seed(98))
P, L, U = torch.linalg.lu(W)
Q, R = torch.linalg.qr(W)
plotting.matrices({"W": W, "P": P, "L": L, "U": U, "Q": Q, "R": R})

print(f"slogdet(W), O(m³): {torch.linalg.slogdet(W).logabsdet:.4f}")
print(f"from U, O(m):      {U.diagonal().abs().log().sum():.4f}")
print(f"from R, O(m):      {R.diagonal().abs().log().sum():.4f}")


# %% [markdown]
# P reorders, Q rotates or reflects: both have $|\det| = 1$. L has ones on its diagonal. What is left is a product of $m$
# numbers: $\log|\det\mathbf{W}| = \sum_j \log|U_{jj}| = \sum_j \log|R_{jj}|$.
#
# ### Exercise 3 · `LULinear`
# **4 points · ●●○ · 20 minutes**
#
# $$\mathbf{z} = \mathbf{P}\mathbf{L}\mathbf{U}\mathbf{x}, \qquad \log|\det\mathbf{J_f}| = \sum_{j=1}^m \log|U_{jj}|$$
#
# `LULinear(weight)`, `weight` `(m, m)` invertible, decomposed once, at construction; no gradient goes back to `weight`. P is a
# buffer; L and U are trained, and stay unit lower and upper triangular **after an optimiser step too**. `forward(x)` and `inverse(z)` return `(value, log_det)`,
# `(n, m)` and `(n,)`. Neither of them may call `det`, `slogdet`, `inv`, `solve` or a factorisation; `solve_triangular` is fine.
#
# *Example.* $\mathbf{W} = \begin{pmatrix} 0 & 2 \\ 1 & 0\end{pmatrix}$, $\mathbf{x} = (3, 5)$: $\mathbf{z} = (10, 3)$, and
# $\mathbf{U} = \operatorname{diag}(1, 2)$, so `log_det` $= \log 2 = 0.693$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# An optimiser moves every entry of a parameter, also those below the diagonal of U. Mask when you use it: `self.U.triu()`. For
# the inverse, undo P, then L, then U.
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `torch.linalg.lu(weight.detach())`, `self.register_buffer("P", P)`, `self.L = nn.Parameter(L)`. In columns, $\mathbf{L}\mathbf{y} = \mathbf{P}^T\mathbf{z}$:
# `y = torch.linalg.solve_triangular(self.L, self.P.T @ z.T, upper=False, unitriangular=True)`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "LULinear", "locked": false, "schema_version": 3, "solution": true, "task": false}
class LULinear(nn.Module):
    """z = W x with W = P L U. x, z (n, m); log_det (n,)."""

    def __init__(self, weight: Tensor):
        super().__init__()
        ### BEGIN SOLUTION
        P, L, U = torch.linalg.lu(weight.detach())
        self.register_buffer("P", P)
        self.L, self.U = nn.Parameter(L), nn.Parameter(U)
        ### END SOLUTION

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        ### BEGIN SOLUTION
        L = self.L.tril(-1) + torch.eye(len(self.L), dtype=x.dtype, device=x.device)
        z = x @ self.U.triu().T @ L.T @ self.P.T
        return z, self.U.diagonal().abs().log().sum().expand(len(x))
        ### END SOLUTION

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        ### BEGIN SOLUTION
        y = torch.linalg.solve_triangular(self.L, self.P.T @ z.T, upper=False, unitriangular=True)
        x = torch.linalg.solve_triangular(self.U, y, upper=True).T
        return x, -self.U.diagonal().abs().log().sum().expand(len(z))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_LULinear", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check("LULinear", LULinear)

# %% [markdown]
# QR needs one more idea. Train the entries of Q itself, and after a single step Q is no longer orthogonal:
# $\sum_j\log|R_{jj}|$ is no longer the log-determinant, $\mathbf{Q}^T$ no longer the inverse. Instead let free numbers
# $\mathbf{A}$ drive a Q that cannot leave: with $\mathbf{S} = \mathbf{A} - \mathbf{A}^T$, the matrix $\exp(\mathbf{S})$ is a
# rotation, whatever $\mathbf{A}$ is.

# %% nbgrader={"grade": false, "grade_id": "q_leaves", "locked": true, "schema_version": 3, "solution": false, "task": false}
Q0, _ = torch.linalg.qr(torch.randn(8, 8, generator=torch.Generator().manual_seed(98)))  # W's Q
A = 0.2 * torch.randn(8, 8, generator=torch.Generator().manual_seed(2))
rotated = Q0 @ torch.matrix_exp(A - A.T)
for step, moved in {"no step": Q0, "a step on Q's entries": Q0 + A, "a step on A": rotated}.items():
    print(f"log|det Q| = {torch.linalg.slogdet(moved).logabsdet.abs():.3f} after {step}")


# %% [markdown]
# ### Exercise 4 · `QRLinear`
# **3 points · ●●● · 15 minutes**
#
# $$\mathbf{z} = \mathbf{Q}\mathbf{R}\mathbf{x}, \qquad \log|\det\mathbf{J_f}| = \sum_{j=1}^m \log|R_{jj}|$$
#
# `QRLinear(weight)`, as in exercise 3. Q and R are both trained, and Q stays orthogonal; how you parametrise it is up to you, and
# building it may solve or factor. Only `det` and `slogdet` are out. $\det\mathbf{W}$ may be negative.
#
# *Example.* $\mathbf{W} = \begin{pmatrix} 0 & 2 \\ 1 & 0\end{pmatrix}$: `forward` gives what `LULinear` gave. This W reflects
# ($\det = -2$), and $\exp(\mathbf{S})$ alone never does.
#
# <details><summary>Hint 1: a nudge</summary>
#
# Keep the first Q (of `weight.detach()`) as a buffer, and rotate it: $\mathbf{Q} = \mathbf{Q}_0\exp(\mathbf{S})$ begins at $\mathbf{Q}_0$ for $\mathbf{A} = 0$,
# reflections included.
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `Q = self.Q0 @ torch.matrix_exp(self.A - self.A.T)`. In rows, $\mathbf{Q}^T\mathbf{z}$ is `z @ Q`; then solve with
# `self.R.triu()`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "QRLinear", "locked": false, "schema_version": 3, "solution": true, "task": false}
class QRLinear(nn.Module):
    """z = W x with W = Q R. x, z (n, m); log_det (n,)."""

    def __init__(self, weight: Tensor):
        super().__init__()
        ### BEGIN SOLUTION
        Q, R = torch.linalg.qr(weight.detach())
        self.register_buffer("Q0", Q)
        self.A, self.R = nn.Parameter(torch.zeros_like(Q)), nn.Parameter(R)
        ### END SOLUTION

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        ### BEGIN SOLUTION
        Q = self.Q0 @ torch.matrix_exp(self.A - self.A.T)
        return x @ self.R.triu().T @ Q.T, self.R.diagonal().abs().log().sum().expand(len(x))
        ### END SOLUTION

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        ### BEGIN SOLUTION
        Q = self.Q0 @ torch.matrix_exp(self.A - self.A.T)
        x = torch.linalg.solve_triangular(self.R, (z @ Q).T, upper=True).T
        return x, -self.R.diagonal().abs().log().sum().expand(len(z))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_QRLinear", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("QRLinear", QRLinear)

# %% [markdown]
# ## 4. Autoregressive flows: triangular, and curved
#
# A linear flow turns a Gaussian into a Gaussian and nothing else. To bend, let the shift and the scale depend on the data, but keep
# $\mathbf{J}$ triangular: column $j$ may look at the columns before it, and at no other.
#
# $$z_j = \frac{x_j - \mu_j(\mathbf{x}_{1:j-1})}{\sigma_j(\mathbf{x}_{1:j-1})}$$
#
# A **conditioner** is the function that returns all $\mu_j$ and $\log\sigma_j$ at once. A toy one, and the Jacobian of its flow:


# %% nbgrader={"grade": false, "grade_id": "toy_conditioner", "locked": true, "schema_version": 3, "solution": false, "task": false}
def toy_conditioner(x):
    before = torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], dim=1)  # column j holds x_{j-1}
    return 1 + before, 0.5 * torch.tanh(before)  # mu, log_sigma


toy_event = torch.tensor([[0.3, -1.2, 0.8]])
print(flows.batch_jacobian(lambda x: flows.autoregressive_forward(x, toy_conditioner)[0], toy_event)[0])


# %% [markdown]
# Zeros above the diagonal, so the determinant is the product of the diagonal, $\prod_j 1/\sigma_j$. Networks give
# $\log\sigma$, any real number, so that $\sigma$ is positive by itself.
#
# ### Exercise 5 · `autoregressive_forward`
# **3 points · ●○○ · 8 minutes**
#
# $$z_j = \big(x_j - \mu_j(\mathbf{x}_{1:j-1})\big)\cdot\frac{1}{\sigma_j(\mathbf{x}_{1:j-1})}, \qquad
# \log|\det\mathbf{J_f}| = -\sum_{j=1}^m\log\sigma_j(\mathbf{x}_{1:j-1})$$
#
# `autoregressive_forward(x, conditioner)`: `conditioner(x)` returns `(mu, log_sigma)`, both `(n, m)`. Returns
# `(z, log_det)`, `(n, m)` and `(n,)`. Call the conditioner once. `log_det` stays right where $\sigma$ itself has become 0 or
# $\infty$ in float32.
#
# *Example.* $m = 2$, $\boldsymbol\mu = (0, x_1)$, $\log\boldsymbol\sigma = (0, \log 2)$, $\mathbf{x} = (1, 5)$:
# $\mathbf{z} = (1, 2)$, `log_det` $= -0.693$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# All columns of $\mathbf{x}$ are known, so nothing here needs a loop. What sign does the log-determinant have where $\sigma > 1$:
# does $\mathbf{f}$ stretch or squeeze?
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `z = (x - mu) * torch.exp(-log_sigma)`, and sum over the columns, not over the events.
# </details>


# %% nbgrader={"grade": false, "grade_id": "autoregressive_forward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def autoregressive_forward(x: Tensor, conditioner) -> tuple[Tensor, Tensor]:
    """z = f(x) and log|det J_f|, for x (n, m): tensors (n, m) and (n,)."""
    ### BEGIN SOLUTION
    mu, log_sigma = conditioner(x)
    return (x - mu) * torch.exp(-log_sigma), -log_sigma.sum(dim=1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_autoregressive_forward", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("autoregressive_forward", autoregressive_forward)

# %% [markdown]
# Sampling goes the other way: $x_j = \sigma_j(\mathbf{x}_{1:j-1})\cdot z_j + \mu_j(\mathbf{x}_{1:j-1})$.
#
# **Predict:** ask the conditioner once, at $\mathbf{z}$, and undo the formula. How many of the three columns come out right?

# %% nbgrader={"grade": false, "grade_id": "guess_columns", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_columns = None  # 0, 1, 2 or 3

# %% nbgrader={"grade": false, "grade_id": "inverse_naive", "locked": true, "schema_version": 3, "solution": false, "task": false}
toy_noise, _ = flows.autoregressive_forward(toy_event, toy_conditioner)
mu, log_sigma = toy_conditioner(toy_noise)
print("true x ", toy_event)
print("one go ", log_sigma.exp() * toy_noise + mu)
guesses.compare("How many columns come out right in one go?", guess_columns, 1, [0, 1, 2, 3])

# %% [markdown]
# Only the first column is right: it depends on no other. The conditioner wants $\mathbf{x}$, and $\mathbf{x}$ is what you are looking
# for. But once $x_1$ is known, $\mu_2$ and $\sigma_2$ are; then $x_2$; and so on.
#
# ### Exercise 6 · `autoregressive_inverse`
# **3 points · ●●○ · 12 minutes**
#
# $$x_j = \sigma_j(\mathbf{x}_{1:j-1})\cdot z_j + \mu_j(\mathbf{x}_{1:j-1}), \qquad
# \log|\det\mathbf{J_g}| = \sum_{j=1}^m\log\sigma_j(\mathbf{x}_{1:j-1})$$
#
# `autoregressive_inverse(z, conditioner)` returns `(x, log_det)`, `(n, m)` and `(n,)`. At most $m$ calls of the conditioner, each
# on `(n, m)`; columns that you do not know yet may hold any finite number, such as zero. It must be differentiable, so build new
# tensors; do not write into old ones. As in exercise 5, `log_det` stays right where $\sigma$ is 0 or $\infty$ in float32.
#
# *Example.* Again $\boldsymbol\mu = (0, x_1)$, $\log\boldsymbol\sigma = (0, \log 2)$, and $\mathbf{z} = (1, 2)$: first $x_1 = 1$, then $x_2 = 2\cdot 2 + 1 = 5$; `log_det` $= 0.693$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# Start from zeros. In round $j$, call the conditioner on what you have, and fill in column $j$. Its $\log\sigma_j$ is right from that
# round on: collect it there.
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `x = torch.cat([x[:, :j], x_j[:, None], x[:, j + 1:]], dim=1)` with `x_j = log_sigma[:, j].exp() * z[:, j] + mu[:, j]`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "autoregressive_inverse", "locked": false, "schema_version": 3, "solution": true, "task": false}
def autoregressive_inverse(z: Tensor, conditioner) -> tuple[Tensor, Tensor]:
    """x = g(z) and log|det J_g|, for z (n, m): tensors (n, m) and (n,)."""
    ### BEGIN SOLUTION
    x, log_det = torch.zeros_like(z), torch.zeros_like(z[:, 0])
    for j in range(z.shape[1]):
        mu, log_sigma = conditioner(x)
        x_j = log_sigma[:, j].exp() * z[:, j] + mu[:, j]
        x = torch.cat([x[:, :j], x_j[:, None], x[:, j + 1 :]], dim=1)
        log_det = log_det + log_sigma[:, j]
    return x, log_det
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_autoregressive_inverse", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("autoregressive_inverse", autoregressive_inverse)

# %% [markdown]
# **Predict:** $\mathbf{f}$ against $\mathbf{g}$ on $m = 128$ columns: how many times longer does $\mathbf{g}$ take, about 1, 10 or 100? The conditioner
# is a MADE (Germain et al. 2015): one network whose weights are masked, so that its outputs for column $j$ see the columns before $j$
# alone. 128 hidden units, 256 events:

# %% nbgrader={"grade": false, "grade_id": "guess_slower", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_slower = None  # about 1, 10 or 100

# %% nbgrader={"grade": false, "grade_id": "cost", "locked": true, "schema_version": 3, "solution": false, "task": false}
import timeit

from dgmlib.nn import MADE, AffineConditioner

backward, whose_backward = yours("autoregressive_inverse", flows.autoregressive_inverse)
onward, whose_onward = yours("autoregressive_forward", flows.autoregressive_forward)


def milliseconds(call, *inputs):
    return 1e3 * min(timeit.repeat(lambda: call(*inputs), number=1, repeat=3))


sizes = [8, 16, 32, 64, 128]
directions = {f"g, {whose_backward}: m passes": backward, f"f, {whose_onward}: one pass": onward}
costs = {
    name: [milliseconds(direction, torch.randn(256, m), MADE(m)) for m in sizes]
    for name, direction in directions.items()
}
plotting.cost_curves(sizes, costs, size="$m$, number of columns", cost="time for 256 events, ms")
slow, fast = (times[-1] for times in costs.values())
nearest = min((1, 10, 100), key=lambda times: abs(math.log(slow / fast / times)))
guesses.compare("How many times slower is g at m = 128, about?", guess_slower, nearest, [1, 10, 100])

# %% [markdown]
# The density of data costs one pass whatever $m$ is; a sample costs $m$ passes. Both times grow by more than that count says, since each
# pass is itself over more columns. A 64×64 colour image has
# $m = 12\,288$. The masked flow with a fast $\mathbf{f}$ is called MAF (Papamakarios et al. 2017), its mirror image with a fast $\mathbf{g}$
# IAF (Kingma et al. 2016).
#
# ## 5. Coupling: one pass both ways
#
# Keep the trick, drop the sequence (NICE, Dinh et al. 2014; RealNVP, 2016). Split $\mathbf{x} = [\mathbf{x}_1, \mathbf{x}_2]$, here two groups of columns; leave the first
# alone, and let it alone decide the shift and scale of the second:
#
# $$\mathbf{z}_1 = \mathbf{x}_1, \qquad \mathbf{z}_2 = \big(\mathbf{x}_2 - \boldsymbol\mu(\mathbf{x}_1)\big)\odot\frac{1}{\boldsymbol\sigma(\mathbf{x}_1)}.$$
#
# The inverse is handed $\mathbf{z}_1 = \mathbf{x}_1$, so it knows $\boldsymbol\mu$ and $\boldsymbol\sigma$ at once. You have met
# such a layer:

# %% nbgrader={"grade": false, "grade_id": "bend_is_coupling", "locked": true, "schema_version": 3, "solution": false, "task": false}
bend_layer = flows.AffineCoupling(lambda x1: (0.6 * torch.sin(2 * x1), -x1 / 2), split=1)
four_moons = data.moons(4)
bent, bent_log_det = bend_layer(four_moons)
print("same as bend:", torch.allclose(bent, bend(four_moons)))
print("log_det is x1 / 2:", torch.allclose(bent_log_det, four_moons[:, 0] / 2))

# %% [markdown]
# Three flows on $m = 8$ columns, and the Jacobian of each at one point. Where are the zeros?

# %% nbgrader={"grade": false, "grade_id": "jacobians", "locked": true, "schema_version": 3, "solution": false, "task": false}
weight_draws = torch.Generator().manual_seed(4)


def noisy(net):  # a fresh conditioner ends in zero weights, so mu = 0, sigma = 1 and the flow is the identity
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.25, generator=weight_draws)
    return net


dense = noisy(nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 8)))
masked = flows.Autoregressive(noisy(MADE(8, [32])))
coupled = flows.AffineCoupling(noisy(AffineConditioner(4, 4, [32])), split=4)
three_maps = dense, lambda x: masked(x)[0], lambda x: coupled(x)[0]
jacobian_of, whose_jacobian = yours("batch_jacobian", flows.batch_jacobian)
jacobians = [jacobian_of(f, torch.ones(1, 8))[0] for f in three_maps]
plotting.matrices(dict(zip(["any network", "autoregressive", "coupling"], jacobians, strict=True)))
print(f"batch_jacobian: {whose_jacobian}")


# %% [markdown]
# Any network: all entries count, $O(m^3)$, and perhaps no inverse. Autoregressive: the diagonal counts. Coupling: half of the
# diagonal is ones, and within a group nothing is left but the diagonal: an autoregressive flow whose order matters only between two
# groups.
#
# ### Exercise 7 · `AffineCoupling`
# **4 points · ●●○ · 15 minutes**
#
# $$\begin{cases} \mathbf{z}_1 = \mathbf{x}_1 \\ \mathbf{z}_2 = (\mathbf{x}_2 - \boldsymbol\mu(\mathbf{x}_1))\odot\frac{1}{\boldsymbol\sigma(\mathbf{x}_1)}\end{cases}
# \qquad
# \begin{cases} \mathbf{x}_1 = \mathbf{z}_1 \\ \mathbf{x}_2 = \mathbf{z}_2\odot\boldsymbol\sigma(\mathbf{z}_1) + \boldsymbol\mu(\mathbf{z}_1)\end{cases}$$
#
# `AffineCoupling(conditioner, split)`: `conditioner(x1)` takes the first `split` columns and returns `(mu, log_sigma)`, both
# `(n, m - split)`. `forward(x)` and `inverse(z)` return `(value, log_det)`, `(n, m)` and `(n,)`. A conditioner that is a module
# becomes the layer's own (itself, no copy), to be trained with it; a plain function serves too. Here too `log_det` stays right where
# $\sigma$ is 0 or $\infty$ in float32.
#
# *Example.* `split` $= 1$, $\mu = x_1$, $\log\sigma = \log 2$, $\mathbf{x} = (1, 5)$: $\mathbf{z} = (1, 2)$, `log_det` $= -0.693$.
# The numbers of exercise 5: the coupling is that flow, its first column left alone.
#
# <details><summary>Hint 1: a nudge</summary>
#
# Assigning a module to `self` registers its parameters. $\mathbf{z}_1$ belongs to the result: it is $\mathbf{x}_1$, not zero.
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `torch.cat([x1, z2], dim=1)`; the log-determinant of `forward` is `-log_sigma.sum(dim=1)`, and `inverse` has the other sign.
# </details>


# %% nbgrader={"grade": false, "grade_id": "AffineCoupling", "locked": false, "schema_version": 3, "solution": true, "task": false}
class AffineCoupling(nn.Module):
    """z_1 = x_1, z_2 = (x_2 - mu(x_1)) / sigma(x_1). x, z (n, m); log_det (n,)."""

    def __init__(self, conditioner, split: int):
        super().__init__()
        ### BEGIN SOLUTION
        self.conditioner, self.split = conditioner, split
        ### END SOLUTION

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        ### BEGIN SOLUTION
        x1, x2 = x[:, : self.split], x[:, self.split :]
        mu, log_sigma = self.conditioner(x1)
        z2 = (x2 - mu) * torch.exp(-log_sigma)
        return torch.cat([x1, z2], dim=1), -log_sigma.sum(dim=1)
        ### END SOLUTION

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        ### BEGIN SOLUTION
        z1, z2 = z[:, : self.split], z[:, self.split :]
        mu, log_sigma = self.conditioner(z1)
        x2 = z2 * torch.exp(log_sigma) + mu
        return torch.cat([z1, x2], dim=1), log_sigma.sum(dim=1)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_AffineCoupling", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check("AffineCoupling", AffineCoupling)

# %% [markdown]
# ## 6. Stack layers into a density
#
# One coupling never moves $\mathbf{x}_1$. So swap the columns and use another, and another (autoregressive layers, too, are stacked with
# their columns reversed in between): $\mathbf{f} = \mathbf{f}_K\circ\dots\circ\mathbf{f}_1$.
# The chain rule multiplies Jacobians, so log-determinants add:
#
# $$\log p(\mathbf{x}) = \log p\big(\mathbf{f}_K\circ\dots\circ\mathbf{f}_1(\mathbf{x})\big) + \sum_{k=1}^K\log|\det\mathbf{J}_{\mathbf{f}_k}|.$$
#
# > **Trap.** The slide does not write where each Jacobian is taken: $\mathbf{J}_{\mathbf{f}_k}$ is taken at the input **of layer
# > $k$**, the output of layer $k-1$. And $K$ counts layers here; in later sections it counts samples or mixture components.

# %% nbgrader={"grade": false, "grade_id": "stack_by_hand", "locked": true, "schema_version": 3, "solution": false, "task": false}
swap = flows.Flip()
swapped, _ = swap(bent)
_, second_log_det = bend_layer(swapped)
print("by hand:  ", bent_log_det + second_log_det)
print("Compose:  ", flows.Compose(bend_layer, swap, bend_layer)(four_moons)[1])


# %% [markdown]
# ### Exercise 8 · `flow_log_prob`
# **3 points · ●○○ · 8 minutes**
#
# $$\log p(\mathbf{x}) = \log\mathcal{N}(\mathbf{z};\, 0, \mathbf{I}) + \sum_{k=1}^K\log|\det\mathbf{J}_{\mathbf{f}_k}|, \qquad
# \mathbf{z} = \mathbf{f}_K\circ\dots\circ\mathbf{f}_1(\mathbf{x})$$
#
# `flow_log_prob(layers, x)`: `layers` is $[\mathbf{f}_1, \dots, \mathbf{f}_K]$, plain objects whose `layer.forward(x)` returns
# `(value, log_det)`; `x` is `(n, m)`. Returns `(n,)`. Without layers the answer is the base itself.
#
# *Example.* Two layers that double, $m = 1$, $x = 0.5$: $z = 2$, $\log\mathcal{N}(2; 0, 1) = -2.919$, and twice $\log 2$:
# $-2.919 + 1.386 = -1.533$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# One loop. The output of a layer is the input of the next; keep a running sum of the log-determinants. Add with `a = a + b`, which
# leaves the layer's own tensor as it was.
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `torch.distributions.Normal(0, 1).log_prob(z)` is `(n, m)`: the base sums it over the columns.
# </details>


# %% nbgrader={"grade": false, "grade_id": "flow_log_prob", "locked": false, "schema_version": 3, "solution": true, "task": false}
def flow_log_prob(layers, x: Tensor) -> Tensor:
    """log p(x) of the flow f_K o ... o f_1 with base N(0, I), for x (n, m): a tensor (n,)."""
    ### BEGIN SOLUTION
    z, total = x, torch.zeros_like(x[:, 0])
    for layer in layers:
        z, log_det = layer.forward(z)
        total = total + log_det
    return total - 0.5 * (z**2 + math.log(2 * math.pi)).sum(dim=1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_flow_log_prob", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("flow_log_prob", flow_log_prob)


# %% [markdown]
# The opening flow was a RealNVP: eight couplings that take turns, trained by maximum likelihood. The last layer of every conditioner
# starts at zero, so each coupling starts as the identity, and training starts from a sane density however deep the stack is (Kingma and Dhariwal 2018).
# Train a single linear layer in the same way.
#
# **Predict:** what shape will its density have: an ellipse, one moon, or two moons?

# %% nbgrader={"grade": false, "grade_id": "guess_linear", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_linear = None  # "ellipse", "one moon" or "two moons"

# %% nbgrader={"grade": false, "grade_id": "train", "locked": true, "schema_version": 3, "solution": false, "task": false}
linear_layer, whose_linear = yours("LULinear", flows.LULinear)
linear_flow = flows.Flow(flows.StandardNormal(2), linear_layer(torch.eye(2)))
maximise_likelihood(linear_flow.log_prob, linear_flow.parameters(), moons)
for name, trained in {"linear": linear_flow, "RealNVP": realnvp}.items():
    print(f"{name}: {trained.log_prob(unseen_moons).mean():.2f} nats per event, unseen moons")

# %% nbgrader={"grade": false, "grade_id": "densities", "locked": true, "schema_version": 3, "solution": false, "task": false}
models = {f"LULinear, {whose_linear}": linear_flow.log_prob, "RealNVP": realnvp.log_prob}
plotting.densities(moons[:1500], models, extent=3.0)

axis = torch.linspace(-4, 4, 400)
volume = realnvp.log_prob(torch.cartesian_prod(axis, axis)).exp().sum() * (axis[1] - axis[0]) ** 2
print(f"volume under the RealNVP density: {volume:.3f}")
guesses.compare("The linear flow's density?", guess_linear, "ellipse", ["ellipse", "one moon", "two moons"])

# %% [markdown]
# Same data, same objective: the linear flow can only lay an ellipse over the moons, the couplings bend along them, and the volume
# under the density stays 1. A faint thread joins the moons, and it is no accident: a smooth, invertible map cannot tear one bump in two.
# (The opening picture shows how it samples: backwards, noise through the inverse of the last layer, then of the one before it.)
#
# **Find the bug.** The volume under a density is an instrument. Here it says that something is wrong: the stack runs, trains and samples, and one of its
# three layers lies about its `log_det`.


# %% nbgrader={"grade": false, "grade_id": "leaky_stack", "locked": true, "schema_version": 3, "solution": false, "task": false}
class LayerA:
    def forward(self, x):
        turn = torch.tensor([[0.6, -0.8], [0.8, 0.6]])
        return x @ turn.T, torch.zeros(len(x))


class LayerB:
    def forward(self, x):
        z = x + x**3 / 5
        return z, torch.log(1 + 3 * z**2 / 5).sum(dim=1)


class LayerC:
    def forward(self, x):
        mu, log_sigma = x[:, :1] ** 2 / 2, -x[:, :1] / 4
        z2 = (x[:, 1:] - mu) * torch.exp(-log_sigma)
        return torch.cat([x[:, :1], z2], dim=1), -log_sigma.sum(dim=1)


leaky_z, leaky_log_det = torch.cartesian_prod(axis, axis), 0
for layer in (LayerA(), LayerB(), LayerC()):
    leaky_z, log_det = layer.forward(leaky_z)
    leaky_log_det = leaky_log_det + log_det
leaky_density = (flows.StandardNormal(2).log_prob(leaky_z) + leaky_log_det).exp()
print(f"volume under the density: {leaky_density.sum() * (axis[1] - axis[0]) ** 2:.2f}")

# %% nbgrader={"grade": false, "grade_id": "leaky_layer", "locked": false, "schema_version": 3, "solution": false, "task": false}
leaky_layer = None  # "A", "B" or "C"

# %% nbgrader={"grade": false, "grade_id": "try_leaky_layer", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("leaky_layer", leaky_layer)

# %% [markdown]
# <details><summary>How to find it</summary>
#
# In a cell of your own, compare `torch.linalg.slogdet(flows.batch_jacobian(lambda x: layer.forward(x)[0], x)).logabsdet` with the layer's
# `log_det` at a few `x`, layer by layer. Then: at which point should a Jacobian be taken?
# </details>
#
# **Your own flow.** The same training with your layers; it runs once exercises 3, 7 and 8 are written. Its nats should come within
# 0.2 of RealNVP's, whose layers do much the same.


# %% nbgrader={"grade": false, "grade_id": "mine", "locked": true, "schema_version": 3, "solution": false, "task": false}
def my_flow():
    swap = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    layers = nn.ModuleList()
    for _ in range(8):
        layers.extend([AffineCoupling(AffineConditioner(1, 1, [64, 64]), split=1), LULinear(swap)])
    maximise_likelihood(lambda x: flow_log_prob(layers, x), layers.parameters(), moons)
    reached, reference = flow_log_prob(layers, unseen_moons).mean(), realnvp.log_prob(unseen_moons).mean()
    print(f"your flow: {reached:.2f} nats per event, unseen moons; RealNVP: {reference:.2f}")
    plotting.densities(moons[:1500], {"yours": lambda x: flow_log_prob(layers, x)}, extent=3.0)


try:
    my_flow()
except NotImplementedError:
    print("Not yet: write LULinear, AffineCoupling and flow_log_prob first.")

# %% nbgrader={"grade": false, "grade_id": "count_guesses", "locked": true, "schema_version": 3, "solution": false, "task": false}
guesses.count()

# %% [markdown]
# ## Summary
#
# A flow is a change of variables that you can afford. Its density is the noise's density at $\mathbf{f}(\mathbf{x})$ times the
# factor by which $\mathbf{f}$ stretches space there. Each kind of layer pays for a cheap determinant with some freedom.
#
# | what to remember | log ∣det J∣ of f | f (density) | g (sampling) | beware |
# |---|---|---|---|---|
# | any map | `slogdet(J)`, O(m³) | one pass | perhaps none | J is taken at x; `det` underflows |
# | linear, LU | Σⱼ log ∣Uⱼⱼ∣ | one product | two solves | Gaussian stays Gaussian |
# | linear, QR | Σⱼ log ∣Rⱼⱼ∣ | one product | one solve | Q must stay orthogonal |
# | autoregressive | −Σⱼ log σⱼ | one pass | m passes | σⱼ sees earlier columns only |
# | coupling | −Σⱼ log σⱼ | one pass | one pass | x₁ stays: stack and swap |
# | a stack | sum over its layers | all layers | all, backwards | each J at its own input |
#
# **Where it leads.** Training above used $\mathbf{f}$ and never $\mathbf{g}$: that is the forward KL. The next notebook,
# `01_forward_reverse_kl`, turns it round, and there a slow $\mathbf{g}$ hurts. To read on: Papamakarios et al., *Normalizing Flows for
# Probabilistic Modeling and Inference* (2021), section 3.
