"""`libra balance`."""
