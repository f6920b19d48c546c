"""`libra sft`."""
