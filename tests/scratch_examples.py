"""Each exercise's *Example* as a student would type it into a cell of their own: code, with the text's numbers."""

DOUBLING = """class Doubling:  # the toy of notebook 01, f(x) = 2x
    base = torch.distributions.Independent(torch.distributions.Normal(torch.zeros(1), torch.ones(1)), 1)
    def forward(self, x): return 2 * x, torch.full((len(x),), math.log(2))
    def inverse(self, z): return z / 2, torch.full((len(z),), -math.log(2))
flow = model = Doubling()
target_log_prob = target = lambda x: -x[:, 0] ** 2
"""
TWO_BUMPS = """x = torch.tensor([[1.0], [2.0]]); weights = torch.tensor([0.75, 0.25]); means = torch.tensor([[0.0], [2.0]])
covariances = torch.ones(2, 1, 1); theta = weights, means, covariances
"""
TOY = """x, W, mu, sigma = torch.tensor([[2.0]]), torch.ones(1, 1), torch.zeros(1), torch.tensor(1.0)
q_mean, q_cov = torch.zeros(1, 1), torch.eye(1)
"""
CONDITIONER = """def conditioner(x):
    mu = torch.cat([torch.zeros_like(x[:, :1]), x[:, :1]], dim=1)
    return mu, torch.tensor([[0.0, math.log(2)]]).expand_as(x)
"""
W2 = "weight = W = torch.tensor([[0.0, 2.0], [1.0, 0.0]]); layer = {}(weight); x = torch.tensor([[3.0, 5.0]])\n"

