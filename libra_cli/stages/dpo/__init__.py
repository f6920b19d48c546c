"""`libra dpo`: preference optimisation (paper, section 7)."""
