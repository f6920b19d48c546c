"""`libra models`: the embedded models and those of servers."""
