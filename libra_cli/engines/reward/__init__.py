"""Reward models: engines that answer a conversation with a number."""
