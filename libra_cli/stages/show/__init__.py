"""`libra show`: rows as text to read, their thinking folded."""
