"""The JSON schemas say what mlenv takes and prints: neither more nor less."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from making import environment_of

from mlenv import schemas
from mlenv.audit import audit_project
from mlenv.baseline import Record, read_baseline, written
from mlenv.cli.requests import SCHEMAS
from mlenv.cli.settings import known_rules
from mlenv.config import FAIL_ON, LEVELS, Config
from mlenv.config_table import read_table
from mlenv.errors import ConfigError, UsageError
from mlenv.model.profile import PROFILES
from mlenv.model.surroundings import Surroundings
from mlenv.project.load import load_project
from mlenv.report.registry import deps_renderer, report_renderer
from mlenv.report.view import View
from mlenv.rules.base import TOPICS

FOLDER = Path(schemas.__file__).parent
EXAMPLES = sorted(
    path for path in (Path(__file__).parents[1] / "examples").iterdir() if path.is_dir()
)
VOCABULARY = known_rules()


@cache
def validator(of: str) -> Any:
    schema = json.loads((FOLDER / f"{of}.schema.json").read_text("utf-8"))
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


def errors(of: str, document: object) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator(of).iter_errors(document)]


@pytest.mark.parametrize("of", SCHEMAS)
def test_each_is_a_schema_of_its_draft(of: str) -> None:
    schema = validator(of).schema
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)
    assert {f"{name}.schema.json" for name in SCHEMAS} == {p.name for p in FOLDER.glob("*.json")}


def is_taken(table: dict[str, Any]) -> bool:
    try:
        read_table(table, "mlenv.toml", VOCABULARY)
    except ConfigError:
        return False
    return True


def as_json(value: Any) -> Any:
    """What an editor makes of TOML: a date is a string."""
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


CODES = sorted(VOCABULARY.codes)
selector = st.sampled_from(["PIN", "P", *CODES[:3], *TOPICS[:3], *TOPICS[-2:]])
wrong: st.SearchStrategy[Any] = st.sampled_from(
    ["", "pin", "PIN0011", "nonsense", "P1", 1, True, None, {}, [], [1], 1.5]
)
strings = st.lists(st.text(max_size=3), max_size=2)
selectors = st.lists(selector, max_size=2)
entry = st.fixed_dictionaries(
    {},
    optional={
        "rule": selector | wrong,
        "package": st.just("torch") | wrong,
        "file": st.text(max_size=3),
        "reason": st.text(max_size=3),
        "until": st.sampled_from(
            [date(2027, 1, 31), "2027-01-31", "", "2027-02-30", "31.1.2027", "x", 1]
        ),
        "untill": st.just("2027-01-31"),
    },
)
version = st.sampled_from(["535", "12.2", "CUDA 12.x", "3.13.0rc1", "3.10+", "1.", "v", "1" * 9])
gpu = st.sampled_from(
    ["8xA100", " ", "A" * 201, {"name": "A100"}, {"compute_capability": 8.6}, {"count": 1}]
) | st.fixed_dictionaries(
    {"name": st.just("A100")},
    optional={
        "compute_capability": st.sampled_from(["8.6", "sm_90a", 12, "8,6", True, 12345]),
        "count": st.sampled_from([1, "8", 0, "0", 1.5, True, 10**9, "1000000"]),
        "memory": st.sampled_from([0, 80, -1, "80", 1.5, True, None, 10**6]),
        "ram": st.just(1),
    },
)
machine = st.fixed_dictionaries(
    {},
    optional={
        # the schema knows no names of systems
        "os": st.sampled_from(["linux", "Windows 11", "", 1, True, None, []]),
        "arch": st.sampled_from(["amd64", "x86/64"]) | wrong,
        **dict.fromkeys(("glibc", "python", "driver", "cudnn", "image_cuda"), version | wrong),
        "wants_gpu": wrong,
        "missing_libraries": st.sampled_from([["libGL.so.1"], [""]]) | wrong,
        "gpus": gpu | st.lists(gpu, max_size=2) | wrong,
        "gpu": gpu,
    },
)
tables = st.fixed_dictionaries(
    {},
    optional={
        "profile": st.sampled_from([*PROFILES, "app"]) | wrong,
        "select": selectors | st.lists(selector | wrong, max_size=2) | wrong,
        "ignore": st.lists(selector | entry, max_size=2) | st.lists(wrong, max_size=1) | wrong,
        "fail-on": st.sampled_from([*FAIL_ON, "off"]) | wrong,
        "fail_on": st.just("error"),
        "exclude": strings | st.lists(wrong, max_size=1) | wrong,
        "severity": st.dictionaries(
            selector | st.just("nonsense"), st.sampled_from([*LEVELS, "never"]) | wrong, max_size=2
        )
        | wrong,
        "per-file-ignores": st.dictionaries(
            st.text(max_size=3), selectors | st.lists(wrong, max_size=1) | wrong, max_size=2
        )
        | wrong,
        "target": st.sampled_from(["a100", ["a100", "local"], [""], [1]]) | wrong,
        "targets": st.dictionaries(st.sampled_from(["a", "local"]), machine, max_size=2) | wrong,
        "extra-facts": strings | wrong,
        "colour": wrong,
    },
)


@settings(max_examples=400)
@given(tables)
@example({})
@example({"ignore": ["PIN001", {"rule": "LCK", "until": date(2027, 1, 31)}]})
@example({"severity": {"pins": "off"}, "per-file-ignores": {"*.in": ["PIN"]}})
def test_the_schema_and_the_program_take_the_same_configurations(table: dict[str, Any]) -> None:
    found = errors("config", as_json(table))
    assert is_taken(table) == (not found), found


@settings(max_examples=300)
@given(machine)
@example({})
@example({"gpus": {"name": "A100", "count": "8"}, "python": "3.13.0rc1"})
def test_the_schema_and_the_program_take_the_same_machines(table: dict[str, Any]) -> None:
    found = errors("config", {"targets": {"a": table}})
    assert is_taken({"targets": {"a": table}}) == (not found), found


@pytest.mark.parametrize("code", CODES)
def test_every_code_and_its_starts_can_be_selected(code: str) -> None:
    starts = [code[:end] for end in range(1, len(code) + 1)]
    assert errors("config", {"select": starts}) == []


def test_every_topic_can_be_selected() -> None:
    assert errors("config", {"select": list(TOPICS)}) == []


def test_the_program_and_the_schema_know_the_same_keys() -> None:
    with pytest.raises(ConfigError, match="unknown key 'x'"):
        read_table({"x": 1}, "", VOCABULARY)
    for key in validator("config").schema["properties"]:
        # a wrong value is told of as such: the key is known
        with pytest.raises(ConfigError, match=f"{key!r} must be"):
            read_table({key: None}, "", VOCABULARY)


def is_read(document: object, folder: Path) -> bool:
    (folder / "baseline.json").write_text(json.dumps(document), "utf-8")
    try:
        read_baseline(str(folder / "baseline.json"))
    except UsageError:
        return False
    return True


RECORD = {"rule": "PIN001", "file": "a/b.txt", "packages": ["torch"], "declaration": "torch"}


def test_a_baseline_as_it_is_written_is_valid(tmp_path: Path) -> None:
    document = json.loads(written({Record("PIN001", "a.txt", ("torch",), "torch"): 2}))
    assert document["findings"][0]["count"] == 2
    assert errors("baseline", document) == []
    assert errors("baseline", json.loads(written({}))) == []


@pytest.mark.parametrize(
    "document",
    [
        {"schema": 1, "findings": []},
        {"schema": 1, "findings": [RECORD, {**RECORD, "count": 3, "new": 1}], "new": 1},
        {"schema": 2, "findings": []},
        {"schema": "1", "findings": []},
        {"schema": 1},
        {"findings": []},
        {"schema": 1, "findings": {}},
        {"schema": 1, "findings": [1]},
        {"schema": 1, "findings": [{**RECORD, "count": 0}]},
        {"schema": 1, "findings": [{**RECORD, "packages": "torch"}]},
        {"schema": 1, "findings": [{**RECORD, "packages": [1]}]},
        {"schema": 1, "findings": [{**RECORD, "file": None}]},
        *(
            {"schema": 1, "findings": [{key: RECORD[key] for key in RECORD if key != lost}]}
            for lost in RECORD
        ),
        [],
    ],
    ids=json.dumps,
)
def test_the_schema_and_the_program_take_the_same_baselines(
    tmp_path: Path, document: object
) -> None:
    assert is_read(document, tmp_path) == (errors("baseline", document) == [])


VIEWS = (View(), View(statistics=True, verbose=True))


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_what_the_examples_print_is_valid(folder: Path) -> None:
    for view in VIEWS:
        report = report_renderer("json")(audit_project((str(folder),), Config()), view)
        assert errors("audit", json.loads(report)) == []
    shown = deps_renderer("json")(load_project((str(folder),)), View())
    assert errors("deps", json.loads(shown)) == []


def test_what_a_broken_project_prints_is_valid(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes(b"a=1\n\xff\n./x\nb @ https://x.example/b.zip\n")
    (tmp_path / "requirements-big.txt").write_bytes(b"a\n" * (20 << 20))
    (tmp_path / "pyproject.toml").write_text("[project")
    report = json.loads(
        report_renderer("json")(audit_project((str(tmp_path),), Config()), VIEWS[1])
    )
    assert report["findings"]
    assert report["skipped"]
    assert errors("audit", report) == []
    shown = json.loads(deps_renderer("json")(load_project((str(tmp_path),)), View()))
    assert shown["errors"]
    assert errors("deps", shown) == []


def test_what_is_printed_of_an_environment_is_valid(tmp_path: Path) -> None:
    table = {"distributions": [{"name": "a", "requires": ["b"]}, {"name": "c", "requires": ["b"]}]}
    around = Surroundings(environment=environment_of(table))
    audited = audit_project((str(tmp_path),), Config(select=("ENV001",)), around=around)
    report = json.loads(report_renderer("json")(audited, VIEWS[1]))
    assert report["findings"][0]["related"]
    assert errors("audit", report) == []


def printed(of: str, folder: Path) -> Any:
    if of == "deps":
        return json.loads(deps_renderer("json")(load_project((str(folder),)), View()))
    return json.loads(report_renderer("json")(audit_project((str(folder),), Config()), VIEWS[1]))


def objects(value: Any) -> list[dict[str, Any]]:
    """Every object within a document, itself included."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    found = [inner for item in items for inner in objects(item)]
    return [value, *found] if isinstance(value, dict) else found


@pytest.mark.parametrize("of", ["audit", "deps"])
def test_reports_may_gain_keys_and_may_lose_none(of: str) -> None:
    (folder,) = (path for path in EXAMPLES if path.name == "mixed-conda-pip")
    document = printed(of, folder)
    for one in objects(document):
        one["new-key"] = 1
    assert errors(of, document) == []
    lost = {(id(one), key): one for one in objects(document) for key in one if key != "new-key"}
    for (_, key), one in lost.items():
        kept = one.pop(key)
        assert errors(of, document) or key == "statistics", key
        one[key] = kept


@pytest.mark.parametrize("of", ["audit", "deps"])
def test_every_key_that_is_printed_is_described(of: str) -> None:
    (folder,) = (path for path in EXAMPLES if path.name == "mixed-conda-pip")
    described = {key for one in objects(validator(of).schema) for key in one.get("properties", {})}
    assert {key for one in objects(printed(of, folder)) for key in one} <= described
