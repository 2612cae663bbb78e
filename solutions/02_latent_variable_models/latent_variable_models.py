# %% [markdown]
# # Latent variable models
#
# **The question.** What do you gain by explaining data with variables that nobody observed, and what does it cost to average over them?
#
# Afterwards you can
# - turn a prior and data into a posterior: on a grid, in closed form, or by its mode;
# - say what a prior does to a fit, and why MAP is ridge regression;
# - write the density of a mixture and of probabilistic PCA, sample both, and infer $\mathbf{z}$ from $\mathbf{x}$;
# - estimate $\log p(\mathbf{x})$ by sampling $\mathbf{z}$, and say why that dies as $\mathbf{z}$ gets wider.
#
# 20 points · 8 exercises · about 120 minutes · Lecture 3, the slides "Bayesian Framework", "Latent Variable Models (LVM)", "MLE for LVM"
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
# **Why care.** The lower half of each image below was erased. The model had never seen these digits; it guessed 32 hidden numbers
# from the upper half, and painted the rest from them. What nobody observed
# can be inferred. At the end you repeat this with your own function.

# %% nbgrader={"grade": false, "grade_id": "opening_picture", "locked": true, "schema_version": 3, "solution": false, "task": false}
from dgmlib.lvm import PPCA

digit_images, digit_labels = data.digits()
train_images, test_images = digit_images.split([1500, 297])
digit_model = PPCA.maximum_likelihood(train_images, 32)
seen_pixels = torch.arange(64) < 32  # the upper half


def fill_in(posterior, images):
    rows_seen = digit_model.W[seen_pixels], digit_model.mu[seen_pixels], digit_model.sigma
    codes, _ = posterior(images[:, seen_pixels], *rows_seen)
    return torch.where(seen_pixels, images, codes @ digit_model.W.T + digit_model.mu)


def library_posterior(x, W, mu, sigma):
    return PPCA(W, mu, sigma).posterior(x)


erased = torch.where(seen_pixels, test_images[:10], torch.nan)
filled = fill_in(library_posterior, test_images[:10])
plotting.image_rows({"seen": erased, "filled in": filled, "truth": test_images[:10]})

# %% [markdown]
# **Conventions**, new ones only:
#
# | lecture | code |
# |---|---|
# | latent z, one for each event | `z` of shape `(n, d)`: $d$ columns, usually fewer than the $m$ of `x` |
# | likelihood, prior, evidence | their logarithms: `log_likelihood`, `log_prior`, `log_evidence` |
# | the weights $\pi_k$ of a mixture | `weights`, written $w_k$ here, since $\pi$ is the law of the data |
#
# Scalars such as `sigma` and `noise_std` are tensors of shape `()`; the library takes floats as well. An answer keeps the dtype and the
# device of its inputs: make a new tensor from one that you were given, for instance `torch.eye(d, dtype=W.dtype, device=W.device)` or
# `torch.randn(n, m, dtype=means.dtype, device=means.device)`.
#
# ## 1. Unknowns are random too
#
# A flow's $\mathbf{z}$ is as wide as $\mathbf{x}$, and $\mathbf{f}$ hands it to you. A narrow $\mathbf{z}$ has to be guessed from $\mathbf{x}$, as Bayes (1763) guessed a single
# unknown number. A coin shows heads with probability $\theta$:

# %% nbgrader={"grade": false, "grade_id": "mle_fails", "locked": true, "schema_version": 3, "solution": false, "task": false}
three_flips = torch.ones(3)  # 1 is heads
print(f"maximum likelihood: θ = {three_flips.mean():.2f}, so tails have probability {1 - three_flips.mean():.2f}")

# %% [markdown]
# After three heads, maximum likelihood rules tails out for ever. It returns one number, and doesn't say how sure it is. So treat $\theta$ as random:
# start from a **prior** $p(\theta)$, what you believe before you see data, and let the **likelihood** $p(\mathbf{X}|\theta)$ reweigh it:
#
# $$p(\theta|\mathbf{X}) = \frac{p(\mathbf{X}|\theta)\,p(\theta)}{p(\mathbf{X})}, \qquad p(\mathbf{X}) = \int p(\mathbf{X}|\theta)\,p(\theta)\,d\theta.$$
#
# The result is the **posterior**; the integral is the **evidence**. With one unknown, the integral is a sum over a grid, times the grid's step:

# %% nbgrader={"grade": false, "grade_id": "grid_by_hand", "locked": true, "schema_version": 3, "solution": false, "task": false}
coin_step = 0.001
coin_grid = torch.arange(coin_step / 2, 1, coin_step)
coin_log_prior = math.log(140) + 3 * coin_grid.log() + 3 * (1 - coin_grid).log()  # Beta(4, 4): about 1/2

coin_joint = coin_log_prior.exp() * coin_grid**3  # prior times likelihood of three heads
coin_evidence = coin_joint.sum() * coin_step
coin_mean = (coin_grid * coin_joint / coin_evidence).sum() * coin_step
print(f"three heads: evidence {coin_evidence:.3f}, posterior mean of θ {coin_mean:.3f}")

many_flips = 1400 * coin_grid.log() + 600 * (1 - coin_grid).log()  # log-likelihood of 2000 flips
print("2000 flips: evidence", ((coin_log_prior + many_flips).exp().sum() * coin_step).item())


