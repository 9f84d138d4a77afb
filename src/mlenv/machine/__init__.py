"""The machine that a project must run on: this one, or one that is described."""
