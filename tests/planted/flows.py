"""Bugs planted in the flows, each with the law of tests/flows that notices it."""

from collections.abc import Callable
from importlib import import_module

from tests.planted import Bug, test

BASE, LINEAR = "dgmlib.flows.base", "dgmlib.flows.linear"
AUTOREGRESSIVE, COUPLING, MODEL, NETWORK, SWEEP = (
    "dgmlib.flows.autoregressive",
    "dgmlib.flows.coupling",
    "dgmlib.flows.model",
    "dgmlib.nn",
    "dgmlib.flows._sweep",
)
ORACLES = "tests.flows.test_oracles"


def law(name: str, layer: str, m: int = 5) -> Callable[[], None]:
    """That law of tests/flows/laws.py, for that layer of the table in tests/flows/table.py."""

    def run() -> None:
        make = import_module("tests.flows.table").make
        getattr(import_module("tests.flows.laws"), name)(make(layer, m), m)

    return run


def law_of_state(layer: str) -> None:
    flows, make = import_module("dgmlib.flows"), import_module("tests.flows.table")
    built = lambda: make.TABLE[layer](flows, 5)  # noqa: E731
    import_module("tests.flows.laws").state_is_all_that_a_layer_without_memory_needs(make.make(layer, 5), 5, built)


FORWARD, INVERSE = "forward_log_det_is_autograds", "inverse_log_det_is_autograds"
CPU = {"device": "cpu"}

