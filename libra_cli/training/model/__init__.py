"""The policy model: loading, attention, the last layer, export."""
