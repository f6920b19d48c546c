"""What a sample must be, besides correct, to be worth learning from: complete, well formed, not too long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from libra_cli.choices import THINKING_RULES
from libra_cli.records.no_answer import no_answer
from libra_cli.stages.rs_filter.samples import GENERAL, REASON, GradedSample
from libra_cli.stream.rows import RowError
from libra_cli.tasks import thinking
from libra_cli.tasks.task import is_cut_short

REQUIRE, FORBID, ANY = THINKING_RULES
UNASKED = "unasked"
"""The default policy: thinking is required, except of `general`, whose answers are taken as they are."""


@dataclass(frozen=True)
class Checks:
    """The requirements on every sample."""

    policy: str = UNASKED
    markers: Sequence[tuple[str, str]] = tuple(thinking.MARKERS.values())
    min_tokens: int | None = None
    max_tokens: int | None = None
    count: Callable[[str], int] | None = None
    """Counts the tokens of a text; None to take the number in the row."""

    def fault(self, sample: GradedSample) -> str | None:
        """Why a correct sample is not kept, in one word; None if it is."""
        if is_cut_short(sample.finish_reason):
            return "truncated"
        if sample.response is None:
            return "unclosed_thinking"
        if not sample.response.strip() and not sample.calls:
            return "no_response"
        if sample.task == REASON and not sample.calls and no_answer(sample.response):
            return "no_answer"
        if sample.accepts_nothing:
            return "accepts_no_answer"
        free = sample.task == GENERAL and self.policy == UNASKED
        return None if free else thinking_fault(sample.text, self.policy, self.markers)

    def tokens(self, sample: GradedSample) -> int | None:
        """The length of a sample; None if unknown. Raises RowError if a limit depends on it."""
        n_tokens = self.count(sample.text) if self.count else sample.n_tokens
        if n_tokens is None and (self.min_tokens is not None or self.max_tokens is not None):
            raise RowError(
                "no_length", 'no "n_tokens", by which --min-tokens and --max-tokens go: add --tokenizer NAME'
            )
        return n_tokens

    def misfit(self, n_tokens: int | None) -> str | None:
        """`too_short` or `too_long`."""
        if n_tokens is None:
            return None
        if self.min_tokens is not None and n_tokens < self.min_tokens:
            return "too_short"
        return "too_long" if self.max_tokens is not None and n_tokens > self.max_tokens else None


def thinking_fault(text: str, policy: str, markers: Sequence[tuple[str, str]]) -> str | None:
    """What is wrong with the thinking of a text; None if it is one block at the beginning, or absent as wanted.

    An empty block counts as no thinking.
    """
    missing = "no_thinking" if policy in (REQUIRE, UNASKED) else None
    pair = next((pair for pair in markers if pair[1] in text or pair[0] in text), None)
    if pair is None:
        return missing
    opening, closing = pair
    n_opened, n_closed = text.count(opening), text.count(closing)
    if not n_closed:
        return "unclosed_thinking"
    if not n_opened:
        return "unopened_thinking"
    before, _, rest = text.partition(opening)
    thought, _, after = rest.partition(closing)
    if n_opened > 1 or n_closed > 1 or thinking.split_any(after).thinking is not None:
        return "several_thinking"
    if before.strip():
        return "thinking_not_first"
    if not thought.strip():
        return missing
    return "has_thinking" if policy == FORBID else None
