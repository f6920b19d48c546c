"""Extracts the final answer from text and decides whether two answers are equal, within hard time limits."""
