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
# A flow's $\mathbf{z}$ is as wide as $\mathbf{x}$, and $\mathbf{f}$ hands it to you. A small $\mathbf{z}$ without $\mathbf{f}$ has to be guessed
# from $\mathbf{x}$. Guessing an unknown from data has a theory; meet it with one unknown number first. A coin shows heads with probability $\theta$:

# %% nbgrader={"grade": false, "grade_id": "mle_fails", "locked": true, "schema_version": 3, "solution": false, "task": false}
heads, flips = 3, 3
print(f"maximum likelihood: θ = {heads / flips:.2f}, so a tail has probability {1 - heads / flips:.2f}")

# %% [markdown]
# After three heads, maximum likelihood rules tails out for ever. It returns one number, and not how sure it is. So treat $\theta$ as random:
# start from a **prior** $p(\theta)$, what you believe before, and let the **likelihood** $p(\mathbf{X}|\theta)$ reweigh it:
#
# $$p(\theta|\mathbf{X}) = \frac{p(\mathbf{X}|\theta)\,p(\theta)}{p(\mathbf{X})}, \qquad p(\mathbf{X}) = \int p(\mathbf{X}|\theta)\,p(\theta)\,d\theta.$$
#
# The result is the **posterior**; the integral is the **evidence**. With one unknown, the integral is a sum over a grid times its step:

# %% nbgrader={"grade": false, "grade_id": "grid_by_hand", "locked": true, "schema_version": 3, "solution": false, "task": false}
coin_step = 0.001
coin_grid = torch.arange(coin_step / 2, 1, coin_step)
coin_log_prior = math.log(140) + 3 * coin_grid.log() + 3 * (1 - coin_grid).log()  # Beta(4, 4): about 1/2

joint = coin_log_prior.exp() * coin_grid**3  # prior times likelihood of three heads
evidence = joint.sum() * coin_step
mean = (coin_grid * joint / evidence).sum() * coin_step
print(f"three heads: evidence {evidence:.3f}, posterior mean of θ {mean:.3f}")

many = 1400 * coin_grid.log() + 600 * (1 - coin_grid).log()  # log-likelihood of 2000 flips
print("2000 flips: evidence", ((coin_log_prior + many).exp().sum() * coin_step).item())


# %% [markdown]
# Three heads move the mean from 0.5 to 0.64, and tails stay possible. But 2000 flips break the code: the largest likelihood is about $e^{-1222}$, which no float
# holds, and the posterior would be 0/0. The logarithm, $-1222$, is an ordinary number.
#
# ### Exercise 1 · `grid_posterior`
# **3 points · ●●○ · 12 minutes**
#
# $$p(\theta_g|\mathbf{X}) = \frac{p(\mathbf{X}|\theta_g)\,p(\theta_g)}{p(\mathbf{X})}, \qquad
# p(\mathbf{X}) \approx \sum_{g=1}^G p(\mathbf{X}|\theta_g)\,p(\theta_g)\cdot\text{step}$$
#
# `grid_posterior(log_prior, log_likelihood, step)`: both `(G,)`, on a uniform grid; `step` is a Python number. Returns
# `(posterior_density, log_evidence)`, `(G,)` and `()`. Every point counts alike. Take the prior as given, also where it does not integrate to 1. Log-likelihoods of
# $-10^4$ must work, and a prior that is tiny where the likelihood is large.
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
# Now let a coin with $\theta = 0.7$ speak.
#
# **Predict:** ten times as many flips: how much narrower is the posterior? When does the prior stop mattering?

# %% nbgrader={"grade": false, "grade_id": "updates", "locked": true, "schema_version": 3, "solution": false, "task": false}
from dgmlib import bayes

coin = torch.rand(300, generator=torch.Generator().manual_seed(2)) < 0.7
updates = {}
for n in (3, 30, 300):
    heads = coin[:n].sum()
    log_likelihood = heads * coin_grid.log() + (n - heads) * (1 - coin_grid).log()
    density, _ = bayes.grid_posterior(coin_log_prior, log_likelihood, coin_step)
    updates[f"n = {n}, {heads} heads"] = (log_likelihood, density)
