"""The command line: two ways to read it, one request, one function per command that runs it.

``fast`` reads the plain happy path of the hot commands without importing typer, which would take
longer than an audit; ``full`` is the typer app and the only source of help, usage errors and
completion. Both build the same request, and the tests prove that they agree.
"""
