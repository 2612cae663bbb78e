# %% [markdown]
# # The variational lower bound
#
# **The question.** When the integral over $\mathbf{z}$ is out of reach, how close to $\log p(\mathbf{x})$ can you come from below, and which $q$ takes you there?
#
# Afterwards you can
# - turn Jensen's inequality into the ELBO, and estimate it from samples of $q$;
# - say exactly what the bound lacks, and prove it;
# - write the ELBO as reconstruction minus KL, in closed form for probabilistic PCA;
# - fit $q$ by maximising the ELBO, and predict what a restricted $q$ costs;
# - tighten the bound with more samples.
#
# 15 points · 8 exercises · about 125 minutes · Lecture 3, the slides "ELBO Derivation I", "ELBO Derivation II" and "Variational Evidence Lower Bound (ELBO)"
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
# **Why care.** A model explains the 64 pixels of a digit by two hidden numbers. Which? Below a cloud of guesses, $q$ (rings), climbs a bound by gradient steps until it
# sits on the answer (blue), which it was never told. The same bound trains every variational autoencoder.

# %% nbgrader={"grade": false, "grade_id": "opening_picture", "locked": true, "schema_version": 3, "solution": false, "task": false}
import dgmlib.elbo
from dgmlib.lvm import PPCA, naive_log_likelihood

digit_images, _ = data.digits()
digit_plane = PPCA.maximum_likelihood(digit_images, 2)
first_digit = digit_images[:1]  # a 0


def climb(steps):
    centre, log_std = torch.zeros(1, 2, requires_grad=True), torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.Adam([centre, log_std], lr=0.1)
    theta = digit_plane.W, digit_plane.mu, digit_plane.sigma
    for _ in range(steps):
        bound = dgmlib.elbo.ppca_elbo(first_digit, *theta, centre, torch.diag((2 * log_std).exp()))
        optimizer.zero_grad()
        (-bound.sum()).backward()
        optimizer.step()
    return centre[0].detach(), torch.diag((2 * log_std).exp()).detach()


true_posterior = torch.distributions.MultivariateNormal(*digit_plane.posterior(first_digit))
plotting.gaussians_over(true_posterior.log_prob, {f"after {t} steps": climb(t) for t in (0, 10, 100)})

# %% [markdown]
# **Conventions.** $q(\mathbf{z})$ is any density over the latent space, chosen by you. $K$ counts samples of $q$; they stand on the first axis,
# so `log_q`, of shape `(K, n)`, holds $\log q(\mathbf{z}_k)$ for each $k$ and each row of `x`. The bound is $\mathcal{L}_{q,\boldsymbol\theta}(\mathbf{x})$ on the slides, `elbo` in code.
# An answer keeps the dtype and the device of its inputs, and is differentiable with respect to them: make a new tensor from one that you were
# given, such as `torch.eye(d, dtype=W.dtype, device=W.device)`.
#
# ## 1. Sample where it matters
#
# The last notebook drew $\mathbf{z}$ from the prior, and starved. Here it is again: PPCA with $d = 8$, where the truth is known.

# %% nbgrader={"grade": false, "grade_id": "naive_fails", "locked": true, "schema_version": 3, "solution": false, "task": false}
ppca8_draws = torch.Generator().manual_seed(8)
ppca8 = PPCA(1.5 * torch.linalg.qr(torch.randn(20, 8, generator=ppca8_draws)).Q, torch.zeros(20), 0.5)
ppca8_x, _ = ppca8.sample(1, generator=ppca8_draws)
ppca8_log_p = ppca8.log_prob(ppca8_x).item()


def naive_estimate(K):
    z = torch.randn(K, 8, generator=ppca8_draws)
    return naive_log_likelihood(ppca8_x, z, lambda x, z: ppca8.log_likelihood(x, z[:, None])).item()


print(f"log p(x) = {ppca8_log_p:.2f}, naive estimate with K = 1000: {naive_estimate(1000):.2f}")


# %% [markdown]
# Draw $\mathbf{z}$ from a $q$ that knows $\mathbf{x}$ instead. Multiply and divide by $q$, so that the integral becomes an expectation over $q$, and move the log inside. It is
# concave, so by Jensen's inequality the mean of logs is at most the log of the mean:
#
# $$\log p(\mathbf{x}|\boldsymbol\theta) = \log\mathbb{E}_q\left[\frac{p(\mathbf{x}, \mathbf{z}|\boldsymbol\theta)}{q(\mathbf{z})}\right]
# \;\ge\; \mathbb{E}_q\log\frac{p(\mathbf{x}, \mathbf{z}|\boldsymbol\theta)}{q(\mathbf{z})} = \mathcal{L}_{q,\boldsymbol\theta}(\mathbf{x}).$$
#
# The equality needs a $q$ that is positive wherever $p(\mathbf{x}, \mathbf{z})$ is; a $q$ that misses a part turns it into another $\ge$,
# and the bound holds all the same.
#
# For the naive estimate Jensen's inequality was a nuisance. Here it is a promise: whatever $q$ you choose, $\mathcal{L}$ stays below
# $\log p(\mathbf{x})$, the *evidence*. It is the **evidence lower bound**, ELBO (Jordan et al. 1999).
#
# ### Exercise 1 · `elbo_from_joint`
# **1 point · ●○○ · 5 minutes**
#
# $$\mathcal{L}_{q,\boldsymbol\theta}(\mathbf{x}) \approx \frac1K\sum_{k=1}^K\big[\log p(\mathbf{x}, \mathbf{z}_k|\boldsymbol\theta) - \log q(\mathbf{z}_k)\big], \qquad \mathbf{z}_k\sim q$$
#
# `elbo_from_joint(log_joint, log_q)`: both `(K, n)`, at samples of $q$. Returns `(n,)`.
#
# *Example.* $K = 2$, one $\mathbf{x}$: `log_joint` $= (-3, -4)$, `log_q` $= (-1, -1.5)$ gives $\tfrac12(-2 - 2.5) = -2.25$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# The samples come from $q$ already, so they need no weights. Is it the mean of logs, or the log of a mean?
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `.mean(dim=0)` of a difference.
# </details>


