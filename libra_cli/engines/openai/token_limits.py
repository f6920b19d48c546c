"""How many tokens a response may have: what a server says when it refuses a limit, and what it takes.

Servers word it in many ways, and some tell a lower bound of the prompt's length. Words only make the way shorter: where
they do not help, the limit falls until the server takes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from libra_cli.engines.base import RequestError

TEMPLATE_TOKENS = 1024
"""What a chat template adds to the messages of a conversation, at most."""
_FLOOR = 16
"""Fewer tokens are no response; below, only a server's own number is tried."""
_LEAST_CONTEXT = 1024
"""A smaller number is no context unless the words call it one: it may count functions, messages or images."""
_HALVES = 5
"""So many limits of a request fall by half, later ones to an eighth."""
_NUMBER = r"(\d{1,3}(?:,\d{3})+(?![\d,])|\d{1,15})(?!\d)"
_TOO_LONG = re.compile(
    r"context.?(?:length|window|size|limit)|max_model_len|(?:prompt|input|request) (?:is|was) too (?:long|large)"
    r"|too many (?:input )?tokens|maximum (?:\w+ )?length",
    re.IGNORECASE,
)
_OF_TOKENS = re.compile(
    r"max_(?:completion_|new_|output_)?tokens|maxOutputTokens|max_new_tokens"
    r"|\b(?:output|completion|new|input|prompt|requested|total) tokens?\b|\btoken (?:count|limit)|tokens per",
    re.IGNORECASE,
)
_CONTEXT = re.compile(
    rf"(?:context.?(?:length|window|size|limit)|max_\w*len|max_total_tokens|maximum (?:\w+ )?length)"
    rf"\b[^\d.;+-]{{0,30}}{_NUMBER}(?!\s*\+)|{_NUMBER}(?: tokens?)? (?:maximum )?context (?:length|window|size)",
    re.IGNORECASE,
)
_PROMPTS = (
    re.compile(
        rf"(at least )?\b{_NUMBER}[`']* (?:tokens )?(?:[`']?inputs?[`']? ?tokens|(?:from|of|in) (?:the |your )?"
        r"(?:text input|input|messages|prompt))",
        re.IGNORECASE,
    ),
    re.compile(rf"\b(?:prompt|inputs?|request|messages)\b(?: \w+){{0,3}}?[ (:=]+(at least )?{_NUMBER}", re.IGNORECASE),
)
_LIMIT = re.compile(r"most|up to|\bthan\b|[<>]|limit|\bmaximum\b|range|exceed|between", re.IGNORECASE)
_SENTENCES = re.compile(r"[.;](?:\s|$)")


@dataclass(frozen=True)
class LengthRefused:
    """A server refuses a request for the length of its prompt, of its response, or of both together."""

    message: str
    max_tokens: int
    """What the request asked for."""
    is_of_context: bool
    """The words are about the context or the prompt, not about the limit alone."""
    context: int | None = None
    """Tokens of prompt and response together, at most, as the words have it."""
    prompt: int | None = None
    """Tokens of the prompt, or a number that is lower if not `is_exact`."""
    is_exact: bool = False
    most: int | None = None
    """Tokens of any response, at most."""


def is_of_length(message: str, code: str = "") -> bool:
    """Whether a server speaks of the room for prompt and response."""
    return code == "context_length_exceeded" or _TOO_LONG.search(message) is not None


def asked_in(body: Mapping[str, Any]) -> int:
    """The limit of tokens in a request; 0 if it has none."""
    asked = body.get("max_tokens") or body.get("max_completion_tokens")
    return asked if type(asked) is int else 0


def size_of(body: Mapping[str, Any]) -> int:
    """UTF-8 bytes of what a request gives the model to read: no tokenizer makes more tokens of them."""
    return len(json.dumps([body.get("messages"), body.get("tools")], ensure_ascii=False).encode("utf-8", "replace"))


def read(message: str, code: str, max_tokens: int) -> LengthRefused | None:
    """What a server says about lengths when it refuses a request that asked for `max_tokens`; None if it does not."""
    words = re.sub(r"^\d{3} [A-Za-z -]+: ", "", message)
    numbers = [_value(found) for found in re.findall(_NUMBER, words)]
    if not is_of_length(words, code) and not (_OF_TOKENS.search(words) and set(numbers)):
        return None
    context = next((_value(match[1] or match[2]) for match in _CONTEXT.finditer(words)), None)
    prompt, is_exact = None, False
    for match in (match for pattern in _PROMPTS for match in pattern.finditer(words)):
        if _value(match[2]) not in (max_tokens, context):
            prompt = _value(match[2])
            # A tokenizer that stops where the prompt no longer fits has counted one token too many, not the prompt.
            is_exact = match[1] is None and (context is None or prompt != context - max_tokens + 1)
            break
    most = None if context else _most(words, max_tokens, prompt)
    if context is None and most is None:
        equal = max_tokens if numbers.count(max_tokens) > 1 else None  # as the limit, and as what is refused
        least = max(max_tokens + 1, _LEAST_CONTEXT)
        context = equal or min((number for number in numbers if number >= least and number != prompt), default=None)
    return LengthRefused(message, max_tokens, is_of_length(words, code), context, prompt, is_exact, most)


