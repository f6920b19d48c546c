"""From records to requests and from completions to rows, for every stage that asks a model."""
