"""Training: a recipe goes in, a run comes out, and the store trains nothing twice."""
