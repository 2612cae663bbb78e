"""Bugs planted in KL, Bayes, the latent variable models, the bound and EM, each with the test that notices it."""

from collections.abc import Callable

from tests.planted import Bug, test

KL, BAYES, ELBO, EM = "dgmlib.kl", "dgmlib.bayes", "dgmlib.elbo", "dgmlib._em"
MIXTURE, FAST, PPCA, FAST_PPCA, NAIVE, RESTRICTED = (
    "dgmlib.lvm.mixture",
    "dgmlib.lvm.mixture_em",
    "dgmlib.lvm.ppca",
    "dgmlib.lvm._ppca_fast",
    "dgmlib.lvm.monte_carlo",
    "dgmlib.lvm.restricted",
)


def on_cpu(module: str) -> Callable[..., Callable[[], None]]:
    """`kl("duality", name="MAF")`: that test of the module, on the CPU."""
    return lambda function, **arguments: test(f"tests.{module}", f"test_{function}", device="cpu", **arguments)


kl, bayes, elbo, em = on_cpu("test_kl"), on_cpu("test_bayes"), on_cpu("test_elbo"), on_cpu("test_em")
mixture, fast, ppca, naive = (
    on_cpu("lvm.test_mixture"),
    on_cpu("lvm.test_mixture_em"),
    on_cpu("lvm.test_ppca"),
    on_cpu("lvm.test_monte_carlo"),
)
OF_TORCH = kl("gaussian_kl_is_that_of_torch_distributions", m=2, batch_p=(4,), batch_q=())
DUALITY = kl("duality_sample_by_sample_in_value_and_gradient", name="MAF")
M_STEP = mixture("m_step_is_numpys_weighted_average_and_covariance", K=4, m=3)
FAST_EM = fast("fast_em_is_em", K=4, m=3, n=100)
STATIONARY = ppca("m_step_is_where_the_gradient_of_the_bound_vanishes")
FIT = ppca("maximum_likelihood_is_scikit_learns_pca_with_one_over_n", d=2)

