# %% [markdown]
# # The EM-algorithm
#
# **The question.** How do you fit a model whose latent variables nobody has seen, when the bound has two things to move: $q$ and
# $\boldsymbol\theta$?
#
# Afterwards you can
# - say why moving $q$ and $\boldsymbol\theta$ in turn never lowers $\log p(\mathbf{X}|\boldsymbol\theta)$, and when it may after all;
# - write both steps for a mixture of Gaussians, in log space, and repeat them until nothing moves;
# - fit probabilistic PCA by EM and in closed form, and see that they agree;
# - restrict $q$, and say what that costs.
#
# 20 points · 7 exercises · about 120 minutes · Lecture 3, the slides "EM-Algorithm", "EM-Algorithm Illustration", "Summary"
#
# Run the cells from top to bottom. You write where a cell says `raise NotImplementedError`; the check below it is safe to run at
# any time. Nothing later depends on your answers, so you may skip one and come back. Add cells of your own wherever you like.

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
from dgmlib.checks import check

plotting.use_style()
torch.set_num_threads(1)  # for networks this small, more threads only wait for each other

# %% [markdown]
# **Conventions.** Everything here is in nats per sample, a mean over the rows of `x`. An answer keeps its inputs' dtype and device (a new
# tensor: `torch.eye(d, dtype=W.dtype, device=W.device)`), changes none of them, and lets gradients through (exercises 4 and 7 aside).
#
# | lecture | code |
# |---|---|
# | q(z), one for each sample | `responsibilities` of shape `(n, K)`: row i is q over the K values of z, and sums to 1 |
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
# Why not one gradient step after another on $\log p$? Try it on three clusters in the plane:

# %% nbgrader={"grade": false, "grade_id": "gradient_fails", "locked": true, "schema_version": 3, "solution": false, "task": false}
from dgmlib.lvm import PPCA, GaussianMixture

cluster_data, _ = data.clusters(600)
centres = torch.tensor([[-0.5, 0.0], [0.5, 0.0], [0.0, 0.5]])
crowded = GaussianMixture(torch.ones(3) / 3, centres, torch.eye(2).repeat(3, 1, 1))  # where every run below starts

weights = crowded.weights.clone().requires_grad_()
GaussianMixture(weights, crowded.means, crowded.covariances).log_prob(cluster_data).mean().backward()
print(f"weights sum to {(weights + weights.grad).sum():.2f} after a gradient step of size 1")

# %% [markdown]
# These are no weights any more, and nothing keeps a covariance positive definite either. You could write the weights as a softmax and each
# covariance as $\mathbf{L}\mathbf{L}^T$, as in notebook 03, and gradients would work: with a step size to choose, and no promise that a
# step climbs.
#
# EM (Dempster, Laird and Rubin 1977) needs neither. It moves one block at a time, each to its optimum (Neal and Hinton 1998):
#
# - **E-step**, over $q$ at fixed $\boldsymbol\theta^*$: only the KL depends on $q$, and it vanishes at $q^*(\mathbf{z}) = p(\mathbf{z}|\mathbf{x}, \boldsymbol\theta^*)$;
# - **M-step**, over $\boldsymbol\theta$ at fixed $q^*$: $\boldsymbol\theta^* = \arg\max_{\boldsymbol\theta}\mathcal{L}_{q^*, \boldsymbol\theta}(\mathbf{x})$.
#
# To see both, take a model with a single unknown: two bumps on a line, one at $-1.2$, the other at $\theta$. `line_bound(a, b)` is
# $\mathcal{L}_{q,\theta}$ at $\theta = b$ for $q = p(z|x, \theta = a)$.
#
# **Predict:** start at $\theta = -2$. Where does the bound touch $\log p$, and where is the bound's top?

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
steps = [-2.0]
for _ in range(4):
    q = line_log_joint(torch.tensor(steps[-1])).softmax(-1)[:, 1]  # E-step: q(z = right) for each x
    steps.append(((q * line_data).sum() / q.sum()).item())  # M-step: a weighted mean
plotting.bound_climbing(line_bound, torch.linspace(-3.5, 4.0, 151), steps)

