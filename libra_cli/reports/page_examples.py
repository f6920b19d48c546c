"""The most confident wrong verdicts on the page: question, response and judgment of each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from libra_cli.reports.page_text import text

Example = Mapping[str, Any]

FACTS = ("label", "prediction", "score", "id")
"""Facts of an example, as far as its row has them."""
LONG_CHARS, LONG_LINES = 800, 12
"""A longer text is clipped until the reader ticks a box."""


def section(examples: Sequence[Example], anchor: str) -> str:
    """All examples of a report; empty without any. `anchor` makes their ids unique on the page."""
    if not examples:
        return ""
    shown = ""
    for number, example in enumerate(examples, 1):
        about = " · ".join(text(example[name]) for name in ("section", "why") if example.get(name))
        facts = ""
        for name in FACTS:
            value = example.get(name)
            if value is not None:
                literal = value if isinstance(value, str) else _literal(value)
                facts += f"<dt>{name}</dt><dd>{text(literal)}</dd>"
        texts = [("Question", str(example.get("question") or ""))]
        if example.get("response") is not None:
            texts.append(("Response", str(example["response"])))
        several = example.get("responses") or ()
        texts += [(f"Response {at} of {len(several)}", str(response)) for at, response in enumerate(several, 1)]
        texts.append(("Judgment", str(example.get("judgment_text") or "")))
        blocks = "".join(
            _block(name, value, f"{anchor}-example-{number}-{at}") for at, (name, value) in enumerate(texts)
        )
        shown += f'<details class="example"><summary>{about}</summary>\n<dl>{facts}</dl>\n{blocks}</details>\n'
    return f"<h3>Wrong verdicts ({len(examples)}), the most confident first</h3>\n{shown}"


def _literal(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # an integer of more than 64 bits
        return json.dumps(value, ensure_ascii=False)


def _block(name: str, value: str, key: str) -> str:
    """A text with its heading; a long one is clipped, and a checkbox shows all of it without a script."""
    if not value.strip():
        return f'<h4>{text(name)}</h4><p class="note">none is kept in the row</p>\n'
    if len(value) <= LONG_CHARS and value.count("\n") < LONG_LINES:
        return f'<h4>{text(name)}</h4><pre dir="auto">{text(value)}</pre>\n'
    label = f"show all ({len(value):,} characters)"
    box = f'<label class="all" for="{key}"><input type="checkbox" id="{key}"> {label}</label>'
    return f'<h4>{text(name)}</h4><div class="clip">{box}<pre dir="auto" tabindex="0">{text(value)}</pre></div>\n'
