"""What the program's exit codes mean, for whoever decides on one."""

CLEAN = 0
"""Audited, with nothing at or above the severity that fails."""
FOUND = 1
"""Audited, with findings at or above it; 1 means this and nothing else."""
NOTHING = 3
"""Nothing to audit was found."""
