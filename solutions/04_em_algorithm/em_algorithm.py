# %% [markdown]
# # The EM-algorithm
#
# **The question.** How do you fit a model whose latent variables nobody has seen, when the bound has two things to move: $q$ and
# $\boldsymbol\theta$?
#
# Afterwards you can
# - say why moving $q$ and $\boldsymbol\theta$ in turn never lowers $\log p(\mathbf{X}|\boldsymbol\theta)$, and when it may after all;
# - write both steps for a mixture of Gaussians, in log space, and find a bug by half steps;
# - fit probabilistic PCA by EM and in closed form, and see that they agree;
# - restrict $q$, and say what that costs.
#
# 20 points · 7 exercises · about 125 minutes · Lecture 3, the slides "EM-Algorithm", "EM-Algorithm Illustration", "Summary"
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
# **Why care.** Nobody told the model below what a digit is. EM found ten clusters among 1797 images. Each row walks through one of them, along its longest
# axis. Some rows stay with one digit, others run from one to another, such as from a 0 to a 6. At the end you make this picture with your own functions.

# %% nbgrader={"grade": false, "grade_id": "opening_picture", "locked": true, "schema_version": 3, "solution": false, "task": false}
from dgmlib.em import em as run_em
from dgmlib.lvm import PPCA, GaussianMixture

digit_images, digit_labels = data.digits()
digit_ppca = PPCA.maximum_likelihood(digit_images, 20)
digit_codes, _ = digit_ppca.posterior(digit_images)


def digit_start(seed):
    return GaussianMixture.kmeans_plus_plus(digit_codes, 10, torch.Generator().manual_seed(seed))


def walk(means, covariances, k):
    variances, axes = torch.linalg.eigh(covariances[k])
    places = torch.linspace(-2.5, 2.5, 11)[:, None] * variances[-1].sqrt()
    return means[k] + places * axes[:, -1]


opening_fit, _ = run_em(digit_start(4), digit_codes, 60)
walks = {f"cluster {k}": walk(opening_fit.means, opening_fit.covariances, k) for k in range(10)}
plotting.image_rows({name: codes @ digit_ppca.W.T + digit_ppca.mu for name, codes in walks.items()})

# %% [markdown]
# **Conventions.** Everything here is in nats per event, a mean over the rows of `x`. An answer keeps its inputs' dtype and device (a new
# tensor: `torch.eye(d, dtype=W.dtype, device=W.device)`), changes none of them, and lets gradients through (exercises 4 and 7 aside).
#
# | lecture | code |
# |---|---|
# | q(z), one for each event | `responsibilities` of shape `(n, K)`: row i is q over the K values of z, and sums to 1 |
# | θ of a mixture | `weights` `(K,)`, `means` `(K, m)`, `covariances` `(K, m, m)` |
# | θ of PPCA | `W` `(m, d)`, `mu` `(m,)`, `sigma` `()` |
#
# > **Trap.** The lecture's $\boldsymbol\pi$ is the data law on one slide and the mixture's weights on another. Here the weights are $w_k$.
#
# ## 1. Two blocks, one bound
#
# The last notebook ended with
#
# $$\mathcal{L}_{q,\boldsymbol\theta}(\mathbf{x}) = \log p(\mathbf{x}|\boldsymbol\theta) - \operatorname{KL}\big(q(\mathbf{z})\|p(\mathbf{z}|\mathbf{x}, \boldsymbol\theta)\big) \;\to\; \max_{q, \boldsymbol\theta}.$$
#
# Why not take gradient steps on $\log p$? Try one, on three clusters in the plane:

# %% nbgrader={"grade": false, "grade_id": "gradient_fails", "locked": true, "schema_version": 3, "solution": false, "task": false}
cluster_data, _ = data.clusters(600)
centres = torch.tensor([[-0.5, 0.0], [0.5, 0.0], [0.0, 0.5]])
crowded = GaussianMixture(torch.ones(3) / 3, centres, torch.eye(2).repeat(3, 1, 1))  # where every run below starts

free_weights = crowded.weights.clone().requires_grad_()
GaussianMixture(free_weights, crowded.means, crowded.covariances).log_prob(cluster_data).mean().backward()
print(f"weights sum to {(free_weights + free_weights.grad).sum():.2f} after a gradient step of size 1")

# %% [markdown]
# These are no weights any more, and nothing keeps a covariance positive definite either. With a softmax for the weights and
# $\mathbf{L}\mathbf{L}^T$ for each covariance, as in notebook 03, gradients work, but you must choose a step size, and nothing promises that a step climbs.
#
# EM (Dempster, Laird and Rubin 1977) needs no step size. It moves one block at a time, each to its optimum (Neal and Hinton 1998):
#
# - **E-step**, over $q$ at fixed $\boldsymbol\theta^*$: only the KL depends on $q$, and it vanishes at $q^*(\mathbf{z}) = p(\mathbf{z}|\mathbf{x}, \boldsymbol\theta^*)$;
# - **M-step**, over $\boldsymbol\theta$ at fixed $q^*$: $\boldsymbol\theta^* = \arg\max_{\boldsymbol\theta}\mathcal{L}_{q^*, \boldsymbol\theta}(\mathbf{x})$.
#
# To see both, take a model with a single unknown: two bumps on a line, one at $-1.2$, the other at $\theta$. `line_bound(a, b)` is
# $\mathcal{L}_{q,\theta}$ at $\theta = b$ for $q = p(z|x, \theta = a)$.
#
# **Predict:** EM starts at $\theta = -2$. Where does the first bound touch $\log p$: at the start, or at the bound's top?

# %% nbgrader={"grade": false, "grade_id": "guess_touch", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_touch = None  # "start" or "top"

# %% nbgrader={"grade": false, "grade_id": "one_parameter", "locked": true, "schema_version": 3, "solution": false, "task": false}
from torch.distributions import Normal

left_draws = -1.2 + torch.randn(120, generator=torch.Generator().manual_seed(0))
right_draws = 1.5 + torch.randn(180, generator=torch.Generator().manual_seed(1))
line_data = torch.cat([left_draws, right_draws])


def line_log_joint(theta):  # log p(x, z) for z = left, right
    right = Normal(theta[..., None], 1.0).log_prob(line_data)
    left = Normal(-1.2, 1.0).log_prob(line_data).expand_as(right)
    return torch.stack([left, right], dim=-1) + math.log(0.5)