plotting.bayes_updates(coin_grid, coin_log_prior.exp(), updates, truth=0.7)


# %% [markdown]
# Three flips: the posterior is a compromise of prior and likelihood. At 300 it lies on the likelihood: the prior no longer matters. From 30 to 300 it
# narrows by about $\sqrt{10} \approx 3$.
#
# ## 2. A posterior in closed form
#
# With $d$ unknowns, a grid of 100 points a side has $100^d$ points: hopeless beyond four or so. But for some pairs of prior and likelihood the
# product has the prior's form again, and no integral is left. Such a prior is called **conjugate** (Raiffa and Schlaifer 1961). The coin's Beta prior is one: every
# head adds 1 to its first number, every tail to its second. The other pair to know: repeated measurements $x_i = \theta + \text{noise}$ with
# a normal prior,
#
# $$p(x_i|\theta) = \mathcal{N}(\theta, \sigma^2), \qquad p(\theta) = \mathcal{N}(\mu_0, \tau^2).$$
#
# The log of the product is a parabola in $\theta$, so the posterior is normal. Its **precision** (one over the variance) and mean:
#
# $$\frac{1}{s^2} = \frac{1}{\tau^2} + \frac{n}{\sigma^2}, \qquad
# \hat\mu = s^2\left(\frac{\mu_0}{\tau^2} + \frac{\sum_i x_i}{\sigma^2}\right).$$
#
# Precisions add; the mean weighs each source by its precision.
#
# ### Exercise 2 · `gaussian_mean_posterior`
# **2 points · ●○○ · 8 minutes**
#
# $$p(\theta|\mathbf{X}) = \mathcal{N}(\hat\mu, s^2), \text{ with } \hat\mu \text{ and } s \text{ as above}$$
#
# `gaussian_mean_posterior(x, noise_std, prior_mean, prior_std)`: `x` is `(n,)`; the others are $\sigma$, $\mu_0$, $\tau$, of shape `()`. Returns
# `(mean, std)`, both `()`: $\hat\mu$ and $s$.
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
# A badly placed prior: $\mathcal{N}(0, 1)$, while the truth is $\theta = 3$, and $\sigma = 2$.
#
# **Predict:** will the posterior ever recover? After how many observations do prior and data weigh the same?

# %% nbgrader={"grade": false, "grade_id": "narrowing", "locked": true, "schema_version": 3, "solution": false, "task": false}
x = 3 + 2 * torch.randn(1000, generator=torch.Generator().manual_seed(0))
posteriors = [bayes.gaussian_mean_posterior(x[:n], 2.0, 0.0, 1.0) for n in range(1001)]
means, stds = torch.tensor(posteriors).T
plotting.narrowing_posterior(means, stds, truth=3.0)
print(f"n = 4: average of the data {x[:4].mean():.2f}, posterior mean {means[4]:.2f}")


# %% [markdown]
# The prior is worth $\sigma^2/\tau^2 = 4$ observations: at $n = 4$ the mean is half-way between 0 and the average of the data
# (printed; this sample began low). Then the data win, and the band
# closes like $1/\sqrt{n}$. Note the early band: it leaves the truth out. A confident prior in the wrong place costs data.
#
# ## 3. MAP: keep only the peak
#
# Often even the posterior is too much, and its highest point will do, the **maximum a posteriori** (MAP) estimate:
#
# $$\boldsymbol\theta^* = \arg\max_{\boldsymbol\theta}\big(\log p(\mathbf{X}|\boldsymbol\theta) + \log p(\boldsymbol\theta)\big).$$
#
# The evidence does not depend on $\boldsymbol\theta$ and drops out. Without a prior this is maximum likelihood. Look at that first: ten points, ten coefficients.

# %% nbgrader={"grade": false, "grade_id": "overfit", "locked": true, "schema_version": 3, "solution": false, "task": false}
def powers(x):
    return x[:, None] ** torch.arange(10)


