"""The typer app: one file per command says its options; each is imported when it is called."""