def line_bound(a, b):
    log_q = line_log_joint(a).log_softmax(-1)
    return (log_q.exp() * (line_log_joint(b) - log_q)).sum(-1).mean(-1)


# %% nbgrader={"grade": false, "grade_id": "illustration", "locked": true, "schema_version": 3, "solution": false, "task": false}
line_path = [-2.0]
for _ in range(4):
    q = line_log_joint(torch.tensor(line_path[-1])).softmax(-1)[:, 1]  # E-step: q(z = right) for each x
    line_path.append(((q * line_data).sum() / q.sum()).item())  # M-step: a weighted mean
plotting.bound_climbing(line_bound, torch.linspace(-3.5, 4.0, 151), line_path)
guesses.compare("Where does the first bound touch log p?", guess_touch, "start", ["start", "top"])

# %% [markdown]
# Left, the lecture's illustration. At a dot, an E-step has lifted the bound until it touches $\log p$, at the current $\theta$. At a triangle, an M-step has walked to
# the top of that bound. Right, the same steps seen from above: $\mathcal{L}$ is a hill over $(q, \theta)$, and EM climbs it parallel to the axes.
#
# **Why $\log p$ never falls.** One step of EM leads from $\boldsymbol\theta$ to $\boldsymbol\theta'$. Three lines take you from $\log p(\mathbf{X}|\boldsymbol\theta)$ to $\log p(\mathbf{X}|\boldsymbol\theta')$. Put
# them in order, each with its reason: `gap` (a KL is never negative), `E-step` (it closed the gap), or `M-step` (it is an argmax).
#
# - A: $\mathcal{L}_{q^*, \boldsymbol\theta'} \le \log p(\mathbf{X}|\boldsymbol\theta')$
# - B: $\mathcal{L}_{q^*, \boldsymbol\theta} \le \mathcal{L}_{q^*, \boldsymbol\theta'}$
# - C: $\log p(\mathbf{X}|\boldsymbol\theta) = \mathcal{L}_{q^*, \boldsymbol\theta}$

# %% nbgrader={"grade": false, "grade_id": "climbing_steps", "locked": false, "schema_version": 3, "solution": false, "task": false}
climbing_steps = None  # a text of three lines, each a letter and its reason, such as """X gap"""

# %% nbgrader={"grade": false, "grade_id": "try_climbing_steps", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("climbing_steps", climbing_steps)

# %% [markdown]
# <details><summary>The chain</summary>
#
# $$\log p(\mathbf{X}|\boldsymbol\theta) = \mathcal{L}_{q^*, \boldsymbol\theta} \le \mathcal{L}_{q^*, \boldsymbol\theta'} \le \log p(\mathbf{X}|\boldsymbol\theta')$$
#
# The E-step closed the gap; the M-step is an argmax; a gap is never negative.
# </details>
#
# ## 2. The E-step
#
# For a mixture, $z$ takes $K$ values, so Bayes' rule is a sum. Written as the formula says, it fails far from all clusters:

# %% nbgrader={"grade": false, "grade_id": "densities_underflow", "locked": true, "schema_version": 3, "solution": false, "task": false}
two_densities = crowded.log_joint(torch.tensor([[0.5, 0.5], [40.0, 0.0]])).float().exp()
print(two_densities / two_densities.sum(dim=1, keepdim=True))


