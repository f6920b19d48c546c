"""`libra train-rm`: reward models with a scalar head."""
