# assignment: 00_flows_recap
# about: everything right
# start: solutions
