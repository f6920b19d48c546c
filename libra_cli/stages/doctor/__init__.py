"""`libra doctor`."""