# %% [markdown]
# ### Exercise 1 · `e_step`
# **3 points · ●●○ · 12 minutes**
#
# $$q(z_i = k) = p(z_i = k|\mathbf{x}_i, \boldsymbol\theta) = \frac{w_k\,\mathcal{N}(\mathbf{x}_i; \boldsymbol\mu_k, \boldsymbol\Sigma_k)}{\sum_{l=1}^K w_l\,\mathcal{N}(\mathbf{x}_i; \boldsymbol\mu_l, \boldsymbol\Sigma_l)}$$
#
# `e_step(x, weights, means, covariances)`: `x` is `(n, m)`, the parameters `(K,)`, `(K, m)`, `(K, m, m)`. Returns `(n, K)`; rows sum to
# 1, also for points so far away that every density is 0.0.
#
# *Example.* $m = 1$, weights $(0.75, 0.25)$, means $(0, 2)$, variances 1. At $x = 1$ the weights alone decide: $(0.75, 0.25)$. At
# $x = 2$: $(0.289, 0.711)$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# Which function turns $K$ numbers into positive ones that sum to 1, and takes logarithms? Over which axis?
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `torch.distributions.MultivariateNormal(means, covariances).log_prob(x[:, None])` is `(n, K)`. Add something, then `softmax`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "e_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def e_step(x: Tensor, weights: Tensor, means: Tensor, covariances: Tensor) -> Tensor:
    """q(z_i = k) = p(z_i = k|x_i), for x (n, m): a tensor (n, K)."""
    ### BEGIN SOLUTION
    components = torch.distributions.MultivariateNormal(means, covariances)
    log_joint = weights.log() + components.log_prob(x[:, None])
    return torch.softmax(log_joint, dim=1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_e_step", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("e_step", e_step)

# %% [markdown]
# ## 3. The M-step
#
# With $q$ fixed, its entropy is a constant. What is left is a likelihood in which event $i$ counts $q_{ik}$ times for component $k$:
#
# $$\arg\max_{\boldsymbol\theta}\; \sum_{i=1}^n \sum_{k=1}^K q_{ik}\,\log\big(w_k\,\mathcal{N}(\mathbf{x}_i; \boldsymbol\mu_k, \boldsymbol\Sigma_k)\big).$$
#
# If somebody told you the labels, $q$ would hold ones and zeros, and you would take each group's share, mean and covariance. With a soft
# $q$ you do the same, weighted.
#
# <details><summary>Why this is the top</summary>
#
# *Weights.* $\sum_k N_k\log w_k = n\sum_k \tfrac{N_k}{n}\log w_k$ with $N_k = \sum_i q_{ik}$. Among all $w$ that sum to 1 this is largest at $w_k = N_k/n$, because the
# difference to the largest value is $n\operatorname{KL}(N/n\,\|\,w) \ge 0$. (A Lagrange multiplier finds the same point.)
#
# *Means and covariances.* With the weighted mean $\mathbf{m}$ and the weighted covariance $\mathbf{S}$ of component $k$, the terms of $\boldsymbol\mu, \boldsymbol\Sigma$ are
#
# $$-\tfrac{N_k}{2}\Big[\log\det\boldsymbol\Sigma + \operatorname{tr}(\boldsymbol\Sigma^{-1}\mathbf{S}) + (\boldsymbol\mu - \mathbf{m})^T\boldsymbol\Sigma^{-1}(\boldsymbol\mu - \mathbf{m})\Big].$$
#
# The last term is smallest, 0, at $\boldsymbol\mu = \mathbf{m}$, whatever $\boldsymbol\Sigma$ is. The others are $\log\det\mathbf{S} + \sum_j(\lambda_j - \log\lambda_j)$ with the eigenvalues $\lambda_j > 0$ of
# $\boldsymbol\Sigma^{-1}\mathbf{S}$, and $\lambda - \log\lambda$ is smallest at $\lambda = 1$: at $\boldsymbol\Sigma = \mathbf{S}$.
# </details>
#
# Autograd could only tell you that the slope vanishes there, and so it does at a saddle. An experiment can look for a counterexample: move all parameters of the M-step's answer a
# little. Is any neighbour's bound higher?

# %% nbgrader={"grade": false, "grade_id": "m_step_is_the_top", "locked": true, "schema_version": 3, "solution": false, "task": false}
crowded_q = crowded.posterior(cluster_data)
top = crowded.m_step(cluster_data, crowded_q)
shaking = torch.Generator().manual_seed(0)


def neighbour(size=0.03):
    shifts = [size * torch.randn(t.shape, generator=shaking) for t in (top.weights, top.means, top.covariances)]
    factor = torch.eye(2) + shifts[2]
    shifted_weights = torch.softmax(top.weights.log() + shifts[0], dim=0)
    return GaussianMixture(shifted_weights, top.means + shifts[1], factor @ top.covariances @ factor.mT)


around = torch.stack([neighbour().elbo(cluster_data, crowded_q).mean() for _ in range(300)])
before, after = (mixture.elbo(cluster_data, crowded_q).mean() for mixture in (crowded, top))
print(f"bound before the M-step {before:.4f}, after {after:.4f}")
print(f"300 neighbours: the best reaches {around.max():.4f}, and {(around > after).sum()} lie higher")


# %% [markdown]
# ### Exercise 2 · `m_step`
# **4 points · ●●○ · 15 minutes**
#
# $$N_k = \sum_{i=1}^n q_{ik}, \qquad w_k = \frac{N_k}{n}, \qquad \boldsymbol\mu_k = \frac{1}{N_k}\sum_{i=1}^n q_{ik}\,\mathbf{x}_i, \qquad
# \boldsymbol\Sigma_k = \frac{1}{N_k}\sum_{i=1}^n q_{ik}\,(\mathbf{x}_i - \boldsymbol\mu_k)(\mathbf{x}_i - \boldsymbol\mu_k)^T$$
#
# `m_step(x, responsibilities)`: `(n, m)` and `(n, K)`. Returns `(weights, means, covariances)`, shapes `(K,)`, `(K, m)`, `(K, m, m)`.
# Every $N_k$ is positive; add nothing to it, nor to a covariance.
#
# *Example.* $x = (0, 1, 4)$ with $q = (1, 0), (0.5, 0.5), (0, 1)$: $N = (1.5, 1.5)$, weights $(0.5, 0.5)$, means $(0.333, 3)$, variances
# $(0.222, 2)$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# The covariance is about the new mean $\boldsymbol\mu_k$, another one for each $k$: centre `x` once for every component, `(n, K, m)`.
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `torch.einsum("nk,nka,nkb->kab", responsibilities, centred, centred)` sums over the points.
# </details>


# %% nbgrader={"grade": false, "grade_id": "m_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def m_step(x: Tensor, responsibilities: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """argmax over theta of L(q, theta), for x (n, m), q (n, K): tensors (K,), (K, m), (K, m, m)."""
    ### BEGIN SOLUTION
    mass = responsibilities.sum(dim=0)
    means = responsibilities.T @ x / mass[:, None]
    centred = x[:, None] - means
    scatter = torch.einsum("nk,nka,nkb->kab", responsibilities, centred, centred)
    return mass / len(x), means, scatter / mass[:, None, None]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_m_step", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check("m_step", m_step)


# %% [markdown]
# ## 4. The bound, measured
#
# An algorithm that claims to climb should be watched. For a mixture, the bound is a finite sum, and it holds for **any** $q$, ones and zeros included.
# There $q\log q$ is $0$, its limit, but `0 * math.log(0)` is an error, and `0 * torch.log(torch.tensor(0.0))` is nan.
#
# ### Exercise 3 · `mixture_elbo`
# **3 points · ●●○ · 12 minutes**
#
# $$\mathcal{L}_{q,\boldsymbol\theta} = \frac{1}{n}\sum_{i=1}^n \sum_{k=1}^K q_{ik}\,\Big(\log w_k + \log\mathcal{N}(\mathbf{x}_i; \boldsymbol\mu_k, \boldsymbol\Sigma_k) - \log q_{ik}\Big)$$
#
# `mixture_elbo(x, responsibilities, weights, means, covariances)`, shapes as before; the responsibilities are any $q$, zeros included.
# Returns a scalar, shape `()`.
#
# *Example.* The mixture of exercise 1 at $x = 1$, where $\log p(x) = -1.419$: $q = (0.75, 0.25)$ gives $-1.419$, $q = (0.5, 0.5)$ gives
# $-1.563$, and $q = (1, 0)$ gives $-1.707$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# Two sums over $k$: one of $q\log p(x, z)$, one of $-q\log q$, the entropy. Only the second is in danger.
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `torch.special.entr(q)` is $-q\log q$, and 0 at 0.
# </details>


# %% nbgrader={"grade": false, "grade_id": "mixture_elbo", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mixture_elbo(
    x: Tensor,
    responsibilities: Tensor,
    weights: Tensor,
    means: Tensor,
    covariances: Tensor,
) -> Tensor:
    """L(q, theta), mean over x (n, m), for any q (n, K): a tensor ()."""
    ### BEGIN SOLUTION
    components = torch.distributions.MultivariateNormal(means, covariances)
    log_joint = weights.log() + components.log_prob(x[:, None])
    return (responsibilities * log_joint + torch.special.entr(responsibilities)).sum(dim=1).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_mixture_elbo", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("mixture_elbo", mixture_elbo)

# %% [markdown]
# Now watch both half steps: the bound, and $\log p$ at the current parameters, after each E and each M.
#
# **Predict:** at which half steps does $\log p$ itself move: E, M or both?