# %% [markdown]
# Left, the lecture's illustration: a dot is an E-step, which lifts the bound until it touches $\log p$; a triangle is an M-step,
# which walks to the top of that bound. $\log p$ lies above every bound, so it has risen at least as much. In one line, for a step from
# $\boldsymbol\theta$ to $\boldsymbol\theta'$,
#
# $$\log p(\mathbf{X}|\boldsymbol\theta') \;\ge\; \mathcal{L}_{q^*, \boldsymbol\theta'} \;\ge\; \mathcal{L}_{q^*, \boldsymbol\theta} \;=\; \log p(\mathbf{X}|\boldsymbol\theta):$$
#
# a gap is never negative; the M-step is an argmax; the E-step closed the gap. Right, the same steps seen
# from above: $\mathcal{L}$ is a hill over $(q, \theta)$, and EM climbs it parallel to the axes.
#
# ## 2. The E-step
#
# For a mixture $z$ takes $K$ values, so Bayes' rule is a sum. Written as the formula says, it fails far from all clusters:

# %% nbgrader={"grade": false, "grade_id": "densities_underflow", "locked": true, "schema_version": 3, "solution": false, "task": false}
joint = crowded.log_joint(torch.tensor([[0.5, 0.5], [40.0, 0.0]])).float().exp()
print(joint / joint.sum(dim=1, keepdim=True))


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
# With $q$ fixed, its entropy is a constant, and what is left is a likelihood in which point $i$ counts $q_{ik}$ times for component $k$:
#
# $$\arg\max_{\boldsymbol\theta}\; \sum_{i=1}^n \sum_{k=1}^K q_{ik}\,\log\big(w_k\,\mathcal{N}(\mathbf{x}_i; \boldsymbol\mu_k, \boldsymbol\Sigma_k)\big).$$
#
# If somebody told you the labels, $q$ would hold ones and zeros, and you would take each group's share, mean and covariance. With soft
# $q$ you do the same, weighted. The weights: on $\sum_k w_k = 1$, a Lagrange multiplier $\lambda$ asks for $\sum_i q_{ik}/w_k = \lambda$,
# the same for all $k$, and summing over $k$ gives $\lambda = n$; the function is concave in $w$, so this is the top. Means and covariances: a weighted Gaussian likelihood
# for each $k$, with the usual maximum (Bishop, section 9.2).
#
# A slope that vanishes would not prove a top: a saddle has one too. What an experiment can do is look for a counterexample: does any
# neighbour of the M-step's answer, all its parameters moved a little, reach a higher bound?

# %% nbgrader={"grade": false, "grade_id": "m_step_is_the_top", "locked": true, "schema_version": 3, "solution": false, "task": false}
crowded_q = crowded.posterior(cluster_data)
top = crowded.m_step(cluster_data, crowded_q)


def neighbour(generator, size=0.03):
    shifts = [size * torch.randn(t.shape, generator=generator) for t in (top.weights, top.means, top.covariances)]
    factor = torch.eye(2) + shifts[2]
    weights = torch.softmax(top.weights.log() + shifts[0], dim=0)
    return GaussianMixture(weights, top.means + shifts[1], factor @ top.covariances @ factor.mT)


generator = torch.Generator().manual_seed(0)
around = torch.stack([neighbour(generator).elbo(cluster_data, crowded_q).mean() for _ in range(300)])
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
# An algorithm that claims to climb should be watched. For a mixture, the bound is a finite sum, and holds for **any** $q$:
#
# $$\mathcal{L}_{q,\boldsymbol\theta}(\mathbf{x}_i) = \sum_{k=1}^K q_{ik}\,\big(\log p(\mathbf{x}_i, z_i = k|\boldsymbol\theta) - \log q_{ik}\big).$$
#
# **Predict:** for one cluster model and three choices of $q$ (the posterior, one third each, a random label), which bound is highest?

# %% nbgrader={"grade": false, "grade_id": "three_q", "locked": true, "schema_version": 3, "solution": false, "task": false}
random_labels = torch.randint(3, (600,), generator=torch.Generator().manual_seed(0))
thirds = torch.full_like(crowded_q, 1 / 3)
choices = {"posterior": crowded_q, "one third each": thirds, "random labels": torch.eye(3)[random_labels]}
for name, guess in choices.items():
    print(f"{name}: {crowded.elbo(cluster_data, guess).mean():.3f}")
