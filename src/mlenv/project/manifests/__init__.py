"""One file per format of manifests, each a pure function from text to the model."""
