# assignment: 00_flows_recap
# about: the sign of the coupling's log_det
# start: solutions

# %% AffineCoupling: 1.25
class AffineCoupling(nn.Module):
    def __init__(self, conditioner, split):
        super().__init__()
        self.conditioner, self.split = conditioner, split

    def forward(self, x):
        x1, x2 = x[:, : self.split], x[:, self.split :]
        mu, log_sigma = self.conditioner(x1)
        return torch.cat([x1, (x2 - mu) * torch.exp(-log_sigma)], dim=1), log_sigma.sum(dim=1)

    def inverse(self, z):
        z1, z2 = z[:, : self.split], z[:, self.split :]
        mu, log_sigma = self.conditioner(z1)
        return torch.cat([z1, z2 * torch.exp(log_sigma) + mu], dim=1), -log_sigma.sum(dim=1)