BUGS = [
    Bug("log_det of the inverse", COUPLING, "torch.cat([x1, z2], -1), -log_sigma.sum(-1)",
        "torch.cat([x1, z2], -1), log_sigma.sum(-1)", law(FORWARD, "AffineCoupling")),
    Bug("log_det of f handed out for g", COUPLING, "torch.cat([z1, x2], -1), log_sigma.sum(-1)", "torch.cat([z1, x2], -1), -log_sigma.sum(-1)",
        law(INVERSE, "AffineCoupling")),
    Bug("the coupling multiplies by sigma both ways", COUPLING, "(x2 - mu) / torch.exp(log_sigma)",
        "(x2 - mu) * torch.exp(log_sigma)", law("inverse_undoes_forward", "AffineCoupling")),
    Bug("the shift after the scale", COUPLING, "(x2 - mu) / torch.exp(log_sigma)", "x2 / torch.exp(log_sigma) - mu",
        law("inverse_undoes_forward", "AffineCoupling")),
    Bug("mean for sum over the columns", COUPLING, "total = total - log_sigma.sum(-1)",
        "total = total - log_sigma.mean(-1)", law(FORWARD, "RealNVP odd")),
    Bug("sum over the batch", COUPLING, "torch.cat([x1, z2], -1), -log_sigma.sum(-1)",
        "torch.cat([x1, z2], -1), -log_sigma.sum()", law("batch_axes_are_free", "AffineCoupling")),
    Bug("conditioned on the half that moves", COUPLING, "shift_and_log_sigma(parts[given])\n            parts[moved] = (parts[moved] + shift)",
        "shift_and_log_sigma(parts[moved])\n            parts[moved] = (parts[moved] + shift)", law("inverse_undoes_forward", "RealNVP even", 4)),
    Bug("the halves never take turns", COUPLING, "self.parts(\"x\", x), no_log_det(x)\n        for k, layer in enumerate(self.layers):\n            given, moved = k % 2, 1 - k % 2",
        "self.parts(\"x\", x), no_log_det(x)\n        for k, layer in enumerate(self.layers):\n            given, moved = 0, 1", law("inverse_undoes_forward", "RealNVP even", 4)),
    Bug("layers inverted in the order of forward", COUPLING, "reversed(list(enumerate(self.layers)))",
        "enumerate(self.layers)", law("forward_undoes_inverse", "RealNVP even")),
    Bug("only the last layer's log_det", COUPLING, "total = total - log_sigma.sum(-1)",
        "total = -log_sigma.sum(-1)", law(FORWARD, "RealNVP odd")),
    Bug("a stack inverted in the order of forward", BASE, "for f in reversed(self.bijections):", "for f in self.bijections:",
        law("forward_undoes_inverse", "Compose")),
    Bug("log_det after the layer's own output", BASE, "x, log_det = f.forward(x)", "x, log_det = f.forward(f.forward(x)[0])",
        law("inverse_undoes_forward", "Compose")),
    Bug("log_det at the wrong point", BASE, "            x, log_det = f.forward(x)\n            total = total + log_det",
        "            x = f.forward(x)[0]\n            total = total + f.forward(x)[1]", law(FORWARD, "MAF")),
    Bug("a stack's log_det subtracted on the way back", BASE, "z, log_det = f.inverse(z)\n            total = total + log_det",
        "z, log_det = f.inverse(z)\n            total = total - log_det", law(INVERSE, "Compose")),
    Bug("Inverse that is not one", BASE, "return self.bijection.inverse(x)", "return self.bijection.forward(x)",
        law("inverse_undoes_forward", "Inverse")),
    Bug("a permutation applied twice for its inverse", BASE, "z.index_select(-1, self.inverse_order)", "z.index_select(-1, self.order)",
        law("inverse_undoes_forward", "Permutation")),
    Bug("the Jacobian transposed", BASE, "rows.movedim(0, -2)", "rows.movedim(0, -1)",
        test(ORACLES, "test_batch_jacobian_is_autograds", **CPU)),
    Bug("the log-determinant forgotten", BASE, " + torch.linalg.slogdet(batch_jacobian(f, x)).logabsdet", "",
        test(ORACLES, "test_change_of_variables_of_a_known_density", **CPU)),
    Bug("a determinant with its sign", BASE, "torch.linalg.slogdet(batch_jacobian(f, x)).logabsdet",
        "torch.linalg.det(batch_jacobian(f, x)).log()", test(ORACLES, "test_change_of_variables_needs_no_log_det", name="LULinear", **CPU)),
    Bug("L and U swapped", LINEAR, "return x @ B.mT @ A.mT", "return x @ A.mT @ B.mT",
        law("batch_axes_are_free", "LULinear")),
    Bug("P transposed", LINEAR, 'self.register_buffer("order", P.argmax(1))', 'self.register_buffer("order", P.argmax(0))',
        test(ORACLES, "test_linear_flow_starts_at_its_weight", linear_name="LULinear", **CPU)),
    Bug("the sign of U's diagonal lost", LINEAR, "diagonal_scatter(sign * torch.exp(log_diagonal))",
        "diagonal_scatter(torch.exp(log_diagonal))", test(ORACLES, "test_linear_flow_starts_at_its_weight", linear_name="QRLinear", **CPU)),
    Bug("the determinant for its logarithm", LINEAR, "return z, self.log_diagonal.sum()", "return z, self.log_diagonal.exp().prod()",
        law(FORWARD, "LULinear")),
    Bug("log_det of W in both directions", LINEAR, "return x, -self.log_diagonal.sum()",
        "return x, self.log_diagonal.sum()", law(INVERSE, "LULinear")),
    Bug("Q that is not orthogonal", LINEAR, "torch.linalg.solve_ex(eye - S, eye + S).result", "torch.linalg.solve_ex(eye - S, eye).result",
        test(ORACLES, "test_qr_stays_orthogonal_while_it_learns", **CPU)),
    Bug("Q frozen", LINEAR, "S = self.skew - self.skew.mT", "S = (self.skew - self.skew.mT).detach()",
        law("every_parameter_gets_its_gradient", "QRLinear", 4)),
    Bug("L's diagonal trained too", LINEAR, "self.lower.tril(-1).diagonal_scatter(torch.ones_like(self.sign))",
        "self.lower.tril()", law(FORWARD, "LULinear")),
    Bug("a gradient cut off", AUTOREGRESSIVE, "return (x - mu) / torch.exp(log_sigma), -log_sigma.sum(-1)",
        "return (x - mu) / torch.exp(log_sigma), -log_sigma.sum(-1).detach()",
        law("every_parameter_gets_its_gradient", "MaskedAutoregressive", 4)),
    Bug("sigma where log sigma belongs", AUTOREGRESSIVE, "return (x - mu) / torch.exp(log_sigma), -log_sigma.sum(-1)",
        "return (x - mu) / torch.exp(log_sigma), -torch.exp(log_sigma).sum(-1)", law(FORWARD, "Autoregressive")),
    Bug("sampling that reads a column too late", AUTOREGRESSIVE, "for j in range(z.shape[-1]):", "for j in range(z.shape[-1] - 1):",
        law("forward_undoes_inverse", "Autoregressive")),
    Bug("log_det of the last column alone", AUTOREGRESSIVE, "log_det = log_det + log_sigma[..., j]", "log_det = log_sigma[..., j]",
        law(INVERSE, "Autoregressive")),
    Bug("sampling with z where x belongs", AUTOREGRESSIVE, "require_affine(conditioner(x), z)",
        "require_affine(conditioner(z), z)", law("forward_undoes_inverse", "Autoregressive")),
    Bug("the last column's log sigma for the sum after a sweep", SWEEP, "log_det = log_det + log_sigma",
        "log_det = log_sigma", law("without_a_graph_the_same", "MaskedAutoregressive")),
    Bug("a column that sees itself", NETWORK, "(units[0][:, None] > units[-1])", "(units[0][:, None] >= units[-1])",
        law("jacobian_is_triangular", "MaskedAutoregressive linear")),
    Bug("no mask", NETWORK, "self.weight * self.mask", "self.weight", law("jacobian_is_triangular", "MaskedAutoregressive")),
    Bug("a hidden layer blind to its own degree", NETWORK, "high[:, None] >= low", "high[:, None] > low",
        test(ORACLES, "test_made_sees_all_columns_before_and_none_after", hidden=(9, 7), **CPU)),
    Bug("a sweep one unit short", SWEEP, "add_seen(last, j, counts[last][j])",
        "add_seen(last, j, max(counts[last][j] - 1, done[last]))",
        law("without_a_graph_the_same", "MaskedAutoregressive")),
    Bug("rows of a sweep in another order", SWEEP, "zip(*pieces, strict=True)", "zip(*reversed(pieces), strict=True)",
        test(ORACLES, "test_many_rows_are_swept_in_pieces", **CPU)),
    Bug("masks that no file keeps", NETWORK, 'self.register_buffer("mask", mask)', 'self.register_buffer("mask", mask, persistent=False)',
        lambda: law_of_state("MAF")),
    Bug("weights remembered", NETWORK, "linear(x, self.weight * self.mask, self.bias)",
        "linear(x, self.__dict__.setdefault('kept', (self.weight * self.mask).detach()), self.bias)", law("answers_follow_the_weights", "MAF")),
    Bug("a sweep that takes mu/sigma for mu", SWEEP, "add_(shift).mul_(torch.exp(log_sigma))", "mul_(torch.exp(log_sigma)).add_(shift)",
        law("without_a_graph_the_same", "MaskedAutoregressive")),
    Bug("mu and log sigma swapped", NETWORK, "shift, free = out.chunk(2, -1)", "free, shift = out.chunk(2, -1)",
        test(ORACLES, "test_maf_is_zukos_with_copied_weights", **CPU)),
    Bug("the log_det subtracted from log p(z)", MODEL, "log_base + log_det", "log_base - log_det",
        test(ORACLES, "test_linear_flow_of_a_normal_is_a_normal", linear_name="LULinear", **CPU)),
    Bug("the base's constant without its m", MODEL, "z.shape[-1] * math.log(2 * math.pi)", "math.log(2 * math.pi)",
        test(ORACLES, "test_standard_normal_is_torchs", **CPU)),
    Bug("samples by f", MODEL, "return self.inverse(draw", "return self.forward(draw",
        test(ORACLES, "test_samples_have_the_flows_law", **CPU)),
]  # fmt: skip
