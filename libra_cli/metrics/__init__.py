"""Statistics as pure functions of arrays and counts; imports nothing else of libra."""
