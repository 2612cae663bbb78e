# %% [markdown]
# # Forward and reverse KL
#
# **The question.** No model fits the data everywhere. Where does it choose to be wrong, and who decides that?
#
# Afterwards you can
# - compute KL between Gaussians, and say why its two directions differ;
# - train a flow from data (forward KL) and from a formula for the density (reverse KL), and say what each needs;
# - predict which of the two covers all modes, and which picks one;
# - look at training from the noise's side, and prove that it is the same problem there.
#
# 20 points · 7 exercises · about 105 minutes · Lecture 3, the slides "Forward KL vs. Reverse KL" and "Normalizing Flows KL Duality"
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
# **Why care.** A model that writes perfect sevens may never write a one, and its loss may not tell. Below are the two best bells for the same two
# bumps. Both are optimal; only the question that they answer differs.

# %% nbgrader={"grade": false, "grade_id": "opening_picture", "locked": true, "schema_version": 3, "solution": false, "task": false}
from torch.distributions import Categorical, MixtureSameFamily, Normal

bumps = Normal(torch.tensor([-2.0, 2.0]), torch.tensor([0.6, 0.6]))
two_bumps = MixtureSameFamily(Categorical(torch.tensor([0.4, 0.6])), bumps)
line = torch.linspace(-6, 6, 300)
bells = {"one answer": Normal(0.4, 2.05), "another": Normal(2.0, 0.6)}
curves = {name: law.log_prob(line).exp() for name, law in bells.items()}
plotting.histogram_and_curves(two_bumps.sample((20_000,)), line, curves)

# %% [markdown]
# **New here.** $\pi(\mathbf{x})$ is the target: the law that you want to match. $p(\mathbf{x}|\boldsymbol\theta)$ is the model. In code
# the target is a function `target_log_prob(x)` that returns $\log\pi$, `(n,)`. A `flow` has `forward(x)` (that is $\mathbf{f}$),
# `inverse(z)` (that is $\mathbf{g}$), both with `log_det`, and `flow.base.log_prob(z)`, `(n,)`: its noise need not be Gaussian.
# The checks hand you a flow with these three calls and no other: no `flow(x)`, no `flow.log_prob`. Detach nothing: an answer stays differentiable
# with respect to each of its tensors, and to the parameters of flow and base. As in all notebooks it keeps dtype and device, so a new
# tensor is made from one that you were given: `torch.zeros_like(x)`, `torch.eye(m, dtype=x.dtype, device=x.device)`. In figures blue is
# the data's side, orange the model's.
#
# ## 1. A distance with a direction
#
# How far is the model $p$ from the target $\pi$? Draw from $\pi$, and ask how many nats better $\pi$ explains what it drew
# (Kullback and Leibler, 1951):
#
# $$\operatorname{KL}(\pi\,\|\,p) = \mathbb{E}_{\pi(\mathbf{x})}\left[\log\pi(\mathbf{x}) - \log p(\mathbf{x})\right] \ge 0,$$
#
# zero only for $p = \pi$. The obvious way is to average over samples. Three tries with 100 samples each:

# %% nbgrader={"grade": false, "grade_id": "kl_by_samples", "locked": true, "schema_version": 3, "solution": false, "task": false}
from torch.distributions import MultivariateNormal

round_target = MultivariateNormal(torch.zeros(2), torch.eye(2))
slanted_model = MultivariateNormal(torch.tensor([1.0, 0.0]), torch.tensor([[2.0, 1.5], [1.5, 2.0]]))
round_draws = torch.Generator().manual_seed(1)
for _ in range(3):
    hundred = torch.randn(100, 2, generator=round_draws)  # from the target
    log_ratios = round_target.log_prob(hundred) - slanted_model.log_prob(hundred)
    print(f"KL(π‖p) by 100 samples: {log_ratios.mean():.3f}")


# %% [markdown]
# Three answers to one question. Between two Gaussians the expectation has a closed form, and you will use it as the yardstick for
# everything that is sampled later.
#
# ### Exercise 1 · `gaussian_kl`
# **3 points · ●●○ · 12 minutes**
#
# $$\operatorname{KL}(p\,\|\,q) = \tfrac12\Big[\operatorname{tr}(\boldsymbol\Sigma_q^{-1}\boldsymbol\Sigma_p)
# + (\boldsymbol\mu_q-\boldsymbol\mu_p)^T\boldsymbol\Sigma_q^{-1}(\boldsymbol\mu_q-\boldsymbol\mu_p) - m
# + \log\det\boldsymbol\Sigma_q - \log\det\boldsymbol\Sigma_p\Big]$$
#
# `gaussian_kl(mean_p, cov_p, mean_q, cov_q)`: means `(m,)`, covariances `(m, m)`, full. Returns a scalar, shape `()`. In this exercise
# alone the letters are the textbook's: $p$ is whatever stands first and draws, $q$ what stands second. It must survive $m = 150$ in
# float32, where determinants do not.
#
# *Example.* $p = \mathcal{N}(0, 1)$, $q = \mathcal{N}(1, 4)$: $\tfrac12[\tfrac14 + \tfrac14 - 1 + \log 4] = 0.443$. The other way
# round: $\tfrac12[4 + 1 - 1 - \log 4] = 1.307$.
#
# `torch.distributions.kl_divergence` passes as well; the formula's four terms teach you what each error costs.
#
# <details><summary>Hint 1: a nudge</summary>
#
# Only $\boldsymbol\Sigma_q$ is inverted, and a solve does it. Which call returns the *logarithm* of a determinant?
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `torch.linalg.solve(cov_q, cov_p).trace()`, and `torch.logdet(cov)` or `torch.linalg.slogdet(cov).logabsdet`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "gaussian_kl", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gaussian_kl(mean_p: Tensor, cov_p: Tensor, mean_q: Tensor, cov_q: Tensor) -> Tensor:
    """KL(N(mean_p, cov_p) || N(mean_q, cov_q)), for means (m,), covariances (m, m): a scalar ()."""
    ### BEGIN SOLUTION
    delta = mean_q - mean_p
    trace = torch.linalg.solve(cov_q, cov_p).trace()
    distance = delta @ torch.linalg.solve(cov_q, delta)
    return 0.5 * (trace + distance - len(delta) + torch.logdet(cov_q) - torch.logdet(cov_p))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_gaussian_kl", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("gaussian_kl", gaussian_kl)

