"""Objectives: pure functions from the log-probabilities of a micro-batch's targets to its loss (torch only)."""
