"""One file per format of locks, each a pure function from text to the model."""