print(f"log p(x): {crowded.log_prob(cluster_data).mean():.3f}")


# %% [markdown]
# The posterior reaches $\log p(\mathbf{x})$, the others stay below. The labels held zeros: there $q\log q$ is $0$, its limit, but
# `0 * math.log(0)` is an error, and `0 * torch.log(torch.tensor(0.0))` is nan.
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
# Now watch both half steps. After each E and each M: the bound, and $\log p$ at the current parameters.

# %% nbgrader={"grade": false, "grade_id": "half_steps", "locked": true, "schema_version": 3, "solution": false, "task": false}
bounds, log_probs = [], []
current = crowded
for _ in range(6):
    q = current.posterior(cluster_data)
    after_m = current.m_step(cluster_data, q)
    for mixture in (current, after_m):
        bounds.append(mixture.elbo(cluster_data, q).mean())
        log_probs.append(mixture.log_prob(cluster_data).mean())
    current = after_m
plotting.half_steps(torch.stack(bounds), torch.stack(log_probs))


# %% [markdown]
# An E-step closes the gap and leaves $\log p$ alone. An M-step raises the bound; $\log p$ rises further, and a new gap opens, because $q$ is now
# the posterior of old parameters.
#
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
# over the samples, **right after each E-step**.
#
# *Example.* One component, $x = (0, 2)$, start $\mathcal{N}(0, 1)$, $T = 2$: the history is $(-1.919, -1.419)$, the mean 1, the variance 1.
#
# You may call your answers to exercises 1 to 3; if you write their lines again, a slip there costs nothing here.
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
# **Predict:** three round clusters start almost on top of each other, near the centre. Does EM pull them apart, and in how many iterations?

# %% nbgrader={"grade": false, "grade_id": "strip", "locked": true, "schema_version": 3, "solution": false, "task": false}
em_path = [crowded]
for _ in range(40):
    em_path.append(em_path[-1].m_step(cluster_data, em_path[-1].posterior(cluster_data)))
plotting.responsibilities(cluster_data, {f"after {t}" if t else "start": em_path[t] for t in (0, 2, 8, 30)})


# %% [markdown]
# They part, and after eight iterations nothing visible moves. A point's colour is its $q$, mixed from the components' colours: grey at the start, where nobody is responsible, pure at the end. An ellipse
# holds 86 % of its component. Drag through the iterations:

# %% nbgrader={"grade": false, "grade_id": "slider", "locked": true, "schema_version": 3, "solution": false, "task": false}
def draw_iteration(iteration):
    t = round(iteration)
    name = f"after {t}: {em_path[t].log_prob(cluster_data).mean():.3f} nats per sample"
    plotting.responsibilities(cluster_data, {name: em_path[t]})


plotting.sliders(draw_iteration, iteration=(0, 40, 4))

# %% [markdown]
# > **Trap.** The maximum that EM climbs to is a local one, and there is no global one: the likelihood is unbounded. Put a component on a
# > single point and shrink it.

# %% nbgrader={"grade": false, "grade_id": "singular", "locked": true, "schema_version": 3, "solution": false, "task": false}
points = cluster_data.double()
for std in (1e-1, 1e-3, 1e-5):
    means = torch.stack([points[0], points.mean(dim=0)])
    covariances = torch.stack([std**2 * torch.eye(2).double(), torch.cov(points.T)])
    log_p = GaussianMixture(torch.tensor([0.01, 0.99]).double(), means, covariances).log_prob(points)
    print(f"std {std:.0e}: log p {log_p[0]:.1f} at the point under the spike, {log_p.sum():.1f} of all the data")


# %% [markdown]
# Both grow without end. A spike ends a run with a singular covariance: take fewer components, another start, or a prior.
#
# ## 6. Real data: handwritten digits
#
# 1797 images of 8 × 8 pixels. A covariance of 64 pixels, some of them always white, is singular for every cluster, so first take 20 latent
# columns by PPCA. Then, as the lecture says, repeat E and M until convergence:

