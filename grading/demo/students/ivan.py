# assignment: 00_flows_recap
# about: an infinite loop in one answer
# start: solutions

# %% autoregressive_inverse: 0
def autoregressive_inverse(z, conditioner):
    x = torch.zeros_like(z)
    while True:
        mu, log_sigma = conditioner(x)
        x = z * torch.exp(log_sigma) + mu
    return x, log_sigma.sum(dim=1)
