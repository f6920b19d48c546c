"""Finds two different answers at the end of a text, each stated as the final one."""

from __future__ import annotations

from libra_cli.answers.text import number, words
from libra_cli.lazy_pattern import lazy_pattern

_TOLD = lazy_pattern(
    r"[\s*#]*(?i:(?:so|thus|hence|therefore),? )?(?i:the )?(?i:(?:final|correct|right) )?(?i:answer)\**(?: is)?:?\**"
    r"\s+[*$(]{0,3}(?P<given>[^\n]{1,40})"
)
"""A sentence that only states an answer."""
_ANSWER_NOUNS = (
    "answer",
    "result",
    "solution:",
    "ergebnis:",
    "antwort:",
    "résultat",
    "réponse",
    "resultado",
    "respuesta",
)
_TELLS = tuple(
    f"{start}{noun}" for noun in _ANSWER_NOUNS for start in ("", "final ", "my final ", "the ", "the final ")
)
"""Beginnings of a line that states an answer."""

_NEAR_END, _TWO = 200, 2


def are_stated(tail: str) -> bool:
    """Whether a text ends in two statements of different answers: by method 1 it is 640, by method 2 it is 604."""
    lowered = tail.lower()
    if not any(lowered.count(noun) > 1 for noun in _ANSWER_NOUNS):
        return False
    lines = [line.strip(" *#").lower() for line in tail.split("\n") if line.strip()][-2:]
    told = [_TOLD.fullmatch(part) for part in words.sentences(tail.strip())[-2:]]
    first, last = (one["given"].rstrip(" .!*$)") if one else "" for one in (told if len(told) > 1 else (None, None)))
    if first and last and first != last and "/" not in first:
        parsed = [number.parse(one) for one in (first, last)]
        are_numbers = parsed[0] is not None and parsed[1] is not None
        if are_numbers or (len(first) == len(last) == 1 and first.isupper() and last.isupper()):
            return parsed[0] is None or parsed[1] is None or parsed[0].value != parsed[1].value
        are_names = first.istitle() and last.istitle() and first not in last and last not in first
        if are_names and first.isalpha() and last.isalpha():
            return True
    if len(set(lines)) < 2:
        return False
    wordings = {"".join(char for char in line if not char.isdigit() and char not in ".,") for line in lines}
    is_told = all(any(map(line.startswith, _TELLS)) for line in lines) or all("answer" in line for line in lines)
    is_repeated = len(wordings) == 1 and is_told and any(map(str.isdigit, lines[0]))
    return is_repeated or all(line.startswith("final answer") for line in lines)


def in_boxes(text: str, start: int, reference: str | None) -> bool:
    """The same of boxes on lines of their own, for a reference that is one value; the last box begins at `start`."""
    is_several = bool(reference) and any(map(str(reference).__contains__, (",", ";", " and ")))
    if is_several or text.count("\\boxed{") < _TWO:
        return False
    last = [line.strip() for line in text.split("\n") if line.strip()][-2:]
    are_bare = len(set(last)) > 1 and all(line.startswith("\\boxed{") and line.endswith("}") for line in last)
    holds = [line.removeprefix("\\boxed{").removesuffix("}") == str(reference).strip() for line in last]
    return (are_bare and any(holds)) or ("\\boxed{" in text[:start] and are_stated(text[-_NEAR_END:]))