# %% nbgrader={"grade": false, "grade_id": "until_convergence", "locked": true, "schema_version": 3, "solution": false, "task": false}
def repeat_until_convergence(model, x, tol=1e-4):
    history = []
    while len(history) < 2 or history[-1] - history[-2] > tol:
        q, bound = model.e_step(x)
        model = model.m_step(x, q)
        history.append(bound)
    return model, torch.stack(history)


# %% nbgrader={"grade": false, "grade_id": "digits", "locked": true, "schema_version": 3, "solution": false, "task": false}
digit_images, digit_labels = data.digits()
digit_ppca = PPCA.maximum_likelihood(digit_images, 20)
digit_codes, _ = digit_ppca.posterior(digit_images)


def random_start(seed):
    rows = torch.randperm(len(digit_codes), generator=torch.Generator().manual_seed(seed))[:10]
    return GaussianMixture(torch.ones(10) / 10, digit_codes[rows], torch.cov(digit_codes.T).repeat(10, 1, 1))


digit_starts = [random_start(seed) for seed in range(5)]
digit_fits = [repeat_until_convergence(mixture, digit_codes) for mixture in digit_starts]
plotting.histories({f"start {seed}": history[5:] for seed, (_, history) in enumerate(digit_fits)}, first=5)

# %% [markdown]
# (The first five iterations, far below, are left out.) No curve falls, and they end at different heights: EM finds a maximum near its start.
# So run it several times and keep the highest bound; no labels are needed for that.
#
# **Predict:** what will the ten means look like, and will each be one digit?

# %% nbgrader={"grade": false, "grade_id": "digit_means", "locked": true, "schema_version": 3, "solution": false, "task": false}
best = max(range(5), key=lambda seed: digit_fits[seed][1][-1])
highest, _ = digit_fits[best]
cluster = highest.posterior(digit_codes).argmax(dim=1)
counts = torch.stack([torch.bincount(digit_labels[cluster == k], minlength=10) for k in range(10)])
means = {"start": digit_starts[best].means, "converged": highest.means}
plotting.image_rows({name: mean @ digit_ppca.W.T + digit_ppca.mu for name, mean in means.items()})
first_row = plt.gcf().axes[:10]
for ax, n in zip(first_row, counts, strict=True):
    ax.set_title(f"{n.argmax()}: {n.max() / n.sum():.0%}", fontsize=9)
share = counts.max(dim=1).values.sum() / len(digit_labels)
print(f"{share:.0%} of the images carry their cluster's most frequent label")

# %% [markdown]
# Above each column: the most frequent label in that cluster, and its share. Ten single images became ten averages, most of them one digit,
# found without a label. Not all: a blurred mean with a low share is home to several digits. The bound asks for dense clouds, not for names.
#
# ## 7. A continuous latent: PPCA
#
# The recipe does not care what $\mathbf{z}$ is. For $p(\mathbf{x}|\mathbf{z}) = \mathcal{N}(\mathbf{W}\mathbf{z} + \boldsymbol\mu, \sigma^2\mathbf{I})$ the E-step is the Gaussian posterior that
# you know from `02_latent_variable_models`; with $\mathbf{M} = \mathbf{W}^T\mathbf{W} + \sigma^2\mathbf{I}$,
#
# $$\mathbb{E}\,\mathbf{z}_i = \mathbf{M}^{-1}\mathbf{W}^T(\mathbf{x}_i - \boldsymbol\mu), \qquad \mathbf{S} = \operatorname{Cov}(\mathbf{z}_i) = \sigma^2\mathbf{M}^{-1},$$
#
# and the M-step is a regression of $\mathbf{x}$ on a $\mathbf{z}$ that is known only up to $q$. Forget that it is uncertain, and the noise comes out too small:

# %% nbgrader={"grade": false, "grade_id": "forgetting_spread", "locked": true, "schema_version": 3, "solution": false, "task": false}
truth = PPCA(torch.tensor([[2.0], [1.0], [0.0]]), torch.zeros(3), 1.0)
sample, _ = truth.sample(5000, generator=torch.Generator().manual_seed(0))
q_mean, q_cov = truth.posterior(sample)
residual = (sample - q_mean @ truth.W.T).square().mean()
spread = (truth.W @ q_cov @ truth.W.T).trace() / 3
print(f"sigma² is 1; with E z for z: {residual:.2f}, with its spread: {residual + spread:.2f}")


