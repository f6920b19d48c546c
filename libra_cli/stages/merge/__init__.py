"""`libra merge`: the parts of a sharded run made one, once it is proven that they are all of it."""
