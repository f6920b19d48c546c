"""Reads the claims of a sentence in Chinese, Japanese or Korean, and finds the one that a question asks for."""

from __future__ import annotations

from functools import lru_cache

from libra_cli.answers.sentences.extracted import OTHER_ANSWER, Extraction
from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

_CLAUSES = lazy_pattern(r"[，、；;。！]|,(?!\d)|(?<=고) |(?<=서) |(?<=으며) ")
_REASON = lazy_pattern(r"(?:なので|ので|だから|から)、|(?:이므로|므로|니까)[ ,]+")
"""The end of a reason: 300円引きなので、1,700円になります."""
_NUMBER = lazy_pattern(r"(?<![A-Za-z\d.])\d+(?:,\d{3})*(?:\.\d+)?%?")
_COMPARES = ("比", "より", "보다")
_DIFFERENCES = ("多", "少", "大", "小", "高", "低", "贵", "快", "重", "长", "年上", "年下", "더", "덜", "い", "倍")
_ASKS_TO_COMPARE = (
    "比",
    "より",
    "보다",
    "相差",
    "差",
    "倍",
    "차이",
    "多几",
    "少几",
    "多多少",
    "少多少",
    "增加",
    "减少",
)
_TOTALS = ("一共", "总共", "共", "合计", "全部", "合わせて", "모두", "총")
_RESTS = ("剩", "余", "残", "남은", "남아", "남았", "나머지")
_UNREAD = ("=", "\\", "^", "<", "≈", "或", "即", "也就是", "すなわち", "つまり", "즉", "または", "또는")


def answer(sentence: str, question: str) -> Extraction | None:
    """The value of the claim that is asked for, or that the sentence only compares; None if neither is certain."""
    asked = words.sentences(question)[-1]
    if any(map(sentence.__contains__, _UNREAD)) or any(map(asked.__contains__, _ASKS_TO_COMPARE)):
        return None
    sentence = _REASON.split(sentence)[-1]
    parts = [part for part in _CLAUSES.split(sentence) if part]
    told = [(part, _not_given(part, asked)) for part in parts]
    counted = [(part, numbers[0]) for part, numbers in told if len(numbers) == 1]
    if any(len(numbers) > 1 for _, numbers in told) or not counted:
        return None
    plain = [(part, number) for part, number in counted if not _is_comparison(part, number)]
    if not plain:
        return Extraction(None, OTHER_ANSWER)
    if len(plain) == 1:
        has_given = any(len(_NUMBER.findall(part)) > 1 for part in parts)
        is_total = any(map(asked.__contains__, _TOTALS))
        return Extraction(plain[0][1]) if has_given or (len(counted) > 1 and not is_total) else None
    if any(map(asked.__contains__, _TOTALS)) or any(map(sentence.__contains__, _TOTALS)):
        return None
    wanted = _pairs(asked)
    rows = [_pairs(part) & wanted for part, _ in plain]
    at = _most(rows)
    if at is None:
        told_before = [rows[0]]
        for row in rows[1:]:
            told_before.append(row | told_before[-1])
        at = _most(told_before) if rows[-1] else None
    if at is None or any(_tells_rest(part) and part != plain[at][0] for part, _ in plain):
        return None
    return Extraction(plain[at][1])


def _not_given(part: str, asked: str) -> list[str]:
    """The numbers of a clause but those that the question gives, with the sign behind them: 5小时行驶325千米."""
    numbers = [*_NUMBER.finditer(part)]
    new = [number[0] for number in numbers if f"{number[0]}{part[number.end() : number.end() + 1]}" not in asked]
    return new if len(numbers) > 1 and new else [number[0] for number in numbers]


def _tells_rest(part: str) -> bool:
    """Whether a clause tells of what is left, or of all the others, which no words of the question need to name."""
    return any(map(part.__contains__, _RESTS))


def _is_comparison(part: str, number: str) -> bool:
    """Whether a clause says a difference: 小明比小红多5个, 兄は弟より3歳年上です."""
    before, _, behind = part.partition(number)
    compared = next((before.find(word) for word in _COMPARES if word in before), -1)
    return compared >= 0 and any(map((before[compared + 1 :] + behind).__contains__, _DIFFERENCES))


@lru_cache(1 << 8)
def _pairs(text: str) -> frozenset[str]:
    """The pairs of neighbouring letters of a text."""
    letters = "".join(char for char in text if char.isalpha())
    return frozenset(letters[at : at + 2] for at in range(len(letters) - 1))


def _most(rows: list[frozenset[str]]) -> int | None:
    best = max(range(len(rows)), key=lambda index: len(rows[index]))
    return best if all(rows[best] > row for index, row in enumerate(rows) if index != best) else None