generator = torch.Generator().manual_seed(3)
sine_x = torch.linspace(-1, 1, 10, dtype=torch.float64)
sine_y = torch.sin(3 * sine_x) + 0.2 * torch.randn(10, generator=generator, dtype=sine_x.dtype)
sine_grid = torch.linspace(-1, 1, 300, dtype=sine_x.dtype)
w_mle = torch.linalg.solve(powers(sine_x), sine_y)
print(f"largest error at the data: {(powers(sine_x) @ w_mle - sine_y).abs().max():.0e}")
print(f"between them: {(powers(sine_grid) @ w_mle - torch.sin(3 * sine_grid)).abs().max():.2f}")


# %% [markdown]
# Perfect where it was asked, and off elsewhere. Now let $\mathbf{y} = \mathbf{X}\mathbf{w} + \text{noise}$ with the prior
# $\mathbf{w} \sim \mathcal{N}(0, \tau^2\mathbf{I})$: huge coefficients are unlikely. Then
#
# $$\log p(\mathbf{w}|\mathbf{X}, \mathbf{y}) = -\frac{\|\mathbf{y} - \mathbf{X}\mathbf{w}\|^2}{2\sigma^2} - \frac{\|\mathbf{w}\|^2}{2\tau^2} + \text{const},$$
#
# which is least squares with a penalty: ridge regression. Its strength is not a knob but a ratio of two variances.
#
# ### Exercise 3 · `map_linear_regression`
# **3 points · ●●○ · 12 minutes**
#
# $$\mathbf{w}^* = \arg\max_{\mathbf{w}} \log p(\mathbf{w}|\mathbf{X}, \mathbf{y}), \qquad
# y_i \sim \mathcal{N}(\mathbf{x}_i^T\mathbf{w}, \sigma^2), \quad \mathbf{w} \sim \mathcal{N}(0, \tau^2\mathbf{I})$$
#
# `map_linear_regression(features, targets, noise_std, prior_std)`: `(n, d)`, `(n,)`, and $\sigma$, $\tau$ of shape `()`. Returns $\mathbf{w}^*$, `(d,)`.
# There is no intercept. It must work for $n < d$ too, and be differentiable, so give the formula rather than an optimiser.
#
# *Example.* $n = 2$, $d = 1$: features $1, 2$, targets $2, 3$, $\sigma = 1$, $\tau = 0.5$. Least squares gives $8/5$; MAP gives $8/(5 + 4) = 0.889$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# Set the gradient of the formula above to zero, and multiply by $\sigma^2$. What stands in front of $\mathbf{w}$?
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `torch.linalg.solve(A, features.T @ targets)`, where `A` is `features.T @ features` plus a multiple of
# `torch.eye(d, dtype=features.dtype, device=features.device)`.
# </details>

# %% nbgrader={"grade": false, "grade_id": "map_linear_regression", "locked": false, "schema_version": 3, "solution": true, "task": false}
def map_linear_regression(features: Tensor, targets: Tensor, noise_std: Tensor, prior_std: Tensor) -> Tensor:
    """argmax_w log p(w|X, y), for features (n, d) and targets (n,): a tensor (d,)."""
    ### BEGIN SOLUTION
    eye = torch.eye(features.shape[1], dtype=features.dtype, device=features.device)
    A = features.T @ features + (noise_std / prior_std) ** 2 * eye
    return torch.linalg.solve(A, features.T @ targets)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_map_linear_regression", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("map_linear_regression", map_linear_regression)

# %% nbgrader={"grade": false, "grade_id": "fits", "locked": true, "schema_version": 3, "solution": false, "task": false}
w_map = bayes.map_linear_regression(powers(sine_x), sine_y, 0.2, 1.5)
w_mean, w_cov = bayes.linear_regression_posterior(powers(sine_x), sine_y, 0.2, 1.5)
torch.manual_seed(0)
w_draws = torch.distributions.MultivariateNormal(w_mean, w_cov).sample((30,))
coefficients = {"MLE": w_mle, "MAP": w_map, "30 draws of the posterior": w_draws}
fits = {name: w @ powers(sine_grid).T for name, w in coefficients.items()}
plotting.fitted_curves(sine_x, sine_y, sine_grid, fits, truth=torch.sin(3 * sine_grid))

