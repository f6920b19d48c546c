"""Readers of what a text without a box sets in bold."""

from __future__ import annotations

from libra_cli.answers.extraction.prose_text import Prose
from libra_cli.answers.extraction.retractions import changed
from libra_cli.answers.languages import units_abroad
from libra_cli.answers.sentences import statements
from libra_cli.answers.sentences.extracted import Extraction, of_asserted

_FEW_CHARS = 8
"""Characters behind the bold text in which nothing is taken back."""


def figure(prose: Prose) -> Extraction | None:
    """`She earns **$18** a day`: the last number in bold."""
    if not any(map(str.isdigit, prose.bold)):
        return None
    behind = prose.tail.rpartition(prose.bold)[2].lstrip("*")
    return (changed(behind, False, prose.cut) if len(behind) > _FEW_CHARS else None) or last_words(prose)


def last_words(prose: Prose) -> Extraction | None:
    """`It is **a rhombus**`: the last text in bold, without a figure."""
    if units_abroad.measured(prose.bold) != prose.bold:  # 45 metros por segundo, whole
        return Extraction(prose.bold)
    return of_asserted(statements.tidy(prose.bold), prose.reference) if prose.bold else None
