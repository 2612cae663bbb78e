"""Steps become arrays: a session with a worker in a sandbox. `worker/` is all of it that enters the sandbox."""
