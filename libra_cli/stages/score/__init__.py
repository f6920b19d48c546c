"""`libra score`."""
