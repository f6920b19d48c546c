"""From rows to micro-batches: tokenization, loss masks, packing."""
