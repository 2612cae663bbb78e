# assignment: 00_flows_recap
# about: everything right, saved by Colab, all ids lost
# start: solutions
# saved by: colab