# %% nbgrader={"grade": false, "grade_id": "guess_half", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_half = None  # "E", "M" or "both"

# %% nbgrader={"grade": false, "grade_id": "half_steps", "locked": true, "schema_version": 3, "solution": false, "task": false}
def reference_m(x, responsibilities):
    mixture = crowded.m_step(x, responsibilities)  # whatever the mixture is: only its q counts
    return mixture.weights, mixture.means, mixture.covariances


own_e, whose_e = yours("e_step", lambda x, *theta: GaussianMixture(*theta).posterior(x))
own_m, whose_m = yours("m_step", reference_m)
print(f"e_step: {whose_e}, m_step: {whose_m}")
half_path, current = [], crowded
for _ in range(7):
    current_q = own_e(cluster_data, current.weights, current.means, current.covariances)
    after_m = GaussianMixture(*own_m(cluster_data, current_q))
    half_path += [(current, current_q), (after_m, current_q)]
    current = after_m
half_bounds = torch.stack([mixture.elbo(cluster_data, q).mean() for mixture, q in half_path])
half_log_probs = torch.stack([mixture.log_prob(cluster_data).mean() for mixture, _ in half_path])


def draw_half_step(half_step):
    plotting.half_step(cluster_data, half_path, half_bounds, half_log_probs, round(half_step))


plotting.sliders(draw_half_step, half_step=(0, 13, 5))
guesses.compare("At which half steps does log p move?", guess_half, "M", ["E", "M", "both"])

# %% [markdown]
# Drag, or read the curves. An E-step changes $q$, the colours: it closes the gap, and leaves $\log p$ alone. An M-step moves $\boldsymbol\theta$, the ellipses: it raises the bound,
# $\log p$ rises further, and a new gap opens, because $q$ is still the posterior of the old parameters.
#
# **Find the bug.** This EM starts at the truth, on two bumps with weights 0.15 and 0.85. It runs without complaint, but its half steps break the promise of
# part 1. Which line is wrong?

# %% nbgrader={"grade": false, "grade_id": "falling_steps", "locked": true, "schema_version": 3, "solution": false, "task": false}
uneven_data, _ = GaussianMixture(torch.tensor([0.15, 0.85]), torch.tensor([[-1.1], [1.1]]), torch.ones(2, 1, 1)).sample(
    2000, generator=torch.Generator().manual_seed(0)
)


def faulty_em(x, weights, means, covariances, num_iters):
    faulty_path = []
    for _ in range(num_iters):
        normals = torch.distributions.MultivariateNormal(means, covariances)  # line 1
        q = torch.softmax(normals.log_prob(x[:, None]), dim=1)  # line 2
        faulty_path.append((GaussianMixture(weights, means, covariances), q))
        mass = q.sum(dim=0)  # line 3
        weights, means = mass / len(x), q.T @ x / mass[:, None]  # line 4
        centred = x[:, None] - means  # line 5
        covariances = torch.einsum("nk,nka,nkb->kab", q / mass, centred, centred)  # line 6
        faulty_path.append((GaussianMixture(weights, means, covariances), q))
    return faulty_path


faulty_path = faulty_em(uneven_data, torch.tensor([0.15, 0.85]), torch.tensor([[-1.1], [1.1]]), torch.ones(2, 1, 1), 6)
faulty_bounds = torch.stack([mixture.elbo(uneven_data, q).mean() for mixture, q in faulty_path])
faulty_log_probs = torch.stack([mixture.log_prob(uneven_data).mean() for mixture, _ in faulty_path])
plotting.half_steps(faulty_bounds, faulty_log_probs)

# %% nbgrader={"grade": false, "grade_id": "falling_line", "locked": false, "schema_version": 3, "solution": false, "task": false}
falling_line = None  # the number of the wrong line

# %% nbgrader={"grade": false, "grade_id": "try_falling_line", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("falling_steps", falling_line)


# %% [markdown]
# ## 5. Repeat
#
# ### Exercise 4 · `em_mixture`
# **4 points · ●●○ · 15 minutes**
#
# $$q^{(t)} = \arg\max_q \mathcal{L}_{q, \boldsymbol\theta^{(t)}}, \qquad h_t = \mathcal{L}_{q^{(t)}, \boldsymbol\theta^{(t)}}, \qquad
# \boldsymbol\theta^{(t+1)} = \arg\max_{\boldsymbol\theta}\mathcal{L}_{q^{(t)}, \boldsymbol\theta}, \qquad t = 0, \dots, T - 1$$
#
# `em_mixture(x, weights, means, covariances, num_iters)`: the parameters are $\boldsymbol\theta^{(0)}$, `num_iters` is $T \ge 1$. Returns
# `(weights, means, covariances, history)`: $\boldsymbol\theta^{(T)}$, in any order of the components, and $h$, a tensor `(T,)`: the bound, mean
# over the events, **right after each E-step**. Run all $T$ iterations.
#
# *Example.* One component, $x = (0, 2)$, start $\mathcal{N}(0, 1)$, $T = 2$: the history is $(-1.919, -1.419)$, the mean 1, the variance 1.
#
# You may call your answers to exercises 1 to 3. Or write their lines again: then a mistake there costs nothing here.
#
# <details><summary>Hint 1: a nudge</summary>
#
# Right after the E-step the gap is zero. So which simpler quantity is $h_t$?
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `torch.logsumexp(log_joint, dim=1).mean()` is $h_t$ and `softmax` of the same numbers is $q$. Give the parameters new names or rebind them; write
# into none. `torch.stack(history)` makes a tensor of a list.
# </details>


