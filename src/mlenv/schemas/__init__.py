"""The JSON schemas of what mlenv reads and writes; ``mlenv config schema`` prints them."""
