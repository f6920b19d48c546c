"""`libra mix`."""