# %% [markdown]
# Now hold the target $\pi = \mathcal{N}(0, 1)$ and change only the width of the model, $p = \mathcal{N}(0, s^2)$.
#
# **Predict:** which direction explodes for a model that is too narrow, forward $\operatorname{KL}(\pi\|p)$ or reverse $\operatorname{KL}(p\|\pi)$?

# %% nbgrader={"grade": false, "grade_id": "guess_narrow", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_narrow = None  # "forward" or "reverse"

# %% nbgrader={"grade": false, "grade_id": "widths", "locked": true, "schema_version": 3, "solution": false, "task": false}
import dgmlib.kl

kl_between, whose_kl = yours("gaussian_kl", dgmlib.kl.gaussian_kl)
moments = [(law.mean, law.covariance_matrix) for law in (round_target, slanted_model)]
print(f"what the three tries estimated: {kl_between(*moments[0], *moments[1]):.3f}")

s = torch.linspace(0.3, 4, 200)
zero, one = torch.zeros(1), torch.eye(1)
forward_kls = torch.stack([kl_between(zero, one, zero, v * one) for v in s**2])
reverse_kls = torch.stack([kl_between(zero, v * one, zero, one) for v in s**2])
(ax,) = plotting.panels(f"gaussian_kl: {whose_kl}", labels=("$s$, width of the model", "KL, nats"), height=2.8)
ax.plot(s, forward_kls, color=plotting.DATA, label="forward, KL(π‖p)")
ax.plot(s, reverse_kls, "--", color=plotting.MODEL, label="reverse, KL(p‖π)")
ax.legend()
guesses.compare("Which KL explodes for a model that is too narrow?", guess_narrow, "forward", ["forward", "reverse"])

# %% [markdown]
# The forward $\operatorname{KL}(\pi\|p)$ explodes on the left: $\pi$ draws where a narrow $p$ has no density, and $\log p$ is very
# negative there. The reverse $\operatorname{KL}(p\|\pi)$ grows on the right, where a wide $p$ draws far out. **The first argument draws;
# the second must not be small where the first one draws.**
#
# ## 2. What each direction punishes
#
# Put the target first or the model first:
#
# | | who draws | an error is |
# |---|---|---|
# | forward, $\operatorname{KL}(\pi\,\Vert\,p)$ | the target | data where the model has no density |
# | reverse, $\operatorname{KL}(p\,\Vert\,\pi)$ | the model | model samples where the target has no density |
#
# A target with two bumps, and a model that has only one: a Gaussian. It can cover both bumps or sit on one.
#
# **Predict:** which KL prefers to cover both?

# %% nbgrader={"grade": false, "grade_id": "guess_cover", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_cover = None  # "forward" or "reverse"

# %% nbgrader={"grade": false, "grade_id": "integrands", "locked": true, "schema_version": 3, "solution": false, "task": false}
two_answers = {"cover both": bells["one answer"].log_prob, "sit on one": bells["another"].log_prob}
plotting.kl_integrands(two_bumps.log_prob, two_answers)
guesses.compare("Which KL prefers to cover both bumps?", guess_cover, "forward", ["forward", "reverse"])

# %% [markdown]
# Below each pair you see what the two KLs integrate: negative where the first density is the smaller one, but never in total. *Cover both*: the reverse KL (orange) pays in the gap, where the model draws and
# $\pi$ is almost zero. *Sit on one*: the forward KL (blue) pays for the bump that the model does not reach, far beyond the
# figure's edge; the reverse KL never draws there, and sees nothing. It pays $0.51 = -\log 0.6$ nats in all, whatever the other
# bump looks like.
#
# Drag the model. Find the smallest KL of each kind:


# %% nbgrader={"grade": false, "grade_id": "drag", "locked": true, "schema_version": 3, "solution": false, "task": false}
def draw(mean, std):
    plotting.kl_integrands(two_bumps.log_prob, {f"N({mean:.2f}, {std:.2f}²)": Normal(mean, std).log_prob})


plotting.sliders(draw, mean=(-3.0, 3.0, 0.0), std=(0.3, 3.0, 1.05))

# %% [markdown]
# Both KLs at every mean and std at once, a star at each minimum. Choose where training starts, and watch gradient descent go downhill:


# %% nbgrader={"grade": false, "grade_id": "landscape", "locked": true, "schema_version": 3, "solution": false, "task": false}
def draw_descent(mean, std):
    plotting.kl_landscape(two_bumps.log_prob, start=(mean, std))


plotting.sliders(draw_descent, mean=(-3.0, 3.0, -1.2), std=(0.4, 3.2, 1.0))


# %% [markdown]
# Forward: one minimum, at the target's own mean and std. It is **mode covering**. Reverse: a minimum on each bump, the deepest on the heavier one, and a third, shallow
# minimum between them. It is **mode seeking**, and where you end depends on where you start.
#
# **Find the bug.** A fellow student wants $\operatorname{KL}(\pi\|p)$ by samples, for any two laws. With exercise 1 you have an instrument:


# %% nbgrader={"grade": false, "grade_id": "suspicious_kl", "locked": true, "schema_version": 3, "solution": false, "task": false}
def suspicious_kl(target, model):
    draws = model.sample((50_000,))  # line 1
    log_ratio = target.log_prob(draws) - model.log_prob(draws)  # line 2
    return log_ratio.mean()  # line 3


