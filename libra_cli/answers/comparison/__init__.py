"""Whether two answers are equal, one module for each kind of answer."""
