"""`libra verify`."""
