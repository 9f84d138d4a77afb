"""One file per format that only speaks of an environment: text -> Source."""
