"""Processes, ranks, DeepSpeed and checkpoints."""
