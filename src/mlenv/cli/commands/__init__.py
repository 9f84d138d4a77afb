"""One file per command: take its request, call the library, write the result, return the code."""
