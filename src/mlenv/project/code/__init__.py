"""The project's own Python files and notebooks: which names they use. Parsed, never run."""