# %% nbgrader={"grade": false, "grade_id": "em_mixture", "locked": false, "schema_version": 3, "solution": true, "task": false}
def em_mixture(
    x: Tensor, weights: Tensor, means: Tensor, covariances: Tensor, num_iters: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """num_iters times E and M, for x (n, m): weights, means, covariances, history (num_iters,)."""
    ### BEGIN SOLUTION
    history = []
    for _ in range(num_iters):
        components = torch.distributions.MultivariateNormal(means, covariances)
        log_joint = weights.log() + components.log_prob(x[:, None])
        history.append(torch.logsumexp(log_joint, dim=1).mean())
        q = torch.softmax(log_joint, dim=1)
        weights, means = q.mean(dim=0), q.T @ x / q.sum(dim=0)[:, None]
        centred = x[:, None] - means
        covariances = torch.einsum("nk,nka,nkb->kab", q / q.sum(dim=0), centred, centred)
    return weights, means, covariances, torch.stack(history)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_em_mixture", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check("em_mixture", em_mixture)


# %% [markdown]
# **Predict:** three round clusters start almost on top of each other. After how many iterations does nothing visible move: 8, 80, or never, because they never part?

# %% nbgrader={"grade": false, "grade_id": "guess_still", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_still = None  # 8, 80 or "never"


# %% nbgrader={"grade": false, "grade_id": "strip", "locked": true, "schema_version": 3, "solution": false, "task": false}
def reference_em(x, weights, means, covariances, num_iters):
    fit, _ = run_em(GaussianMixture(weights, means, covariances), x, num_iters)
    return fit.weights, fit.means, fit.covariances, None


own_em, whose_em = yours("em_mixture", reference_em)
crowded_theta = crowded.weights, crowded.means, crowded.covariances
em_fits = {f"after {t}": GaussianMixture(*own_em(cluster_data, *crowded_theta, t)[:3]) for t in (2, 8, 30)}
plotting.responsibilities(cluster_data, {f"start (em_mixture: {whose_em})": crowded} | em_fits)
guesses.compare("After how many iterations does nothing visible move?", guess_still, 8, [8, 80, "never"])

# %% [markdown]
# They part, and after eight iterations nothing visible moves. An event's colour is its $q$, mixed from the components' colours: grey at the start, where nobody is responsible, pure at the end. An ellipse
# holds 86 % of its component.
#
# > **Trap.** EM stops climbing at a stationary point, in practice a local maximum (Wu 1983). There is no global one: the likelihood is unbounded. Put a component on a
# > single event and shrink it.

# %% nbgrader={"grade": false, "grade_id": "singular", "locked": true, "schema_version": 3, "solution": false, "task": false}
doubled = cluster_data.double()
for std in (1e-1, 1e-3, 1e-5):
    spike_means = torch.stack([doubled[0], doubled.mean(dim=0)])
    spike_covariances = torch.stack([std**2 * torch.eye(2).double(), torch.cov(doubled.T)])
    spike = GaussianMixture(torch.tensor([0.01, 0.99]).double(), spike_means, spike_covariances)
    log_p = spike.log_prob(doubled)
    print(f"std {std:.0e}: log p {log_p[0]:.1f} at the event under the spike, {log_p.sum():.1f} of all the data")


# %% [markdown]
# Both grow without end. A spike ends a run with a singular covariance: take fewer components, another start, or a prior.
#
# ## 6. Real data: handwritten digits
#
# 1797 images of 8 × 8 pixels. A covariance of 64 pixels, some of them always white, is singular for every cluster. So the opening cell first took 20 latent
# columns by PPCA, the plane of notebook 02 with more axes. Then, as the lecture says, repeat E and M until convergence:


# %% nbgrader={"grade": false, "grade_id": "until_convergence", "locked": true, "schema_version": 3, "solution": false, "task": false}
def repeat_until_convergence(model, x, tol=1e-4):
    history = []
    while len(history) < 2 or history[-1] - history[-2] > tol:
        q, bound = model.e_step(x)
        model = model.m_step(x, q)
        history.append(bound)
    return model, torch.stack(history)


# %% nbgrader={"grade": false, "grade_id": "digits", "locked": true, "schema_version": 3, "solution": false, "task": false}
digit_fits = [repeat_until_convergence(digit_start(seed), digit_codes) for seed in range(5)]
plotting.histories({f"start {seed}": history[5:] for seed, (_, history) in enumerate(digit_fits)}, first=5)

# %% [markdown]
# (The first five iterations, far below, are left out.) No curve falls, and they end at different heights: EM finds a maximum near its start.
# So run it from several starts, and keep the highest bound; no labels are needed for that.
#
# **Predict:** how many of the 1797 images carry the most frequent label of their cluster: about 30, 60 or 80 %?

# %% nbgrader={"grade": false, "grade_id": "guess_named", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_named = None  # 30, 60 or 80

# %% nbgrader={"grade": false, "grade_id": "digit_means", "locked": true, "schema_version": 3, "solution": false, "task": false}
best_seed = max(range(5), key=lambda seed: digit_fits[seed][1][-1])
highest, _ = digit_fits[best_seed]
cluster = highest.posterior(digit_codes).argmax(dim=1)
counts = torch.stack([torch.bincount(digit_labels[cluster == k], minlength=10) for k in range(10)])
mean_codes = {"start": digit_start(best_seed).means, "converged": highest.means}
mean_images = {name: codes @ digit_ppca.W.T + digit_ppca.mu for name, codes in mean_codes.items()}
plotting.image_rows(mean_images, titles=[f"{n.argmax()}: {n.max() / n.sum():.0%}" for n in counts])
named = counts.max(dim=1).values.sum() / len(digit_labels)
print(f"{named:.0%} of the images carry their cluster's most frequent label")
guesses.compare("How many % carry their cluster's most frequent label?", guess_named, 100 * named.item(), within=10)

# %% [markdown]
# Above each column: the most frequent label in that cluster, and its share. Ten single images became ten averages, most of them one digit,
# found without a label. A blurred mean with a low share is home to several digits: the bound asks for dense clouds, not for names.
#
# ## 7. A continuous latent: PPCA
#
# The recipe does not care what $\mathbf{z}$ is. For $p(\mathbf{x}|\mathbf{z}) = \mathcal{N}(\mathbf{W}\mathbf{z} + \boldsymbol\mu, \sigma^2\mathbf{I})$ the E-step is the Gaussian posterior of
# `02_latent_variable_models`; with $\mathbf{M} = \mathbf{W}^T\mathbf{W} + \sigma^2\mathbf{I}$,
#
# $$\mathbb{E}\,\mathbf{z}_i = \mathbf{M}^{-1}\mathbf{W}^T(\mathbf{x}_i - \boldsymbol\mu), \qquad \mathbf{S} = \operatorname{Cov}(\mathbf{z}_i) = \sigma^2\mathbf{M}^{-1},$$
#
# and the M-step is a regression of $\mathbf{x}$ on a $\mathbf{z}$ that is known only up to $q$. Forget that it is uncertain, and the noise comes out too small:

# %% nbgrader={"grade": false, "grade_id": "forgetting_spread", "locked": true, "schema_version": 3, "solution": false, "task": false}
noisy = PPCA(torch.tensor([[2.0], [1.0], [0.0]]), torch.zeros(3), 1.0)
noisy_data, _ = noisy.sample(5000, generator=torch.Generator().manual_seed(0))
noisy_mean, noisy_cov = noisy.posterior(noisy_data)
residual = (noisy_data - noisy_mean @ noisy.W.T).square().mean()
spread = (noisy.W @ noisy_cov @ noisy.W.T).trace() / 3
print(f"sigma² is 1; with E z for z: {residual:.2f}, with its spread: {residual + spread:.2f}")


# %% [markdown]
# ### Exercise 5 · `ppca_em_step`
# **3 points · ●●● · 20 minutes**
#
# $$\mathbf{W}_{\text{new}} = \Big(\sum_{i=1}^n (\mathbf{x}_i - \boldsymbol\mu)\,\mathbb{E}\mathbf{z}_i^T\Big)\Big(\sum_{i=1}^n \mathbb{E}\,\mathbf{z}_i\mathbf{z}_i^T\Big)^{-1}, \qquad
# \mathbb{E}\,\mathbf{z}_i\mathbf{z}_i^T = \mathbf{S} + \mathbb{E}\mathbf{z}_i\,\mathbb{E}\mathbf{z}_i^T$$
#
# $$\sigma^2_{\text{new}} = \frac{1}{m}\Big(\frac{1}{n}\sum_{i=1}^n \|\mathbf{x}_i - \boldsymbol\mu - \mathbf{W}_{\text{new}}\mathbb{E}\mathbf{z}_i\|^2 + \operatorname{tr}\big(\mathbf{W}_{\text{new}}\mathbf{S}\mathbf{W}_{\text{new}}^T\big)\Big)$$
#
# `ppca_em_step(x, W, mu, sigma)`: `(n, m)`, `(m, d)`, `(m,)`, `()`; `mu` is the sample mean, and stays it. Returns the new `(W, mu, sigma)`, of the
# same shapes; the moments of $\mathbf{z}$ are those at the **old** parameters.
#
# *Example.* $m = d = 1$, $x = (-2, 2)$, $W = 1$, $\mu = 0$, $\sigma = 1$: $M = 2$, $\mathbb{E}z = (-1, 1)$, $S = 0.5$, so $W = 4/3$, $\sigma^2 = 4/3$ and
# $\sigma = 1.155$.
#
# <details><summary>Where the formulas come from</summary>
#
# The bound holds $\mathbf{W}$ in $-\frac{1}{2\sigma^2}\sum_i\mathbb{E}\|\mathbf{x}_i - \boldsymbol\mu - \mathbf{W}\mathbf{z}_i\|^2$ alone: least squares, convex in $\mathbf{W}$, whose gradient vanishes where
# $\sum_i(\mathbf{x}_i - \boldsymbol\mu)\mathbb{E}\mathbf{z}_i^T = \mathbf{W}\sum_i\mathbb{E}\,\mathbf{z}_i\mathbf{z}_i^T$. With $R$ the sum at this $\mathbf{W}$, $\sigma$ enters as $-nm\log\sigma - R/(2\sigma^2)$, largest at $\sigma^2 = R/(nm)$.
# And $\mathbb{E}\|\mathbf{a} - \mathbf{W}\mathbf{z}\|^2 = \|\mathbf{a} - \mathbf{W}\,\mathbb{E}\mathbf{z}\|^2 + \operatorname{tr}(\mathbf{W}\mathbf{S}\mathbf{W}^T)$: the spread is the trace.
# </details>
# <details><summary>Hint 1: a nudge</summary>
#
# Rows are events: $\sum_i \mathbb{E}\mathbf{z}_i\mathbb{E}\mathbf{z}_i^T$ is `z.T @ z`, and $\mathbf{S}$ counts $n$ times.
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `torch.linalg.solve(A, B)` is $\mathbf{A}^{-1}\mathbf{B}$; a symmetric $\mathbf{A}$ on the right: `torch.linalg.solve(A, B.T).T`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ppca_em_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def ppca_em_step(x: Tensor, W: Tensor, mu: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One E-step and one M-step of PPCA, for x (n, m): the new W (m, d), mu (m,), sigma ()."""
    ### BEGIN SOLUTION
    n, m = x.shape
    M = W.T @ W + sigma**2 * torch.eye(W.shape[1], dtype=W.dtype, device=W.device)
    centred = x - mu
    z, S = torch.linalg.solve(M, W.T @ centred.T).T, sigma**2 * torch.linalg.inv(M)
    new_W = torch.linalg.solve(z.T @ z + n * S, z.T @ centred).T
    residual = (centred - z @ new_W.T).square().sum() / n
    variance = (residual + (new_W @ S @ new_W.T).trace()) / m
    return new_W, x.mean(dim=0), variance.sqrt()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_ppca_em_step", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("ppca_em_step", ppca_em_step)

# %% [markdown]
# Watch the latent axis of a PPCA with $d = 1$ that starts across an elongated cloud:

# %% nbgrader={"grade": false, "grade_id": "latent_axes", "locked": true, "schema_version": 3, "solution": false, "task": false}
cloud = data.correlated_gaussian(300, correlation=0.8) * torch.tensor([1.3, 0.8])
across = PPCA(torch.tensor([[0.3], [-0.6]]), cloud.mean(dim=0), 1.0)


def reference_step(x, W, mu, sigma):
    fit, _ = run_em(PPCA(W, mu, sigma), x, 1)
    return fit.W, fit.mu, fit.sigma


own_step, whose_step = yours("ppca_em_step", reference_step)
ppca_path = [(across.W, across.mu, across.sigma)]
for _ in range(6):
    ppca_path.append(own_step(cloud, *ppca_path[-1]))
axis_fits = {"start": across} | {f"after {t} ({whose_step})": PPCA(*ppca_path[t]) for t in (2, 6)}
plotting.latent_axes(cloud, axis_fits | {"closed form": PPCA.maximum_likelihood(cloud, 1)})


# %% [markdown]
# It shrinks, turns, and grows along the cloud; grey threads tie events to their reconstruction $\mathbf{W}\,\mathbb{E}\mathbf{z} + \boldsymbol\mu$. The last panel needs
# no iteration at all. For PPCA the maximum is known (Tipping and Bishop 1999; the proof is in their appendix, here you check it against EM),
# from the eigenvalues $\lambda_1 \ge \dots \ge \lambda_m$ and eigenvectors of the covariance of the data:
#
# ### Exercise 6 · `ppca_mle`
# **2 points · ●●○ · 10 minutes**
#
# $$\boldsymbol\mu = \frac{1}{n}\sum_{i=1}^n \mathbf{x}_i, \qquad \sigma^2 = \frac{1}{m - d}\sum_{j=d+1}^m \lambda_j, \qquad
# \mathbf{W} = \mathbf{U}_d\,(\boldsymbol\Lambda_d - \sigma^2\mathbf{I})^{1/2}$$
#
# $\boldsymbol\Lambda_d$ holds the $d$ largest eigenvalues of $\frac{1}{n}\sum_i(\mathbf{x}_i - \boldsymbol\mu)(\mathbf{x}_i - \boldsymbol\mu)^T$, $\mathbf{U}_d$ their eigenvectors in columns.
#
# `ppca_mle(x, d)`: `(n, m)` and a Python integer $1 \le d < m$; $n$ may be smaller than $m$. Returns `(W, mu, sigma)`: `(m, d)`, `(m,)`, `()`. Signs and
# order of the columns are yours, and so is any rotation of the latent space: the check looks at $\mathbf{W}\mathbf{W}^T$.
#
# *Example.* Covariance $\operatorname{diag}(5, 2, 1)$, $d = 1$: $\sigma^2 = 1.5$, $\sigma = 1.225$, $\mathbf{W} = \pm(1.871, 0, 0)^T$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# What PPCA cannot put into $\mathbf{W}$ it spreads evenly as noise, and noise is there along the kept directions too: hence the subtraction.
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `torch.linalg.eigh` sorts **upwards**: `values[-d:]` and `vectors[:, -d:]` are the kept ones.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ppca_mle", "locked": false, "schema_version": 3, "solution": true, "task": false}
def ppca_mle(x: Tensor, d: int) -> tuple[Tensor, Tensor, Tensor]:
    """The maximum-likelihood PPCA, for x (n, m): W (m, d), mu (m,), sigma ()."""
    ### BEGIN SOLUTION
    mu = x.mean(dim=0)
    covariance = (x - mu).T @ (x - mu) / len(x)
    values, vectors = torch.linalg.eigh(covariance)
    variance = values[:-d].mean()
    W = vectors[:, -d:] * (values[-d:] - variance).sqrt()
    return W, mu, variance.sqrt()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_ppca_mle", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("ppca_mle", ppca_mle)

# %% [markdown]
# **Predict:** on the digits, with $d = 10$, EM reaches the closed form's $\log p$. Does it find the same $\mathbf{W}$, yes or no? (The figure also shows a $q$ that may only be a
# Gaussian with a **diagonal** covariance.)

# %% nbgrader={"grade": false, "grade_id": "guess_same", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_same = None  # "yes" or "no"

# %% nbgrader={"grade": false, "grade_id": "ppca_digits", "locked": true, "schema_version": 3, "solution": false, "task": false}
from dgmlib.em import MeanFieldPPCA

digit_pixels = digit_images.double()
start_W = torch.randn(64, 10, generator=torch.Generator().manual_seed(0)).double()
digit_ppca_start = start_W, digit_pixels.mean(dim=0), 1.0
free_fit, free_history = run_em(PPCA(*digit_ppca_start), digit_pixels, 120)
_, restricted_history = run_em(MeanFieldPPCA(*digit_ppca_start), digit_pixels, 120)
closed_fit = PPCA.maximum_likelihood(digit_pixels, 10)
height = closed_fit.log_prob(digit_pixels).mean()
below = {"any q": height - free_history, "diagonal q": height - restricted_history}
plotting.histories(below, label="nats below the maximum", log=True)

gram = (free_fit.W @ free_fit.W.T - closed_fit.W @ closed_fit.W.T).abs().max()
print(f"against the closed form, W is off by {(free_fit.W - closed_fit.W).abs().max():.2f}, W Wᵀ by {gram:.0e}")
guesses.compare("Does EM find the same W?", guess_same, "no", ["yes", "no"])

# %% [markdown]
# No: EM reaches the maximum with another $\mathbf{W}$, for a rotation of the latent space changes $\mathbf{W}$ and not $\mathbf{W}\mathbf{W}^T$. The restricted $q$ lags behind:
# its gap closes only as $\mathbf{W}$ turns, slowly, until the true posterior is diagonal. The model adapts to the $q$ that you allow.
#
# ## 8. Point masses: hard EM
#
# Now forbid uncertainty: $q$ must put all its mass on one value. The E-step is still the argmax of the bound, among fewer $q$. A point mass has no
# entropy, so it maximises $\log p(\mathbf{x}, z = k)$. With equal weights and one shared $\boldsymbol\Sigma_k = \sigma^2\mathbf{I}$ this is k-means (Lloyd 1957).
#
# ### Exercise 7 · `hard_e_step`
# **1 point · ●○○ · 6 minutes**
#
# $$q_{ik} = \begin{cases} 1, & k = \arg\max_l\, \log p(\mathbf{x}_i, z_i = l|\boldsymbol\theta) \\ 0, & \text{else} \end{cases}$$
#
# `hard_e_step(x, weights, means, covariances)`, shapes as in exercise 1. Returns `(n, K)` in the dtype of `x`, a single 1 in each row; at a tie any winner will do.
#
# *Example.* The mixture of exercise 1: $x = 1$ gives $(1, 0)$, $x = 2$ gives $(0, 1)$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# The nearest mean is not always the most probable component: a wide or a heavy one wins from further away.
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `nn.functional.one_hot(k, K)` is an integer tensor; `.to(x.dtype)`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "hard_e_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def hard_e_step(x: Tensor, weights: Tensor, means: Tensor, covariances: Tensor) -> Tensor:
    """One-hot q at the most probable component, for x (n, m): a tensor (n, K)."""
    ### BEGIN SOLUTION
    components = torch.distributions.MultivariateNormal(means, covariances)
    best = (weights.log() + components.log_prob(x[:, None])).argmax(dim=1)
    return nn.functional.one_hot(best, len(weights)).to(x.dtype)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_hard_e_step", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check("hard_e_step", hard_e_step)

# %% [markdown]
# **Predict:** two bumps at $\pm 1.25$ with standard deviation 1 overlap. Will hard EM's two be wider than 1, narrower, or about right?

# %% nbgrader={"grade": false, "grade_id": "guess_width", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_width = None  # "wider", "narrower" or "right"

# %% nbgrader={"grade": false, "grade_id": "hard_against_soft", "locked": true, "schema_version": 3, "solution": false, "task": false}
from dgmlib.em import HardMixture

coins = torch.Generator().manual_seed(0)
sides = 2.5 * torch.randint(2, (4000, 1), generator=coins) - 1.25
overlap = sides + torch.randn(4000, 1, generator=coins)
half_half, unit_variances = torch.ones(2) / 2, torch.ones(2, 1, 1)
soft_fit, _ = run_em(GaussianMixture(half_half, torch.tensor([[-0.5], [0.5]]), unit_variances), overlap, 300)
hard_fit, _ = run_em(HardMixture(half_half, torch.tensor([[-0.5], [0.5]]), unit_variances), overlap, 300)
true_law = GaussianMixture(half_half, torch.tensor([[-1.25], [1.25]]), unit_variances)

laws = {"soft EM": soft_fit, "hard EM": hard_fit, "truth": true_law}
for name, law in laws.items():
    stds = law.covariances[:, 0, 0].sqrt()
    print(f"{name}: means {law.means[0, 0]:.2f} {law.means[1, 0]:.2f}, std {stds[0]:.2f} {stds[1]:.2f}")
overlap_grid = torch.linspace(-5.0, 5.0, 300)
overlap_curves = {name: law.log_prob(overlap_grid[:, None]).exp() for name, law in laws.items()}
plotting.histogram_and_curves(overlap[:, 0], overlap_grid, overlap_curves)
guesses.compare("Hard EM's bumps are?", guess_width, "narrower", ["wider", "narrower", "right"])

# %% [markdown]
# Narrower. Hard EM cuts the data in the middle, and each half loses its tail to the other: the means lie too far apart, the bumps are too narrow.
#
# **Predict:** start hard EM where soft EM ended, at a top of $\log p$. Its bound can only rise. Does $\log p$ rise, stay, or fall?

# %% nbgrader={"grade": false, "grade_id": "guess_rise", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_rise = None  # "rise", "stay" or "fall"

# %% nbgrader={"grade": false, "grade_id": "hard_from_soft", "locked": true, "schema_version": 3, "solution": false, "task": false}
hardened = HardMixture(soft_fit.weights, soft_fit.means, soft_fit.covariances)
hard_bounds, hard_log_probs = [], []
for _ in range(5):
    hard_q, hard_bound = hardened.e_step(overlap)
    hard_bounds.append(hard_bound)
    hard_log_probs.append(hardened.log_prob(overlap).mean())
    hardened = hardened.m_step(overlap, hard_q)
both = {"log p": torch.stack(hard_log_probs), "bound": torch.stack(hard_bounds)}
plotting.histories(both, label="nats per event")
print(f"log p from {hard_log_probs[0]:.4f} to {hard_log_probs[-1]:.4f}")
guesses.compare("Does log p rise, stay or fall?", guess_rise, "fall", ["rise", "stay", "fall"])

# %% [markdown]
# It falls. Look at your three lines of part 1 again: `E-step` needs a $q$ that closes the gap, and a point
# mass cannot. **With a restricted $q$, EM climbs the bound, not the likelihood.**
#
# ## 9. Make a digit morph
#
# Your `ppca_mle` finds 20 latent columns, your `em_mixture` ten clusters among them, and each row walks along one cluster's longest axis.


# %% nbgrader={"grade": false, "grade_id": "mine", "locked": true, "schema_version": 3, "solution": false, "task": false}
def my_morphs():
    W, mu, sigma = ppca_mle(digit_images, 20)
    codes, _ = PPCA(W, mu, sigma).posterior(digit_images)
    mixture = GaussianMixture.kmeans_plus_plus(codes, 10, torch.Generator().manual_seed(4))
    _, means, covariances, history = em_mixture(codes, mixture.weights, mixture.means, mixture.covariances, 60)
    reference = opening_fit.log_prob(digit_codes).mean()
    print(f"your bound {history[-1]:.2f} nats per image; the library's {reference:.2f}")
    own_walks = {f"cluster {k}": walk(means, covariances, k) @ W.T + mu for k in range(10)}
    plotting.image_rows(own_walks)


try:
    my_morphs()
except NotImplementedError:
    print("Not yet: write ppca_mle and em_mixture first.")

# %% nbgrader={"grade": false, "grade_id": "count_guesses", "locked": true, "schema_version": 3, "solution": false, "task": false}
guesses.count()

# %% [markdown]
# A walk is a straight line in $\mathbf{z}$, so a linear decoder can only fade one image into another. A decoder that bends is the subject of the next lecture.
#
# ## Summary
#
# EM maximises one function, $\mathcal{L}_{q,\boldsymbol\theta}$, over two blocks in turn: the E-step makes the bound tight, the M-step raises it, and $\log p$ can only follow.
#
# | what to remember | E-step | M-step | beware |
# |---|---|---|---|
# | EM in general | q = p(z∣x, θ): gap 0 | argmax of the bound over θ | a local maximum, so several starts |
# | mixture | softmax of log p(x, z) | weighted share, mean, covariance | underflow; a spike on one event |
# | PPCA | Gaussian posterior | regression with the spread of z | W up to a rotation |
# | hard EM, k-means | one-hot at the best component | as for labels | biased where clusters overlap |
# | variational EM | the best q of a family | the same | log p may fall, the bound never |
#
# **The whole lecture**, in five lines:
# - forward KL, or maximum likelihood, covers modes and needs $\mathbf{f}$; reverse KL seeks modes and needs $\mathbf{g}$; the flow duality makes one the other in
#   latent space;
# - Bayes' theorem turns a prior and data into a posterior, and MAP is its highest point;
# - a latent variable makes $p(\mathbf{x}|\boldsymbol\theta)$ rich out of simple parts, at the price of an integral that naive sampling cannot pay;
# - the ELBO bounds that integral from below for any $q$, and the gap is a KL;
# - EM maximises the ELBO over $q$ and $\boldsymbol\theta$ in turn, and so climbs the likelihood.
#
# **Where it leads.** Every E-step here was a formula. With a neural network for $p(\mathbf{x}|\mathbf{z}, \boldsymbol\theta)$ there is none: then a second network gives the
# parameters of a diagonal Gaussian $q(\mathbf{z}|\mathbf{x})$, and both are trained on the ELBO by gradients. That is a variational autoencoder.
# One page to read on: Bishop, *Pattern Recognition and Machine Learning*, section 9.4; then Neal and Hinton (1998), *A View of the EM Algorithm*.
