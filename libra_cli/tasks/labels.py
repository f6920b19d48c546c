"""Labels, predictions and scores as rows write them: the one reader of their values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

Fields = Mapping[str, Any]

VERDICTS = LABEL, PREDICTION, SCORE = ("label", "prediction", "score")
_WORDS = {
    **dict.fromkeys(("1", "1.0", "true", "yes", "correct", "right"), 1),
    **dict.fromkeys(("0", "0.0", "false", "no", "incorrect", "wrong"), 0),
}
_MEANS = ("0 (incorrect)", "1 (correct)")
_FORMS = "1 (correct), 0 (incorrect) or null (unknown)"
_IN_WORDS = f"{_FORMS}, or say true or false, yes or no, correct or incorrect, right or wrong"
_CURES = {
    LABEL: "; a golden answer is named with libra collect --map label=reference",
    PREDICTION: '; pairs need "preference" beside it',
}
"""Of texts that are no verdict."""
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?(?:e[-+]?\d+)?", re.ASCII | re.IGNORECASE)
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}", re.ASCII)
"""What a comma may divide in either way: 1,000."""
_SHOWN = 60
_DOUBLE_DIGITS = 300


def label_of(value: Any) -> int | None:
    """1 (correct), 0 (incorrect) or None (unknown) for a value of JSON, or for the text of a cell that says so.

    Raises ValueError for any other value.
    """
    if value is None:
        return None
    number = _WORDS.get(value.strip().lower()) if type(value) is str else value
    if not isinstance(number, (int, float)) or number not in (0, 1):
        raise ValueError("not a label")
    return int(number)


def label_or_none(value: Any) -> int | None:
    """`label_of`, None too for a value that is no label."""
    try:
        return label_of(value)
    except ValueError:
        return None


def is_verdict(name: str, value: Any) -> bool:
    """Whether a value can be read as the verdict `name`, be it null."""
    try:
        (score_of if name == SCORE else label_of)(value)
    except ValueError:
        return False
    return True


def score_of(value: Any) -> float | None:
    """The number of a score, also if it is written as text, with a comma too where that cannot divide thousands.

    Raises ValueError for any other value.
    """
    if value is None or type(value) is float:
        return value
    if type(value) is int:
        return float(value)
    text = value.strip() if type(value) is str else ""
    if not _NUMBER.fullmatch(text) or _THOUSANDS.fullmatch(text) or len(text) > _DOUBLE_DIGITS:
        raise ValueError("not a score")
    number = float(text.replace(",", "."))
    if number - number != 0.0:
        raise ValueError("beyond the range of a double")
    return number


class VerdictReader:
    """Reads the labels, predictions and scores of rows, and notes the words that it takes for numbers."""

    def __init__(self) -> None:
        self.notes: dict[str, None] = {}
        """What is read as what, each word once, where it is no number."""

    def numbers(self, fields: Fields, names: Iterable[str]) -> dict[str, float | None]:
        """What takes the place of those of the verdicts `names` that are no numbers.

        Raises ValueError naming a verdict that cannot be read, and the cure.
        """
        new: dict[str, float | None] = {}
        for name in names:
            value = fields.get(name)
            if value is None or (type(value) is int and (value == 1 or value == 0 or name == SCORE)):
                continue
            if type(value) is float and name == SCORE:
                continue
            try:
                new[name] = number = (score_of if name == SCORE else label_of)(value)
            except ValueError:
                raise ValueError(why_not(name, value)) from None
            if type(value) is str and name == SCORE and "," in value:
                self.notes[f'"{name}": a comma is read as the decimal point'] = None
            elif type(value) is str and name != SCORE and value.strip()[:1] not in "01":
                self.notes[f'"{name}": {_shown(value)} is read as {_MEANS[int(number or 0)]}'] = None
        return new


def why_not(name: str, value: Any) -> str:
    """What is wrong with the value of a verdict, and what it must be."""
    if name == SCORE:
        must = "null, or a number with a decimal point and without a unit, such as 0.9"
    else:
        must = f"{_IN_WORDS}{_CURES[name]}" if type(value) is str else _FORMS
    return f'"{name}" is {_shown(value)}; it must be {must}'


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