estimated = suspicious_kl(round_target, slanted_model)
print(f"estimated {estimated:.2f}, closed form {dgmlib.kl.gaussian_kl(*moments[0], *moments[1]):.2f}")

# %% nbgrader={"grade": false, "grade_id": "wrong_side", "locked": false, "schema_version": 3, "solution": false, "task": false}
wrong_side = None  # the number of the line to change: 1, 2 or 3

# %% nbgrader={"grade": false, "grade_id": "try_wrong_side", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("wrong_side", wrong_side)

# %% [markdown]
# ## 3. Forward KL is maximum likelihood
#
# You have data $\mathbf{x} \sim \pi$, and no formula for $\pi$. Pull the logarithm apart:
#
# $$\operatorname{KL}(\pi\,\|\,p) = \underbrace{\mathbb{E}_\pi\log\pi(\mathbf{x})}_{\text{no } \boldsymbol\theta} -
# \mathbb{E}_{\pi}\log p(\mathbf{x}|\boldsymbol\theta)
# = \text{const} - \mathbb{E}_\pi\big[\log p(\mathbf{f}_{\boldsymbol\theta}(\mathbf{x})) + \log|\det\mathbf{J_f}|\big].$$
#
# The part that you cannot compute does not move with $\boldsymbol\theta$. What is left is the mean negative log-likelihood.
#
# The examples of this notebook all use one toy, with $m = 1$: $f(x) = 2x$, so $g(z) = z/2$; the base is $\mathcal{N}(0, 1)$; the target is
# $\log\pi(x) = -x^2$, which is not normalised: its integral is $Z = 1.772$.
#
# ### Exercise 2 · `forward_kl_loss`
# **3 points · ●○○ · 6 minutes**
#
# $$-\frac1n\sum_{i=1}^n\big[\log p(\mathbf{f}(\mathbf{x}_i)) + \log|\det\mathbf{J_f}(\mathbf{x}_i)|\big]$$
#
# `forward_kl_loss(flow, x)`: `x` `(n, m)` drawn from the data law. Returns a scalar. Use the flow's own `base`.
#
# *Example.* The toy at $x = 0.5$ and $x = 1$: $z = 1, 2$, $\log p(z) = -1.419, -2.919$, and $\log 2$ each:
# $-\tfrac12(-0.726 - 2.226) = 1.476$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# One call of `flow.forward` gives both ingredients. Is a loss something to make large or small?
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `flow.base.log_prob(z) + log_det` is $\log p(\mathbf{x}|\boldsymbol\theta)$, one number for each sample.
# </details>


# %% nbgrader={"grade": false, "grade_id": "forward_kl_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def forward_kl_loss(flow, x: Tensor) -> Tensor:
    """Mean of -log p(x), for x (n, m) from the data law: a scalar ()."""
    ### BEGIN SOLUTION
    z, log_det = flow.forward(x)
    return -(flow.base.log_prob(z) + log_det).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_forward_kl_loss", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("forward_kl_loss", forward_kl_loss)

# %% [markdown]
# ## 4. Reverse KL: move the expectation to the noise
#
# Sometimes it is the other way round: no data, but a formula for $\log\pi$, up to a constant. A posterior in statistics and an energy in
# physics are like that. Then put the model first:
#
# $$\operatorname{KL}(p\,\|\,\pi) = \mathbb{E}_{p(\mathbf{x}|\boldsymbol\theta)}\left[\log p(\mathbf{x}|\boldsymbol\theta) - \log\pi(\mathbf{x})\right].$$
#
# The obvious way: sample $\mathbf{x}$ from the model, put it in, differentiate. The model here is the smallest flow there is,
# $\mathbf{x} = \boldsymbol\sigma\odot\mathbf{z} + \boldsymbol\mu$, at $\boldsymbol\mu = (1, 0)$; the target has two bumps at
# $(\pm 2, 0)$.
#
# **Predict:** which way should $\mu_1$ move: left, right or nowhere?

# %% nbgrader={"grade": false, "grade_id": "guess_move", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_move = None  # "left", "right" or "nowhere"

# %% nbgrader={"grade": false, "grade_id": "old_way", "locked": true, "schema_version": 3, "solution": false, "task": false}
from dgmlib import flows


class Constant(nn.Module):
    def __init__(self, mu):
        super().__init__()
        self.mu, self.log_sigma = nn.Parameter(torch.tensor(mu)), nn.Parameter(torch.zeros(2))

    def forward(self, x):
        return self.mu.expand_as(x), self.log_sigma.expand_as(x)


def gaussian(mu):
    return flows.Flow(flows.StandardNormal(2), flows.Autoregressive(Constant(mu)))


moving_gaussian = gaussian([1.0, 0.0])
noise_draws = moving_gaussian.base.sample((20_000,), generator=torch.Generator().manual_seed(0))
cut_off = moving_gaussian.inverse(noise_draws)[0].detach()  # as torch.distributions' .sample() would give them
cut_off_loss = (moving_gaussian.log_prob(cut_off) - data.bimodal_log_prob(cut_off)).mean()
cut_off_loss.backward()
print(f"loss {cut_off_loss:.3f}, gradient with respect to mu_1: {moving_gaussian.bijection.conditioner.mu.grad[0]:.3f}")


