"""A platform's download becomes `submitted/STUDENT/ASSIGNMENT/*.ipynb`: platforms, archives, the roster."""
