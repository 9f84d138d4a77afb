"""Promise 1: any bytes in any file give findings or a parse finding, never a crash."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from outputs import assert_harmless, shown
from places import assert_places
from wellformed import PATHS, SAMPLES, contents

from mlenv.audit import audit_project
from mlenv.config import Config
from mlenv.project.classify import by_content, by_name, rejection
from mlenv.project.decode import decode
from mlenv.project.load import load_project
from mlenv.project.readers import KINDS, read_as

unhurried = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def test_there_is_a_sample_of_every_kind() -> None:
    assert set(SAMPLES) == set(PATHS) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_samples_are_what_they_are_meant_to_be(kind: str) -> None:
    text = SAMPLES[kind]
    assert by_content(by_name(PATHS[kind]), text) == kind
    source = read_as(kind, decode(PATHS[kind], text.encode()))
    named = (source.requirements, source.locked, source.statements, source.stages, source.commands)
    assert any(named), source
    assert {problem.kind for problem in source.problems} <= {"merge-conflict"}
    assert_places(source)


@pytest.mark.parametrize("kind", KINDS)
@settings(unhurried, max_examples=70)
@given(data=st.data())
def test_a_reader_takes_any_bytes(kind: str, data: st.DataObject) -> None:
    text = decode(PATHS[kind], data.draw(contents(kind)))
    by_content(by_name(PATHS[kind]), text.text)
    rejection(by_name(PATHS[kind]), text.text)
    assert_places(read_as(kind, text))


@pytest.mark.parametrize("kind", KINDS)
@settings(unhurried, max_examples=20)
@given(data=st.data())
def test_a_reader_takes_the_files_of_all_others(kind: str, data: st.DataObject) -> None:
    other = data.draw(st.sampled_from(KINDS))
    assert_places(read_as(kind, decode(PATHS[kind], data.draw(contents(other)))))


_FILES = (
    *PATHS.values(),
    *("requirements/base.txt", "base.txt", "packages.txt", "sub/environment.yaml", "mlenv.yml"),
    *(".gitignore", "sub/.gitignore", "sub/pyproject.toml", "README.md", "setup.py", ".gitmodules"),
)


@settings(unhurried, max_examples=70)
@given(data=st.data())
def test_a_project_of_any_bytes_is_audited_and_shown(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("project")
    by_path = {path: kind for kind, path in PATHS.items()}
    for path in data.draw(st.lists(st.sampled_from(_FILES), min_size=1, max_size=5, unique=True)):
        kind = by_path.get(path) or data.draw(st.sampled_from(KINDS))
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data.draw(contents(kind)))
    project = load_project((str(root),))
    for source in project.sources.values():
        assert_places(source)
    report = audit_project((str(root),), Config(), today="2026-01-01")
    for finding in report.findings:
        for span in (finding.span, *(related.span for related in finding.related)):
            assert span is None or 0 <= span.start <= span.end <= len(span.source.text)
    for form, text in shown(report, project).items():
        assert_harmless(text, form)
