# assignment: 00_flows_recap
# about: blank
# start: release
