"""One file per output format; a reporter knows findings and nothing of rules or files."""
