"""Phrases that mark reasoning, and how many of them a text has (RPR, "Climb Carves Wisdom")."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path

import numpy as np

from libra_cli.exits import InvalidOptions

_WORD = re.compile(r"[\w']+")


@lru_cache
def read_phrases(path: str | None) -> tuple[str, ...]:
    """The phrases of a file, one a line, in lower case without punctuation; lines with # are comments.

    None is libra's own file. Raises InvalidOptions if the file cannot be read or holds none.
    """
    try:
        file = resources.files("libra_cli.training.rewards") / "phrases.txt" if path is None else Path(path)
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidOptions(f"phrases: {path}: {error}: give a text file with one phrase a line") from None
    lines = [" ".join(_words(line)) for line in text.split("\n") if not line.lstrip().startswith("#")]
    if not any(lines):
        raise InvalidOptions(f"phrases: {path} has no phrases: write one a line")
    return tuple(dict.fromkeys(line for line in lines if line))


def pattern_score(text: str, phrases: Sequence[str], full: int, ngram: int) -> float:
    """min(1, phrases that occur / `full`) less the share of repeated `ngram`-grams of words; at least 0."""
    words = _words(text)
    padded = f" {' '.join(words)} "
    found = sum(f" {phrase} " in padded for phrase in phrases)
    return pattern_reward(found, repeated_share(words, ngram), full)


def pattern_reward(found: int, repeated: float, full: int) -> float:
    """The reward for `found` phrases in a text of which a share of the n-grams is repeated."""
    return max(0.0, min(1.0, found / full) - repeated)


def repeated_share(words: Sequence[str], ngram: int) -> float:
    """The share of n-grams that occurred before; 0 for a text shorter than one."""
    n_grams = len(words) - ngram + 1
    if n_grams < 1:
        return 0.0
    numbers: dict[str, int] = {}
    ids = np.array([numbers.setdefault(word, len(numbers)) for word in words], dtype=np.int32)
    data, width = ids.tobytes(), ids.itemsize  # slices of bytes hash faster than tuples of words
    return 1.0 - len({data[at * width : (at + ngram) * width] for at in range(n_grams)}) / n_grams


def _words(text: str) -> list[str]:
    """Words in lower case; an apostrophe is part of a word, other punctuation parts words."""
    return _WORD.findall(text.lower().replace("’", "'"))
