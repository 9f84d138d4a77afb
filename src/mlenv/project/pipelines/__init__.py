"""One file per format of pipelines: text -> Source."""
