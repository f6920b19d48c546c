"""`libra collect`."""