# %% [markdown]
# The value of the loss is right, as you will see below; the gradient is nothing but noise around zero. The samples are numbers by then:
# they do not know that they move with $\boldsymbol\theta$. And the target enters through nothing else: what is left is
# $\mathbb{E}_p\nabla_{\boldsymbol\theta}\log p(\mathbf{x}|\boldsymbol\theta) = 0$, for any model.
#
# The way out is the LOTUS trick ("law of the unconscious statistician"), also known as the reparametrisation trick (Kingma and
# Welling 2013): an expectation over $\mathbf{x} = \mathbf{g}(\mathbf{z})$ is an
# expectation over $\mathbf{z}$,
#
# $$\mathbb{E}_{p(\mathbf{x}|\boldsymbol\theta)}\,h(\mathbf{x}) = \mathbb{E}_{p(\mathbf{z})}\,h(\mathbf{g}_{\boldsymbol\theta}(\mathbf{z})).$$
#
# Now what is drawn holds no $\boldsymbol\theta$, and the path from $\boldsymbol\theta$ to $\mathbf{x}$ stays in the graph. With
# $\log p(\mathbf{x}|\boldsymbol\theta) = \log p(\mathbf{z}) - \log|\det\mathbf{J_g}|$, no $\mathbf{f}$ is left:
#
# ### Exercise 3 · `reverse_kl_loss`
# **4 points · ●●○ · 12 minutes**
#
# $$\operatorname{KL}(p\,\|\,\pi) \approx \frac1n\sum_{i=1}^n\big[\log p(\mathbf{z}_i) - \log|\det\mathbf{J_g}(\mathbf{z}_i)| - \log\pi(\mathbf{g}(\mathbf{z}_i))\big]$$
#
# `reverse_kl_loss(flow, z, target_log_prob)`: `z` `(n, m)` drawn from the base. Returns a scalar. Never call `flow.forward`.
# $\pi$ may lack its normaliser $Z$; then the value is $\operatorname{KL} - \log Z$, and may be negative.
#
# *Example.* The toy at $z = 1$: $x = 0.5$, $\log p(z) = -1.419$, $\log|\det\mathbf{J_g}| = -0.693$, $\log\pi(x) = -0.25$:
# $-1.419 + 0.693 + 0.25 = -0.476$.
#
# > **Trap.** The slide says that $p(\mathbf{z})$ need not be evaluated. True for training, if the base has no parameters: then
# > $\mathbb{E}\log p(\mathbf{z})$ holds no $\boldsymbol\theta$.
# > Keep the term here, in the graph too, or your number is not the KL, and a base with parameters
# > of its own would train wrongly.
#
# <details><summary>Hint 1: a nudge</summary>
#
# `flow.inverse(z)` returns the sample and the log-determinant of the direction it went. Two of the three terms carry a minus.
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `x, log_det = flow.inverse(z)`, and then one mean over `flow.base.log_prob(z) - log_det - ...`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "reverse_kl_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def reverse_kl_loss(flow, z: Tensor, target_log_prob) -> Tensor:
    """Mean of log p(x) - log pi(x) at x = g(z), for z (n, m) from the base: a scalar ()."""
    ### BEGIN SOLUTION
    x, log_det = flow.inverse(z)
    return (flow.base.log_prob(z) - log_det - target_log_prob(x)).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_reverse_kl_loss", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check("reverse_kl_loss", reverse_kl_loss)

# %% nbgrader={"grade": false, "grade_id": "right_gradient", "locked": true, "schema_version": 3, "solution": false, "task": false}
moving_gaussian.zero_grad()
lotus_loss = dgmlib.kl.reverse_kl_loss(moving_gaussian, noise_draws, data.bimodal_log_prob)
lotus_loss.backward()
print(f"loss {lotus_loss:.3f}, gradient with respect to mu_1: {moving_gaussian.bijection.conditioner.mu.grad[0]:.3f}")
guesses.compare("Which way should mu_1 move?", guess_move, "right", ["left", "right", "nowhere"])

# %% [markdown]
# The same loss, another gradient. It is negative: descent moves $\mu_1$ to the right, towards the nearer bump. Now the same Gaussian model, two objectives, and two starts: $\mu_1 = -1$ and
# $\mu_1 = 1$.
#
# **Predict:** how many different results will the four runs have: 1, 2, 3 or 4?

# %% nbgrader={"grade": false, "grade_id": "guess_results", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_results = None  # 1, 2, 3 or 4


# %% nbgrader={"grade": false, "grade_id": "two_runs", "locked": true, "schema_version": 3, "solution": false, "task": false}
def descend(flow, loss, steps=400, lr=0.02):
    optimizer = torch.optim.Adam(flow.parameters(), lr=lr)
    smaller = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=steps)  # or the end is noise
    for _ in range(steps):
        value = loss(flow)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        smaller.step()
    return flow


forward_loss, whose_forward = yours("forward_kl_loss", dgmlib.kl.forward_kl_loss)
reverse_loss, whose_reverse = yours("reverse_kl_loss", dgmlib.kl.reverse_kl_loss)


def forward_kl(flow):
    return forward_loss(flow, data.bimodal(256, seed=bimodal_draws))


def reverse_kl(flow):
    return reverse_loss(flow, flow.base.sample((256,), generator=base_draws), data.bimodal_log_prob)


bimodal_draws = torch.Generator().manual_seed(0)
base_draws = torch.Generator().manual_seed(0)
four_runs = {}
for side, mu in {"left": -1.0, "right": 1.0}.items():
    four_runs[f"forward, from {side}"] = descend(gaussian([mu, 0.0]), forward_kl).log_prob
    four_runs[f"reverse, from {side}"] = descend(gaussian([mu, 0.0]), reverse_kl).log_prob

# %% nbgrader={"grade": false, "grade_id": "covering_seeking", "locked": true, "schema_version": 3, "solution": false, "task": false}
drawn = dict(list(four_runs.items())[1:])  # the first looks like the third
print(f"forward_kl_loss: {whose_forward}, reverse_kl_loss: {whose_reverse}")
plotting.densities(data.bimodal(1500), drawn, extent=4.0)
guesses.compare("How many different results?", guess_results, 3, [1, 2, 3, 4])

# %% [markdown]
# Three: from either start the forward KL lays one wide bump over everything, much of it where there are no data; the reverse KL takes the
# bump it started next to, and fits it well. (Forward from the left looks like forward from the right, and is not drawn.)
#
# That model cannot have two bumps. A RealNVP can. Pull the target's bumps further apart, to $(\pm 6, 0)$, and start both objectives
# from the same untrained flow.
#
# **Predict:** does a flexible model cure the reverse KL, yes or no? (And what will its loss be, if it misses one half?)

