"""`libra schema` and docs/records.md say what the stages write.

LIBRA_UPDATE_CASES=1 rewrites the tables in docs/records.md from the schemas.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from documents import PAGES, ROOT

from libra_cli.choices import SCHEMAS
from libra_cli.records.schemas import schema

CASES = ROOT / "tests" / "cases"
WRITTEN = {
    "collect": ("question", "problem"),
    "rollout": ("response_with_cot", "response"),
    "verify": ("verification", "verified"),
    "balance": ("label", "verified"),
    "judge": ("judgments", "judged"),
    "rs-filter": ("messages", "messages"),
    "dpo-pairs": ("prompt", "preference"),
}
"""Stage -> a field that its whole rows have (jq leaves other things in some cases), and the kind of these rows."""


def strict(kind: str) -> dict[str, Any]:
    """The schema of a kind without room for fields that it does not name."""

    def closed(node: Any) -> Any:
        if isinstance(node, list):
            return [closed(item) for item in node]
        if not isinstance(node, dict):
            return node
        inner = {name: closed(value) for name, value in node.items()}
        is_object = isinstance(node.get("properties"), dict) and "type" in node
        return {"additionalProperties": False, **inner} if is_object else inner

    return closed(schema(kind))


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def assert_valid(rows: list[dict[str, Any]], checked: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator(checked)
    for row in rows:
        validator.validate(row)
    assert rows


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_one(kind, shell):
    printed = json.loads(shell(["libra", "schema", kind]).out)
    jsonschema.Draft202012Validator.check_schema(printed)
    assert printed == schema(kind)
    assert printed["title"]
    assert printed["description"]


def test_each_schema_file_is_a_kind_and_is_listed(shell):
    files = {path.stem for path in (ROOT / "libra_cli/records/schemas").glob("*.json")}
    assert files == set(SCHEMAS)
    assert [line.split()[0] for line in shell("libra schema").out.decode().splitlines()] == list(SCHEMAS)


def test_an_unknown_kind_is_refused_with_the_known_ones(shell):
    ended = shell("libra schema problems")
    assert (ended.status, b"did you mean problem?" in ended.err.lower()) == (2, True)
    assert b"there are: problem, response" in shell("libra schema nosuchkind").err


# -- what the stages write --------------------------------------------------------------------------------------------


def golden_rows(stage: str) -> list[dict[str, Any]]:
    """The whole rows in what a stage prints in its golden cases."""
    lines = (line for path in sorted(CASES.glob(f"{stage}/*/out")) for line in path.read_text().splitlines())
    found = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
    return [row for row in found if WRITTEN[stage][0] in row]


@pytest.mark.parametrize("stage", WRITTEN)
def test_the_rows_of_the_golden_cases_are_valid(stage):
    rows = golden_rows(stage)
    assert len(rows) >= 3
    assert_valid(rows, schema(WRITTEN[stage][1]))


def test_published_rows_and_pairs_are_valid():
    assert_valid(rows_of(CASES / "balance/published/out")[:2], schema("benchmark"))
    pairs = [row for row in golden_rows("collect") if {"response_a", "chosen"} & set(row)]
    assert_valid(pairs, schema("pair"))
    lists = rows_of(CASES / "judge/best/lists.jsonl")
    assert_valid(lists, schema("list"))


@pytest.mark.engine
@pytest.mark.parametrize(
    ("file", "kind"),
    [("problems", "problem"), ("responses", "response"), ("labelled", "verified"), ("bench", "verified"),
     ("judged-transformers", "judged"), ("judged-vllm", "judged")],
)  # fmt: skip
def test_the_demo_writes_valid_rows_without_unnamed_fields(file, kind, demo):
    checked, verified = strict(kind), strict("verified")
    passed_on = {"level": {}} if kind != "judged" else {"level": {}, **verified["properties"]}
    checked["properties"] = {**passed_on, **checked["properties"]}
    checked["$defs"] = {**verified["$defs"], **checked.get("$defs", {})}
    assert_valid(rows_of(demo.folder / f"{file}.jsonl"), checked)


@pytest.mark.engine
def test_files_beside_rows_are_valid(demo, shell, tmp_path):
    judged = demo.folder / "judged-transformers.jsonl"
    assert_valid([json.loads(Path(f"{judged}.libra.json").read_bytes())], strict("manifest"))
    assert shell(f"libra rs-filter -q {judged} > sft.jsonl").status == 0
    assert_valid(rows_of(tmp_path / "sft.jsonl"), strict("messages"))
    (tmp_path / "bad.jsonl").write_text('{"question": "1+1?"}\nno row\n')
    assert shell("libra verify -q --errors errors.jsonl bad.jsonl").status == 3
    assert_valid(rows_of(tmp_path / "errors.jsonl"), strict("error"))


def test_a_panel_writes_valid_votes_reviews_and_labels(shell, tmp_path):
    shutil.copytree(CASES / "verify/panel-also", tmp_path, dirs_exist_ok=True)
    panel = "libra verify -q --replay recorded.jsonl --rule also --review review.jsonl rows.jsonl > panel.jsonl"
    assert shell(panel).status == 0
    assert_valid(rows_of(tmp_path / "panel.jsonl"), schema("verified"))
    assert_valid(rows_of(tmp_path / "review.jsonl"), schema("verified"))
    assert_valid(rows_of(CASES / "verify/labels-merged/labels.jsonl"), strict("label"))


# -- docs/records.md --------------------------------------------------------------------------------------------------


def fields_of(node: dict[str, Any], defs: dict[str, Any], before: str = "") -> Iterator[tuple[str, str, str]]:
    """(name, type, meaning) of every field of a schema, those of objects inside it by their path."""
    for name, field in node["properties"].items():
        inner = field.get("items", {}) if field.get("type") == "array" else field
        inner = defs[inner["$ref"].rpartition("/")[2]] if "$ref" in inner else inner
        types = field.get("type") or [json.dumps(value) for value in field["enum"]]
        shown = ", ".join([types] if isinstance(types, str) else types)
        yield before + name, shown, field["description"].replace("|", "\\|")
        if "properties" in inner:
            yield from fields_of(inner, defs, f"{before}{name}{'[]' if field.get('type') == 'array' else ''}.")


def table_of(kind: str) -> str:
    """The table of a kind; fields that it has from the kind that it extends are left to that kind's table."""
    own = json.loads((ROOT / f"libra_cli/records/schemas/{kind}.json").read_text())
    lines = [f"| `{name}` | {types} | {meaning} |" for name, types, meaning in fields_of(own, own.get("$defs", {}))]
    return "\n".join(["| field | type | meaning |", "|---|---|---|", *lines, ""])


def test_every_field_of_every_kind_is_documented():
    page = PAGES["docs/records.md"]
    text = page.read_text()
    for kind in SCHEMAS:
        marker = f"<!-- table of: schema {kind} -->\n"
        assert text.count(marker) == 1, f"docs/records.md needs {marker}"
        before, _, after = text.partition(marker)
        old = re.match(r"(?:\|[^\n]*\n)*", after)[0]
        text = before + marker + table_of(kind) + after[len(old) :]
    if os.environ.get("LIBRA_UPDATE_CASES"):
        page.write_text(text)
    assert page.read_text() == text, "LIBRA_UPDATE_CASES=1 pytest tests/docs/test_records.py rewrites the tables"
