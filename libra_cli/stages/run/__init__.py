"""`libra run`: the steps of a pipeline file, as commands of libra that can be continued."""
