"""Reads the option that a list of verdicts leaves, one line for each: `A: incorrect` above `B: correct`."""

from __future__ import annotations

from libra_cli.answers import words

FEWEST = 3
"""Options that such a list judges."""
_RIGHT = words.table("correct true right yes \u2713 \u2714 \u2714\ufe0f \u2705")
_WRONG = words.table("incorrect false wrong no \u2717 \u2718 \u274c \u00d7 not")
_ASKS_WRONG = words.table("not incorrect false except wrong untrue least cannot isn't aren't doesn't never")
_ARROWS = ("\u2192", "\u21d2", "\u27f9", "=>", "->")
_MARKUP = " \t*_`-\u2022>|()[].:,;\u2013\u2014"


def right(text: str, question: str | None) -> str | None:
    """The only option that the list at the end of a text calls right, or what stands behind its last arrow."""
    line = text.rstrip().rpartition("\n")[2].rstrip(" .*)$")
    letter = line[-1:]
    before = line[:-1].rstrip(" (*$")
    if "A" <= letter <= "J" and before.endswith(_ARROWS):
        return letter
    heard = {word.lower() for word in words.split(question or "")}
    return None if not _ASKS_WRONG.isdisjoint(heard) else _only_right(text)


def _only_right(text: str) -> str | None:
    verdicts: dict[str, bool] = {}
    for line in reversed(text.rstrip().split("\n")):
        if not line.strip():
            continue
        bare = line.strip(_MARKUP)
        verdict = _verdict(bare)
        if verdict is None or bare[0] in verdicts:
            break
        verdicts[bare[0]] = verdict
    found = [letter for letter, is_right in verdicts.items() if is_right]
    return found[0] if len(found) == 1 and len(verdicts) >= FEWEST else None


def _verdict(line: str) -> bool | None:
    """Whether a line calls the option right with whose letter it begins; None if it does neither."""
    if not "A" <= line[:1] <= "J" or line[1:2].isalnum():
        return None
    heard = [word.strip(_MARKUP).lower() for word in line[1:].split()]
    heard = [word for word in heard if word]
    for word in (heard[:1] + heard[-1:]) if heard else []:
        if word in _RIGHT:
            return True
        if word in _WRONG:
            return False
    return None