# %% nbgrader={"grade": false, "grade_id": "elbo_from_joint", "locked": false, "schema_version": 3, "solution": true, "task": false}
def elbo_from_joint(log_joint: Tensor, log_q: Tensor) -> Tensor:
    """Monte-Carlo E_q log p(x, z)/q(z), for log_joint, log_q (K, n): a tensor (n,)."""
    ### BEGIN SOLUTION
    return (log_joint - log_q).mean(dim=0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_elbo_from_joint", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check("elbo_from_joint", elbo_from_joint)

# %% [markdown]
# For now, borrow a $q$: the posterior of PPCA, moved and widened until it is wrong.
#
# **Predict:** with more samples the naive estimates climb towards $\log p(\mathbf{x})$. Will the ELBO's, yes or no?

# %% nbgrader={"grade": false, "grade_id": "guess_elbo", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_elbo = None  # "yes" or "no"

# %% nbgrader={"grade": false, "grade_id": "against_naive", "locked": true, "schema_version": 3, "solution": false, "task": false}
ppca8_mean, ppca8_cov = ppca8.posterior(ppca8_x)
borrowed_q = torch.distributions.MultivariateNormal(0.9 * ppca8_mean[0], 1.5 * ppca8_cov)
sample_counts = [1, 10, 100, 1000, 10_000]


def sample_borrowed_q(K):
    return borrowed_q.mean + torch.randn(K, 1, 8, generator=ppca8_draws) @ borrowed_q.scale_tril.mT


elbo_of, whose_elbo = yours("elbo_from_joint", dgmlib.elbo.elbo_from_joint)


def elbo_estimate(K):
    z = sample_borrowed_q(K)
    return elbo_of(ppca8.log_joint(ppca8_x, z), borrowed_q.log_prob(z)).item()


def hundred_times(estimate):
    ppca8_draws.manual_seed(0)  # every estimate sees the same draws
    return torch.tensor([[estimate(K) for K in sample_counts] for _ in range(100)])


two_estimates = {
    "naive: z from the prior": hundred_times(naive_estimate),
    f"ELBO, {whose_elbo}: z from q": hundred_times(elbo_estimate),
}
plotting.samples_needed(sample_counts, two_estimates, ppca8_log_p, lowest=-27)
limit = two_estimates[f"ELBO, {whose_elbo}: z from q"][:, -1].mean()
print(f"log p(x) {ppca8_log_p:.2f}, the ELBO of this q {limit:.2f}: {ppca8_log_p - limit:.2f} nats too low")
guesses.compare("With more samples, does the ELBO reach log p(x)?", guess_elbo, "no", ["yes", "no"])

# %% [markdown]
# No. Lines are means of 100 repetitions, bands their middle 80 %. The ELBO's estimates are unbiased **for the ELBO**: more samples only make
# them agree, on a number that is too low. Ten samples of $q$ still tell you more than a thousand of the prior.
#
# ## 2. What the bound lacks
#
# Where did the missing nats go? Put $p(\mathbf{x}, \mathbf{z}) = p(\mathbf{z}|\mathbf{x})\,p(\mathbf{x})$ into the ELBO, and out comes
#
# $$\log p(\mathbf{x}|\boldsymbol\theta) = \mathcal{L}_{q,\boldsymbol\theta}(\mathbf{x}) + \operatorname{KL}\big(q(\mathbf{z})\,\|\,p(\mathbf{z}|\mathbf{x}, \boldsymbol\theta)\big).$$
#
# The **gap** is a KL, so it is never negative, and zero for one $q$ only: the posterior. $q$ draws, so this is the *reverse* KL of notebook 01.
#
# To see it, take the smallest PPCA: $m = d = 1$, $W = \sigma = 1$, $\mu = 0$, and one observation, $x = 2$. Its posterior is
# $\mathcal{N}(1, \tfrac12)$. This toy serves all PPCA examples below.
#
# **Predict:** which bound is higher: that of the prior as $q$, or that of a wide $q$, which has the right mean, and twice the prior's width?

# %% nbgrader={"grade": false, "grade_id": "guess_wide", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_wide = None  # "prior" or "wide"

# %% nbgrader={"grade": false, "grade_id": "bars", "locked": true, "schema_version": 3, "solution": false, "task": false}
toy_ppca = PPCA(torch.ones(1, 1), torch.zeros(1), 1.0)
toy_x = torch.tensor([2.0])
toy_log_p = toy_ppca.log_prob(toy_x).item()


def toy_elbo(mean, std):
    mean, std = torch.broadcast_tensors(torch.as_tensor(mean), torch.as_tensor(std))
    theta = toy_ppca.W, toy_ppca.mu, toy_ppca.sigma
    return dgmlib.elbo.ppca_elbo(toy_x, *theta, mean[..., None], std[..., None, None] ** 2)


# each q by its mean and standard deviation
toy_q = {"prior": (0.0, 1.0), "shifted": (2.0, 0.7), "narrow": (1.0, 0.2), "wide": (1.0, 2.0)}
toy_q["posterior"] = 1.0, math.sqrt(0.5)
plotting.elbo_and_gap({name: toy_elbo(*moments).item() for name, moments in toy_q.items()}, toy_log_p)
guesses.compare("Which q has the higher bound?", guess_wide, "prior", ["prior", "wide"])

# %% [markdown]
# Every bar ends at the same height: what $q$ loses in the ELBO it finds in the gap, and $\log p(x)$ does not care about $q$. The prior beats the wide $q$, in spite of its wrong mean: a wide $q$ draws where the posterior has almost no density, and each such draw is expensive.
#
# ### Exercise 2 · `variational_gap`
# **2 points · ●●○ · 15 minutes**
#
# For PPCA the posterior is Gaussian, $p(\mathbf{z}|\mathbf{x}) = \mathcal{N}(\mathbf{a}, \mathbf{S})$ with $\mathbf{M} = \mathbf{W}^T\mathbf{W} + \sigma^2\mathbf{I}$,
# $\mathbf{a} = \mathbf{M}^{-1}\mathbf{W}^T(\mathbf{x} - \boldsymbol\mu)$ and $\mathbf{S} = \sigma^2\mathbf{M}^{-1}$. For $q = \mathcal{N}(\boldsymbol\nu, \mathbf{V})$
#
# $$\operatorname{KL}(q\,\|\,p(\mathbf{z}|\mathbf{x})) = \tfrac12\Big[\operatorname{tr}(\mathbf{S}^{-1}\mathbf{V}) + (\boldsymbol\nu - \mathbf{a})^T\mathbf{S}^{-1}(\boldsymbol\nu - \mathbf{a}) - d
# + \log\det\mathbf{S} - \log\det\mathbf{V}\Big].$$
#
# `variational_gap(x, W, mu, sigma, q_mean, q_cov)`: `(n, m)`, `(m, d)`, `(m,)`, `()`; `q_mean` `(n, d)` is $\boldsymbol\nu$ for each row, `q_cov` `(d, d)` is $\mathbf{V}$ for all, a full
# covariance. Returns `(n,)`. It must hold for any $q$, and where determinants underflow.
#
# *Example.* The toy and $q = \mathcal{N}(0, 1)$: $\tfrac12[2 + 2 - 1 + \log\tfrac12] = 1.153$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# You need $\mathbf{S}^{-1}$ more often than $\mathbf{S}$, and it is cheaper: $\mathbf{S}^{-1} = \mathbf{M}/\sigma^2$. What is $\log\det\mathbf{S}$ in its terms?
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# The distances of all rows: `((q_mean - a) @ P * (q_mean - a)).sum(dim=1)`, with `P = M / sigma**2`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "variational_gap", "locked": false, "schema_version": 3, "solution": true, "task": false}
def variational_gap(x: Tensor, W: Tensor, mu: Tensor, sigma: Tensor, q_mean: Tensor, q_cov: Tensor) -> Tensor:
    """KL(q || p(z|x)), for x (n, m), W (m, d), q_mean (n, d), q_cov (d, d): a tensor (n,)."""
    ### BEGIN SOLUTION
    d = W.shape[1]
    precision = W.T @ W / sigma**2 + torch.eye(d, dtype=W.dtype, device=W.device)
    mean = torch.linalg.solve(precision, W.T @ (x - mu).T / sigma**2).T
    delta = q_mean - mean
    distance = (delta @ precision * delta).sum(dim=1)
    log_dets = torch.linalg.slogdet(precision).logabsdet + torch.linalg.slogdet(q_cov).logabsdet
    return 0.5 * ((precision * q_cov).sum() + distance - d - log_dets)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_variational_gap", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("variational_gap", variational_gap)


# %% [markdown]
# The bars made the decomposition plausible, for one model. It holds for any model and any $q$. **The steps first:** from $\mathcal{L}_{q,\boldsymbol\theta}(\mathbf{x})$ four lines
# lead to the claim. Put them in order, each with the rule that makes it from the line before: `definition`, `product rule`, or `no z` (what holds no $\mathbf{z}$ is its own expectation).
#
# - A: $\log p(\mathbf{x}) + \mathbb{E}_q[\log p(\mathbf{z}|\mathbf{x}) - \log q(\mathbf{z})]$
# - B: $\mathbb{E}_q[\log p(\mathbf{x}, \mathbf{z}) - \log q(\mathbf{z})]$
# - C: $\log p(\mathbf{x}) - \operatorname{KL}(q(\mathbf{z})\,\|\,p(\mathbf{z}|\mathbf{x}))$
# - D: $\mathbb{E}_q[\log p(\mathbf{z}|\mathbf{x}) + \log p(\mathbf{x}) - \log q(\mathbf{z})]$

# %% nbgrader={"grade": false, "grade_id": "decomposition_steps", "locked": false, "schema_version": 3, "solution": false, "task": false}
decomposition_steps = None  # a text of four lines, each a letter and its rule, such as """X definition"""

# %% nbgrader={"grade": false, "grade_id": "try_decomposition_steps", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("decomposition_steps", decomposition_steps)

# %% [markdown]
# ### Exercise 3 · `decomposition_proof`
# **1 point · ●○○ · 10 minutes · written, read by a person**
#
# Let $q$ be a density that is positive only where $p(\mathbf{z}|\mathbf{x}, \boldsymbol\theta)$ is (else the ELBO is $-\infty$ and the KL $\infty$). Show that
#
# $$\log p(\mathbf{x}|\boldsymbol\theta) = \mathcal{L}_{q,\boldsymbol\theta}(\mathbf{x}) + \operatorname{KL}\big(q(\mathbf{z})\,\|\,p(\mathbf{z}|\mathbf{x}, \boldsymbol\theta)\big),$$
#
# and conclude for which $q$ the bound is equal to $\log p(\mathbf{x}|\boldsymbol\theta)$. Say at each step what you used. Three to six lines; LaTeX between dollar signs works in
# the cell below, plain words do too. Jensen's inequality is not needed.
#
# <details><summary>Hint 1: a nudge</summary>
#
# Start from the ELBO's definition. The joint density has two factorisations: which one holds the posterior?
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# One of the two logarithms that you get does not depend on $\mathbf{z}$. What is its expectation over $q$?
# </details>

# %% [markdown] nbgrader={"grade": true, "grade_id": "decomposition_proof", "locked": false, "points": 1, "schema_version": 3, "solution": true, "task": false}
# **Model answer.** By the product rule $p(\mathbf{x}, \mathbf{z}|\boldsymbol\theta) = p(\mathbf{z}|\mathbf{x}, \boldsymbol\theta)\,p(\mathbf{x}|\boldsymbol\theta)$. In the ELBO's definition, the log of a
# product being a sum, and expectations being linear:
#
# $$\mathcal{L}_{q,\boldsymbol\theta}(\mathbf{x}) = \mathbb{E}_q\log\frac{p(\mathbf{z}|\mathbf{x}, \boldsymbol\theta)\,p(\mathbf{x}|\boldsymbol\theta)}{q(\mathbf{z})}
# = \mathbb{E}_q\log p(\mathbf{x}|\boldsymbol\theta) + \mathbb{E}_q\log\frac{p(\mathbf{z}|\mathbf{x}, \boldsymbol\theta)}{q(\mathbf{z})}.$$
#
# The first term holds no $\mathbf{z}$, and $\int q(\mathbf{z})\,d\mathbf{z} = 1$: it is $\log p(\mathbf{x}|\boldsymbol\theta)$. The second is $-\operatorname{KL}(q(\mathbf{z})\,\|\,p(\mathbf{z}|\mathbf{x}, \boldsymbol\theta))$ by the
# definition of KL. Rearranged, this is the claim. The KL is zero exactly for $q = p(\mathbf{z}|\mathbf{x}, \boldsymbol\theta)$ (almost everywhere): there, and only there, the bound is tight.
#
# **Rubric** (1 point)
#
# | points | for |
# |---|---|
# | 0.25 | the product rule with the posterior, put into the ELBO |
# | 0.25 | the logarithm split, and log p(x) taken out of the expectation with its reason (no z in it, q integrates to 1) |
# | 0.25 | the remaining term recognised as minus the KL, with its arguments in the right order |
# | 0.25 | equality exactly at the posterior, because a KL is zero only for equal densities |
#
# Starting from the right side, or from log p(x) = E_q log p(x), is as good. Jensen's inequality alone proves the bound but not the equality: 0.25. A missing θ costs nothing.

# %% [markdown]
# ## 3. Reconstruct, but stay near the prior
#
# The gap needs the posterior, which you seldom have. The ELBO needs only $p(\mathbf{x}|\mathbf{z})\,p(\mathbf{z})$ and $q$. Factorise the joint the other way:
#
# $$\mathcal{L}_{q,\boldsymbol\theta}(\mathbf{x}) = \mathbb{E}_q\log p(\mathbf{x}|\mathbf{z}, \boldsymbol\theta) - \operatorname{KL}\big(q(\mathbf{z})\,\|\,p(\mathbf{z})\big).$$
#
# The first term rewards a $q$ whose $\mathbf{z}$ explain $\mathbf{x}$; the second charges for leaving the prior.
#
# > **Trap.** There are two KLs now: $\operatorname{KL}(q\|p(\mathbf{z}))$ stands *inside* the ELBO, $\operatorname{KL}(q\|p(\mathbf{z}|\mathbf{x}))$ is what the ELBO *lacks*.
#
# When $q$ and the prior are Gaussian, the charge has a closed form. A network that puts out $q$ gives the *logarithm of its variances*: then any real number is allowed.
#
# ### Exercise 4 · `kl_to_standard_normal`
# **2 points · ●○○ · 8 minutes**
#
# $$\operatorname{KL}\big(\mathcal{N}(\boldsymbol\nu, \operatorname{diag}\mathbf{v})\,\|\,\mathcal{N}(0, \mathbf{I})\big) = \tfrac12\sum_{j=1}^d\big(v_j - 1 - \log v_j + \nu_j^2\big)$$
#
# `kl_to_standard_normal(mean, log_var)`: $\boldsymbol\nu$ and $\log\mathbf{v}$, both `(n, d)`, a $q$ for each row. Returns `(n,)`.
#
# *Example.* $\boldsymbol\nu = (1, 0)$, $\mathbf{v} = (1, 4)$: $\tfrac12[(1 - 1 - 0 + 1) + (4 - 1 - 1.386 + 0)] = 1.307$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# `log_var` is $\log\sigma^2$, not $\log\sigma$. Where does it enter as it is, where through `exp`?
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `log_var.exp() - 1 - log_var + mean**2`, summed over the columns.
# </details>


# %% nbgrader={"grade": false, "grade_id": "kl_to_standard_normal", "locked": false, "schema_version": 3, "solution": true, "task": false}
def kl_to_standard_normal(mean: Tensor, log_var: Tensor) -> Tensor:
    """KL(N(mean, diag exp log_var) || N(0, I)), for mean, log_var (n, d): a tensor (n,)."""
    ### BEGIN SOLUTION
    return 0.5 * (log_var.exp() - 1 - log_var + mean**2).sum(dim=1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_kl_to_standard_normal", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("kl_to_standard_normal", kl_to_standard_normal)


# %% [markdown]
# ### Exercise 5 · `elbo_from_kl`
# **1 point · ●○○ · 4 minutes**
#
# $$\mathcal{L}_{q,\boldsymbol\theta}(\mathbf{x}) \approx \frac1K\sum_{k=1}^K\log p(\mathbf{x}|\mathbf{z}_k, \boldsymbol\theta) - \operatorname{KL}\big(q(\mathbf{z})\,\|\,p(\mathbf{z})\big)$$
#
# `elbo_from_kl(log_likelihood, kl)`: `(K, n)` at samples of $q$, and the exact KL to the prior, `(n,)`. Returns `(n,)`.
#
# *Example.* One $\mathbf{x}$, `log_likelihood` $= (-3, -4)$, `kl` $= 0.5$: $-3.5 - 0.5 = -4$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# Only the first term is sampled, over the first axis; the KL is there once, not $K$ times.
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `log_likelihood.mean(dim=0)`, and a minus.
# </details>


# %% nbgrader={"grade": false, "grade_id": "elbo_from_kl", "locked": false, "schema_version": 3, "solution": true, "task": false}
def elbo_from_kl(log_likelihood: Tensor, kl: Tensor) -> Tensor:
    """E_q log p(x|z) - KL(q || p(z)), for log_likelihood (K, n) and kl (n,): a tensor (n,)."""
    ### BEGIN SOLUTION
    return log_likelihood.mean(dim=0) - kl
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_elbo_from_kl", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check("elbo_from_kl", elbo_from_kl)

# %% [markdown]
# Two estimators of one number. The second computes a part of it exactly.
#
# **Predict:** is it always the less noisy one, yes or no? Think of $q$ = prior, of $q$ = posterior, and of any other.

# %% nbgrader={"grade": false, "grade_id": "guess_noise", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_noise = None  # "yes" or "no"

# %% nbgrader={"grade": false, "grade_id": "noise", "locked": true, "schema_version": 3, "solution": false, "task": false}
toy_draws = torch.Generator().manual_seed(0)
for name, (mean, std) in toy_q.items():
    z = mean + std * torch.randn(10, 5000, 1, generator=toy_draws)  # 5000 estimates of 10 samples each
    log_q = torch.distributions.Normal(mean, std).log_prob(z)[..., 0]
    joint = dgmlib.elbo.elbo_from_joint(toy_ppca.log_joint(toy_x, z), log_q)
    kl = dgmlib.elbo.kl_to_standard_normal(torch.tensor([[mean]]), torch.tensor([[2 * math.log(std)]]))
    split = dgmlib.elbo.elbo_from_kl(toy_ppca.log_likelihood(toy_x, z), kl)
    print(f"q = {name:9}: std of the joint form {joint.std():.3f}, of the KL form {split.std():.3f} nats")
guesses.compare("Is the KL form always the less noisy one?", guess_noise, "no", ["yes", "no"])

# %% [markdown]
# Often, not always. For the shifted, the narrow and the wide $q$ the KL form wins. At the prior the two are the same sum, and
# tie. All $q$ at once: for the toy both forms average a parabola in $z$, whose variance has a formula.


# %% nbgrader={"grade": false, "grade_id": "noise_everywhere", "locked": true, "schema_version": 3, "solution": false, "task": false}
def parabola_std(a, b, mean, std):  # of a z² + b z, for z from N(mean, std²)
    return (2 * (a * std**2) ** 2 + ((2 * a * mean + b) * std) ** 2).sqrt()


q_means, q_stds = torch.linspace(-1, 3, 161), torch.linspace(0.1, 2.2, 169)
q_std = q_stds[:, None]
joint_noise = parabola_std(1 / (2 * q_std**2) - 1, 2 - q_means / q_std**2, q_means, q_std)  # of log p(x, z) - log q(z)
split_noise = parabola_std(torch.tensor(-0.5), 2.0, q_means, q_std)  # of log p(x|z)
plotting.noise_map(q_means, q_stds, joint_noise, split_noise, toy_q)

# %% [markdown]
# Around the posterior lies a valley where the joint form wins. At the posterior $\log p(x, z) - \log q(z) = \log p(x)$ for **every** $z$, and no noise is left at all.
#
# For PPCA even the first term needs no samples. $\mathbf{x} - \boldsymbol\mu - \mathbf{W}\mathbf{z}$ is Gaussian under $q$, and the mean of its square has two parts: how far the centre misses, and how far $\mathbf{z}$ scatters.
#
# ### Exercise 6 · `ppca_elbo`
# **3 points · ●●● · 15 minutes**
#
# $$\mathbb{E}_q\log p(\mathbf{x}|\mathbf{z}) = -\frac{m}{2}\log(2\pi\sigma^2) - \frac{\lVert\mathbf{x} - \boldsymbol\mu - \mathbf{W}\boldsymbol\nu\rVert^2 + \operatorname{tr}(\mathbf{W}\mathbf{V}\mathbf{W}^T)}{2\sigma^2}$$
#
# $$\operatorname{KL}(q\,\|\,p(\mathbf{z})) = \tfrac12\big[\operatorname{tr}\mathbf{V} + \lVert\boldsymbol\nu\rVert^2 - d - \log\det\mathbf{V}\big]$$
#
# `ppca_elbo(x, W, mu, sigma, q_mean, q_cov)`: shapes as in exercise 2, with $q = \mathcal{N}(\boldsymbol\nu, \mathbf{V})$. Returns `(n,)`, their difference, without sampling. Powers and determinants underflow here too.
#
# *Example.* The toy and $q = \mathcal{N}(0, 1)$: $-0.919 - \tfrac12(4 + 1) - 0 = -3.419$. With exercise 2's gap, $1.153$, this is $\log p(x) = -2.266$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# Compute both lines apart. `q_cov` has off-diagonal entries, and both a trace with $\mathbf{W}$ and a log-determinant see them.
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `((W @ q_cov) * W).sum()` is the trace without an $m\times m$ matrix; `torch.linalg.slogdet(q_cov).logabsdet`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ppca_elbo", "locked": false, "schema_version": 3, "solution": true, "task": false}
def ppca_elbo(x: Tensor, W: Tensor, mu: Tensor, sigma: Tensor, q_mean: Tensor, q_cov: Tensor) -> Tensor:
    """E_q log p(x|z) - KL(q || p(z)), for x (n, m), q_mean (n, d), q_cov (d, d): a tensor (n,)."""
    ### BEGIN SOLUTION
    m, d = W.shape
    misses = (x - mu - q_mean @ W.T).square().sum(dim=1) + ((W @ q_cov) * W).sum()
    log_likelihood = -0.5 * m * torch.log(2 * math.pi * sigma**2) - misses / (2 * sigma**2)
    log_det = torch.linalg.slogdet(q_cov).logabsdet
    kl = 0.5 * (q_cov.trace() + q_mean.square().sum(dim=1) - d - log_det)
    return log_likelihood - kl
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_ppca_elbo", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("ppca_elbo", ppca_elbo)

# %% [markdown]
# **Find the bug.** For the toy, somebody has written the ELBO in numbers. A gap below 0 cannot be, so one line is not what its comment says:


# %% nbgrader={"grade": false, "grade_id": "too_good", "locked": true, "schema_version": 3, "solution": false, "task": false}
def suspicious_elbo(mean, std):
    square = (2 - mean) ** 2  # line 1: the mean of (x - z)² over q
    log_likelihood = -0.5 * math.log(2 * math.pi) - square / 2  # line 2: the mean of log p(x|z) over q
    kl = 0.5 * (std**2 - 1 - math.log(std**2) + mean**2)  # line 3: KL(q‖p(z))
    return log_likelihood - kl  # line 4: the ELBO


for name, moments in toy_q.items():
    print(f"q = {name:9}: log p(x) minus this ELBO {toy_log_p - suspicious_elbo(*moments):6.3f} nats")

# %% nbgrader={"grade": false, "grade_id": "negative_gap", "locked": false, "schema_version": 3, "solution": false, "task": false}
negative_gap = None  # the number of the wrong line

# %% nbgrader={"grade": false, "grade_id": "try_negative_gap", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("negative_gap", negative_gap)

# %% [markdown]
# ## 4. The best q is the posterior
#
# $\log p(\mathbf{x})$ does not move with $q$. So whatever raises the ELBO lowers the gap by as much:
#
# $$\arg\max_q\mathcal{L}_{q,\boldsymbol\theta}(\mathbf{x}) = \arg\min_q\operatorname{KL}\big(q(\mathbf{z})\,\|\,p(\mathbf{z}|\mathbf{x}, \boldsymbol\theta)\big).$$
#
# A search for the posterior that never evaluates the posterior. Drag $q$ until the gap is gone:

# %% nbgrader={"grade": false, "grade_id": "drag", "locked": true, "schema_version": 3, "solution": false, "task": false}
toy_line = torch.linspace(-3, 4, 301)


def toy_density(mean, std):
    return torch.distributions.Normal(mean, std).log_prob(toy_line).exp()


def draw_toy_q(mean, std):
    densities = toy_density(*toy_q["prior"]), toy_density(*toy_q["posterior"]), toy_density(mean, std)
    plotting.q_against_posterior(toy_line, *densities, toy_elbo(mean, std).item(), toy_log_p, lowest=-6.5)


plotting.sliders(draw_toy_q, mean=(-1.0, 3.0, 2.0), std=(0.2, 2.2, 1.2))

# %% [markdown]
# All of it at once: the ELBO over every mean and every standard deviation of $q$. Nothing here was told the posterior, $\mathcal{N}(1, 0.71^2)$:

# %% nbgrader={"grade": false, "grade_id": "surface", "locked": true, "schema_version": 3, "solution": false, "task": false}
marks = {name: toy_q[name] for name in ("prior", "shifted", "narrow", "wide")}
plotting.elbo_surface(q_means, q_stds, toy_elbo(q_means, q_std), toy_log_p, marks)


# %% [markdown]
# One hill, and its top, the star, sits at the posterior. Towards $\text{std} \to 0$ the bound falls without end: the entropy of $q$ goes to $-\infty$. That term is what keeps $q$ from shrinking to the best single $\mathbf{z}$, the MAP.
#
# In more dimensions you climb the hill with an optimiser. It needs no formula for the posterior, only $\log p(\mathbf{x}, \mathbf{z})$ as a function of $\mathbf{z}$: so it works for any model whose two factors you can write down.
#
# ### Exercise 7 · `fit_posterior`
# **3 points · ●●● · 25 minutes**
#
# $$\max_{\boldsymbol\nu,\,\mathbf{V}}\;\mathbb{E}_{\mathbf{z}\sim\mathcal{N}(\boldsymbol\nu,\mathbf{V})}\log p(\mathbf{x}, \mathbf{z}) + \tfrac12\log\det\mathbf{V} \qquad(+\text{ a constant: the second term is the entropy of } q)$$
#
# `fit_posterior(log_joint, q_mean, q_cov, num_steps)` returns `(q_mean, q_cov)`, `(d,)` and `(d, d)`, of the best $q = \mathcal{N}(\boldsymbol\nu, \mathbf{V})$: a full covariance, symmetric and positive definite, in the dtype it was given.
# `log_joint(z)` takes `(S, d)` and returns `(S,)`: $\log p(\mathbf{x}, \mathbf{z})$ of one event up to a constant, differentiable in `z`. The $q$ to start from is `q_mean`, `q_cov`. With `num_steps = 2000` the ELBO must come within 0.1 nats of the best Gaussian's. The check tries
# a correlated posterior, and a skewed one for which there is no formula. Any optimiser will do; one that needs no `num_steps` may ignore it.
#
# *Example.* The toy: with `log_joint = lambda z: -(2 - z[:, 0])**2 / 2 - z[:, 0]**2 / 2`, a start at `torch.zeros(1)` and `torch.eye(1)`: `q_mean` about $1$, `q_cov` about $0.5$.
#
# The check takes a few seconds.
#
# <details><summary>Hint 1: a nudge</summary>
#
# Average `log_joint` over samples that depend on $q$: $\mathbf{z} = \boldsymbol\nu + \mathbf{L}\boldsymbol\varepsilon$ with $\mathbf{V} = \mathbf{L}\mathbf{L}^T$ and $\boldsymbol\varepsilon\sim\mathcal{N}(\mathbf{0}, \mathbf{I})$, the LOTUS trick of notebook 01. An optimiser knows nothing of "positive definite", so
# train the lower triangular $\mathbf{L}$; and $\tfrac12\log\det\mathbf{V} = \sum_j\log|L_{jj}|$.
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `root = torch.linalg.cholesky(q_cov).requires_grad_()`; in each step `L = root.tril()`, 16 rows of `noise` as wide as `q_mean`, then
# `loss = -(log_joint(mean + noise @ L.T).mean() + L.diagonal().abs().log().sum())`. Adam with `lr=0.02` comes close; a step size that falls to 0 (`CosineAnnealingLR`) settles. Return `.detach()`ed tensors.
# </details>


# %% nbgrader={"grade": false, "grade_id": "fit_posterior", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fit_posterior(log_joint, q_mean: Tensor, q_cov: Tensor, num_steps: int) -> tuple[Tensor, Tensor]:
    """The Gaussian q that maximises E_q[log_joint(z)] + entropy of q: its mean (d,) and covariance (d, d)."""
    ### BEGIN SOLUTION
    mean, root = q_mean.clone().requires_grad_(), torch.linalg.cholesky(q_cov).requires_grad_()
    optimizer = torch.optim.Adam([mean, root], lr=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, num_steps)
    for _ in range(num_steps):
        L = root.tril()  # q_cov = L Lᵀ, half of its log det is Σ log|L_jj|
        noise = torch.randn(16, len(mean), dtype=mean.dtype, device=mean.device)
        elbo = log_joint(mean + noise @ L.T).mean() + L.diagonal().abs().log().sum()
        optimizer.zero_grad()
        (-elbo).backward()
        optimizer.step()
        schedule.step()
    L = root.detach().tril()
    return mean.detach(), L @ L.T
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_fit_posterior", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("fit_posterior", fit_posterior)

# %% [markdown]
# Large models cannot afford a full $\mathbf{V}$, and make it diagonal: the **mean-field** $q$. On a posterior with correlation:
#
# **Predict:** which widths does the best diagonal $q$ choose: the same as the posterior's shadows on the axes, wider, or narrower?

# %% nbgrader={"grade": false, "grade_id": "guess_shadows", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_shadows = None  # "same", "wider" or "narrower"

# %% nbgrader={"grade": false, "grade_id": "mean_field", "locked": true, "schema_version": 3, "solution": false, "task": false}
turn = torch.linalg.qr(torch.tensor([[1.0, 1.0], [-1.0, 1.2]])).Q
plane = PPCA(turn @ torch.diag(torch.tensor([0.8, 4.0])) @ turn.T, torch.zeros(2), 1.0)
event = torch.tensor([[1.0, 1.5]])
plane_mean, plane_cov = plane.posterior(event)
diagonal = torch.diag(1 / torch.linalg.inv(plane_cov).diagonal())  # the best one, in closed form
prior = torch.zeros(2), torch.eye(2)
gap_of, whose_gap = yours("variational_gap", dgmlib.elbo.variational_gap)
print(f"variational_gap: {whose_gap}")
fits = {"the prior": prior, "best diagonal q": (plane_mean[0], diagonal), "best q": (plane_mean[0], plane_cov)}
for name, (m, V) in fits.items():
    gap = gap_of(event, plane.W, plane.mu, plane.sigma, m[None], V).item()
    print(f"{name}: std {V[0, 0].sqrt():.2f} along each axis, gap {gap:.2f} nats")
plotting.gaussians_over(torch.distributions.MultivariateNormal(plane_mean[0], plane_cov).log_prob, fits, extent=2.6)
guesses.compare(
    "Against the shadows, the best diagonal q is?", guess_shadows, "narrower", ["same", "wider", "narrower"]
)

# %% [markdown]
# Narrower (the rings lie at 1 and 2 standard deviations). $q$ draws, and every draw off the ridge is expensive: the reverse KL again, which would rather miss mass than waste it. The mean is right, the uncertainty is not, and
# no amount of training closes that gap.
#
# ## 5. More samples, a tighter bound
#
# If $q$ is stuck, let several samples share one logarithm (Burda et al. 2015). With weights $w_k = p(\mathbf{x}, \mathbf{z}_k)/q(\mathbf{z}_k)$, whose mean is unbiased for $p(\mathbf{x})$:
#
# ### Exercise 8 · `importance_weighted_bound`
# **2 points · ●●○ · 8 minutes**
#
# $$\log\frac1K\sum_{k=1}^K\frac{p(\mathbf{x}, \mathbf{z}_k|\boldsymbol\theta)}{q(\mathbf{z}_k)} \;\ge\; \frac1K\sum_{k=1}^K\log\frac{p(\mathbf{x}, \mathbf{z}_k|\boldsymbol\theta)}{q(\mathbf{z}_k)}$$
#
# `importance_weighted_bound(log_joint, log_q)`: both `(K, n)`, at samples of $q$. Returns `(n,)`, the left side. Densities and weights under- and overflow, by different amounts in different columns and rows.
#
# *Example.* The numbers of exercise 1: $\log\tfrac12(e^{-2} + e^{-2.5}) = -2.219$, above the ELBO's $-2.25$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# For $q = p(\mathbf{z})$ this is the naive estimate of notebook 02. What kept that one from underflowing?
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `torch.logsumexp(log_joint - log_q, dim=0)`, and the $\tfrac1K$.
# </details>


# %% nbgrader={"grade": false, "grade_id": "importance_weighted_bound", "locked": false, "schema_version": 3, "solution": true, "task": false}
def importance_weighted_bound(log_joint: Tensor, log_q: Tensor) -> Tensor:
    """log of the mean of p(x, z_k)/q(z_k), for log_joint, log_q (K, n): a tensor (n,)."""
    ### BEGIN SOLUTION
    return torch.logsumexp(log_joint - log_q, dim=0) - math.log(len(log_joint))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_importance_weighted_bound", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("importance_weighted_bound", importance_weighted_bound)


# %% [markdown]
# Back to $d = 8$ and the wrong $q$ of section 1.
#
# **Predict:** where does the new curve start, at $K = 1$: at the naive estimate, at the ELBO, or at $\log p(\mathbf{x})$? And where does it end?

# %% nbgrader={"grade": false, "grade_id": "guess_first", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_first = None  # "naive", "ELBO" or "log p"

# %% nbgrader={"grade": false, "grade_id": "climb", "locked": true, "schema_version": 3, "solution": false, "task": false}
weighted_of, whose_weighted = yours("importance_weighted_bound", dgmlib.elbo.importance_weighted_bound)


def weighted_estimate(K):
    z = sample_borrowed_q(K)
    return weighted_of(ppca8.log_joint(ppca8_x, z), borrowed_q.log_prob(z)).item()


three_estimates = two_estimates | {f"weighted, {whose_weighted}: z from q": hundred_times(weighted_estimate)}
plotting.samples_needed(sample_counts, three_estimates, ppca8_log_p, lowest=-27)
guesses.compare("At K = 1 the new curve starts at?", guess_first, "ELBO", ["naive", "ELBO", "log p"])

# %% [markdown]
# At $K = 1$ it is the ELBO, for the mean of one number is that number. From there it climbs to $\log p(\mathbf{x})$, and how fast depends on $q$. The naive estimate is the same bound with the prior as its $q$: a hundred samples of a decent $q$ do what ten thousand of the prior cannot.
#
# ## 6. Move θ as well
#
# So far $\boldsymbol\theta$ was given. But the ELBO is a function of both, and since $\log p \ge \mathcal{L}$, raising it pushes the likelihood up from below:
#
# $$\max_{\boldsymbol\theta}\,\log p(\mathbf{X}|\boldsymbol\theta) \quad\to\quad \max_{q,\,\boldsymbol\theta}\;\sum_{i=1}^n\mathcal{L}_{q_i,\boldsymbol\theta}(\mathbf{x}_i).$$
#
# 1500 digits of 64 pixels, PPCA with $d = 8$. One linear map $\mathbf{A}$ turns any $\mathbf{x}$ into its $\boldsymbol\nu$, so new images need no new fit: a variational autoencoder (Kingma and Welling 2013) without the networks.
#
# **Predict:** the loss never sees $\log p(\mathbf{x})$. Can it reach the maximum of the likelihood, yes or no?

# %% nbgrader={"grade": false, "grade_id": "guess_maximum", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_maximum = None  # "yes" or "no"

# %% nbgrader={"grade": false, "grade_id": "train", "locked": true, "schema_version": 3, "solution": false, "task": false}
images = digit_images[:1500]
bound_of, whose_bound = yours("ppca_elbo", dgmlib.elbo.ppca_elbo)
W = 0.1 * torch.randn(64, 8, generator=torch.Generator().manual_seed(0))
mu, log_sigma = images.mean(0), torch.tensor(-1.0)  # with W, the model's parameters
A, root = torch.zeros(64, 8), torch.eye(8)  # those of q
parameters = [p.requires_grad_() for p in (W, mu, log_sigma, A, root)]
optimizer = torch.optim.Adam(parameters, lr=0.03)
training_bounds, training_log_p = [], []
for _ in range(170):
    L = root.tril()
    bound = bound_of(images, W, mu, log_sigma.exp(), (images - mu) @ A, L @ L.T).mean()
    training_bounds.append(bound.item())
    training_log_p.append(PPCA(W, mu, log_sigma.exp()).log_prob(images).mean().item())
    optimizer.zero_grad()
    (-bound).backward()
    optimizer.step()
highest_log_p = PPCA.maximum_likelihood(images, 8).log_prob(images).mean().item()
print(
    f"ELBO, {whose_bound}, {training_bounds[-1]:.2f}, log p {training_log_p[-1]:.2f}, maximum {highest_log_p:.2f} nats per image"
)

# %% nbgrader={"grade": false, "grade_id": "train_figure", "locked": true, "schema_version": 3, "solution": false, "task": false}
plotting.bound_and_evidence(torch.tensor(training_bounds), torch.tensor(training_log_p), best=highest_log_p)
guesses.compare("Can it reach the maximum of the likelihood?", guess_maximum, "yes", ["yes", "no"])

# %% [markdown]
# It can, because this $q$ can become the posterior: then the bound is tight. On the way there it is not (right): at every step $\boldsymbol\theta$ moves, the posterior moves with it, and $q$ runs behind.
# (Log-densities above 0 again: pixels between 0 and 1 whose noise is small.)
#
# **Your own bound.** Your closed form, your gap and your fit, on a fresh model; it runs once exercises 2, 6 and 7 are written.


# %% nbgrader={"grade": false, "grade_id": "mine", "locked": true, "schema_version": 3, "solution": false, "task": false}
def my_bound():
    torch.manual_seed(3)
    model = PPCA(torch.randn(5, 2), torch.randn(5), 0.7)
    x, _ = model.sample(3)
    theta = model.W, model.mu, model.sigma
    q_mean, q_cov = fit_posterior(lambda z: model.log_joint(x[0], z), torch.zeros(2), torch.eye(2), 2000)
    other_mean, other_cov = torch.zeros(3, 2), 2 * q_cov
    missing = model.log_prob(x[:1]) - ppca_elbo(x[:1], *theta, q_mean[None], q_cov)
    total = ppca_elbo(x, *theta, other_mean, other_cov) + variational_gap(x, *theta, other_mean, other_cov)
    print(
        f"the bound of your fit to the first event lacks {missing.item():.4f} nats; below 0.01 is as good as the posterior"
    )
    print(
        f"another q, your ELBO + gap - log p(x): {(total - model.log_prob(x)).abs().max():.0e} nats; 0 but for rounding"
    )


try:
    my_bound()
except NotImplementedError:
    print("Not yet: write exercises 2, 6 and 7 first.")

# %% nbgrader={"grade": false, "grade_id": "count_guesses", "locked": true, "schema_version": 3, "solution": false, "task": false}
guesses.count()

# %% [markdown]
# ## Summary
#
# Choose a $q$, and Jensen's inequality gives a lower bound on $\log p(\mathbf{x})$ that holds for every $q$ and lacks exactly $\operatorname{KL}(q\,\|\,p(\mathbf{z}|\mathbf{x}))$. Raising the bound over $q$ finds the posterior; raising it over
# $\boldsymbol\theta$ fits the model.
#
# | what to remember | formula | good for | beware |
# |---|---|---|---|
# | ELBO, joint form | E_q[log p(x, z) − log q(z)] | any model that you can evaluate | mean of logs; keep −log q, the entropy |
# | ELBO, KL form | E_q log p(x∣z) − KL(q‖p(z)) | training autoencoders | this KL is not the gap |
# | gap | KL(q‖p(z∣x)) = log p(x) − ELBO | knowing what you lost | the reverse KL: q comes out too narrow |
# | closed form, PPCA | residual + tr(WVWᵀ), over 2σ² | no sampling noise | average over q, not at its mean |
# | importance weighting | log of the mean weight | a tighter bound, same q | logsumexp over samples; − log K |
#
# **Where it leads.** Here Adam moved $q$ and $\boldsymbol\theta$ together, with a step size, and $q$ ran behind. But at fixed $\boldsymbol\theta$ you know the best $q$: the posterior; and at fixed $q$ the best $\boldsymbol\theta$ is often one
# formula. The next notebook, `04_em_algorithm`, moves them in turn. To read on: Blei et al., *Variational Inference: A Review for Statisticians* (2017),
# section 2.
