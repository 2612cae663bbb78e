# assignment: 03_elbo
# about: everything right
# start: solutions
