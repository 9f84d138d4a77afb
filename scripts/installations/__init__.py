"""What ``scripts/measure_environments.py`` is made of: it makes environments and judges them."""