EXAMPLES = {
    "batch_jacobian": """f = lambda x: torch.stack([x[..., 0] * x[..., 1], x[..., 1] ** 2], dim=-1)
x = torch.tensor([[3.0, 2.0]])
close(batch_jacobian(f, x), [[[2.0, 3.0], [0.0, 4.0]]])""",
    "change_of_variables_log_prob": """f = lambda x: 2 * x
base_log_prob = base = lambda z: torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)
x = torch.tensor([[0.5, 0.0]])
close(change_of_variables_log_prob(f, x, base_log_prob), [-0.952])""",
    "LULinear": W2.format("LULinear")
    + "z, log_det = layer.forward(x); close(z, [[10.0, 3.0]]); close(log_det, [0.693])",
    "QRLinear": W2.format("QRLinear")
    + "z, log_det = layer.forward(x); close(z, [[10.0, 3.0]]); close(log_det, [0.693])",
    "autoregressive_forward": CONDITIONER
    + """x = torch.tensor([[1.0, 5.0]]); z, log_det = autoregressive_forward(x, conditioner)
close(z, [[1.0, 2.0]]); close(log_det, [-0.693])""",
    "autoregressive_inverse": CONDITIONER
    + """z = torch.tensor([[1.0, 2.0]]); x, log_det = autoregressive_inverse(z, conditioner)
close(x, [[1.0, 5.0]]); close(log_det, [0.693])""",
    "AffineCoupling": """conditioner = lambda x1: (x1, torch.full_like(x1, math.log(2))); split = 1
layer = AffineCoupling(conditioner, split); x = torch.tensor([[1.0, 5.0]])
z, log_det = layer.forward(x); close(z, [[1.0, 2.0]]); close(log_det, [-0.693])""",
    "flow_log_prob": DOUBLING
    + "layers = [flow, flow]; x = torch.tensor([[0.5]]); close(flow_log_prob(layers, x), [-1.533])",
    "gaussian_kl": """mean_p, cov_p, mean_q, cov_q = torch.zeros(1), torch.eye(1), torch.ones(1), 4 * torch.eye(1)
close(gaussian_kl(mean_p, cov_p, mean_q, cov_q), 0.443); kl = gaussian_kl(mean_q, cov_q, mean_p, cov_p); close(kl, 1.307)""",
    "forward_kl_loss": DOUBLING
    + "x = torch.tensor([[0.5], [1.0]]); loss = forward_kl_loss(flow, x); close(loss, 1.476)",
    "reverse_kl_loss": DOUBLING
    + "z = torch.tensor([[1.0]]); loss = reverse_kl_loss(flow, z, target_log_prob); close(loss, -0.476)",
    "objective_needs": "needs = objective_needs(); print(needs)",
    "latent_log_prob": DOUBLING
    + "z = torch.tensor([[1.0]]); close(latent_log_prob(flow, z, target_log_prob), [-0.943])",
    "latent_reverse_kl": DOUBLING
    + "x = torch.tensor([[0.5]]); close(latent_reverse_kl(flow, x, target_log_prob), 0.476)",
    "grid_posterior": """log_prior, log_likelihood, step = torch.zeros(2), torch.tensor([0.0, math.log(3)]), 0.5
density, log_evidence = grid_posterior(log_prior, log_likelihood, step)
close(density, [0.5, 1.5]); close(log_evidence, 0.693)""",
    "gaussian_mean_posterior": """x = torch.tensor([2.0, 4.0]); noise_std = prior_std = torch.tensor(1.0); prior_mean = torch.tensor(0.0)
mean, std = gaussian_mean_posterior(x, noise_std, prior_mean, prior_std); close(mean, 2.0); close(std, 0.577)""",
    "map_linear_regression": """features, targets = torch.tensor([[1.0], [2.0]]), torch.tensor([2.0, 3.0])
noise_std, prior_std = torch.tensor(1.0), torch.tensor(0.5)
w = map_linear_regression(features, targets, noise_std, prior_std); close(w, [0.889])""",
    "mixture_log_prob": """x = torch.tensor([[1.0]]); weights = torch.tensor([0.25, 0.75])
means = torch.tensor([[-1.0], [1.0]]); covariances = torch.ones(2, 1, 1)
close(mixture_log_prob(x, weights, means, covariances), [-1.163])""",
    "sample_mixture": """n, weights, means = 5, torch.tensor([0.0, 1.0]), torch.tensor([[0.0, 0.0], [5.0, 5.0]])
covariances = 1e-8 * torch.eye(2).repeat(2, 1, 1); x, k = sample_mixture(n, weights, means, covariances)
close(x, [[5.0, 5.0]] * 5); close(k, [1] * 5)""",
    "ppca_log_prob": """x, W, mu, sigma = torch.ones(1, 2), torch.ones(2, 1), torch.zeros(2), torch.tensor(1.0)
close(ppca_log_prob(x, W, mu, sigma), [-2.721])""",
    "ppca_posterior": """x, W, mu, sigma = torch.ones(1, 2), torch.ones(2, 1), torch.zeros(2), torch.tensor(1.0)
mean, covariance = ppca_posterior(x, W, mu, sigma); close(mean, [[2 / 3]]); close(covariance, [[1 / 3]])""",
    "naive_log_likelihood": """x, z = torch.zeros(1, 1), torch.zeros(2, 1)
log_likelihood = lambda x, z: torch.tensor([[1.0], [3.0]]).log()
close(naive_log_likelihood(x, z, log_likelihood), [0.693])""",
    "elbo_from_joint": """log_joint, log_q = torch.tensor([[-3.0], [-4.0]]), torch.tensor([[-1.0], [-1.5]])
elbo = elbo_from_joint(log_joint, log_q); close(elbo, [-2.25])""",
    "variational_gap": TOY + "gap = variational_gap(x, W, mu, sigma, q_mean, q_cov); close(gap, [1.153])",
    "kl_to_standard_normal": """mean, log_var = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 4.0]]).log()
kl = kl_to_standard_normal(mean, log_var); close(kl, [1.307])""",
    "elbo_from_kl": """log_likelihood, kl = torch.tensor([[-3.0], [-4.0]]), torch.tensor([0.5])
elbo = elbo_from_kl(log_likelihood, kl); close(elbo, [-4.0])""",
    "ppca_elbo": TOY + "elbo = ppca_elbo(x, W, mu, sigma, q_mean, q_cov); close(elbo, [-3.419])",
    "fit_posterior": """log_joint = lambda z: -(2 - z[:, 0]) ** 2 / 2 - z[:, 0] ** 2 / 2
q_mean, q_cov = fit_posterior(log_joint, torch.zeros(1), torch.eye(1), 2000)
assert abs(q_mean.item() - 1) < 0.2 and abs(q_cov.item() - 0.5) < 0.2; num_steps = mean = root = None""",
    "importance_weighted_bound": """log_joint, log_q = torch.tensor([[-3.0], [-4.0]]), torch.tensor([[-1.0], [-1.5]])
bound = importance_weighted_bound(log_joint, log_q); close(bound, [-2.219])""",
    "e_step": TWO_BUMPS
    + "q = responsibilities = e_step(x, *theta); close(q, [[0.75, 0.25], [0.289, 0.711]]); k = model = z = None",
    "m_step": """x, responsibilities = torch.tensor([[0.0], [1.0], [4.0]]), torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
weights, means, covariances = m_step(x, responsibilities)
close(weights, [0.5, 0.5]); close(means, [[0.333], [3.0]]); close(covariances, [[[0.222]], [[2.0]]])""",
    "mixture_elbo": TWO_BUMPS
    + """x = x[:1]; q = responsibilities = torch.tensor([[1.0, 0.0]])
close(mixture_elbo(x, responsibilities, weights, means, covariances), -1.707)""",
    "em_mixture": """x, weights, means, covariances = torch.tensor([[0.0], [2.0]]), torch.ones(1), torch.zeros(1, 1), torch.ones(1, 1, 1)
num_iters = 2; weights, means, covariances, history = em_mixture(x, weights, means, covariances, num_iters)
close(history, [-1.919, -1.419]); close(means, [[1.0]])""",
    "ppca_em_step": """x, W, mu, sigma = torch.tensor([[-2.0], [2.0]]), torch.ones(1, 1), torch.zeros(1), torch.tensor(1.0)
W, mu, sigma = ppca_em_step(x, W, mu, sigma); close(W, [[4 / 3]]); close(sigma, 1.155)""",
    "ppca_mle": """x = torch.cat([s * torch.diag(torch.tensor([15.0, 6.0, 3.0]).sqrt()) for s in (1, -1)]); d = 1
W, mu, sigma = ppca_mle(x, d); close(W.abs(), [[1.871], [0.0], [0.0]]); close(sigma, 1.225)""",
    "hard_e_step": TWO_BUMPS + "q = hard_e_step(x, *theta); close(q, [[1.0, 0.0], [0.0, 1.0]])",
}
