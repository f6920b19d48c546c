"""What a server's finish reasons mean, as far as libra or its user knows."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from libra_cli.tasks.task import UNKNOWN_END, is_known_end

if TYPE_CHECKING:  # verify needs no HTTP
    from libra_cli.engines.openai.usage import TokenUsage

Tell = Callable[[str], None]


class EndWords:
    """Reads finish reasons; counts in `usage` those of which nobody knows whether they mean a whole answer."""

    def __init__(self, meanings: Mapping[str, str], usage: TokenUsage):
        """`meanings`: a server's words and the ones that libra knows, as --finish-reason gives them."""
        self._meanings = {word.lower(): meaning for word, meaning in meanings.items()}
        self._usage = usage

    def read(self, reason: str, tell: Tell) -> str:
        """The finish reason by a word that libra knows, or else as it is; `tell` takes a line about such a word."""
        meaning = self._meanings.get(reason.lower(), reason)
        if is_known_end(meaning):
            return meaning
        self._usage.unknown_ends[meaning] += 1
        tell(f"answers come {end_in_words(meaning)}, and count as not finished; {cure(meaning)}")
        return meaning


def end_in_words(reason: str) -> str:
    """What people are told of answers with an unknown finish reason."""
    return "without a finish_reason" if reason == UNKNOWN_END else f"with the unknown finish_reason {reason!r}"


def cure(reason: str) -> str:
    """What a user does about an unknown finish reason."""
    return f"--finish-reason {shlex.quote(f'{reason}=stop')} takes them as whole"


def meanings(options: tuple[str, ...]) -> dict[str, str]:
    """The values of --finish-reason, WORD=MEANING."""
    return {word: meaning for word, _, meaning in (text.rpartition("=") for text in options)}
