"""What a project can be, since good advice differs."""

APPLICATION = "application"
"""Trains or serves: exact frameworks, a lock."""
LIBRARY = "library"
"""Published for others: ranges, no exact pins."""
RESEARCH = "research"
"""A repository of scripts: pins without ceremony."""
PROFILES = (APPLICATION, LIBRARY, RESEARCH)
