# assignment: 00_flows_recap
# about: a density without its determinant
# start: solutions

# %% change_of_variables_log_prob: 0
def change_of_variables_log_prob(f, x, base_log_prob):
    return base_log_prob(f(x))

# %% flow_log_prob: 0
def flow_log_prob(layers, x):
    for layer in layers:
        x, _ = layer.forward(x)
    return -0.5 * (x**2 + math.log(2 * math.pi)).sum(dim=1)
