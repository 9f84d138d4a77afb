"""Reads what is installed under a prefix, of whatever Python, from its files alone."""
