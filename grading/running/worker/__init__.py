"""What enters the sandbox: this folder and nothing else of `grading`. It knows no right answers and no secrets."""
