"""The words of the domain as small frozen types; nothing here reads a file."""
