# assignment: 02_latent_variable_models
# about: everything right
# start: solutions