# %% nbgrader={"grade": false, "grade_id": "guess_cure", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_cure = None  # "yes" or "no"


# %% nbgrader={"grade": false, "grade_id": "flexible", "locked": true, "schema_version": 3, "solution": false, "task": false}
def far(x):
    return data.bimodal_log_prob(x, distance=12.0)


def realnvp(loss, steps=600, lr=3e-3):
    torch.manual_seed(0)  # a network's first weights come from the global state alone
    flow = flows.Flow(flows.StandardNormal(2), flows.RealNVP(2, num_layers=6, hidden=[32, 32]))
    return descend(flow, loss, steps, lr)


def far_data(n):
    return data.bimodal(n, distance=12.0, seed=bimodal_draws)


def far_noise(flow, n):
    return flow.base.sample((n,), generator=base_draws)


far_fits = {
    "forward KL": realnvp(lambda flow: dgmlib.kl.forward_kl_loss(flow, far_data(256))),
    "reverse KL": realnvp(lambda flow: dgmlib.kl.reverse_kl_loss(flow, far_noise(flow, 256), far)),
}
far_x = far_data(4000)
for name, fit in far_fits.items():
    to_model = (far(far_x) - fit.log_prob(far_x)).mean()
    from_model = dgmlib.kl.reverse_kl_loss(fit, far_noise(fit, 4000), far)
    print(f"trained by {name}: KL(π‖p) {to_model:.2f}, KL(p‖π) {from_model:.2f}")
plotting.densities(far_x[:1500], {name: fit.log_prob for name, fit in far_fits.items()}, extent=8.0)
guesses.compare("Does a flexible model cure the reverse KL?", guess_cure, "no", ["yes", "no"])

# %% [markdown]
# No cure: no model sample ever reached the other bump, so nothing told the reverse KL that it exists. Its loss is about
# $\log 2 = 0.69$ nats, the price of any missed half. By the reverse KL that is no bad model, and it may even look like the better one:
# the forward one pays for the few samples that it leaves between and beyond the bumps, too thinly spread to be seen here (its density
# looks paler only because it covers twice the area). By the forward KL one of them is hopeless. **A small reverse KL does not tell you what you missed.**
#
# ## 5. What each objective needs
#
# The last notebook ended with flows that are fast in one direction only. Count: which direction runs in each loss?

# %% nbgrader={"grade": false, "grade_id": "speed", "locked": true, "schema_version": 3, "solution": false, "task": false}
import timeit


def milliseconds(call, *inputs):
    return 1e3 * min(timeit.repeat(lambda: call(*inputs), number=1, repeat=3))


wide_rows = torch.randn(256, 48, generator=torch.Generator().manual_seed(0))  # as x and as z: only the time counts
wide_base = flows.StandardNormal(48)
for layer in (flows.MaskedAutoregressive(48), flows.InverseAutoregressive(48)):
    one_way = flows.Flow(wide_base, layer)
    forward_ms = milliseconds(dgmlib.kl.forward_kl_loss, one_way, wide_rows)
    reverse_ms = milliseconds(dgmlib.kl.reverse_kl_loss, one_way, wide_rows, wide_base.log_prob)
    print(f"{type(layer).__name__}: forward KL {forward_ms:.1f} ms, reverse KL {reverse_ms:.1f} ms")


# %% [markdown]
# Choose the flow by the objective: a fast $\mathbf{f}$ for the forward KL, a fast $\mathbf{g}$ for the reverse KL. A coupling flow has both.
#
# ### Exercise 4 · `objective_needs`
# **2 points · ●○○ · 6 minutes**
#
# What can training by each objective not do without? Choose among
# `"f"`, `"g"` (each with its Jacobian), `"base density"`, `"base samples"`, `"target density"`, `"target samples"`. Sampling from the finished model is not training; a
# term that holds no $\boldsymbol\theta$ need not be evaluated, and the base here has no parameters of its own.
#
# `objective_needs()` returns `{"forward_kl": {...}, "reverse_kl": {...}}`, two sets of these words.
#
# *Example.* If an objective needed nothing but data and noise: `{"target samples", "base samples"}`.
#
# <details><summary>Hint 1: a nudge</summary>
#
# Go through exercises 2 and 3 term by term: which function runs, what is drawn, what is evaluated?
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# Three words each, and no word twice.
# </details>


# %% nbgrader={"grade": false, "grade_id": "objective_needs", "locked": false, "schema_version": 3, "solution": true, "task": false}
def objective_needs() -> dict[str, set[str]]:
    """What training by the forward and by the reverse KL cannot do without."""
    ### BEGIN SOLUTION
    return {
        "forward_kl": {"f", "base density", "target samples"},
        "reverse_kl": {"g", "base samples", "target density"},
    }
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_objective_needs", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check("objective_needs", objective_needs)

# %% [markdown]
# ## 6. The same training, seen from the noise
#
# Training by the forward KL pushed the model towards the data. Stand on the other side: $\mathbf{f}$ takes data to the latent space. If
# the model were perfect, what would $\mathbf{f}(\mathbf{x})$ look like, for $\mathbf{x}\sim\pi$?
#
# A RealNVP, untrained and trained by the forward KL, on the target with bumps at $(\pm 2, 0)$. An untrained RealNVP is the identity,
# so the first panel shows the data themselves.

# %% nbgrader={"grade": false, "grade_id": "dual", "locked": true, "schema_version": 3, "solution": false, "task": false}
trained = realnvp(forward_kl)
untrained = flows.Flow(flows.StandardNormal(2), flows.RealNVP(2, num_layers=6, hidden=[32, 32]))
plotting.latent_dual({"untrained": untrained, "trained": trained}, data.bimodal(2000, seed=1))


