"""Wrong scores of a component, which spoil the soft E-step and the hard one alike."""

import torch

from ._mixture import log_joint


def no_weights(x, weights, means, covariances):
    return log_joint(x, torch.ones_like(weights), means, covariances)


def no_determinant(x, weights, means, covariances):
    return log_joint(x, weights, means, covariances) + torch.linalg.slogdet(covariances).logabsdet / 2


def whole_determinant(x, weights, means, covariances):
    return log_joint(x, weights, means, covariances) - torch.linalg.slogdet(covariances).logabsdet / 2


def raw_weights(x, weights, means, covariances):
    return no_weights(x, weights, means, covariances) + weights


def diagonal(x, weights, means, covariances):
    return log_joint(x, weights, means, torch.diag_embed(covariances.diagonal(dim1=-2, dim2=-1)))


def inverted(x, weights, means, covariances):
    return log_joint(x, weights, means, torch.linalg.inv(covariances))


def no_half(x, weights, means, covariances):
    return 2 * no_weights(x, weights, means, covariances) + weights.log()


def squared_distance(x, weights, means, covariances):
    return -torch.cdist(x, means).square() / 2


def identity_joint(x, weights, means, covariances):
    return weights.log() - torch.cdist(x, means).square() / 2


def first_covariance(x, weights, means, covariances):
    return log_joint(x, weights, means, covariances[:1].expand_as(covariances))


def mahalanobis(x, weights, means, covariances):
    return no_determinant(x, torch.ones_like(weights), means, covariances)


def times_weights(x, weights, means, covariances):
    return weights * no_weights(x, weights, means, covariances)


def twice_weights(x, weights, means, covariances):
    return log_joint(x, weights, means, covariances) + weights.log()


def no_half_distance(x, weights, means, covariances):
    centred = x[:, None] - means
    squares = (centred * torch.linalg.solve(covariances, centred[..., None])[..., 0]).sum(-1)
    return log_joint(x, weights, means, covariances) - squares / 2


WRONG_SCORES = (
    ("The weights are forgotten: score each component by log p(x, z = k) = log w_k + log N(x; mu_k, Sigma_k).", no_weights),
    ("The weights are added as they are; it is their logarithm.", raw_weights),
    ("log det Sigma_k is missing; it differs between components.", no_determinant),
    ("The ½ before log det Sigma_k is missing.", whole_determinant),
    ("The ½ of the exponent and of log det Sigma_k is missing.", no_half),
    ("Only the diagonals of the covariances are used.", diagonal),
    ("Sigma_k stands where its inverse belongs (or the reverse).", inverted),
    ("This looks at the distance to the means alone (k-means); weights and covariances count too.", squared_distance),
    ("The covariances are forgotten.", identity_joint),
    ("Every component is scored with the first covariance; each has its own.", first_covariance),
    ("These are Mahalanobis distances alone; log w_k and -½ log det Sigma_k belong to the score.", mahalanobis),
    ("The weights multiply the log-densities; their logarithm is added to them.", times_weights),
    ("log w_k is added twice: the weights count squared.", twice_weights),
    ("The ½ before the squared distance is missing.", no_half_distance),
)  # fmt: skip