# %% [markdown]
# The prior tames the same ten coefficients. The right panel shows what MAP throws away. The whole posterior is normal, with mean
# $\mathbf{w}^*$ and covariance $\sigma^2\big(\mathbf{X}^T\mathbf{X} + \tfrac{\sigma^2}{\tau^2}\mathbf{I}\big)^{-1}$: thirty curves that explain the data about as well, tight in the middle, loose at the ends.
#
# ## 4. A latent variable for every event
#
# So far one unknown $\boldsymbol\theta$ served all events. Now give each event its own unknown $\mathbf{z}_i$, and go back to one $\boldsymbol\theta$, fitted by maximum likelihood.
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
# the model a **mixture of Gaussians**:
#
# $$p(z = k) = w_k, \quad p(\mathbf{x}|z = k) = \mathcal{N}(\boldsymbol\mu_k, \boldsymbol\Sigma_k), \qquad
# p(\mathbf{x}) = \sum_{k=1}^K w_k\,\mathcal{N}(\mathbf{x};\, \boldsymbol\mu_k, \boldsymbol\Sigma_k).$$
#
# > **Trap.** The slides write $\pi_k$ for the weights, although $\pi$ is the law of the data elsewhere. And $K$, here the number of
# > components, counts samples in part 6.
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
# `torch.distributions.MultivariateNormal` is allowed; writing its three terms (distance, log-determinant, constant) once teaches where each comes from.
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
# To see such a model at work, cheat: `data.clusters` tells which cluster each event came from. (Without that, you need notebook `04_em_algorithm`.)

# %% nbgrader={"grade": false, "grade_id": "mixture", "locked": true, "schema_version": 3, "solution": false, "task": false}
from dgmlib.lvm import PPCA, GaussianMixture, naive_gaussian_log_likelihood

groups = [cluster_data[cluster_labels == label] for label in range(3)]
weights = cluster_labels.bincount() / len(cluster_labels)
means = torch.stack([group.mean(0) for group in groups])
covariances = torch.stack([group.T.cov() for group in groups])
cluster_mixture = GaussianMixture(weights, means, covariances)
print(f"mixture: {cluster_mixture.log_prob(cluster_data).mean():.3f} nats per event")
models = {"one Gaussian": single_gaussian.log_prob, "mixture": cluster_mixture.log_prob}
plotting.densities(cluster_data[:1000], models, extent=3.5)


# %% [markdown]
# The single Gaussian puts its peak where there are no data; the mixture gains more than a nat per event, and each of its parts is as simple.
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
# dtype of `means`, and the components `(n,)`, int64, from 0. Draw afresh in every call, for every row: set no seed.
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
drawn, chosen = cluster_mixture.sample(1000, generator=torch.Generator().manual_seed(0))
plotting.ancestral(drawn, chosen, cluster_mixture.means, cluster_data[:1000], extent=3.5)

# %% [markdown]
# Step 1 knows nothing of $\mathbf{x}$, step 2 only its own cluster; together they give the data's picture.
#
# ## 5. A continuous latent variable: probabilistic PCA
#
# Let $\mathbf{z}$ be $d$ numbers, decoded by a linear map, plus noise:
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
m, d = 20_000, 10
print(f"C: {m * m * 8 / 1e9:.1f} GB, and its determinant takes about {m**3 / 3:.0e} operations")
print(f"W: {m * d * 8 / 1e6:.1f} MB")


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
# `ppca_log_prob(x, W, mu, sigma)`: `(n, m)`, `(m, d)`, `(m,)`, `()`. Returns `(n,)`. Cost $O(nmd)$ and no $m\times m$ matrix, not even an identity or a diagonal. Determinants under- and overflow: take their logarithms.
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
# Two columns, one latent. The parameters are the maximum-likelihood ones; they have a closed form (Tipping and Bishop 1999), which
# notebook `04_em_algorithm` states.
#
# **Predict:** is $\mathbb{E}[z|\mathbf{x}]$ the place on the line that is nearest to $\mathbf{x}$?

