# assignment: 01_forward_reverse_kl
# about: the two arguments of KL swapped
# start: solutions

# %% gaussian_kl: 0
def gaussian_kl(mean_p, cov_p, mean_q, cov_q):
    p = torch.distributions.MultivariateNormal(mean_p, cov_p)
    q = torch.distributions.MultivariateNormal(mean_q, cov_q)
    return torch.distributions.kl_divergence(q, p)
