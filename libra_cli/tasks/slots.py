"""Slots of judging prompts: the texts in them cannot pass for words of the template or of the judge."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any

from libra_cli.tasks import template, thinking
from libra_cli.tasks.task import Messages, Record

SLOTS = ("question", "response", "response_a", "response_b", "responses", "reference")
"""The slots that a judging template can have."""
SHOWN = {"response": ("response",), "pair": ("response_a", "response_b"), "list": ("responses",)}
"""Slots that a template must have, by what its task shows."""

_BRACKETS = re.compile(r"\[(?=\[)|\](?=\])")
"""A bracket that touches another one: every form of a verdict has such brackets."""
_TAG = re.compile(r"<(?=/?([a-z][a-z0-9_-]*)\b)", re.IGNORECASE)
_KNOWN = re.compile(r"problem|question|reference|responses?(?:_[a-z0-9]+)?", re.IGNORECASE)
"""Tags of the built-in templates, and common ones like them."""
_CONTROL = re.compile(
    r"<(?=\||</?SYS>>|/?(?i:s|bos|eos|pad|unk|mask|sep|cls|start_of_turn|end_of_turn|(?:bos|eos|pad)_token|seed:[a-z_]+"
    r"|extra_id_\d+|reserved_\d+|special_\d+|tool_call|tool_response)>)"
    r"|\|(?=>)"
    r"|\[(?=/?(?:INST|gMASK|BOS|EOS|CLS|SEP|MASK|PAD|UNK|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])"
    r"|\[(?=\|(?:system|user|assistant|tool|endofturn)\|\]|e~\[)|\](?=~!?b[\[\]])"
)
"""Where to cut control tokens of chat formats in two: a server obeys them even within a message."""
_MARKERS = re.compile("|".join(re.escape(one) for pair in thinking.MARKERS.values() for one in pair), re.IGNORECASE)

_SPECIAL = re.compile(r"\\+|&(?:#[0-9]{1,7};?|#[xX][0-9a-fA-F]{1,6};?|[a-zA-Z]{2,12};|[lg]t)|[^\t\n\r\x20-\x7e]+")
"""Backslashes, HTML entities, and what is not printable ASCII."""
_HIDDEN = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Mn", "Mc", "Me"))
"""Categories of characters that show nothing of their own: controls, formats, and combining marks."""
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")


def neutralise(text: str, tags: Iterable[str] = ()) -> str:
    """Puts a blank into every verdict, template tag, control token and thinking marker of `text`.

    The text reads as before to a person, but cannot speak for the judge, leave its place in the template, end the
    message, or begin another one; nor can it once it is normalised (NFKC or NFKD) and format characters, combining
    marks, backslashes and HTML entities are resolved. Blanks are added and nothing is removed, so that no parts can
    join to a whole. `tags` are the tags of the template, in addition to common ones.
    """
    names = {tag.lower() for tag in tags}

    def cuts(bare: str) -> Iterator[int]:
        yield from _control_cuts(bare)
        yield from (match.end() for match in _BRACKETS.finditer(bare))
        for tag in _TAG.finditer(bare):
            if tag[1].lower() in names or _KNOWN.fullmatch(tag[1]):
                yield tag.end()

    return _cut(text, cuts)


def plain(text: str) -> str:
    """Puts a blank into every control token and thinking marker, so that a server reads the message as text."""
    return _cut(text, _control_cuts)


def all_plain(value: Any) -> Any:
    """The same for all texts in a JSON value."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, Mapping):
        return {name: all_plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [all_plain(item) for item in value]
    return value


def _control_cuts(bare: str) -> Iterator[int]:
    yield from (match.end() for match in _CONTROL.finditer(bare))
    yield from (match.start() + 1 for match in _MARKERS.finditer(bare))


def _cut(text: str, cuts: Callable[[str], Iterable[int]]) -> str:
    """`text` with a blank wherever `cuts` says so of the text as written or of what it shows."""
    shown, ends = _shown(text)
    places = {ends[cut - 1] for cut in cuts(shown)}
    if shown != text:
        places.update(cuts(text))
    edges = [0, *sorted(places), len(text)]
    return " ".join(text[start:end] for start, end in pairwise(edges))


def _shown(text: str) -> tuple[str, list[int]]:
    """What is left of `text` without hidden characters, and where in `text` each of its characters ends."""
    parts: list[str] = []
    ends: list[int] = []
    done = 0
    for special in _SPECIAL.finditer(text):
        start, end = special.span()
        parts.append(text[done:start])
        ends += range(done + 1, start + 1)
        done, written = end, special.group()
        if written[0] == "&":
            letters = "".join(map(_letters, html.unescape(written)))
            parts.append(letters)
            ends += [end] * len(letters)
        elif written[0] != "\\":
            for place, character in enumerate(written, start + 1):
                letters = _letters(character)
                parts.append(letters)
                ends += [place] * len(letters)
    parts.append(text[done:])
    ends += range(done + 1, len(text) + 1)
    return "".join(parts), ends


@lru_cache(maxsize=1 << 14)
def _letters(character: str) -> str:
    """What a character shows: its compatibility decomposition without marks, backslashes and the like."""
    parts = unicodedata.normalize("NFKD", character).replace("\\", "")
    return "".join(one for one in parts if one not in _FILLERS and unicodedata.category(one) not in _HIDDEN)


def messages(text: str, record: Record) -> Messages:
    """The conversation of a template: one user message, whose slots are filled in one pass.

    `record` has a text for each slot of the template; `responses` is a list of texts, numbered from 1. Raises KeyError
    for a slot that the record lacks.
    """
    tags, values = _tags(text), {}
    for name in template.slots(text):
        value = record[name]
        if isinstance(value, (list, tuple)):
            parts = ((number, neutralise(str(one), tags)) for number, one in enumerate(value, 1))
            values[name] = "\n\n".join(f"<response_{number}>\n{part}\n</response_{number}>" for number, part in parts)
        else:
            values[name] = neutralise(str(value), tags)
    return [{"role": "user", "content": template.fill(text, values)}]


@lru_cache(maxsize=64)
def _tags(text: str) -> frozenset[str]:
    """Names of the tags of a template."""
    return frozenset(match[1].lower() for match in _TAG.finditer(_shown(text)[0]))


def read_prompt(path: str, shows: str | None = None) -> str:
    """The prompt template in a file, checked for its task; raises ValueError if it is unreadable or unsuitable.

    `shows` says what a judging task shows; None is for the tasks that ask a question.
    """
    text = template.read_template(path).strip()
    if shows is not None:
        check(text, shows)
    elif not template.slots(text):
        raise ValueError("has no slot; write {{question}} where the problem goes")
    return text


def check(text: str, shows: str) -> None:
    """Raises ValueError if nothing fills a slot of a judging template, or it does not show the responses."""
    known = [name for name in SLOTS if name in SHOWN[shows] or name in ("question", "reference")]
    listed = ", ".join("{{" + name + "}}" for name in known)
    for written in re.findall(r"\{\{\s*[A-Za-z_]\w*\s*\}\}", text):
        if written[2:-2] not in known:
            raise ValueError(f"nothing fills {written}; the slots are {listed}")
    missing = [name for name in SHOWN[shows] if name not in template.slots(text)]
    if missing:
        raise ValueError(f"the judge would not see the {missing[0]}: write {{{{{missing[0]}}}}} where it belongs")
