"""`libra review`."""
