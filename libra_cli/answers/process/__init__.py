"""Comparison in worker processes, within hard time limits."""
