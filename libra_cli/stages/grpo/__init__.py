"""`libra grpo`: reinforcement learning on verifiable rewards (paper, section 5)."""