# %% [markdown]
# Three heads move the mean from 0.5 to 0.64, and tails stay possible. But 2000 flips break the code: the largest likelihood is about $e^{-1222}$, which no float
# holds, so the evidence is 0 and the posterior 0/0. The logarithm, $-1222$, is an ordinary number. Work with logarithms.
#
# ### Exercise 1 · `grid_posterior`
# **3 points · ●●○ · 12 minutes**
#
# $$p(\theta_g|\mathbf{X}) = \frac{p(\mathbf{X}|\theta_g)\,p(\theta_g)}{p(\mathbf{X})}, \qquad
# p(\mathbf{X}) \approx \sum_{g=1}^G p(\mathbf{X}|\theta_g)\,p(\theta_g)\cdot\text{step}$$
#
# `grid_posterior(log_prior, log_likelihood, step)`: both `(G,)`, on a uniform grid; `step` is a Python number. Returns
# `(posterior_density, log_evidence)`, `(G,)` and `()`. All points have the same weight, also the first and the last. Take the prior as given, even where it does not integrate to 1. Log-likelihoods of
# $-10^4$ must work, and so must a prior that is tiny where the likelihood is large.
#
# *Example.* `log_prior` $= (0, 0)$, `log_likelihood` $= (0, \log 3)$, step $0.5$: the evidence is $(1 + 3)\cdot 0.5 = 2$, its logarithm $0.693$; the
# density is $(0.5,\; 1.5)$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# Add logarithms first. Which function computes the log of a sum of exponentials safely? Exponentiate only the final difference.
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `torch.logsumexp(log_joint, dim=0) + math.log(step)`
# </details>


# %% nbgrader={"grade": false, "grade_id": "grid_posterior", "locked": false, "schema_version": 3, "solution": true, "task": false}
def grid_posterior(log_prior: Tensor, log_likelihood: Tensor, step: float) -> tuple[Tensor, Tensor]:
    """p(θ|X) and log p(X) on a grid, for log_prior, log_likelihood (G,): tensors (G,) and ()."""
    ### BEGIN SOLUTION
    log_joint = log_prior + log_likelihood
    log_evidence = torch.logsumexp(log_joint, dim=0) + math.log(step)
    return torch.exp(log_joint - log_evidence), log_evidence
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_grid_posterior", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("grid_posterior", grid_posterior)

# %% [markdown]
# Now flip a coin with $\theta = 0.7$.
#
# **Predict:** from 30 to 300 flips, how many times narrower does the posterior become: about 2, 3 or 10?

# %% nbgrader={"grade": false, "grade_id": "guess_narrower", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_narrower = None  # 2, 3 or 10

# %% nbgrader={"grade": false, "grade_id": "updates", "locked": true, "schema_version": 3, "solution": false, "task": false}
from dgmlib import bayes

posterior_of, whose_grid = yours("grid_posterior", bayes.grid_posterior)
coin = torch.rand(300, generator=torch.Generator().manual_seed(2)) < 0.7
updates = {}
for n in (3, 30, 300):
    coin_heads = int(coin[:n].sum())
    coin_log_likelihood = coin_heads * coin_grid.log() + (n - coin_heads) * (1 - coin_grid).log()
    coin_posterior, _ = posterior_of(coin_log_prior, coin_log_likelihood, coin_step)
    updates[f"n = {n}, {coin_heads} heads"] = (coin_log_likelihood, coin_posterior)
    weight = coin_posterior * coin_step
    spread = (weight @ coin_grid**2 - (weight @ coin_grid) ** 2).sqrt()
    print(f"n = {n}: the posterior's standard deviation is {spread:.3f}")
plotting.bayes_updates(coin_grid, coin_log_prior.exp(), updates, truth=0.7)
print(f"grid_posterior: {whose_grid}")
guesses.compare("From 30 to 300 flips, how many times narrower, about?", guess_narrower, 3, [2, 3, 10])

# %% [markdown]
# About 3 times, for widths shrink like $1/\sqrt n$ (each panel has its own scale). With three flips the posterior is a compromise,
# with 300 it lies on the likelihood.
#
# ## 2. A posterior in closed form
#
# With $d$ unknowns, a grid of 100 points a side has $100^d$ points: hopeless beyond four or so. But for some pairs of prior and likelihood the
# product has the prior's form again, and no integral is left. Such a prior is called **conjugate** (Raiffa and Schlaifer 1961). The coin's Beta prior is one: every
# head adds 1 to its first number, every tail 1 to its second. The other pair to know: repeated measurements $x_i = \theta + \text{noise}$, and
# a normal prior,
#
# $$p(x_i|\theta) = \mathcal{N}(\theta, \sigma^2), \qquad p(\theta) = \mathcal{N}(\mu_0, \tau^2).$$
#
# The log of their product is a parabola in $\theta$, so the posterior is normal. Its **precision** (one over the variance) and its mean are
#
# $$\frac{1}{s^2} = \frac{1}{\tau^2} + \frac{n}{\sigma^2}, \qquad
# \hat\theta = s^2\left(\frac{\mu_0}{\tau^2} + \frac{\sum_i x_i}{\sigma^2}\right).$$
#
# Precisions add up, and the mean weighs each source by its precision.
#
# ### Exercise 2 · `gaussian_mean_posterior`
# **2 points · ●○○ · 8 minutes**
#
# $$p(\theta|\mathbf{X}) = \mathcal{N}(\hat\theta, s^2), \text{ with } \hat\theta \text{ and } s \text{ as above}$$
#
# `gaussian_mean_posterior(x, noise_std, prior_mean, prior_std)`: `x` is `(n,)`; the others are $\sigma$, $\mu_0$, $\tau$, of shape `()`. Returns
# `(mean, std)`, both `()`: $\hat\theta$ and $s$.
#
# *Example.* $\mathbf{x} = (2, 4)$, $\sigma = \tau = 1$, $\mu_0 = 0$: the precision is $1 + 2 = 3$, so `mean` $= 6/3 = 2$ and `std` $= 0.577$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# Compute the precision first. The log-likelihood is a sum of $n$ squares: each adds $1/\sigma^2$.
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `precision = 1 / prior_std**2 + len(x) / noise_std**2`; the std is its inverse square root.
# </details>


# %% nbgrader={"grade": false, "grade_id": "gaussian_mean_posterior", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gaussian_mean_posterior(
    x: Tensor, noise_std: Tensor, prior_mean: Tensor, prior_std: Tensor
) -> tuple[Tensor, Tensor]:
    """(mean, std) of p(θ|X) = N(mean, std²), for x (n,): two tensors ()."""
    ### BEGIN SOLUTION
    precision = 1 / prior_std**2 + len(x) / noise_std**2
    mean = (prior_mean / prior_std**2 + x.sum() / noise_std**2) / precision
    return mean, precision**-0.5
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_gaussian_mean_posterior", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("gaussian_mean_posterior", gaussian_mean_posterior)

