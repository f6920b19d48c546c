"""Rollouts: responses sampled from the model in training, graded, and turned into batches to learn from."""
