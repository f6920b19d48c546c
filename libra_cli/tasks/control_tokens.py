"""The mark that keeps a control token in a text from acting as one: the token is split in two around it."""

SPLIT_MARK = "\ufdd0"
"""A Unicode noncharacter: reserved for use inside programs, so that no interchanged text holds it."""
