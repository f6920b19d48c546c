"""The tokens that servers report, over all requests of a run, those that were tried again included."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from libra_cli.engines.openai.http_answer import HttpAnswer

_MOST = 1 << 53
_COST_HEADER = "x-litellm-response-cost"
_FIELDS = {
    "prompt_tokens": (("prompt_tokens",), ("input_tokens",)),
    "completion_tokens": (("completion_tokens",), ("output_tokens",)),
    "reasoning_tokens": (
        ("completion_tokens_details", "reasoning_tokens"),
        ("output_tokens_details", "reasoning_tokens"),
        ("reasoning_tokens",),
    ),
    "cached_tokens": (
        ("prompt_tokens_details", "cached_tokens"),
        ("input_tokens_details", "cached_tokens"),
        ("prompt_cache_hit_tokens",),
    ),
    "total_tokens": (("total_tokens",),),
}
"""Where servers put each number, within `usage`."""


def reported_tokens(usage: Any) -> dict[str, int]:
    """The numbers of tokens in the `usage` of an answer; 0 where there is none.

    Completion tokens are all that were generated: reasoning that a server counts beside them is added. It shows as a
    total above prompt and completion (xAI, Gemini) or, without a total, as a part that is greater than its whole. A
    total that is above by the cached tokens is that of a server which leaves these out of the prompt.
    """
    found = {name: next(filter(None, (_number(usage, path) for path in paths)), 0) for name, paths in _FIELDS.items()}
    total, prompt, completion = found.pop("total_tokens"), found["prompt_tokens"], found["completion_tokens"]
    beside = total - prompt - completion
    if prompt and beside > 0 and beside != found["cached_tokens"]:
        found["completion_tokens"] += beside
    elif not total and found["reasoning_tokens"] > completion:
        found["completion_tokens"] += found["reasoning_tokens"]
    return found


def _cost_of(answer: HttpAnswer) -> float | None:
    """What an answer cost, as its server says; None if it does not."""
    try:
        fields = answer.json()
    except ValueError:
        return None
    usage = fields.get("usage") if isinstance(fields, dict) else None
    said = usage.get("cost") if isinstance(usage, dict) else None
    try:
        cost = float(said if type(said) in (int, float) else answer.headers.get(_COST_HEADER, ""))  # type: ignore[arg-type]
    except ValueError:
        return None
    return cost if 0 <= cost < _MOST else None


def _number(usage: Any, path: tuple[str, ...]) -> int:
    """The number of tokens at `path`; 0 if there is none."""
    for name in path:
        usage = usage.get(name) if isinstance(usage, Mapping) else None
    return int(usage) if type(usage) in (int, float) and 0 <= usage < _MOST else 0


@dataclass
class TokenUsage:
    """Totals over the requests to one model."""

    requests: int = 0
    """Requests sent, each try counted."""
    failed: int = 0
    """Those that got no answer, or an error."""
    adapted: int = 0
    """Those that the server wanted in another form, with a lower limit of tokens or a field less, and got so next."""
    unreported: int = 0
    """Those whose answer does not say how many tokens it took."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    """Generated tokens, those of the reasoning included."""
    reasoning_tokens: int = 0
    """The part of the completion tokens that the server calls reasoning."""
    cached_tokens: int = 0
    """The part of the prompt tokens that the server had in its cache."""
    cost: float = 0.0
    """What answers cost, as the server says (OpenRouter's `usage.cost`, LiteLLM's header)."""
    uncosted: int = 0
    """Answers that took tokens and do not say what they cost."""
    unknown_ends: Counter[str] = field(default_factory=Counter)
    """Answers by their finish reason, where nobody knows whether that means a whole answer."""

    def add(self, answer: HttpAnswer | None) -> None:
        """Counts a request and what its answer reports; None if there was no answer."""
        self.requests += 1
        if answer is None or not 200 <= answer.status < 300:
            self.failed += 1
            return
        reported = self._reported(answer)
        if reported is None:
            self.unreported += 1
            return
        for name, tokens in reported.items():
            setattr(self, name, getattr(self, name) + tokens)
        cost = _cost_of(answer)
        if cost is None:
            self.uncosted += 1
        else:
            self.cost += cost

    def asks_again(self) -> None:
        """Notes that the request that failed last is sent in the form that the server wants."""
        self.failed -= 1
        self.adapted += 1

    def _reported(self, answer: HttpAnswer) -> dict[str, int] | None:
        try:
            fields = answer.json()
        except ValueError:
            return None
        usage = fields.get("usage") if isinstance(fields, dict) else None
        found = reported_tokens(usage)
        return found if found["prompt_tokens"] or found["completion_tokens"] else None

    def tally(self) -> dict[str, int]:
        """All numbers by name."""
        return {name: value for name, value in asdict(self).items() if name not in ("unknown_ends", "cost", "uncosted")}

    @property
    def stated_cost(self) -> float | None:
        """What the requests cost by the server's own account; None if not all answers say."""
        is_known = self.requests > self.failed + self.adapted and not self.unreported and not self.uncosted
        return self.cost if is_known else None
