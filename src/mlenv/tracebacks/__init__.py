"""From a pasted message or traceback to its cause."""
