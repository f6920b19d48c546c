"""Rows to read on the page: the most confident wrong verdicts, and the rows on which two judges differ."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from libra_cli.reports.page_text import text

Example = Mapping[str, Any]

FACTS = ("label", "prediction", "score", "model", "sample", "id")
"""Facts of an example, as far as its row has them."""
LONG_CHARS, LONG_LINES = 800, 12
"""A longer text is clipped until the reader ticks a box."""


SUMMARY_CHARS = 70
"""Of the question, in the line that stands for an example."""


def section(examples: Sequence[Example], anchor: str, n_wrong: int | None = None) -> str:
    """All examples of a report, of `n_wrong` wrong verdicts; empty without any. `anchor` makes their ids unique."""
    if not examples:
        return ""
    shown = "".join(
        _example(example, f"{anchor}-example-{number}", (example.get("section"), example.get("why")), {})
        for number, example in enumerate(examples, 1)
    )
    of_all = f" of {n_wrong:,}" if n_wrong is not None and n_wrong > len(examples) else ""
    return f"<h3>Wrong verdicts: the {len(examples):,} most confident{of_all}</h3>\n{shown}"


def differing(comparison: Example, anchor: str) -> str:
    """The rows on which two judges differ, with the verdicts of both."""
    found = comparison.get("differing")
    if not found or not found["rows"]:
        return ""
    shown = ""
    for number, example in enumerate(found["rows"], 1):
        verdicts = {str(comparison[judge]): example[judge] for judge in ("a", "b")}
        about = (example.get("section"), f"{comparison['a' if example['right'] == 'a' else 'b']} is right")
        shown += _example(example, f"{anchor}-differing-{number}", about, verdicts)
    n, listed = found["n"], len(found["rows"])
    first = f", the first {listed:,} of {n:,}" if n > listed else f" ({n:,})"
    title = f"Rows on which {comparison['a']} and {comparison['b']} differ{first}"
    return f"<h3>{text(title)}</h3>\n{shown}"


def _example(example: Example, anchor: str, about: Sequence[Any], verdicts: Mapping[str, Any]) -> str:
    question = " ".join(str(example.get("question") or "").split())
    start = question if len(question) <= SUMMARY_CHARS else question[: SUMMARY_CHARS - 1] + "…"
    model = example.get("model")
    named = f"{model} #{example['sample']}" if model and example.get("sample") is not None else model
    summary = " · ".join(text(str(each)) for each in (*about, named, start) if each)
    facts = ""
    given = {name: example.get(name) for name in FACTS}
    if verdicts:
        given = {**{name: value for name, value in given.items() if name not in ("prediction", "score")}, **verdicts}
    for name, value in given.items():
        if value is not None:
            literal = value if isinstance(value, str) else _literal(value)
            facts += f"<dt>{text(name)}</dt><dd>{text(literal)}</dd>"
    texts = [("Question", str(example.get("question") or ""))]
    if example.get("reference") is not None:
        texts.append(("Reference", str(example["reference"])))
    texts.append(("Response: thinking", str(example.get("response_thinking") or "")))
    if example.get("response") is not None:
        texts.append(("Response", str(example["response"])))
    several = example.get("responses") or ()
    texts += [(f"Response {at} of {len(several)}", str(response)) for at, response in enumerate(several, 1)]
    whose = [f" of {judge}" for judge in verdicts] or [""]
    for judge, end in zip(whose, ("", "_b"), strict=False):
        texts.append((f"Judgment{judge}: thinking", str(example.get(f"judgment_thinking{end}") or "")))
        if not verdicts or example.get(f"judgment_text{end}"):
            texts.append((f"Judgment{judge}", str(example.get(f"judgment_text{end}") or "")))
    texts = [(name, value) for name, value in texts if value or not name.endswith("thinking")]
    blocks = "".join(_block(name, value, f"{anchor}-{at}") for at, (name, value) in enumerate(texts))
    return f'<details class="example"><summary>{summary}</summary>\n<dl>{facts}</dl>\n{blocks}</details>\n'


def _literal(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # an integer of more than 64 bits
        return json.dumps(value, ensure_ascii=False)


def _block(name: str, value: str, key: str) -> str:
    """A text with its heading; thinking is folded, a long text clipped until a box is ticked, without a script."""
    if name.endswith("thinking"):
        summary = f"<summary>{text(name)} ({len(value):,} characters)</summary>"
        return f'<details class="thinking">{summary}<pre dir="auto">{text(value)}</pre></details>\n'
    if not value.strip():
        return f'<h4>{text(name)}</h4><p class="note">none is kept in the row</p>\n'
    if len(value) <= LONG_CHARS and value.count("\n") < LONG_LINES:
        return f'<h4>{text(name)}</h4><pre dir="auto">{text(value)}</pre>\n'
    label = f"show all ({len(value):,} characters)"
    box = f'<label class="all" for="{key}"><input type="checkbox" id="{key}"> {label}</label>'
    return f'<h4>{text(name)}</h4><div class="clip">{box}<pre dir="auto" tabindex="0">{text(value)}</pre></div>\n'
