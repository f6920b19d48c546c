"""What a sentence says: its clauses, its claims, the option that it chooses."""
