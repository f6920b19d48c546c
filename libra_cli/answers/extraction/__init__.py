"""Which answer a whole text gives."""
