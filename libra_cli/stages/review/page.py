"""A review as one self-contained page of HTML: no server, no network, no other file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape
from importlib import resources

from libra_cli.plural import counted
from libra_cli.stages.review.items import ReviewItem, ReviewItems
from libra_cli.stream import rows
from libra_cli.stream.console import safe_text
from libra_cli.stream.files import write_whole


def write_page(items: ReviewItems, path: str, blind: bool = False) -> None:
    """Writes the page row by row, so that texts are never all in memory; `path` never holds part of a page.

    Raises Fatal(2 or 74) if it cannot be written.
    """
    write_whole(path, (piece.encode() for piece in page(items, blind)))


def page(items: ReviewItems, blind: bool = False) -> Iterator[str]:
    """Yields the page in pieces. `blind` leaves out who wrote a response, its extracted answer and all verdicts."""
    # The key tells a browser the labels of this page from those of another.
    keys = repr([place.response_key for place in items.places])
    yield _head(hashlib.sha256(keys.encode("utf-8", "replace")).hexdigest()[:16], len(items))
    for number in range(len(items)):
        yield _article(number, items[number], blind)
    yield f"<script>{_resource('page.js')}</script>\n</body>\n</html>\n"


def _head(key: str, count: int) -> str:
    """The head, with a policy that runs no script but ours and loads nothing, whatever a row holds."""
    digest = base64.b64encode(hashlib.sha256(_resource("page.js").encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width">\n<title>libra review</title>\n'
        f'<style>{_resource("page.css")}</style>\n</head>\n<body data-key="libra-review-{key}">\n'
        f'<header><strong>libra review</strong> <span id="count">{counted(count, "row")}</span>\n'
        '<input id="filter" type="search" placeholder="filter" aria-label="Show only rows that contain">\n'
        '<input id="reviewer" placeholder="your name" aria-label="Your name">\n'
        '<button id="save">Save labels.jsonl</button>\n'
        "<small>j next, k back, y correct, n incorrect (again: no label), / filter</small></header>\n"
    )


def _article(number: int, item: ReviewItem, blind: bool) -> str:
    row = escape(rows.dumps(item.identity).decode()[:-1], quote=True)
    facts = [("Question", item.question), ("Reference", item.reference)]
    facts += [] if blind else [("Answer", item.answer)]
    shown = "".join(f"<dt>{name}</dt><dd>{_text(value)}</dd>" for name, value in facts)
    lines = []
    for vote in item.votes:
        verdict = str(vote["verdict"] or "none")
        shown_verdict = "incorrect" if verdict == "wrong" else verdict
        why = ", ".join(str(vote[name]) for name in ("by", "reason", "note") if vote.get(name))
        lines.append(
            f'{_text(vote["annotator"])}: <span class="{verdict}">{shown_verdict}</span> <small>{_text(why)}</small>'
        )
    votes = "" if blind else f"<dt>Verdicts</dt><dd>{'<br>'.join(lines) or 'none'}</dd>"
    texts = [] if blind else [vote for vote in item.votes if vote.get("text")]
    written = "".join(_details(f"What {vote['annotator']} wrote", str(vote["text"])) for vote in texts)
    names = item.place if blind else f"{item.place} {item.names}"
    return (
        f'<article tabindex="0" data-row="{row}"><small>{number + 1}. {_text(names)}</small>\n<dl>{shown}{votes}</dl>\n'
        f"{_details('Response', item.response, ' open')}{written}"
        '<button value="1">correct</button> <button value="0">incorrect</button></article>\n'
    )


def _details(name: str, text: str, state: str = "") -> str:
    return f"<details{state}><summary>{_text(name)}</summary><pre>{_text(text)}</pre></details>\n"


def _text(text: str) -> str:
    """Escapes text: nothing in it is markup, and a character that cannot be printed becomes an escape."""
    return escape(safe_text(text), quote=True)


def _resource(name: str) -> str:
    return resources.files("libra_cli.stages.review").joinpath(name).read_text(encoding="utf-8")
