"""What ``scripts/derive.py`` is made of: the index, wheels, requirements, and the files' texts."""