BUGS = [
    # KL
    Bug("the KL's arguments swapped", KL, '"cov_p", cov_p), require_positive_definite("cov_q", cov_q)',
        '"cov_q", cov_q), require_positive_definite("cov_p", cov_p)', OF_TORCH),
    Bug("the dimension left out of the KL", KL, "distance - m - log_det_ratio", "distance - log_det_ratio", OF_TORCH),
    Bug("half the log-determinant", KL, "log_det_ratio = 2 * ratio", "log_det_ratio = ratio", OF_TORCH),
    Bug("forward KL without the log-determinant", KL, "-(_log_prob(flow.base.log_prob, z) + log_det)",
        "-_log_prob(flow.base.log_prob, z)", kl("forward_kl_is_the_mean_negative_log_likelihood", batch=(7,))),
    Bug("sum for mean over samples", KL, "return terms.mean()", "return terms.sum()", kl("forward_kl_is_the_mean_negative_log_likelihood", batch=(7,))),
    Bug("reverse KL with the log-determinant of f", KL, "z) - log_det - _log_prob(target_log_prob, x))",
        "z) + log_det - _log_prob(target_log_prob, x))", kl("reverse_kl_sample_by_sample")),
    Bug("reverse KL evaluates the target at z", KL, "z) - log_det - _log_prob(target_log_prob, x))",
        "z) - log_det - _log_prob(target_log_prob, z))", kl("reverse_kl_sample_by_sample")),
    Bug("reverse KL with a detached log-determinant", KL, "z) - log_det - _log_prob(target_log_prob, x))",
        "z) - log_det.detach() - _log_prob(target_log_prob, x))",
        kl("reverse_kl_averages_to_the_closed_form_with_its_gradient")),
    Bug("reverse KL without the entropy of the base", KL, "(_log_prob(flow.base.log_prob, z) - log_det - _log_prob(target_log_prob, x))",
        "(-log_det - _log_prob(target_log_prob, x))", kl("reverse_kl_sample_by_sample")),
    Bug("latent density with the log-determinant of f", KL, "target_log_prob, x) + log_det",
        "target_log_prob, x) - log_det", kl("latent_log_prob_is_the_law_of_f_of_x", batch=(7,))),
    Bug("the dual evaluates the base at x", KL, "log_det - _log_prob(flow.base.log_prob, z))",
        "log_det - _log_prob(flow.base.log_prob, x))", DUALITY),
    Bug("the dual's log-determinant is a constant", KL, "(_log_prob(target_log_prob, x) - log_det - _log",
        "(_log_prob(target_log_prob, x) - log_det.detach() - _log", DUALITY),
    # Bayes
    Bug("evidence without the step", BAYES, " + step.log()", "",
        bayes("grid_posterior_of_a_coin_is_beta")),
    Bug("the prior renormalised", BAYES, "log_joint = log_prior + log_likelihood",
        "log_joint = torch.log_softmax(log_prior, -1) + log_likelihood", bayes("grid_posterior_takes_the_prior_as_given")),
    Bug("standard deviations for variances", BAYES, "(noise_std / prior_std).square()\n", "(noise_std / prior_std)\n",
        bayes("conjugate_posterior_is_the_grid_posterior", shape=(7,))),
    Bug("variance for standard deviation", BAYES, "(noise_std / count.sqrt())", "(noise_std.square() / count)",
        bayes("conjugate_posterior_is_the_grid_posterior", shape=(7,))),
    Bug("the prior upside down", BAYES, "noise_std / prior_std * eye", "prior_std / noise_std * eye",
        bayes("map_is_ridge_regression", n=20, d=3)),
    Bug("posterior covariance without the noise", BAYES, "noise_std.square() * root @ root.mT", "root @ root.mT",
        bayes("linear_regression_posterior_is_mode_and_curvature")),
    # Mixtures
    Bug("mixture without its weights", MIXTURE, "joint = weights * relative.exp()", "joint = relative.exp()",
        mixture("log_prob_is_that_of_torch_distributions", K=4, m=3, batch=(6,))),
    Bug("log-determinant of the wrong sign", MIXTURE, "self._constant = -log_det", "self._constant = log_det",
        mixture("log_prob_is_that_of_torch_distributions", K=4, m=3, batch=(6,))),
    Bug("softmax over the samples", MIXTURE, "return joint, joint.sum(0), top", "return joint, joint.sum(1, keepdim=True), top",
        mixture("posterior_is_that_of_scikit_learn", K=4, m=3)),
    Bug("entropy left out of the mixture's bound", MIXTURE, "q * log_joint + torch.special.entr(q)", "q * log_joint",
        mixture("elbo_is_below_log_prob_and_touches_it_at_the_posterior")),
    Bug("samples with the transposed factor", MIXTURE, "self._scale_tril[k] @", "self._scale_tril[k].mT @", mixture("samples_follow_the_mixture")),
    Bug("covariance around the old mean", MIXTURE, "rows.double() - means.unsqueeze(1)", "rows.double() - self.means.unsqueeze(1)", M_STEP),
    Bug("covariance with N_k - 1", MIXTURE, "covariances / mass[:, None, None]", "covariances / (mass - 1)[:, None, None]", M_STEP),
    Bug("responsibilities squared in the covariance", MIXTURE, "(q_rows.double().mT.unsqueeze(-1) * centred)",
        "(q_rows.double().mT.unsqueeze(-1).square() * centred)", M_STEP),
    Bug("weights that are left as they were", MIXTURE, "x.dtype, mass / mass.sum(), means", "x.dtype, self._weights, means", M_STEP),
    Bug("off-diagonal features counted once", FAST, "torch.where(i == j, 0.5, 1.0)", "0.5", FAST_EM),
    Bug("a bound that sums chunks' maxima alone", FAST, "(top + total.log()).sum()", "top.sum()", FAST_EM),
    Bug("raw second moments for covariances", FAST, "moments - means.unsqueeze(-1) * means.unsqueeze(-2)", "moments", FAST_EM),
    Bug("only the last chunk's bound", FAST, "bound = bound + (top", "bound = (top", fast("fast_em_is_em", K=4, m=3, n=6000)),
    # PPCA
    Bug("sigma for sigma² in M", PPCA, "+ self._variance * self._eye", "+ self._sigma * self._eye",
        ppca("posterior_is_gaussian_conditioning", m=5, d=3)),
    Bug("log det C without the m - d noise directions", PPCA, " + (W.shape[0] - W.shape[1]) * sigma.log()", "",
        ppca("log_prob_is_that_of_the_dense_gaussian", m=5, d=3, batch=(6,))),
    Bug("the distance in the latent space left out", PPCA, ".square().sum(-1) + z.square().sum(-1)", ".square().sum(-1)",
        ppca("the_fast_difference_is_the_sum_of_squares", m=5, d=3)),
    Bug("posterior covariance without sigma²", PPCA, "return self._variance * torch.chol", "return torch.chol",
        ppca("posterior_is_gaussian_conditioning", m=5, d=3)),
    Bug("the posterior of uncentred x", PPCA, "offset = -gain @ self._mu", "offset = 0 * gain @ self._mu",
        ppca("posterior_is_gaussian_conditioning", m=5, d=3)),
    Bug("the kept eigenvalues averaged", PPCA, "values[:-d].mean()", "values[-d:].mean()", FIT),
    Bug("covariance with n - 1", FAST_PPCA, "mean, within / len(x)", "mean, within / (len(x) - 1)", FIT),
    Bug("eigenvalues without the noise taken off", PPCA, "(values[-d:].flip(-1) - variance)", "values[-d:].flip(-1)",
        ppca("maximum_likelihood_is_a_stationary_point")),
    Bug("M-step without the posterior covariance", PPCA, "@ z_centred / len(x) + q_cov", "@ z_centred / len(x)", STATIONARY),
    Bug("noise without the spread of q", PPCA, "(residual + (W @ q_cov * W).sum())", "residual", STATIONARY),
    Bug("the mean of x for mu, whatever q", PPCA, "x_mean - W @ z_mean", "x_mean", STATIONARY),
    # Monte Carlo and the bound
    Bug("mean of logs for log of mean", NAIVE, "torch.logsumexp(_of_pairs(log_likelihood(x, rows), x, rows), dim=0)", "log_likelihood(x, rows).mean(0)",
        naive("chunks_do_not_change_the_estimate", chunk=7)),
    Bug("the number of samples forgotten", NAIVE, "sums) - math.log(len(z))", "sums)",
        naive("chunks_do_not_change_the_estimate", chunk=7)),
    Bug("the sign of the cross term", NAIVE, "rows, x.mT)", "rows, -x.mT)", naive("chunks_do_not_change_the_estimate", chunk=7)),
    Bug("average over the wrong axis", ELBO, "log_ratio.mean(0)", "log_ratio.mean(-1)",
        elbo("both_monte_carlo_forms_agree_with_the_closed_form")),
    Bug("the KL added to the bound", ELBO, "log_likelihood.mean(0) - kl", "log_likelihood.mean(0) + kl",
        elbo("both_monte_carlo_forms_agree_with_the_closed_form")),
    Bug("log-variance for log standard deviation", ELBO, "torch.expm1(log_var) - log_var", "torch.expm1(2 * log_var) - 2 * log_var",
        elbo("kl_to_standard_normal_is_that_of_torch_distributions", shape=(5, 3))),
    Bug("mean for sum over latent columns", ELBO, "mean.square()).sum(-1) / 2", "mean.square()).mean(-1) / 2",
        elbo("kl_to_standard_normal_is_that_of_torch_distributions", shape=(5, 3))),
    Bug("the spread of q left out of the bound", PPCA, "q_mean) - spread / (2 * self._variance)",
        "q_mean)", elbo("ppca_elbo_is_the_expectation_over_q", m=5, d=2)),
    Bug("the gap the other way round", PPCA, "gaussian_kl(q_mean, q_cov, z, self._posterior_covariance())",
        "gaussian_kl(z, self._posterior_covariance(), q_mean, q_cov)",
        elbo("elbo_and_gap_add_up_to_log_prob_for_any_q", m=5, d=2)),
    Bug("the importance-weighted bound is the ELBO", ELBO, "torch.logsumexp(log_ratio, dim=0) - math.log(len(log_ratio))",
        "log_ratio.mean(0)", elbo("importance_weighted_bound_is_above_the_elbo_in_every_sample")),
    # EM
    Bug("the bound after the M-step", EM, "history.append(bound)", "history.append(model.e_step(x)[1])",
        em("history_is_the_bound_right_after_each_e_step", name="PPCA")),
    Bug("an M-step that sees q of the first iteration", EM, "q, bound = model.e_step(x)\n",
        "q, bound = model.e_step(x)\n        q = vars(em).setdefault(\"q\", q)\n",
        mixture("em_is_that_of_scikit_learn_from_the_same_start", K=3, m=1)),
    Bug("a tolerance on one value of the bound", EM, "bound - history[-2] < tol", "bound < tol", em("tolerance_stops_the_loop")),
    Bug("the worst point mass", RESTRICTED, "self.log_joint(x).max(-1)", "self.log_joint(x).min(-1)",
        em("hard_q_is_the_best_of_all_point_masses")),
    Bug("marginal variances for conditional ones", RESTRICTED, "(self._variance / self._M.diagonal())",
        "self.posterior(x)[1].diagonal()", em("diagonal_q_is_the_best_of_all_diagonal_gaussians")),
]  # fmt: skip
