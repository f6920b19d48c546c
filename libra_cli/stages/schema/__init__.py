"""`libra schema`."""