# %% [markdown]
# Training the model to look like the data is training $\mathbf{f}(\mathbf{x})$ to look like noise. The two bumps became two halves of one
# round cloud; the seam between them is the gap, empty in the data, squeezed to a thread.
#
# The law of those points has a name, $p(\mathbf{z}|\boldsymbol\theta)$: draw $\mathbf{x}\sim\pi$, set $\mathbf{z} = \mathbf{f}_{\boldsymbol\theta}(\mathbf{x})$.
# Its density is a change of variables once more, now with $\pi$ in the role of the base.
#
# > **Trap.** One letter, three laws. $p(\mathbf{z})$ is the base, fixed. $p(\mathbf{z}|\boldsymbol\theta)$ is what $\mathbf{f}$ makes of the target.
# > $p(\mathbf{x}|\boldsymbol\theta)$ is what $\mathbf{g}$ makes of the base.
#
# ### Exercise 5 · `latent_log_prob`
# **3 points · ●●○ · 8 minutes**
#
# $$\log p(\mathbf{z}|\boldsymbol\theta) = \log\pi(\mathbf{g}_{\boldsymbol\theta}(\mathbf{z})) + \log|\det\mathbf{J_g}|$$
#
# `latent_log_prob(flow, z, target_log_prob)`: `z` `(n, m)`, any points. Returns `(n,)`. If $\pi$ is not normalised, neither is the
# result.
#
# *Example.* The toy at $z = 1$: $\log\pi(0.5) - \log 2 = -0.25 - 0.693 = -0.943$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# Which data point lands at $\mathbf{z}$? Ask the target about that one. And by how much does $\mathbf{g}$ stretch space at $\mathbf{z}$?
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# `flow.inverse(z)` returns both things that you need.
# </details>


# %% nbgrader={"grade": false, "grade_id": "latent_log_prob", "locked": false, "schema_version": 3, "solution": true, "task": false}
def latent_log_prob(flow, z: Tensor, target_log_prob) -> Tensor:
    """log p(z|theta), the law of f(x) for x from the target, for z (n, m): a tensor (n,)."""
    ### BEGIN SOLUTION
    x, log_det = flow.inverse(z)
    return target_log_prob(x) + log_det
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_latent_log_prob", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("latent_log_prob", latent_log_prob)


# %% nbgrader={"grade": false, "grade_id": "latent_densities", "locked": true, "schema_version": 3, "solution": false, "task": false}
latent_law, whose_latent = yours("latent_log_prob", dgmlib.kl.latent_log_prob)


def induced(flow):
    return lambda z: latent_law(flow, z, data.bimodal_log_prob)


induced_laws = {f"p(z|θ), untrained ({whose_latent})": induced(untrained), "p(z|θ), trained": induced(trained)}
plotting.latent_densities(induced_laws | {"base p(z)": trained.base.log_prob})


# %% [markdown]
# Here is the seam again, white: almost nothing of $\pi$ lands there. The rest has come close to the base, a few streaks apart.
#
# How far is $p(\mathbf{z}|\boldsymbol\theta)$ from $p(\mathbf{z})$? What draws is $p(\mathbf{z}|\boldsymbol\theta)$, the law that moves with
# $\boldsymbol\theta$, so in the latent space this is a **reverse** KL:
#
# $$\operatorname{KL}(p(\mathbf{z}|\boldsymbol\theta)\,\|\,p(\mathbf{z})) = \mathbb{E}_{p(\mathbf{z}|\boldsymbol\theta)}\big[\log p(\mathbf{z}|\boldsymbol\theta) - \log p(\mathbf{z})\big].$$
#
# To draw from $p(\mathbf{z}|\boldsymbol\theta)$, draw $\mathbf{x}\sim\pi$ and push it through $\mathbf{f}$: LOTUS, this time from $\mathbf{z}$ to $\mathbf{x}$.
#
# ### Exercise 6 · `latent_reverse_kl`
# **3 points · ●●○ · 10 minutes**
#
# $$\frac1n\sum_{i=1}^n\big[\log\pi(\mathbf{x}_i) - \log|\det\mathbf{J_f}(\mathbf{x}_i)| - \log p(\mathbf{f}(\mathbf{x}_i))\big]$$
#
# `latent_reverse_kl(flow, x, target_log_prob)`: `x` `(n, m)` drawn from the target. Returns a scalar.
#
# *Example.* The toy at $x = 0.5$: $z = 1$, and $-0.25 - 0.693 - (-1.419) = 0.476$.
#
# <details><summary>Hint 1: a nudge</summary>
#
# Start from $\log p(\mathbf{z}|\boldsymbol\theta) - \log p(\mathbf{z})$ at $\mathbf{z} = \mathbf{f}(\mathbf{x})$. There $\mathbf{g}(\mathbf{z})$ is $\mathbf{x}$ itself,
# and $\log|\det\mathbf{J_g}| = -\log|\det\mathbf{J_f}|$.
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# One call of `flow.forward(x)`; the target is asked at `x`, the base at `z`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "latent_reverse_kl", "locked": false, "schema_version": 3, "solution": true, "task": false}
def latent_reverse_kl(flow, x: Tensor, target_log_prob) -> Tensor:
    """Mean of log p(z|theta) - log p(z) at z = f(x), for x (n, m) from the target: a scalar ()."""
    ### BEGIN SOLUTION
    z, log_det = flow.forward(x)
    return (target_log_prob(x) - log_det - flow.base.log_prob(z)).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_latent_reverse_kl", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check("latent_reverse_kl", latent_reverse_kl)

# %% [markdown]
# You have seen these three terms before. Take a flow that has trained for 40 steps only, and compute both integrands **by separate routes**: one in
# the data space by $\mathbf{f}$ alone, the other in the latent space by $\mathbf{g}$ alone.
#
# **Predict:** what will agree: nothing, the means, or every sample?

