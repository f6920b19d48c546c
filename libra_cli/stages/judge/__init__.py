"""`libra judge`."""
