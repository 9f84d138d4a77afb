"""From compiled files to the model: read as bytes, never loaded."""
