"""Frames read as they should: carets under the text, nothing wider than the screen, no tricks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import finding, report, source, span_of

from mlenv.model.finding import Certainty, Evidence, Related, Severity
from mlenv.model.report import AuditedFile, Report, SkippedFile
from mlenv.model.text import SourceText
from mlenv.report.columns import text_width
from mlenv.report.text import render
from mlenv.report.view import View

SUMMARY_OF_ONE = "1 error; 1 file audited\n"
HEADER = "mlenv 0.1.0: 1 file, 3 requirements, profile application\n\n"


def shown(audit: Report, **view: object) -> str:
    return render(audit, View(**view))  # type: ignore[arg-type]


def body(audit: Report, **view: object) -> str:
    """What stands between the header and the summary."""
    return shown(audit, **view).removeprefix(HEADER).removesuffix("\n" + SUMMARY_OF_ONE)


def test_one_finding_with_everything() -> None:
    text = source("numpy==1.24.3\ntorch\nscipy\n")
    one = finding(
        span_of(text, "torch"),
        certainty=Certainty.FRESH_INSTALL,
        evidence=(Evidence("an index holds 60 versions of it", "https://index.example/torch"),),
        help="write torch==2.1.0",
    )
    assert shown(report(one)) == (
        "mlenv 0.1.0: 1 file, 3 requirements, profile application\n"
        "\n"
        "error[PIN001] torch has no version\n"
        " --> requirements.txt:2:1\n"
        "  |\n"
        "2 | torch\n"
        "  | ^^^^^\n"
        "  |\n"
        "  = certainty: what an installer would pick today\n"
        "  = why: an index holds 60 versions of it (https://index.example/torch)\n"
        "  = help: write torch==2.1.0\n"
        "\n"
        "1 error; 1 file audited\n"
    )


def test_related_places_of_the_same_and_of_another_file() -> None:
    text = source("numpy<1.24\n\n\nnumpy>=1.26\n")
    other = source("dependencies:\n  - numpy=1.22\n", "environment.yml")
    one = finding(
        span_of(text, "numpy>=1.26"),
        "no version of numpy satisfies both",
        related=(
            Related(span_of(text, "<1.24"), "an upper bound"),
            Related(span_of(other, "numpy=1.22"), "conda's"),
        ),
    )
    assert body(report(one)) == (
        "error[PIN001] no version of numpy satisfies both\n"
        " --> requirements.txt:4:1\n"
        "  |\n"
        "1 | numpy<1.24\n"
        "  |      ----- an upper bound\n"
        "...\n"
        "4 | numpy>=1.26\n"
        "  | ^^^^^^^^^^^\n"
        "  |\n"
        " --> environment.yml:2:5\n"
        "  |\n"
        "2 |   - numpy=1.22\n"
        "  |     ---------- conda's\n"
        "  |\n"
    )


def test_many_related_places_are_counted() -> None:
    text = source("".join(f"package{number}\n" for number in range(16)))
    places = tuple(Related(text.line_span(line)) for line in (2, 3, 4, 6, 7, 8, 16))
    one = finding(text.line_span(1), related=places)
    assert "  = and 4 more: at lines 6-8, 16\n" in body(report(one))
    assert "16 | package15\n   | ---------\n" in body(report(one), verbose=True)


@pytest.mark.parametrize(
    ("line", "part", "row", "marks"),
    [
        ("\ttorch\t# x", "torch", "    torch   # x", "    ^^^^^"),
        ("ab\ttorch", "torch", "ab  torch", "    ^^^^^"),
        ("日本 torch", "torch", "日本 torch", "     ^^^^^"),
        ("# 日本", "日本", "# 日本", "  ^^^^"),
        ("e\u0301a torch", "torch", "e\u0301a torch", "   ^^^^^"),
        ("\x1b[2J torch", "torch", "\\x1b[2J torch", "        ^^^^^"),
        ("\u202etorch", "torch", "\\u202etorch", "      ^^^^^"),
        ("a\u00a0torch", "\u00a0", "a\\xa0torch", " ^^^^"),
        (
            "--index-url https://me:pw@index.example torch",
            "torch",
            "--index-url https://****@index.example torch",
            " " * 39 + "^^^^^",
        ),
        ("https://me:pw@index.example", "pw", "https://****@index.example", " " * 12 + "^"),
        ("##[group]torch", "torch", "##\\x5bgroup]torch", " " * 12 + "^^^^^"),
        ("torch", "", "torch", "^"),
    ],
)
def test_marks_stand_under_the_text(line: str, part: str, row: str, marks: str) -> None:
    text = source(f"{line}\n")
    assert f"\n1 | {row}\n  | {marks}\n  |\n" in body(report(finding(span_of(text, part))))


def test_a_span_over_lines_marks_the_first() -> None:
    text = source("torch==2.1 \\\n    --hash=sha256:00\n")
    one = finding(text.span(0, len(text.text) - 1))
    assert "1 | torch==2.1 \\\n  | ^^^^^^^^^^^^\n  |\n" in body(report(one))


def test_a_long_line_is_shown_around_the_mark() -> None:
    text = source("a" * 500 + " torch==2.1 " + "b" * 500)
    lines = body(report(finding(span_of(text, "torch==2.1")))).splitlines()
    row, marks = lines[3], lines[4]
    assert row.startswith("1 | …aaa")
    assert row.endswith("bbb…")
    assert len(row) == 80
    assert row[marks.index("^") : marks.rindex("^") + 1] == "torch==2.1"


def test_a_long_mark_fills_the_line() -> None:
    text = source("x" * 300)
    lines = body(report(finding(text.line_span(1)))).splitlines()
    assert lines[3] == "1 | " + "x" * 75 + "…"
    assert lines[4] == "  | " + "^" * 75


def test_notes_are_compact_and_whole_when_verbose() -> None:
    text = source("torch\n")
    evidence = (Evidence("a", "b"),)
    note = finding(span_of(text, "torch"), severity=Severity.NOTE, help="pin it", evidence=evidence)
    assert (
        "note[PIN001] torch has no version\n --> requirements.txt:1:1\n  = help: pin it\n\n"
    ) in shown(report(note))
    assert "1 | torch\n  | ^^^^^\n" in shown(report(note), verbose=True)


def test_evidence_beyond_the_first_waits_for_verbose() -> None:
    facts = tuple(Evidence(f"fact {number}", "source") for number in range(4))
    one = finding(source("torch").line_span(1), evidence=facts)
    assert "fact 2" not in body(report(one))
    assert "  = why: 2 more facts, shown with -v\n" in body(report(one))
    assert "fact 3 (source)" in body(report(one), verbose=True)


def test_quiet_shows_errors_and_the_summary() -> None:
    text = source("torch\n")
    warning = finding(span_of(text, "torch"), "a warning", severity=Severity.WARNING)
    error = finding(span_of(text, "torch"), "an error")
    quiet = shown(report(error, warning), quiet=True)
    assert quiet.startswith("error[PIN001] an error\n")
    assert "a warning" not in quiet
    assert quiet.endswith("\n1 error, 1 warning; 1 file audited\n")
    assert shown(report(), quiet=True) == "no findings; 1 file audited\n"


def test_the_summary_names_what_was_not_audited() -> None:
    skipped = tuple(SkippedFile(f"{name}.txt", "too large") for name in "abcdefg")
    assert shown(report(skipped=skipped[:1], suppressed=2), width=100).endswith(
        "no findings (2 suppressed); 1 file audited, 1 not: a.txt (too large)\n"
    )
    assert "and 4 more (too large)" in shown(report(skipped=skipped), width=100)
    assert "g.txt" in shown(report(skipped=skipped), verbose=True)


def test_nothing_to_audit_is_said() -> None:
    assert shown(report(files=())).endswith("nothing to audit: no dependency file was read\n")


def test_the_header_counts_locks_apart_and_lists_files_when_verbose() -> None:
    files = (
        AuditedFile("requirements.txt", "requirements", 2),
        AuditedFile("uv.lock", "uv-lock", 9, is_lock=True),
    )
    text = shown(report(files=files, root="services/a"), verbose=True)
    assert text.startswith(
        "mlenv 0.1.0: 2 files, 2 requirements, 9 locked packages, profile application,\n"
        "  root services/a\n"
        "  requirements.txt  requirements  2\n"
        "  uv.lock           uv-lock       9\n"
    )


def test_paths_lead_from_the_working_folder() -> None:
    one = finding(source("torch").line_span(1))
    assert " --> services/a/requirements.txt:1:1\n" in body(report(one), prefix="services/a/")


def test_a_finding_without_a_place() -> None:
    assert body(report(finding(None, help="x"))) == (
        "error[PIN001] torch has no version\n  = help: x\n"
    )


def test_colour_only_decorates() -> None:
    text = source("numpy\ntorch\n")
    audit = report(
        finding(
            span_of(text, "torch"),
            "word " * 30,
            related=(Related(span_of(text, "numpy"), "there"),),
            evidence=(Evidence("fact", "source"),),
        )
    )
    plain, colored = shown(audit), shown(audit, color=True)
    assert "\x1b" not in plain
    assert "\x1b[1;31merror[PIN001]\x1b[0m" in colored
    for code in ("0", "1", "2", "34", "1;31"):
        colored = colored.replace(f"\x1b[{code}m", "")
    assert colored == plain


hostile = st.text(
    st.sampled_from("ab1=:/@#[]? \t\r\n\x00\x1b\x7f\x9b\u202e\u2066\u200b\u2028日é\u0301\ud800🙂")
    | st.characters(),
    max_size=300,
)


@given(hostile, hostile, hostile, st.data(), st.integers(40, 120), st.booleans())
def test_no_text_breaks_out(
    content: str, message: str, path: str, data: st.DataObject, width: int, verbose: bool
) -> None:
    text = SourceText("requirements.txt", content)
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    place = text.span(start, end)
    one = finding(
        place,
        message,
        related=(Related(text.span(0, start), message),),
        help=message,
        evidence=(Evidence(message, message),),
    )
    audit = report(one, skipped=(SkippedFile(path, message),))
    lines = render(audit, View(width=width, verbose=verbose)).split("\n")
    for line in lines:
        assert line.isprintable()
        assert text_width(line) <= width
        assert not line.lstrip().startswith("::")
        assert "##[" not in line


def test_a_line_of_a_megabyte_takes_no_time() -> None:
    text = source("://a:b" * 200_000)
    assert len(body(report(finding(text.span(600_000, 600_005)))).splitlines()) == 6
