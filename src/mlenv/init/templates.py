"""The texts that ``mlenv init`` writes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.init.origin import Origin

_CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"


def configuration(profile: str, table: str) -> list[str]:
    """Return the lines of a configuration.

    Args:
        profile: What the project was taken for; empty where there was nothing to tell it by.
        table: What stands before the names of tables: ``tool.mlenv``, or nothing.
    """
    head = [f"[{table}]"] if table else []
    prefix = f"{table}." if table else ""
    said = f'profile = "{profile}"' if profile else '# profile = "application"'
    return [
        *head,
        f"{said}  # application, library or research",
        '# fail-on = "warning"  # error, warning, note or never; error where not given',
        '# exclude = ["experiments/"]  # patterns as in .gitignore',
        "",
        f"# [{prefix}severity]",
        '# PIN001 = "error"  # error, warning, note or off',
    ]


def hook(origin: Origin, baseline: str) -> list[str]:
    """Return the lines of an item of ``repos`` in .pre-commit-config.yaml, without its dash.

    Source: pre-commit's documentation, "Adding pre-commit plugins to your project" and
    "Repository local hooks".
    """
    arguments = f" --baseline {baseline}" if baseline else ""
    if origin.repository:
        lines = [f"repo: {origin.repository}", f"rev: {origin.revision}", "hooks:", "  - id: mlenv"]
        return [*lines, f"    args: [--baseline, {baseline}]"] if baseline else lines
    return [
        "repo: local",
        "hooks:",
        "  - id: mlenv",
        "    name: mlenv",
        f"    entry: mlenv audit --static --allow-empty{arguments}",
        "    language: python",
        f'    additional_dependencies: ["{origin.requirement}"]',
        "    pass_filenames: false",
    ]


def workflow(origin: Origin, baseline: str) -> list[str]:
    """Return the lines of a workflow for GitHub Actions.

    Its runners have pipx, so the workflow names no Python, which would be a statement on the
    project's own. Source: GitHub's documentation, "Workflow syntax for GitHub Actions", and the
    runner images' list of software.
    """
    arguments = f" --baseline {baseline}" if baseline else ""
    return [
        "name: mlenv",
        "",
        "on:",
        "  push:",
        "    branches: [main, master]",
        "  pull_request:",
        "",
        "permissions: {}",
        "",
        "jobs:",
        "  audit:",
        "    runs-on: ubuntu-latest",
        "    timeout-minutes: 10",
        "    permissions:",
        "      contents: read",
        "    steps:",
        f"      - uses: {_CHECKOUT}",
        "        with:",
        "          persist-credentials: false",
        "      - run: >-",
        f'          pipx run --spec "{origin.requirement}"',
        f"          mlenv audit --static --allow-empty --format github{arguments}",
    ]


def gitlab_job(origin: Origin, baseline: str) -> list[str]:
    """Return the lines of a job for .gitlab-ci.yml. Source: GitLab's CI/CD YAML reference."""
    outputs = "--output concise:- --output json:mlenv.json"
    arguments = f"{outputs} --baseline {baseline}" if baseline else outputs
    return [
        "mlenv:",
        "  image: python:3.13-slim",
        "  script:",
        f'    - pip install "{origin.requirement}"',
        f"    - mlenv audit --static --allow-empty {arguments}",
        "  artifacts:",
        "    when: always",
        "    paths: [mlenv.json]",
    ]
