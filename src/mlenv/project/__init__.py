"""From a directory tree to the model: discovery, and one reader per file format."""
