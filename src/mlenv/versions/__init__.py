"""Versions and the sets of them that constraints admit, one type for every dialect."""
