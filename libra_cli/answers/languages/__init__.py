"""Numbers, units, names and small words in other languages."""
