"""One reader of rows for every stage: published forms, conversations, labels, and answers that answer nothing."""
