"""The options that commands share."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATH",
        help="Folders, and files with what they include; - for the standard input. "
        "The working folder where none is given.",
        show_default=False,
    ),
]
Output = Annotated[
    str, typer.Option("--output", "-o", metavar="FILE", help="Write there.", show_default=False)
]
StdinFilename = Annotated[
    str,
    typer.Option(metavar="NAME", help="What the file on - is called.", show_default=False),
]
ConfigFile = Annotated[
    str,
    typer.Option(
        metavar="FILE", help="The configuration, instead of the nearest.", show_default=False
    ),
]
NoConfig = Annotated[bool, typer.Option("--no-config", help="Read no configuration.")]
Exclude = Annotated[
    list[str] | None,
    typer.Option(metavar="PATTERN", help="Leave out, as .gitignore would; repeatable."),
]
Color = Annotated[Literal["auto", "always", "never"], typer.Option(help="Whether to use colours.")]
AllowEmpty = Annotated[
    bool, typer.Option("--allow-empty", help="Exit with 0 where there is nothing to read.")
]
Environment = Annotated[
    str,
    typer.Option(metavar="ENV", help="The environment: auto, none, or where one is."),
]
EnvironmentPath = Annotated[
    str,
    typer.Argument(
        metavar="PATH",
        help="A project's folder, or an environment. The working folder where none is given.",
        show_default=False,
    ),
]
NoBinaries = Annotated[bool, typer.Option("--no-binaries", help="Do not read compiled files.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Read every compiled file anew.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Everything, however much it is.")]