# %% nbgrader={"grade": false, "grade_id": "guess_agree", "locked": false, "schema_version": 3, "solution": false, "task": false}
guess_agree = None  # "nothing", "means" or "every sample"

# %% nbgrader={"grade": false, "grade_id": "duality", "locked": true, "schema_version": 3, "solution": false, "task": false}
hardly_trained = realnvp(forward_kl, steps=40, lr=5e-3)
thousand = data.bimodal(1000, seed=2)
thousand_z, _ = hardly_trained(thousand)
data_space = data.bimodal_log_prob(thousand) - hardly_trained.log_prob(thousand)
latent_space = latent_law(hardly_trained, thousand_z, data.bimodal_log_prob) - hardly_trained.base.log_prob(thousand_z)
plotting.sample_by_sample(data_space, latent_space)
print(f"largest difference: {(data_space - latent_space).abs().max():.0e} nats")
guesses.compare("What agrees?", guess_agree, "every sample", ["nothing", "means", "every sample"])

# %% [markdown]
# They do not differ, beyond rounding: not only the means, every single sample. That is more than a figure can promise. Prove it. (With
# the roles swapped, the same steps turn the reverse KL into a forward one:
# $\operatorname{KL}(p(\mathbf{x}|\boldsymbol\theta)\,\|\,\pi) = \operatorname{KL}(p(\mathbf{z})\,\|\,p(\mathbf{z}|\boldsymbol\theta))$.)
#
# **The steps first.** From $\operatorname{KL}(p(\mathbf{z}|\boldsymbol\theta)\|p(\mathbf{z}))$ six lines lead to $\operatorname{KL}(\pi\|p(\mathbf{x}|\boldsymbol\theta))$. Put them in order, each with the rule that makes it from the
# line before: `definition`, `change of variables`, `LOTUS` or `inverse` ($\mathbf{g}(\mathbf{f}(\mathbf{x})) = \mathbf{x}$, so $\mathbf{J_g}\mathbf{J_f} = \mathbf{I}$).
#
# - A: $\mathbb{E}_\pi\big[\log\pi(\mathbf{x}) - \log|\det\mathbf{J_f}(\mathbf{x})| - \log p(\mathbf{f}(\mathbf{x}))\big]$
# - B: $\mathbb{E}_{p(\mathbf{z}|\boldsymbol\theta)}\big[\log\pi(\mathbf{g}(\mathbf{z})) + \log|\det\mathbf{J_g}(\mathbf{z})| - \log p(\mathbf{z})\big]$
# - C: $\operatorname{KL}(\pi\,\|\,p(\mathbf{x}|\boldsymbol\theta))$
# - D: $\mathbb{E}_{p(\mathbf{z}|\boldsymbol\theta)}\big[\log p(\mathbf{z}|\boldsymbol\theta) - \log p(\mathbf{z})\big]$
# - E: $\mathbb{E}_\pi\big[\log\pi(\mathbf{g}(\mathbf{f}(\mathbf{x}))) + \log|\det\mathbf{J_g}(\mathbf{f}(\mathbf{x}))| - \log p(\mathbf{f}(\mathbf{x}))\big]$
# - F: $\mathbb{E}_\pi\big[\log\pi(\mathbf{x}) - \log p(\mathbf{x}|\boldsymbol\theta)\big]$

# %% nbgrader={"grade": false, "grade_id": "duality_steps", "locked": false, "schema_version": 3, "solution": false, "task": false}
duality_steps = None  # a text of six lines, each a letter and its rule, such as """X definition"""

# %% nbgrader={"grade": false, "grade_id": "try_duality_steps", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("duality_steps", duality_steps)

# %% [markdown]
# ### Exercise 7 · `duality_proof`
# **2 points · ●●○ · 15 minutes · written, read by a person**
#
# Let $\mathbf{f}_{\boldsymbol\theta}$ be differentiable and invertible, its inverse $\mathbf{g}_{\boldsymbol\theta}$ differentiable too, and
# $\pi$ a density. ($x^3$ shows that the second does not follow from the first.) Show that
#
# $$\operatorname{KL}(\pi(\mathbf{x})\,\|\,p(\mathbf{x}|\boldsymbol\theta)) = \operatorname{KL}(p(\mathbf{z}|\boldsymbol\theta)\,\|\,p(\mathbf{z})),$$
#
# and conclude that both have the same minimisers $\boldsymbol\theta$. Name the rule behind each step. Five to eight lines; LaTeX between
# dollar signs works in the cell below, plain words do too.
#
# <details><summary>Hint 1: a nudge</summary>
#
# Start on the right, with the definition of KL. Which two rules turn an expectation over $\mathbf{z}$ with $\mathbf{g}$ inside into
# one over $\mathbf{x}$ with $\mathbf{f}$ inside?
# </details>
# <details><summary>Hint 2: nearly the line</summary>
#
# Change of variables for $\log p(\mathbf{z}|\boldsymbol\theta)$; LOTUS with $\mathbf{z} = \mathbf{f}(\mathbf{x})$; the chain rule for
# $\mathbf{g}(\mathbf{f}(\mathbf{x})) = \mathbf{x}$, so $\mathbf{J_g}(\mathbf{f}(\mathbf{x})) = \mathbf{J_f}(\mathbf{x})^{-1}$; change of variables for $\log p(\mathbf{x}|\boldsymbol\theta)$.
# </details>

