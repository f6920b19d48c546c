"""`libra rs-filter`."""
