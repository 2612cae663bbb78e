"""Deep generative models, Lecture 3: the reference library behind the notebooks."""