# %% nbgrader={"grade": false, "grade_id": "line", "locked": true, "schema_version": 3, "solution": false, "task": false}
x = data.correlated_gaussian(60, correlation=0.7)
line_model = PPCA.maximum_likelihood(x, 1)
z, _ = line_model.posterior(x)
few, their_z = x[:12], z[:12]
plotting.latent_line(line_model.log_prob, lambda z: z @ line_model.W.T + line_model.mu, few, their_z, extent=3.5)

along = line_model.W[:, 0] / line_model.W.norm()
foot = line_model.mu + ((few - line_model.mu) @ along)[:, None] * along
plt.gca().plot(*foot.T, "x", color=plotting.MODEL, markersize=5, label="nearest place on the line")
plt.gca().legend(loc="upper left", fontsize=8);

# %% [markdown]
# No: every point (green) lands nearer to the centre than the foot of its perpendicular (orange). The prior pulls $z$ towards 0, as it pulled $\mathbf{w}$ in ridge regression;
# only for $\sigma \to 0$ do you get PCA's projection.
#
# Now 64 pixels and handwritten digits: encode unseen ones by $\mathbb{E}[\mathbf{z}|\mathbf{x}]$, decode by $\mathbf{W}\mathbf{z} + \boldsymbol\mu$.

# %% nbgrader={"grade": false, "grade_id": "digits", "locked": true, "schema_version": 3, "solution": false, "task": false}
digit_images, digit_labels = data.digits()
train_images, test_images = digit_images[:1500], digit_images[1500:]
rows = {"unseen": test_images[:10]}
for d in (2, 8, 32):
    model = PPCA.maximum_likelihood(train_images, d)
    codes, _ = model.posterior(test_images[:10])
    rows[f"d = {d}"] = codes @ model.W.T + model.mu
    print(f"d = {d}: {model.log_prob(test_images).mean():.1f} nats per unseen image")
rows["sampled"] = model.sample(10, generator=torch.Generator().manual_seed(0))[0]
plotting.image_rows(rows)

# %% [markdown]
# Two numbers keep the rough shape, thirty-two nearly everything. (A log-density above 0 is no mistake: a density may exceed 1, and
# does where 64 numbers between 0 and 1 are known closely.) The last row is drawn from the model with $d = 32$: right strokes, seldom a digit, for a linear
# map of one normal is one ellipsoid. And two numbers already sort digits that they were never told apart:

# %% nbgrader={"grade": false, "grade_id": "digit_plane", "locked": true, "schema_version": 3, "solution": false, "task": false}
plane_model = PPCA.maximum_likelihood(train_images, 2)
z, covariance = plane_model.posterior(test_images[:200])
plotting.latent_plane(z, digit_labels[1500:1700], covariance)


# %% [markdown]
# Each digit stands at its posterior mean. The ellipse says how far a place can be trusted. Two numbers leave much of an image
# to the noise, and the larger the noise, the less the image tells about its $\mathbf{z}$.
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
# PPCA knows the exact answer, so it can judge the estimate. One event $\mathbf{x}$, many repetitions, each with $K$ fresh samples.
#
# **Predict:** the mean inside the log is unbiased. Are the estimates of $\log p(\mathbf{x})$, on average, right?

# %% nbgrader={"grade": false, "grade_id": "jensen", "locked": true, "schema_version": 3, "solution": false, "task": false}
prior_draws = torch.Generator().manual_seed(0)


def toy_ppca(d, m=20, sigma=0.5):
    W = 1.5 * torch.linalg.qr(torch.randn(m, d, generator=torch.Generator().manual_seed(d))).Q
    return PPCA(W, torch.zeros(m), sigma)


def naive_estimate(model, x, K):
    z = torch.randn(K, model.W.shape[1], generator=prior_draws)
    return naive_gaussian_log_likelihood(x, z @ model.W.T, model.sigma)


