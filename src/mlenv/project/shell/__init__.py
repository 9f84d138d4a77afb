"""Command lines as shells read them, and what the commands in them install."""