# %% [markdown] nbgrader={"grade": true, "grade_id": "duality_proof", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# **Model answer.** By the definition of KL, and the change of variables for $\mathbf{z} = \mathbf{f}(\mathbf{x})$, $\mathbf{x}\sim\pi$:
#
# $$\operatorname{KL}(p(\mathbf{z}|\boldsymbol\theta)\|p(\mathbf{z})) = \mathbb{E}_{p(\mathbf{z}|\boldsymbol\theta)}\big[\log\pi(\mathbf{g}(\mathbf{z})) + \log|\det\mathbf{J_g}(\mathbf{z})| - \log p(\mathbf{z})\big].$$
#
# A draw of $p(\mathbf{z}|\boldsymbol\theta)$ is $\mathbf{f}(\mathbf{x})$ with $\mathbf{x}\sim\pi$, so by LOTUS the expectation is one over $\pi$ with
# $\mathbf{f}(\mathbf{x})$ in the place of $\mathbf{z}$. There $\mathbf{g}(\mathbf{z}) = \mathbf{x}$. Differentiating $\mathbf{g}(\mathbf{f}(\mathbf{x})) = \mathbf{x}$ gives
# $\mathbf{J_g}(\mathbf{f}(\mathbf{x}))\,\mathbf{J_f}(\mathbf{x}) = \mathbf{I}$, hence $\log|\det\mathbf{J_g}| = -\log|\det\mathbf{J_f}|$, and
#
# $$= \mathbb{E}_{\pi(\mathbf{x})}\big[\log\pi(\mathbf{x}) - \big(\log|\det\mathbf{J_f}(\mathbf{x})| + \log p(\mathbf{f}(\mathbf{x}))\big)\big]
# = \mathbb{E}_{\pi(\mathbf{x})}\big[\log\pi(\mathbf{x}) - \log p(\mathbf{x}|\boldsymbol\theta)\big] = \operatorname{KL}(\pi\|p(\mathbf{x}|\boldsymbol\theta)),$$
#
# the bracket being the flow's log-likelihood. The two functions of $\boldsymbol\theta$ are equal, so they have the same minimisers.
#
# **Rubric** (2 points)
#
# | points | for |
# |---|---|
# | 0.5 | $\log p(\mathbf{z}\vert\boldsymbol\theta)$ by a change of variables from $\pi$, with $+\log\vert\det\mathbf{J_g}\vert$ |
# | 0.5 | the change of the expectation from $\mathbf{z}$ to $\mathbf{x}$, with a reason (LOTUS, or substitution in the integral with its Jacobian) |
# | 0.5 | $\log\vert\det\mathbf{J_g}\vert = -\log\vert\det\mathbf{J_f}\vert$ at matching points, with a reason |
# | 0.5 | the flow's log-likelihood is recognised, and equal KLs give equal minimisers |
#
# Going from left to right is as good. A missing $\boldsymbol\theta$ or a name in place of a formula costs nothing. A wrong sign that cancels later costs that
# line. "Because the KL is invariant under bijections", with a proof of the invariance, is full marks; without one, 0.5.

# %% [markdown]
# **Your own losses.** The same training with your exercises 2, 3 and 6, beside the library's; it runs once they are written. The numbers
# of a row should agree to about 0.1 nats.


# %% nbgrader={"grade": false, "grade_id": "mine", "locked": true, "schema_version": 3, "solution": false, "task": false}
def my_losses():
    pi = data.bimodal_log_prob
    x = data.bimodal(1000, seed=2)
    own = {
        "forward KL": lambda flow: forward_kl_loss(flow, data.bimodal(256, seed=bimodal_draws)),
        "reverse KL": lambda flow: reverse_kl_loss(flow, flow.base.sample((256,), generator=base_draws), pi),
    }
    reference = {"forward KL": forward_kl, "reverse KL": reverse_kl}

    def trained_by(loss):
        bimodal_draws.manual_seed(0)  # both see the same draws
        base_draws.manual_seed(0)
        return descend(gaussian([1.0, 0.0]), loss)

    own_fits = {name: trained_by(loss) for name, loss in own.items()}
    for name, flow in own_fits.items():
        theirs = dgmlib.kl.latent_reverse_kl(trained_by(reference[name]), x, pi)
        print(
            f"trained by your {name}: KL(π‖p) {latent_reverse_kl(flow, x, pi):.2f} nats; by the library's {theirs:.2f}"
        )
    plotting.densities(x, {f"your {name}": flow.log_prob for name, flow in own_fits.items()}, extent=4.0)


try:
    my_losses()
except NotImplementedError:
    print("Not yet: write the three losses first.")

# %% nbgrader={"grade": false, "grade_id": "count_guesses", "locked": true, "schema_version": 3, "solution": false, "task": false}
guesses.count()

# %% [markdown]
# ## Summary
#
# KL has a direction: its first argument draws, and the second is asked what it thinks of the draws. The data draw in maximum likelihood, the
# model draws in the reverse KL, and that alone decides whether modes are covered or picked. Seen from the noise, maximum likelihood is
# itself a reverse KL.
#
# | what to remember | forward, KL(π‖p) | reverse, KL(p‖π) |
# |---|---|---|
# | draws | the data | the model, through the base |
# | behaves | mode covering | mode seeking |
# | use it when | you have data | you have a formula for log π, Z may be unknown |
# | is | maximum likelihood + const | LOTUS: log p(z) − log ∣det J_g∣ − log π(g(z)) |
# | wants fast | f (autoregressive, coupling) | g (inverse autoregressive, coupling) |
# | beware | wide models put mass where no data are | a small loss hides missed modes; do not cut x off the graph |
# | seen from the noise | KL(p(z∣θ)‖p(z)), equal sample by sample | KL(p(z)‖p(z∣θ)) |
#
# **Where it leads.** Both losses needed $\log p(\mathbf{x}|\boldsymbol\theta)$, and a flow has it because $\mathbf{z}$ is as wide as $\mathbf{x}$ and $\mathbf{f}$ is
# invertible. The next notebook, `02_latent_variable_models`, gives both up: a small $\mathbf{z}$, no $\mathbf{f}$, and $p(\mathbf{x}|\boldsymbol\theta)$ becomes an integral.
# There the reverse KL returns as variational inference, in `03_elbo`. To read on: Papamakarios et al., *Normalizing Flows for
# Probabilistic Modeling and Inference* (2021), section 2.3.
