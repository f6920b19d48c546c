"""`libra rollout`."""
