"""One folder an assignment, one file an exercise: how it is called, what is right, which mistakes have a name."""
