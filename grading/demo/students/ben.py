# assignment: 00_flows_recap
# about: the first half, in other words
# start: release

# %% batch_jacobian: 2
def batch_jacobian(f, x):
    x = x if x.requires_grad else x.detach().requires_grad_()
    z = f(x)
    rows = [torch.autograd.grad(z[:, a].sum(), x, create_graph=True)[0] for a in range(x.shape[1])]
    return torch.stack(rows, dim=1)

# %%
# I need this one twice
def jacobian_log_det(f, x):
    return torch.linalg.slogdet(batch_jacobian(f, x)).logabsdet

# %% change_of_variables_log_prob: 3
def change_of_variables_log_prob(f, x, base_log_prob):
    return base_log_prob(f(x)) + jacobian_log_det(f, x)

# %% autoregressive_forward: 3
def autoregressive_forward(x, conditioner):
    mu, log_sigma = conditioner(x)
    return (x - mu) * torch.exp(-log_sigma), -log_sigma.sum(dim=-1)
