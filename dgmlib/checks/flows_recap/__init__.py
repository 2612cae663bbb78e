"""00_flows_recap: what is right and what mistakes mean. Trusted; never beside a student's code."""

from ..exercise import Assignment
from . import autoregressive, change_of_variables, coupling, flow_log_prob, linear

EXERCISES = (
    *change_of_variables.EXERCISES,
    *linear.EXERCISES,
    *autoregressive.EXERCISES,
    *coupling.EXERCISES,
    *flow_log_prob.EXERCISES,
)
ORDER = (
    "batch_jacobian",
    "change_of_variables_log_prob",
    "LULinear",
    "QRLinear",
    "autoregressive_forward",
    "autoregressive_inverse",
    "AffineCoupling",
    "flow_log_prob",
)
BY_NAME = {exercise.name: exercise for exercise in EXERCISES}
ASSIGNMENT = Assignment("00_flows_recap", "flows_recap", {name: BY_NAME[name] for name in ORDER})