def _most(words: str, max_tokens: int, prompt: int | None) -> int | None:
    """The largest number below the limit that a sentence names as one."""
    for sentence in _SENTENCES.split(words):
        start = _LIMIT.search(sentence)
        named = [_value(found) for found in re.findall(_NUMBER, sentence[start.start() :])] if start else []
        if below := [number for number in named if _FLOOR <= number < max_tokens and number != prompt]:
            return max(below)
    return None


def _value(digits: str) -> int:
    return int(digits.replace(",", ""))


class Room:
    """What one server takes, as it has said and shown; `context` is what its list of models states."""

    def __init__(self, context: int | None):
        self.stated = self.context = context
        """Tokens of prompt and response together, at most."""
        self.most: int | None = None
        """Tokens of a response, at most."""
        self.is_strict = False
        """A limit that the prompt leaves no room for is refused; others lower it themselves."""
        self._is_guess, self._taken = False, 0
        self._claims: dict[int, int] = {}
        """The limit that was asked for when a context was first said to be too short for a prompt."""
        self._caps: set[int] = set()
        """What was said to be the limit of a response: it is one of later requests, too, once the server takes it."""

    def limit(self, max_tokens: int, size: int) -> int:
        """The limit to begin with, for a prompt of `size` bytes."""
        limits = [max_tokens, *filter(None, (self.most, self.context))]
        if self.is_strict and self.context:
            limits.append(max(self.context - _estimate(size), self.context // 4))
        return min(limits)

    def lower(self, refused: LengthRefused, size: int, tries: int = 0) -> int | None:
        """The next limit, after `tries` others of the request; None if there is none that the server may take."""
        self._learn(refused)
        asked, context = refused.max_tokens, self.context
        if caps := [cap for cap in (self.most, refused.most) if cap and cap < asked and cap != context]:
            return min(caps)
        half = asked // (2 if tries < _HALVES else 8)
        if context is not None:
            if refused.is_exact and refused.prompt is not None and refused.prompt <= size + TEMPLATE_TOKENS:
                room = context - refused.prompt
                if room < asked and (room > 0 or refused.context == context):
                    return room if room > 0 else None
            elif refused.context == context and self._may_be_too_long(size) and (refused.prompt or 0) > context:
                return None
            if asked > context:
                return context if not self.is_strict else self.limit(context, size)
            better = (context - _estimate(size), context - size - TEMPLATE_TOKENS)
            half = max((limit for limit in better if half <= limit < asked), default=half)
        return half if half >= _FLOOR else None

    def took(self, limit: int, lowered_for: int | None) -> None:
        """A request was answered; `lowered_for`: the size of its prompt if a higher limit had been refused."""
        self._taken = max(self._taken, limit)
        if lowered_for is not None and limit in self._caps and limit == self._taken:
            self.most, self._is_guess = limit, False
        elif lowered_for is not None and self.most is None and self._is_unsaid(limit, lowered_for):
            self._is_guess = True
        if self._is_guess:
            self.most = self._taken

    def error(self, refused: LengthRefused, size: int, first: int) -> RequestError:
        """What a request gets that no limit has helped; `first` is the highest."""
        is_long = self.context is not None and self.context <= _estimate(size)
        if is_long or (refused.is_of_context and self._may_be_too_long(size)):
            return RequestError("prompt_too_long", f"{refused.message}; leave the row out or use a longer context")
        tried = f"every limit from {first:,} to {refused.max_tokens:,}" if first > refused.max_tokens else f"{first:,}"
        cure = "give a limit that it takes with --max-tokens"
        cure += ", or leave the row out" if self._may_be_too_long(size) else ""
        return RequestError("bad_request", f"the server refuses --max-tokens {tried}: {refused.message}; {cure}")

    def batch_error(self, refused: LengthRefused, size: int) -> RequestError:
        """The same for a request whose limit cannot be lowered any more."""
        self.is_strict = True
        limit = self.lower(refused, size)
        if limit is None or (self.context is not None and not refused.is_exact and self.context <= _estimate(size)):
            return self.error(refused, size, refused.max_tokens)
        if refused.is_exact or refused.most is not None:
            cure = f"--max-tokens {limit} fits"
        else:
            safe = 0 if self.context is None else self.context - size - TEMPLATE_TOKENS
            cure = f"try a lower limit, such as --max-tokens {safe if safe >= _FLOOR else limit}"
        return RequestError("bad_request", f"the server refuses the request: {refused.message}; {cure}")

    def _is_unsaid(self, limit: int, size: int) -> bool:
        """Whether neither the context nor a prompt of this size explains that no higher limit was taken."""
        fits = self.context is None or limit < self.context - size - TEMPLATE_TOKENS
        return fits and _estimate(size) < limit // 2

    def _may_be_too_long(self, size: int) -> bool:
        return self.context is None or size + TEMPLATE_TOKENS >= self.context

    def _learn(self, refused: LengthRefused) -> None:
        said, asked = refused.context, refused.max_tokens
        if refused.most is not None:
            self._caps.add(refused.most)
        if said is not None and said != self.context:
            # Some releases of vLLM name the context less the limit as the context, if the prompt is longer than that.
            is_proven = (refused.prompt or 0) < said or self._claims.setdefault(said, asked) != asked
            if is_proven and (self.context is None or said < self.context):
                self.context = said
        if self.context is not None and refused.most is None and asked <= self.context:
            self.is_strict = True


def _estimate(size: int) -> int:
    """Tokens of a prompt of `size` bytes with its template, about: text has more than three bytes a token."""
    return size // 3 + 128
