"""Training on DeepSpeed: from rows to token ids, losses and checkpoints."""