# %% [markdown]
# A prior in the wrong place: $\mathcal{N}(0, 1)$, while the truth is $\theta = 3$ and $\sigma = 2$.
#
# **Predict:** after how many observations do prior and data weigh the same: 1, 4 or 16?

# %% nbgrader={"grade": false, "grade_id": "guess_observations", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_observations = None  # 1, 4 or 16

# %% nbgrader={"grade": false, "grade_id": "narrowing", "locked": true, "schema_version": 3, "solution": false, "task": false}
measurements = 3 + 2 * torch.randn(1000, generator=torch.Generator().manual_seed(0))
averages = measurements.cumsum(0) / torch.arange(1, 1001)
scales = torch.tensor(2.0), torch.tensor(0.0), torch.tensor(1.0)  # noise_std, prior_mean, prior_std
mean_posterior, whose_mean = yours("gaussian_mean_posterior", bayes.gaussian_mean_posterior)
moments = [torch.stack(mean_posterior(measurements[:n], *scales)) for n in range(1001)]
plotting.narrowing_posterior(*torch.stack(moments, dim=1), averages, truth=3.0, even=4)
print(f"gaussian_mean_posterior: {whose_mean}")
guesses.compare("After how many observations do both weigh the same?", guess_observations, 4, [1, 4, 16])

# %% [markdown]
# After $\sigma^2/\tau^2 = 4$: that many observations are what the prior is worth. There the posterior mean is half-way between 0 and the average of the data
# (this sample began low). On the left the band leaves the truth out: a confident prior in the wrong place costs data.
#
# ## 3. MAP: keep only the peak
#
# Often even the posterior is too much to compute, and its highest point has to do, the **maximum a posteriori** (MAP) estimate:
#
# $$\boldsymbol\theta^* = \arg\max_{\boldsymbol\theta}\big(\log p(\mathbf{X}|\boldsymbol\theta) + \log p(\boldsymbol\theta)\big).$$
#
# The evidence does not depend on $\boldsymbol\theta$ and drops out. Without a prior this is maximum likelihood. Look at that first: ten points, ten coefficients.


# %% nbgrader={"grade": false, "grade_id": "overfit", "locked": true, "schema_version": 3, "solution": false, "task": false}
def powers(x):
    return x[:, None] ** torch.arange(10)