counts = [10, 100, 1000, 10_000]
panels = {}
for d in (2, 12):
    model = toy_ppca(d)
    x, _ = model.sample(1, generator=torch.Generator().manual_seed(d))
    repeats = [[float(naive_estimate(model, x, K)) for K in counts] for _ in range(40)]
    panels[f"d = {d}"] = (torch.tensor(repeats), float(model.log_prob(x)))
plotting.estimates(counts, panels)

# %% [markdown]
# No. The log is concave, so by **Jensen's inequality** the log of a noisy mean lies, on average, below the log of the true mean: biased low, and the more, the
# noisier. With $d = 2$ a hundred samples cure it; with $d = 12$ ten thousand do not.
#
# **Predict:** how many times more samples does each further latent dimension ask for?

# %% nbgrader={"grade": false, "grade_id": "dying", "locked": true, "schema_version": 3, "solution": false, "task": false}
dims = [1, 2, 4, 6, 8, 10, 12, 16]
errors = {f"K = {K:,}": [] for K in (100, 1000, 10_000)}
for d in dims:
    model = toy_ppca(d)
    x, _ = model.sample(200, generator=torch.Generator().manual_seed(d))
    for K in (100, 1000, 10_000):
        errors[f"K = {K:,}"].append(naive_estimate(model, x, K) - model.log_prob(x))
plotting.dying_estimate(dims, {label: torch.stack(rows, 1) for label, rows in errors.items()})

# %% [markdown]
# Line: median over 200 events; band: the middle 80 %. In each direction this posterior is $\sqrt{1 + 1.5^2/0.5^2} \approx 3$ times narrower than the prior, so each
# dimension makes a hit about three times rarer: **exponential in $d$**. How many samples take part in the sum?

# %% nbgrader={"grade": false, "grade_id": "best_sample", "locked": true, "schema_version": 3, "solution": false, "task": false}
for d in (2, 8, 16):
    model = toy_ppca(d)
    x, _ = model.sample(200, generator=torch.Generator().manual_seed(d))
    log_weights = model.log_likelihood(x, torch.randn(10_000, 1, d, generator=prior_draws))
    share = torch.softmax(log_weights, 0).amax(0).median()
    print(f"d = {d:2}: the best of 10,000 samples carries {share:.1%} of the sum")


# %% [markdown]
# The prior spreads its samples over the whole latent space, and one $\mathbf{x}$ can be explained from a small corner of it alone: that of its posterior. Almost every sample is wasted.
#
# **Your own models.** They run once exercises 4, 5, 6 and 8 are written. Each number stands beside the library's.

# %% nbgrader={"grade": false, "grade_id": "mine", "locked": true, "schema_version": 3, "solution": false, "task": false}
def my_models():
    clusters = cluster_mixture.weights, cluster_mixture.means, cluster_mixture.covariances
    x, _ = sample_mixture(5000, *clusters)
    entropy = -mixture_log_prob(x, *clusters).mean()
    reference = -cluster_mixture.log_prob(cluster_mixture.sample(5000)[0]).mean()
    print(
        f"entropy of the mixture, by your samples and density: {entropy:.2f} nats; the library's: {reference:.2f} ± 0.02"
    )

    model = toy_ppca(4)
    x, _ = model.sample(100)
    z = torch.randn(1000, 4)
    naive = naive_log_likelihood(x, z, lambda x, z: model.log_likelihood(x, z[:, None]))
    exact = ppca_log_prob(x, model.W, model.mu, model.sigma)
    bias = (naive_estimate(model, x, 1000) - model.log_prob(x)).mean()
    print(
        f"your naive estimate minus your exact log p: {(naive - exact).mean():.2f} nats; the library's: {bias:.2f} ± 0.2"
    )


try:
    my_models()
except NotImplementedError:
    print("Not yet: write the four answers first.")

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
# turns Jensen's inequality from a nuisance into a bound, and asks which $q$ makes that bound tight. To read on: Bishop, *Pattern Recognition
# and Machine Learning*, sections 2.3 and 12.2.
