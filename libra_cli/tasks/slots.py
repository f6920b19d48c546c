"""What a judge is shown: the slots of a judging prompt, whose texts cannot speak for the template or for the judge."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from libra_cli.tasks import template, thinking
from libra_cli.tasks.task import Messages, Record

SLOTS = ("question", "response", "response_a", "response_b", "responses", "reference")
"""What a judging template can hold in double braces."""
SHOWN = {"response": ("response",), "pair": ("response_a", "response_b"), "list": ("responses",)}
"""Slots that a template must have, by what its task is shown."""

_BRACKETS = re.compile(r"(?<=[\[［])(?=[\[［])|(?<=[\]］])(?=[\]］])")
"""Between two brackets that touch, of any width: every form of a verdict has such."""
_TAG = re.compile(r"[<＜](?=/?([a-z][a-z0-9_-]*)\b)", re.IGNORECASE)
_KNOWN = re.compile(r"problem|question|reference|responses?(?:_[a-z0-9]+)?", re.IGNORECASE)
"""Tags of the built-in templates, and of those like them."""
_CONTROL = re.compile(
    r"<(?=[|｜]|</?SYS>>|/?(?i:s|bos|eos|pad|unk|mask|sep|cls|start_of_turn|end_of_turn|(?:bos|eos|pad)_token|seed:[a-z_]+"
    r"|extra_id_\d+|reserved_\d+|special_\d+|tool_call|tool_response)>)"
    r"|[|｜](?=>)"
    r"|\[(?=/?(?:INST|gMASK|BOS|EOS|CLS|SEP|MASK|PAD|UNK|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])"
    r"|\[(?=\|(?:system|user|assistant|tool|endofturn)\|\]|e~\[)|\](?=~!?b[\[\]])"
)
"""Where the control tokens of chat formats can be cut in two: a server reads them in a message as its own."""
_MARKERS = re.compile("|".join(re.escape(one) for pair in thinking.MARKERS.values() for one in pair), re.IGNORECASE)


def neutralise(text: str, tags: Iterable[str] = ()) -> str:
    """`text` whose verdicts, template tags, control tokens and marks of thinking have a blank in them.

    It reads as before to a person, and cannot speak for the judge, leave its place in the template, end the message,
    or begin another one. Blanks are added and nothing is taken away, so that no parts can join to a whole. `tags` are
    those of the template, beside those that templates commonly have.
    """
    names = {tag.lower() for tag in tags}
    text = _BRACKETS.sub(" ", text)
    text = _MARKERS.sub(lambda found: f"{found.group()[0]} {found.group()[1:]}", text)
    text = _TAG.sub(lambda tag: f"{tag[0]} " if tag[1].lower() in names or _KNOWN.fullmatch(tag[1]) else tag[0], text)
    return _CONTROL.sub(r"\g<0> ", text)


def plain(text: str) -> str:
    """`text` whose control tokens and marks of thinking have a blank in them: a message that a server reads as text."""
    text = _MARKERS.sub(lambda found: f"{found.group()[0]} {found.group()[1:]}", text)
    return _CONTROL.sub(r"\g<0> ", text)


def messages(text: str, record: Record) -> Messages:
    """The conversation of a template: one user message, whose slots are filled in one pass.

    `record` has a text for each slot of the template; `responses` is a list of texts, numbered from 1. Raises KeyError
    for a slot that the record lacks.
    """
    values = {name: _shown(record[name], _tags(text)) for name in template.slots(text)}
    return [{"role": "user", "content": template.fill(text, values)}]


@lru_cache(maxsize=64)
def _tags(text: str) -> frozenset[str]:
    """Names of the tags of a template."""
    return frozenset(found[1].lower() for found in _TAG.finditer(text))


def _shown(value: object, tags: Iterable[str]) -> str:
    if not isinstance(value, (list, tuple)):
        return neutralise(str(value), tags)
    blocks = (f"<response_{n}>\n{neutralise(str(one), tags)}\n</response_{n}>" for n, one in enumerate(value, 1))
    return "\n\n".join(blocks)


def check(text: str, shows: str) -> None:
    """Raises ValueError where a template has a slot that nothing fills, or does not show what is to be judged."""
    known = [name for name in SLOTS if name in SHOWN[shows] or name in ("question", "reference")]
    listed = ", ".join("{{" + name + "}}" for name in known)
    for written in re.findall(r"\{\{\s*[A-Za-z_]\w*\s*\}\}", text):
        if written[2:-2] not in known:
            raise ValueError(f"nothing fills {written}; the slots are {listed}")
    missing = [name for name in SHOWN[shows] if name not in template.slots(text)]
    if missing:
        raise ValueError(f"the judge would not see the {missing[0]}: write {{{{{missing[0]}}}}} where it belongs")