# %% [markdown]
# ### Exercise 5 · `ppca_em_step`
# **3 points · ●●● · 15 minutes**
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
# <details><summary>Hint 1: a nudge</summary>
#
# Rows are samples: $\sum_i \mathbb{E}\mathbf{z}_i\mathbb{E}\mathbf{z}_i^T$ is `z.T @ z`, and $\mathbf{S}$ counts $n$ times.
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
# **Predict:** the latent axis of a PPCA with $d = 1$ starts across an elongated cloud. What does it do?

# %% nbgrader={"grade": false, "grade_id": "latent_axes", "locked": true, "schema_version": 3, "solution": false, "task": false}
from dgmlib.em import em

cloud = data.correlated_gaussian(300, correlation=0.8) * torch.tensor([1.3, 0.8])
across = PPCA(torch.tensor([[0.3], [-0.6]]), cloud.mean(dim=0), 1.0)
fits = {"start": across} | {f"after {t}": em(across, cloud, t)[0] for t in (2, 6)}
plotting.latent_axes(cloud, fits | {"closed form": PPCA.maximum_likelihood(cloud, 1)})


# %% [markdown]
# It shrinks, turns, and grows along the cloud; grey threads tie points to their reconstruction $\mathbf{W}\,\mathbb{E}\mathbf{z} + \boldsymbol\mu$. The last panel is
# no iteration at all. For PPCA the maximum is known (Tipping and Bishop 1999, whose appendix has the proof; here you check it against EM),
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
# **Predict:** on the digits, with $d = 10$: does EM reach the closed form's $\log p$? Does it find the same $\mathbf{W}$? And what if $q$ may only be a
# Gaussian with a **diagonal** covariance?

# %% nbgrader={"grade": false, "grade_id": "ppca_digits", "locked": true, "schema_version": 3, "solution": false, "task": false}
from dgmlib.em import MeanFieldPPCA, em

pixels = data.digits()[0].double()
W = torch.randn(64, 10, generator=torch.Generator().manual_seed(0)).double()
fit, free = em(PPCA(W, pixels.mean(dim=0), 1.0), pixels, 120)
_, restricted = em(MeanFieldPPCA(W, pixels.mean(dim=0), 1.0), pixels, 120)
closed = PPCA.maximum_likelihood(pixels, 10)
below = {"any q": closed.log_prob(pixels).mean() - free}
below["diagonal q"] = closed.log_prob(pixels).mean() - restricted
plotting.histories(below, label="nats below the maximum", log=True)

gram = (fit.W @ fit.W.T - closed.W @ closed.W.T).abs().max()
print(f"against the closed form, W is off by {(fit.W - closed.W).abs().max():.2f}, W Wᵀ by {gram:.0e}")


# %% [markdown]
# EM reaches the maximum with another $\mathbf{W}$: a rotation of the latent space changes $\mathbf{W}$ and not $\mathbf{W}\mathbf{W}^T$. The restricted $q$ still
# climbs, and lags: its gap closes only as $\mathbf{W}$ turns, slowly, until the true posterior is diagonal. (What climbs for certain is its
# bound; the next section shows a $\log p$ that falls.) The model adapts to the $q$ that you allow.
#
# ## 8. Point masses: hard EM
#
# Now forbid uncertainty: $q$ must put all its mass on one value. The E-step is still the argmax of the bound, among fewer $q$. A point mass has no
# entropy, so it maximises $\log p(\mathbf{x}, z = k)$.
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
# With equal weights and one shared $\boldsymbol\Sigma_k = \sigma^2\mathbf{I}$ this is k-means.
#
# **Predict:** two bumps at $\pm 1.25$ with standard deviation 1 overlap. Where does hard EM put their means, and how wide are they?

# %% nbgrader={"grade": false, "grade_id": "hard_against_soft", "locked": true, "schema_version": 3, "solution": false, "task": false}
from dgmlib.em import HardMixture, em

