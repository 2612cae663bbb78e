# assignment: 04_em_algorithm
# about: hard assignments by distance alone, as k-means does
# start: solutions

# %% hard_e_step: 0
def hard_e_step(x, weights, means, covariances):
    distance = torch.cdist(x, means)
    return torch.nn.functional.one_hot(distance.argmin(1), len(means)).to(x.dtype)
