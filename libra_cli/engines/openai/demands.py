"""What a server that refuses a request wants changed, read from its words: a field left out, or a stream."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from libra_cli.engines.openai.http_answer import HttpAnswer

_QUOTES = "'\"`"
_OF_A_FIELD = re.compile(
    r"\b(?:parameters?|fields?|arguments?|propert(?:y|ies)|name|unsupported|unrecogni[sz]ed|unknown|deprecated|extra"
    r"|specified|(?:not|only) \w{0,20} ?(?:support|allow|permit|accept)\w*)\b",
    re.IGNORECASE,
)
"""Words of a message that is about a field of the request, and not about its text."""
_CLAUSES, _WORDS = re.compile(r"[.;:,]"), re.compile(r"[a-z]+")
_DEMANDING = frozenset(("only", "must", "required", "requires", "require", "set", "enable", "mandatory"))
_DENYING = frozenset(("not", "cannot", "no", "without"))


def is_stream_demanded(message: str) -> bool:
    """Whether a server says that it answers only as a stream."""
    for clause in _CLAUSES.split(message.lower()):
        words = set(_WORDS.findall(clause))
        if words & _DEMANDING and not words & _DENYING and any(word.startswith("stream") for word in words):
            return True
    return False


def refused_field(answer: HttpAnswer, body: Mapping[str, Any]) -> str | None:
    """The optional field of `body` that a server names when it refuses a request; None if it names none.

    It is named in `param` or `loc`, or in quotes in a message about fields.
    """
    try:
        fields = answer.json()
    except ValueError:
        return None
    error = fields.get("error", fields) if isinstance(fields, dict) else None
    named = set(_named(error if isinstance(error, dict) else {"message": error}))
    return next((name for name in body if name in named and name not in ("model", "messages", "stream")), None)


def _named(error: Mapping[str, Any]) -> Iterator[str]:
    """What an error names: its parameter, the ends of its places, and what stands in quotes in its message."""
    details = error.get("detail")
    places = [one.get("loc") for one in details if isinstance(one, dict)] if isinstance(details, list) else []
    named = [error.get("param"), *(place[-1] for place in places if isinstance(place, list) and place)]
    yield from (name for name in named if isinstance(name, str))
    for text in (error.get("message"), details):
        if isinstance(text, str) and _OF_A_FIELD.search(text):
            for quote in _QUOTES:
                yield from text.split(quote)[1::2]