sine_x = torch.linspace(-1, 1, 10, dtype=torch.float64)
sine_noise = torch.randn(10, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
sine_y = torch.sin(3 * sine_x) + 0.2 * sine_noise
sine_grid = torch.linspace(-1, 1, 300, dtype=torch.float64)
beta_mle = torch.linalg.solve(powers(sine_x), sine_y)
print(f"largest error at the data: {(powers(sine_x) @ beta_mle - sine_y).abs().max():.0e}")
print(f"between them: {(powers(sine_grid) @ beta_mle - torch.sin(3 * sine_grid)).abs().max():.2f}")


# %% [markdown]
# Perfect at the data, and far off between them. Now let $\mathbf{y} = \mathbf{X}\boldsymbol\beta + \text{noise}$, with a prior for which huge coefficients are
# unlikely, $\boldsymbol\beta \sim \mathcal{N}(0, \tau^2\mathbf{I})$. Then
#
# $$\log p(\boldsymbol\beta|\mathbf{X}, \mathbf{y}) = -\frac{\|\mathbf{y} - \mathbf{X}\boldsymbol\beta\|^2}{2\sigma^2} - \frac{\|\boldsymbol\beta\|^2}{2\tau^2} + \text{const},$$
#
# which is least squares with a penalty: ridge regression (Hoerl and Kennard 1970).
#
# ### Exercise 3 · `map_linear_regression`
# **3 points · ●●○ · 12 minutes**
#
# $$\boldsymbol\beta^* = \arg\max_{\boldsymbol\beta} \log p(\boldsymbol\beta|\mathbf{X}, \mathbf{y}), \qquad
# y_i \sim \mathcal{N}(\mathbf{x}_i^T\boldsymbol\beta, \sigma^2), \quad \boldsymbol\beta \sim \mathcal{N}(0, \tau^2\mathbf{I})$$
#
# `map_linear_regression(features, targets, noise_std, prior_std)`: $\mathbf{X}$ `(n, d)`, $\mathbf{y}$ `(n,)`, and $\sigma$, $\tau$ of shape `()`. Returns $\boldsymbol\beta^*$, `(d,)`.
# There is no intercept. It must work for $n < d$ too, and be differentiable, so write the formula instead of running an optimiser.
#
# *Example.* $n = 2$, $d = 1$: features $1, 2$, targets $2, 3$, $\sigma = 1$, $\tau = 0.5$. Least squares gives $8/5$; MAP gives $8/(5 + 4) = 0.889$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# Set the gradient of the formula above to zero, and multiply by $\sigma^2$. What stands in front of $\boldsymbol\beta$?
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `torch.linalg.solve(A, features.T @ targets)`, where `A` is `features.T @ features` plus a multiple of
# `torch.eye(d, dtype=features.dtype, device=features.device)`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "map_linear_regression", "locked": false, "schema_version": 3, "solution": true, "task": false}
def map_linear_regression(features: Tensor, targets: Tensor, noise_std: Tensor, prior_std: Tensor) -> Tensor:
    """argmax_β log p(β|X, y), for features (n, d) and targets (n,): a tensor (d,)."""
    ### BEGIN SOLUTION
    eye = torch.eye(features.shape[1], dtype=features.dtype, device=features.device)
    A = features.T @ features + (noise_std / prior_std) ** 2 * eye
    return torch.linalg.solve(A, features.T @ targets)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_map_linear_regression", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("map_linear_regression", map_linear_regression)

# %% nbgrader={"grade": false, "grade_id": "fits", "locked": true, "schema_version": 3, "solution": false, "task": false}
own_map, whose_map = yours("map_linear_regression", lambda X, y, s, t: bayes.linear_regression_posterior(X, y, s, t)[0])
beta_map, beta_cov = bayes.linear_regression_posterior(powers(sine_x), sine_y, 0.2, 1.5)
thirty = torch.randn(30, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
beta_draws = beta_map + thirty @ torch.linalg.cholesky(beta_cov).mT
own_beta = own_map(powers(sine_x), sine_y, torch.tensor(0.2).double(), torch.tensor(1.5).double())
coefficients = {"MLE": beta_mle, f"MAP, {whose_map}": own_beta, "30 draws of the posterior": beta_draws}
sine_fits = {name: beta @ powers(sine_grid).T for name, beta in coefficients.items()}
plotting.fitted_curves(sine_x, sine_y, sine_grid, sine_fits, truth=torch.sin(3 * sine_grid))

# %% [markdown]
# The prior tames the same ten coefficients. The right panel shows what MAP throws away. The whole posterior is normal, with mean
# $\boldsymbol\beta^*$ and covariance $\sigma^2\big(\mathbf{X}^T\mathbf{X} + \tfrac{\sigma^2}{\tau^2}\mathbf{I}\big)^{-1}$. Thirty curves drawn from it agree in the middle and part at the ends.
#
# ## 4. A latent variable for every event
#
# So far one unknown $\boldsymbol\theta$ served all events. Now give each event its own unknown $\mathbf{z}_i$, and fit a single $\boldsymbol\theta$ by maximum likelihood again.
# Why invent more unknowns? Because simple models fail:

# %% nbgrader={"grade": false, "grade_id": "one_gaussian", "locked": true, "schema_version": 3, "solution": false, "task": false}
cluster_data, cluster_labels = data.clusters(2000)
single_gaussian = torch.distributions.MultivariateNormal(cluster_data.mean(0), cluster_data.T.cov())
print(f"one Gaussian: {single_gaussian.log_prob(cluster_data).mean():.3f} nats per event")


# %% [markdown]
# Extend the model by a variable that nobody observed, and integrate it out again:
#
# $$p(\mathbf{x}, \mathbf{z}|\boldsymbol\theta) = p(\mathbf{x}|\mathbf{z}, \boldsymbol\theta)\,p(\mathbf{z}), \qquad
# p(\mathbf{x}|\boldsymbol\theta) = \int p(\mathbf{x}|\mathbf{z}, \boldsymbol\theta)\,p(\mathbf{z})\,d\mathbf{z}.$$
#
# Both factors can be simple while their integral is not. The smallest case: $z \in \{1, \dots, K\}$, the number of a cluster. The integral is a sum, and
# the model a **mixture of Gaussians** (Pearson 1894):
#
# $$p(z = k) = w_k, \quad p(\mathbf{x}|z = k) = \mathcal{N}(\boldsymbol\mu_k, \boldsymbol\Sigma_k), \qquad
# p(\mathbf{x}) = \sum_{k=1}^K w_k\,\mathcal{N}(\mathbf{x};\, \boldsymbol\mu_k, \boldsymbol\Sigma_k).$$
#
# > **Trap.** $K$, here the number of components, counts samples in part 6.
#
# ### Exercise 4 · `mixture_log_prob`
# **3 points · ●●○ · 12 minutes**
#
# $$\log p(\mathbf{x}) = \log\sum_{k=1}^K w_k\,\mathcal{N}(\mathbf{x};\, \boldsymbol\mu_k, \boldsymbol\Sigma_k)$$
#
# `mixture_log_prob(x, weights, means, covariances)`: `x` `(n, m)`, `weights` `(K,)`, `means` `(K, m)`, `covariances` `(K, m, m)`. Returns `(n,)`, in
# log space: far from all means, every density is 0 in floats.
#
# *Example.* $m = 1$, weights $(0.25, 0.75)$, means $-1$ and $1$, variances $1$, $x = 1$: $0.25\cdot 0.054 + 0.75\cdot 0.399 = 0.313$, and the log is $-1.163$.
#
# `torch.distributions.MultivariateNormal` is allowed; writing its three terms teaches where each comes from.
#
# <details><summary>Hint 1: a nudge</summary>
#
# First a table `(n, K)` of $\log w_k + \log\mathcal{N}(\mathbf{x}_i; \boldsymbol\mu_k, \boldsymbol\Sigma_k)$. Then reduce one axis. A mean of logs is not the log of a mean.
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `x[:, None]` is `(n, 1, m)` and broadcasts against a batch of $K$ normals; `torch.logsumexp(table, dim=1)`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "mixture_log_prob", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mixture_log_prob(x: Tensor, weights: Tensor, means: Tensor, covariances: Tensor) -> Tensor:
    """log p(x) = log Σ_k w_k N(x; μ_k, Σ_k), for x (n, m): a tensor (n,)."""
    ### BEGIN SOLUTION
    L = torch.linalg.cholesky(covariances)
    centred = (x - means[:, None]).mT
    squares = torch.linalg.solve_triangular(L, centred, upper=False).square().sum(dim=1)
    log_det = 2 * L.diagonal(dim1=1, dim2=2).log().sum(dim=1, keepdim=True)
    log_normal = -0.5 * (squares + log_det + x.shape[1] * math.log(2 * math.pi))
    return torch.logsumexp(weights.log()[:, None] + log_normal, dim=0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_mixture_log_prob", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("mixture_log_prob", mixture_log_prob)

# %% [markdown]
# To see such a model at work, cheat: `data.clusters` tells which cluster each event came from.

# %% nbgrader={"grade": false, "grade_id": "mixture", "locked": true, "schema_version": 3, "solution": false, "task": false}
from dgmlib.lvm import GaussianMixture, naive_gaussian_log_likelihood

groups = [cluster_data[cluster_labels == label] for label in range(3)]
group_weights = cluster_labels.bincount() / len(cluster_labels)
group_means = torch.stack([group.mean(0) for group in groups])
group_covariances = torch.stack([group.T.cov() for group in groups])
cluster_mixture = GaussianMixture(group_weights, group_means, group_covariances)
print(f"mixture: {cluster_mixture.log_prob(cluster_data).mean():.3f} nats per event")
two_models = {"one Gaussian": single_gaussian.log_prob, "mixture": cluster_mixture.log_prob}
plotting.densities(cluster_data[:1000], two_models, extent=3.5)


# %% [markdown]
# The single Gaussian puts its peak where there are no data. The mixture gains more than a nat per event.
#
# Sampling follows the arrows of the model, parents first; hence **ancestral sampling**: $k \sim \text{Categorical}(\mathbf{w})$, then
# $\mathbf{x} \sim \mathcal{N}(\boldsymbol\mu_k, \boldsymbol\Sigma_k)$. A normal with covariance $\boldsymbol\Sigma = \mathbf{L}\mathbf{L}^T$ is
# $\boldsymbol\mu + \mathbf{L}\boldsymbol\epsilon$ with $\boldsymbol\epsilon \sim \mathcal{N}(0, \mathbf{I})$.
#
# ### Exercise 5 · `sample_mixture`
# **2 points · ●●○ · 10 minutes**
#
# $$k_i \sim \text{Categorical}(\mathbf{w}), \qquad \mathbf{x}_i = \boldsymbol\mu_{k_i} + \mathbf{L}_{k_i}\boldsymbol\epsilon_i, \quad
# \mathbf{L}_k\mathbf{L}_k^T = \boldsymbol\Sigma_k$$
#
# `sample_mixture(n, weights, means, covariances)`: `n` is a Python number, the rest as in exercise 4. Returns `(x, k)`: `(n, m)` in the
# dtype of `means`, and the components `(n,)`, int64, from 0. Draw afresh in every call and every row, in no order: set no
# seed.
#
# *Example.* Weights $(0, 1)$, $\boldsymbol\mu_1 = (5, 5)$ and tiny covariances: every $k$ is 1, and every row of `x` close to $(5, 5)$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# Indexing with a tensor of integers picks rows: `means[k]` is `(n, m)`. What is `L[k]`?
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `torch.multinomial(weights, n, replacement=True)`; `L[k] @ noise[:, :, None]` is `(n, m, 1)`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "sample_mixture", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sample_mixture(n: int, weights: Tensor, means: Tensor, covariances: Tensor) -> tuple[Tensor, Tensor]:
    """n samples of the mixture: x (n, m), and the component of each, k (n,)."""
    ### BEGIN SOLUTION
    k = torch.multinomial(weights, n, replacement=True)
    L = torch.linalg.cholesky(covariances)
    noise = torch.randn(n, means.shape[1], 1, dtype=means.dtype, device=means.device)
    return means[k] + (L[k] @ noise)[:, :, 0], k
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_sample_mixture", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("sample_mixture", sample_mixture)

# %% nbgrader={"grade": false, "grade_id": "ancestral", "locked": true, "schema_version": 3, "solution": false, "task": false}
own_sample, whose_sample = yours("sample_mixture", lambda n, *theta: GaussianMixture(*theta).sample(n))
torch.manual_seed(0)
drawn, chosen = own_sample(1000, cluster_mixture.weights, cluster_mixture.means, cluster_mixture.covariances)
print(f"sample_mixture: {whose_sample}")
plotting.ancestral(drawn, chosen, cluster_mixture.means, cluster_data[:1000], extent=3.5)

# %% [markdown]
# ## 5. A continuous latent variable: probabilistic PCA
#
# Let $\mathbf{z}$ be $d$ numbers, decoded by a linear map, plus noise (Tipping and Bishop 1999):
#
# $$p(\mathbf{z}) = \mathcal{N}(0, \mathbf{I}), \qquad p(\mathbf{x}|\mathbf{z}) = \mathcal{N}(\mathbf{W}\mathbf{z} + \boldsymbol\mu,\, \sigma^2\mathbf{I}),
# \qquad \mathbf{W} \in \mathbb{R}^{m\times d}.$$
#
# Here the integral over $\mathbf{z}$ can be done: $\mathbf{x}$ is a linear map of normals, so
#
# $$p(\mathbf{x}) = \mathcal{N}(\boldsymbol\mu, \mathbf{C}), \qquad \mathbf{C} = \mathbf{W}\mathbf{W}^T + \sigma^2\mathbf{I}.$$
#
# The obvious code builds $\mathbf{C}$. For an image of $m = 20\,000$ numbers:

# %% nbgrader={"grade": false, "grade_id": "memory", "locked": true, "schema_version": 3, "solution": false, "task": false}
pixels = 20_000
print(f"C: {pixels**2 * 8 / 1e9:.1f} GB, and its determinant takes about {pixels**3 / 3:.0e} operations")
print(f"W, with d = 10: {pixels * 10 * 8 / 1e6:.1f} MB")


# %% [markdown]
# All that is in $\mathbf{C}$ is in $\mathbf{W}$ and $\sigma$. With the small matrix $\mathbf{M} = \mathbf{W}^T\mathbf{W} + \sigma^2\mathbf{I}$, $d\times d$, the Woodbury identity and its
# determinant lemma say
#
# $$\mathbf{C}^{-1} = \frac{1}{\sigma^2}\big(\mathbf{I} - \mathbf{W}\mathbf{M}^{-1}\mathbf{W}^T\big), \qquad
# \log\det\mathbf{C} = \log\det\mathbf{M} + (m - d)\log\sigma^2.$$
#
# ### Exercise 6 · `ppca_log_prob`
# **3 points · ●●● · 18 minutes**
#
# $$\log p(\mathbf{x}) = -\tfrac12\Big((\mathbf{x} - \boldsymbol\mu)^T\mathbf{C}^{-1}(\mathbf{x} - \boldsymbol\mu) + \log\det\mathbf{C} + m\log 2\pi\Big)$$
#
# `ppca_log_prob(x, W, mu, sigma)`: `(n, m)`, `(m, d)`, `(m,)`, `()`. Returns `(n,)`. Cost $O(nmd)$ and no $m\times m$ matrix, not even an identity or a diagonal. Determinants under- and overflow.
#
# *Example.* $\mathbf{W} = (1, 1)^T$, $\boldsymbol\mu = 0$, $\sigma = 1$, $\mathbf{x} = (1, 1)$: $\mathbf{M} = 3$, the distance is $2 - 4/3$, $\log\det\mathbf{C} = \log 3$;
# $\log p(\mathbf{x}) = -2.721$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# Never write $\mathbf{C}^{-1}$; put the formula for it between the two vectors. What shape has $(\mathbf{x} - \boldsymbol\mu)\mathbf{W}$ for all rows at once?
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# With `p = (x - mu) @ W`, `(n, d)`: the distance is `((x - mu).square().sum(1) - (p @ M_inverse * p).sum(1)) / sigma**2`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ppca_log_prob", "locked": false, "schema_version": 3, "solution": true, "task": false}
def ppca_log_prob(x: Tensor, W: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    """log N(x; mu, W Wᵀ + sigma² I), for x (n, m) and W (m, d): a tensor (n,), in O(n m d)."""
    ### BEGIN SOLUTION
    m, d = W.shape
    M = W.T @ W + sigma**2 * torch.eye(d, dtype=W.dtype, device=W.device)
    centred = x - mu
    projected = centred @ W
    along = (projected * torch.linalg.solve(M, projected.T).T).sum(dim=1)
    squares = (centred.square().sum(dim=1) - along) / sigma**2
    log_det = torch.linalg.slogdet(M).logabsdet + 2 * (m - d) * torch.log(sigma)
    return -0.5 * (squares + log_det + m * math.log(2 * math.pi))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_ppca_log_prob", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("ppca_log_prob", ppca_log_prob)


# %% [markdown]
# Which $\mathbf{z}$ made this $\mathbf{x}$? Bayes' theorem again, now for one event: $p(\mathbf{z}|\mathbf{x}) \propto p(\mathbf{x}|\mathbf{z})\,p(\mathbf{z})$.
# As a function of $\mathbf{z}$ this is exercise 3: the columns of $\mathbf{W}$ are the features, $\mathbf{x} - \boldsymbol\mu$ the targets, and the prior has $\tau = 1$.
#
# ### Exercise 7 · `ppca_posterior`
# **2 points · ●●○ · 8 minutes**
#
# $$p(\mathbf{z}|\mathbf{x}) = \mathcal{N}\big(\mathbf{M}^{-1}\mathbf{W}^T(\mathbf{x} - \boldsymbol\mu),\; \sigma^2\mathbf{M}^{-1}\big)$$
#
# `ppca_posterior(x, W, mu, sigma)`: shapes as in exercise 6. Returns `(mean, covariance)`, `(n, d)` and `(d, d)`: one covariance serves all $\mathbf{x}$.
#
# *Example.* The numbers of exercise 6: `mean` $= 2/3$, `covariance` $= 1/3$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# $\mathbf{M}$ is $d\times d$ and symmetric. With rows instead of columns, $\mathbf{M}^{-1}\mathbf{W}^T(\mathbf{x} - \boldsymbol\mu)$ reads from right to left.
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `(x - mu) @ W @ M_inverse`
# </details>


# %% nbgrader={"grade": false, "grade_id": "ppca_posterior", "locked": false, "schema_version": 3, "solution": true, "task": false}
def ppca_posterior(x: Tensor, W: Tensor, mu: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and covariance of p(z|x), for x (n, m) and W (m, d): tensors (n, d) and (d, d)."""
    ### BEGIN SOLUTION
    eye = torch.eye(W.shape[1], dtype=W.dtype, device=W.device)
    M_inverse = torch.linalg.inv(W.T @ W + sigma**2 * eye)
    return (x - mu) @ W @ M_inverse, sigma**2 * M_inverse
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_ppca_posterior", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("ppca_posterior", ppca_posterior)

# %% [markdown]
# Two columns, one latent. The parameters are the maximum-likelihood ones, by a formula that notebook `04_em_algorithm` states.
#
# **Predict:** compared with the place on the line that is nearest to $\mathbf{x}$, where does $\mathbb{E}[z|\mathbf{x}]$ lie: there, nearer to the centre, or further out?

# %% nbgrader={"grade": false, "grade_id": "guess_place", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_place = None  # "there", "nearer" or "further"

# %% nbgrader={"grade": false, "grade_id": "line", "locked": true, "schema_version": 3, "solution": false, "task": false}
line_data = data.correlated_gaussian(60, correlation=0.7)
line_model = PPCA.maximum_likelihood(line_data, 1)
few = line_data[3:13]
few_codes, _ = line_model.posterior(few)

direction = line_model.W[:, 0] / line_model.W.norm()
feet = line_model.mu + ((few - line_model.mu) @ direction)[:, None] * direction
plotting.latent_line(
    line_model.log_prob, lambda z: z @ line_model.W.T + line_model.mu, few, few_codes, feet, extent=2.5
)
guesses.compare("Where does E[z|x] lie?", guess_place, "nearer", ["there", "nearer", "further"])

# %% [markdown]
# Nearer to the centre: no point (green) reaches the foot of its perpendicular (orange). The prior pulls $z$ towards 0, as it pulled $\boldsymbol\beta$ in ridge regression;
# only for $\sigma \to 0$ do you get PCA's projection.
#
# Now to the digits with their 64 pixels. Encode unseen ones by $\mathbb{E}[\mathbf{z}|\mathbf{x}]$, decode by $\mathbf{W}\mathbf{z} + \boldsymbol\mu$.

# %% nbgrader={"grade": false, "grade_id": "digits", "locked": true, "schema_version": 3, "solution": false, "task": false}
digit_rows = {"unseen": test_images[:10]}
for d in (2, 8, 32):
    narrow_model = PPCA.maximum_likelihood(train_images, d)
    digit_codes, _ = narrow_model.posterior(test_images[:10])
    digit_rows[f"d = {d}"] = digit_codes @ narrow_model.W.T + narrow_model.mu
    print(f"d = {d}: {narrow_model.log_prob(test_images).mean():.1f} nats per unseen image")
digit_rows["sampled"], _ = digit_model.sample(10, generator=torch.Generator().manual_seed(0))
plotting.image_rows(digit_rows)

# %% [markdown]
# Two numbers keep the rough shape, thirty-two nearly everything. (A log-density above 0 is no mistake: a density may exceed 1, and
# does where 64 numbers between 0 and 1 are known closely.) The last row is drawn from the model with $d = 32$: right strokes, seldom a digit. A linear
# map of one normal is one ellipsoid, and the digits are not. Still, two numbers already sort digits that they were never told apart:

# %% nbgrader={"grade": false, "grade_id": "digit_plane", "locked": true, "schema_version": 3, "solution": false, "task": false}
plane_model = PPCA.maximum_likelihood(train_images, 2)
plane_codes, plane_cov = plane_model.posterior(test_images[:200])
plotting.latent_plane(plane_codes, digit_labels[1500:1700], plane_cov, lambda z: z @ plane_model.W.T + plane_model.mu)


# %% [markdown]
# Left, each digit stands at its posterior mean; the ellipse says how far such a place can be trusted. Right, what the model paints at each place: 0 below, 4
# to the right, 3 to the left.
#
# ## 6. The integral without a formula
#
# Replace $\mathbf{W}\mathbf{z} + \boldsymbol\mu$ by a neural network and the integral has no formula left. But $p(\mathbf{x})$ is an expectation, and expectations can be sampled:
#
# $$p(\mathbf{x}|\boldsymbol\theta) = \mathbb{E}_{p(\mathbf{z})}\,p(\mathbf{x}|\mathbf{z}, \boldsymbol\theta) \approx \frac1K\sum_{k=1}^K p(\mathbf{x}|\mathbf{z}_k, \boldsymbol\theta),
# \qquad \mathbf{z}_k \sim p(\mathbf{z}).$$
#
# ### Exercise 8 · `naive_log_likelihood`
# **2 points · ●○○ · 8 minutes**
#
# $$\log p(\mathbf{x}) \approx \log\frac1K\sum_{k=1}^K p(\mathbf{x}|\mathbf{z}_k)$$
#
# `naive_log_likelihood(x, z, log_likelihood)`: `x` `(n, m)`; `z` `(K, d)`, drawn from $p(\mathbf{z})$; `log_likelihood(x, z)` returns $\log p(\mathbf{x}_i|\mathbf{z}_k)$ as `(K, n)`, for any number of rows.
# Returns `(n,)`. Likelihoods under- and overflow: stay in log space.
#
# *Example.* One $\mathbf{x}$, $K = 2$, likelihoods $1$ and $3$: $\log\frac{1 + 3}{2} = 0.693$. (The mean of the logs is $0.549$.)
#
# <details><summary>Hint 1: a nudge</summary>
#
# Log of a mean, not mean of logs: the sum as in exercise 1, then divide by $K$, in logs. Which axis holds the samples?
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `torch.logsumexp(log_likelihood(x, z), dim=0)`, and one more term.
# </details>


# %% nbgrader={"grade": false, "grade_id": "naive_log_likelihood", "locked": false, "schema_version": 3, "solution": true, "task": false}
def naive_log_likelihood(x: Tensor, z: Tensor, log_likelihood) -> Tensor:
    """log (1/K) Σ_k p(x|z_k), for x (n, m) and z (K, d): a tensor (n,)."""
    ### BEGIN SOLUTION
    return torch.logsumexp(log_likelihood(x, z), dim=0) - math.log(len(z))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_naive_log_likelihood", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("naive_log_likelihood", naive_log_likelihood)


# %% [markdown]
# PPCA knows the exact answer, so it can judge the estimate. One event $\mathbf{x}$, forty repetitions, each with $K$ fresh samples.
#
# **Predict:** the mean inside the log is unbiased. On average, are the estimates of $\log p(\mathbf{x})$ right, too low, or too high?

# %% nbgrader={"grade": false, "grade_id": "guess_bias", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_bias = None  # "right", "too low" or "too high"

# %% nbgrader={"grade": false, "grade_id": "jensen", "locked": true, "schema_version": 3, "solution": false, "task": false}
prior_draws = torch.Generator().manual_seed(0)


def toy_ppca(d, m=20, sigma=0.5):
    W = 1.5 * torch.linalg.qr(torch.randn(m, d, generator=torch.Generator().manual_seed(d))).Q
    return PPCA(W, torch.zeros(m), sigma)


def toy_events(d, n):
    return toy_ppca(d).sample(n, generator=torch.Generator().manual_seed(d))[0]


def naive_estimate(d, x, K):
    toy = toy_ppca(d)
    z = torch.randn(K, d, generator=prior_draws)
    return naive_gaussian_log_likelihood(x, z @ toy.W.T, toy.sigma)


sample_counts = [10, 100, 1000, 10_000]
panels = {}
for d in (2, 12):
    repeats = [[float(naive_estimate(d, toy_events(d, 1), K)) for K in sample_counts] for _ in range(40)]
    panels[f"d = {d}"] = (torch.tensor(repeats), float(toy_ppca(d).log_prob(toy_events(d, 1))))
plotting.estimates(sample_counts, panels)
guesses.compare("On average, the estimates of log p(x) are?", guess_bias, "too low", ["right", "too low", "too high"])

# %% [markdown]
# Too low. The log is concave, so by **Jensen's inequality** (1906) the log of a noisy mean lies, on average, below the log of the true mean; the noisier the mean, the further below.
# With $d = 2$ a hundred samples cure it; with $d = 12$ ten thousand do not.
#
# **Find the bug.** Ten thousand samples at once need much memory, so somebody takes a hundred batches of a hundred, and averages. In vain:

# %% nbgrader={"grade": false, "grade_id": "in_batches", "locked": true, "schema_version": 3, "solution": false, "task": false}
one_event = toy_events(6, 1)
batches = torch.stack([naive_estimate(6, one_event, 100) for _ in range(100)])  # (100, 1)
print(
    f"mean of 100 batches of 100: {batches.mean():.2f}; 10,000 at once: {naive_estimate(6, one_event, 10_000).item():.2f}"
)
print(f"log p(x) {toy_ppca(6).log_prob(one_event).item():.2f}")


# %% nbgrader={"grade": false, "grade_id": "pooled_estimate", "locked": false, "schema_version": 3, "solution": false, "task": false}
def pooled_estimate(batches):
    # Each of the B rows of batches, (B, n), estimates log p(x) from K samples. Return what all B * K at once would give.
    raise NotImplementedError


# %% nbgrader={"grade": false, "grade_id": "try_pooled_estimate", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("pooled_estimate", pooled_estimate)

# %% [markdown]
# **Predict:** how many times more samples does each further latent dimension ask for: 1.1, 3 or 10 times?

# %% nbgrader={"grade": false, "grade_id": "guess_factor", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_factor = None  # 1.1, 3 or 10

# %% nbgrader={"grade": false, "grade_id": "dying", "locked": true, "schema_version": 3, "solution": false, "task": false}
latent_dims = [1, 2, 4, 6, 8, 10, 12, 16]


def naive_errors(d, K):
    return naive_estimate(d, toy_events(d, 200), K) - toy_ppca(d).log_prob(toy_events(d, 200))


errors = {f"K = {K:,}": torch.stack([naive_errors(d, K) for d in latent_dims], 1) for K in (100, 1000, 10_000)}
plotting.dying_estimate(latent_dims, errors)
guesses.compare("How many times more samples for a further dimension, about?", guess_factor, 3, [1.1, 3, 10])

# %% [markdown]
# Lines: medians over 200 events; bands: the middle 80 %. In each direction this posterior is $\sqrt{1 + 1.5^2/0.5^2} \approx 3$ times narrower than the prior, so each
# dimension makes a hit about three times rarer. The cost is **exponential in $d$**. How many samples take part in the sum?

# %% nbgrader={"grade": false, "grade_id": "best_sample", "locked": true, "schema_version": 3, "solution": false, "task": false}
for d in (2, 8, 16):
    z = torch.randn(10_000, 1, d, generator=prior_draws)
    log_weights = toy_ppca(d).log_likelihood(toy_events(d, 200), z)
    share = torch.softmax(log_weights, 0).amax(0).median()
    print(f"d = {d:2}: the best of 10,000 samples carries {share:.1%} of the sum")


# %% [markdown]
# Only a small corner of the latent space explains this $\mathbf{x}$: the one where its posterior lies. Almost every sample of the prior is wasted.
#
# ## 7. Make something
#
# Back to the opening picture. A Gaussian over some of the columns needs only these columns' rows of $\mathbf{W}$ and $\boldsymbol\mu$. So `fill_in` calls the posterior with
# the rows of the seen pixels, then decodes with all of them. Here with your `ppca_posterior`, exercise 7:


# %% nbgrader={"grade": false, "grade_id": "mine", "locked": true, "schema_version": 3, "solution": false, "task": false}
def my_filling():
    filled = fill_in(ppca_posterior, test_images)
    error = (filled - test_images)[:, ~seen_pixels].square().mean().sqrt()
    reference = (fill_in(library_posterior, test_images) - test_images)[:, ~seen_pixels].square().mean().sqrt()
    blind = (digit_model.mu - test_images)[:, ~seen_pixels].square().mean().sqrt()
    print(
        f"root mean square error of a pixel: yours {error:.3f}, the library's {reference:.3f}, the mean image {blind:.3f}"
    )
    plotting.image_rows({"seen": erased, "yours": filled[:10], "truth": test_images[:10]})


try:
    my_filling()
except NotImplementedError:
    print("Not yet: write ppca_posterior first.")

# %% nbgrader={"grade": false, "grade_id": "count_guesses", "locked": true, "schema_version": 3, "solution": false, "task": false}
guesses.count()

# %% [markdown]
# ## Summary
#
# Bayes' theorem turns a prior and data into a posterior, for a parameter as for the latent of one event. Latent variables make a rich $p(\mathbf{x})$ out
# of two simple factors; the price is an integral.
#
# | what to remember | p(x) or p(X) | posterior | beware |
# |---|---|---|---|
# | grid | Σ joint · step | joint / evidence | only for few unknowns; stay in logs |
# | normal mean | closed form | precisions add | the prior is worth σ²/τ² observations |
# | MAP | not needed | its peak alone | the ridge is σ²/τ², not its inverse |
# | mixture | log Σₖ wₖ N(x; μₖ, Σₖ) | p(z = k∣x), in notebook 04 | log of a sum, not sum of logs |
# | PPCA | N(μ, WWᵀ + σ²I), by M, d × d | N(M⁻¹Wᵀ(x − μ), σ²M⁻¹) | the noise is σ², and the mean shrinks |
# | naive estimate | log of a mean over p(z) | not used: hence the waste | biased low; samples exponential in d |
#
# **Where it leads.** The naive estimate draws $\mathbf{z}$ without looking at $\mathbf{x}$. The next notebook, `03_elbo`, draws it from a distribution $q(\mathbf{z})$ of your choice,
# and turns Jensen's inequality from a nuisance into a bound. One page to read on: [Tomczak's introduction to latent variable models](https://jmtomczak.github.io/blog/4/4_VAE.html), the source of the lecture's picture;
# then Bishop, *Pattern Recognition and Machine Learning*, sections 2.3 and 12.2.