generator = torch.Generator().manual_seed(0)
sides = 2.5 * torch.randint(2, (4000, 1), generator=generator) - 1.25
overlap = sides + torch.randn(4000, 1, generator=generator)
start = torch.ones(2) / 2, torch.tensor([[-0.5], [0.5]]), torch.ones(2, 1, 1)
grid = torch.linspace(-5.0, 5.0, 300)
soft_fit, soft_history = em(GaussianMixture(*start), overlap, 300)
hard_fit, hard_history = em(HardMixture(*start), overlap, 300)
for name, fit, history in (("soft EM", soft_fit, soft_history), ("hard EM", hard_fit, hard_history)):
    means, stds = fit.means[:, 0], fit.covariances[:, 0, 0].sqrt()
    numbers = f"means {means[0]:.2f} {means[1]:.2f}, std {stds[0]:.2f} {stds[1]:.2f}"
    print(f"{name}: {numbers}, bound {history[-1]:.2f}")
truth = GaussianMixture(torch.ones(2) / 2, torch.tensor([[-1.25], [1.25]]), torch.ones(2, 1, 1))
laws = {"soft EM": soft_fit, "hard EM": hard_fit, "truth": truth}
curves = {name: law.log_prob(grid[:, None]).exp() for name, law in laws.items()}
plotting.histogram_and_curves(overlap[:, 0], grid, curves)


# %% [markdown]
# Hard EM cuts the data in the middle, and each half lost its tail to the other: its means lie too far apart, its bumps are too narrow. Its bound
# climbs as well, to a place below.
#
# **Predict:** start hard EM where soft EM ended, at a top of $\log p$. The bound can only rise. And $\log p$?

# %% nbgrader={"grade": false, "grade_id": "hard_from_soft", "locked": true, "schema_version": 3, "solution": false, "task": false}
hardened = HardMixture(soft_fit.weights, soft_fit.means, soft_fit.covariances)
for t in range(4):
    q, best_bound = hardened.e_step(overlap)
    print(f"after {t} M-steps: bound {best_bound:.4f}, log p {hardened.log_prob(overlap).mean():.4f}")
    hardened = hardened.m_step(overlap, q)


# %% [markdown]
# The bound rises, and $\log p$ falls. Read the one-line proof of part 1 again: its last step needs an E-step that closes the gap, and a point
# mass cannot. **With a restricted $q$, EM climbs the bound, not the likelihood.**
#
# **Your own EM.** The loop again, with your steps; it runs once exercises 1 to 3 are written, and should reach the library's number.

# %% nbgrader={"grade": false, "grade_id": "mine", "locked": true, "schema_version": 3, "solution": false, "task": false}
def my_em():
    current, history = (crowded.weights, crowded.means, crowded.covariances), []
    for _ in range(30):
        q = e_step(cluster_data, *current)
        history.append(mixture_elbo(cluster_data, q, *current))
        current = m_step(cluster_data, q)
    name = f"yours: {history[-1]:.3f} nats per sample; the library's: {em_path[29].log_prob(cluster_data).mean():.3f}"
    plotting.responsibilities(cluster_data, {name: GaussianMixture(*current)})


try:
    my_em()
except NotImplementedError:
    print("Not yet: write e_step, m_step and mixture_elbo first.")

# %% [markdown]
# ## Summary
#
# EM maximises one function, $\mathcal{L}_{q,\boldsymbol\theta}$, over two blocks in turn: the E-step makes the bound tight, the M-step raises it, and $\log p$ can only follow.
#
# | what to remember | E-step | M-step | beware |
# |---|---|---|---|
# | EM in general | q = p(z∣x, θ): gap 0 | argmax of the bound over θ | a local maximum, so several starts |
# | mixture | responsibilities, softmax of log p(x, z) | weighted share, mean, covariance | underflow; a spike on one point |
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
# - EM maximises the ELBO over $q$ and $\boldsymbol\theta$ in turn, and so climbs the likelihood, towards a local maximum.
#
# **Where it leads.** Every E-step here was a formula. With a neural network for $p(\mathbf{x}|\mathbf{z}, \boldsymbol\theta)$ there is none: then a second network gives the
# parameters of a diagonal Gaussian $q(\mathbf{z}|\mathbf{x})$, and both are trained on the ELBO by gradients. That is a variational autoencoder.
# To read on: Bishop, *Pattern Recognition and Machine Learning*, chapter 9.
