"""Puts a sentence of another language into digits and English small words, for the reader of clauses.

"12 niñas y 15 niños son veintisiete alumnos en total" becomes "12 niñas and 15 niños are 27 alumnos in total".
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from libra_cli.answers.languages import amounts, answer_forms, glosses, signs, units_abroad
from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

MAX_WORDS, MAX_CHARS = 60, 600
"""Length of the longest line that is read."""
WITHOUT_SPACES = ("zh", "ja", "ko")
_ENGLISH = frozenset(
    "the of and we so therefore answer thus hence is are it its this that with by to at which has have was were not "  # noqa: SIM905
    "for from be each there you your i my".split()
)
_WEAK = words.table(
    """
    a as do to o e y i l d u w z in me no on or is was son sin per pro die also an want met den of con
    da hay van the with for so men we but he mas le at and my come fine are have has make main to pour
    om bin on eg pass die dont
    """
)
"""Small words of other languages that are English words as well, or letters; they tell no language."""
_UNIT_SYMBOL = lazy_pattern(r"(?<=\d) ?[A-Za-z]{1,2}(?![^\W_]|['\u2019]| ?[^\W_])")
"""A symbol behind a number where no word goes on: 3.785 L, 2.125 mA."""
_JOINED_HALVES = ("demi-", "mezz'")
_ELISIONS = ("d'", "l'", "n'", "qu'", "s'", "c'")
_VAGUE_IN_SIGNS = ("几个", "几十", "十几", "多个", "数十", "数百", "몇 ", "여러 ", "ダース", "다스")
_PARTS_IN_SIGNS = (("小时", "分钟"), ("小時", "分鐘"), ("時間", "分"), ("시간", "분"))
"""A unit, and the smaller one behind it: 2小时30分钟."""
_BOUNDS_BEFORE = tuple(
    "超过 超過 至少 最少 最多 多于 多於 少于 少於 不到 不足 低于 高于 不超过 大于 小于 大於 小於 少なくとも 多くとも "  # noqa: SIM905
    "最低 最大で 最高で 최소 적어도 최대 많아야 기껏해야".split()
)
_BOUNDS_BEHIND = tuple("以上 以下 以内 以內 未満 未满 より を超え 超 不到 이상 이하 초과 미만 보다 넘".split())  # noqa: SIM905
_NEAR = 10
"""Characters between a number in signs and the words that make it a bound."""
_STOPS = "，。,:：、；;！!"
_DOZENS_IN_DIGITS = lazy_pattern(r"\d (?:dozen|and a half)", one_of=("dozen", "and a half"))
_BOUNDS = (
    ("more", "than"),
    ("less", "than"),
    ("fewer", "than"),
    ("at", "least"),
    ("at", "most"),
    ("up", "to"),
    ("greater", "than"),
    ("smaller", "than"),
)
_BOUND_SIGNS = ("<", ">", "\\leq", "\\geq")
_OVER = (("over",), ("under",))
"""Words before a number that is no value."""
_MEANS_IT = lazy_pattern(
    r"\b(?P<de>Es handelt sich(?: dabei| hier| hierbei)? um|(?:Dabei|Hier|Hierbei) handelt es sich um)(?= )"
    r"|\b(?P<fr>Il s['\u2019]agit (?:ici )?d)(?P<fr_article>u |e la |e l['\u2019]|es |e |['\u2019])"
    r"|\b(?P<es>Se trata de)(?P<es_article>l | la | los | las | )"
    r"|\b(?P<pt>Trata-se d)(?P<pt_article>o |a |os |as |e )"
    r"|\b(?P<it>Si tratta d)(?P<it_article>el |ella |ell['\u2019]|i |['\u2019])"
)
_ARTICLES = {
    "u ": "le ",
    "e la ": "la ",
    "es ": "des ",
    "l ": "el ",
    "o ": "o ",
    "a ": "a ",
    "os ": "os ",
    "as ": "as ",
    "el ": "il ",
    "ella ": "la ",
}
"""The article that each preposition with its article has."""


@lru_cache(1 << 8)
def language_of(text: str) -> str:
    """The language of a text by its small words and letters; empty for English, and for what no table knows."""
    if not text.isascii():
        if any("\u0400" <= char < "\u0500" for char in text):
            return "ru"
        if any("\u0621" <= char < "\u06d4" for char in text):
            return "ar"
        if any("\u3040" <= char < "\ua000" for char in text):
            return "ja" if any("\u3040" <= char < "\u3100" for char in text) else "zh"
        if any("\uac00" <= char < "\ud7b0" for char in text):
            return "ko"
    in_order = words.split(_UNIT_SYMBOL.sub(" ", text).lower())
    heard = set(in_order)
    row = f" {' '.join(in_order)} "
    known, rows = _languages_by_word()
    found = dict.fromkeys(glosses.GLOSSES, 0)  # small words of each language; a row of them counts twice
    for word in heard:
        for language in known.get(word, ()):
            found[language] += 1
        for language, one in rows.get(word, ()):
            found[language] += 2 * (f" {one} " in row)
    best = max(found, key=lambda language: found[language])
    return best if found[best] > len(heard & _ENGLISH) and found[best] > 0 else ""


@lru_cache
def _of_language(language: str) -> tuple[frozenset[str], tuple[tuple[str, str], ...]]:
    """The small words of a language, and its rows of them, each with its first word."""
    known = {gloss[0] for gloss in glosses.GLOSSES[language] if len(gloss) == 1}
    rows = tuple((gloss[0], " ".join(gloss)) for gloss in glosses.GLOSSES[language] if len(gloss) > 1)
    return frozenset((known | _told_by(language)) - _WEAK), rows


def _told_by(language: str) -> frozenset[str]:
    """Frequent words of a language, and its nouns for an answer."""
    nothing = frozenset[str]()
    nouns = answer_forms.STATEMENTS.get(language, ("", ""))[0].split()
    frequent = answer_forms.COMMA_WORDS.get(language, nothing) | answer_forms.TELLING.get(language, nothing)
    return frequent | glosses.TASK_WORDS.get(language, nothing) | {*nouns}


@lru_cache
def _languages_by_word() -> tuple[dict[str, list[str]], dict[str, list[tuple[str, str]]]]:
    """The languages of each small word, and those of each row of them with the row, by its first word."""
    known: dict[str, list[str]] = {}
    rows: dict[str, list[tuple[str, str]]] = {}
    for language in glosses.GLOSSES:
        words_of, rows_of = _of_language(language)
        for word in words_of:
            known.setdefault(word, []).append(language)
        for first, row in rows_of:
            rows.setdefault(first, []).append((language, row))
    return known, rows


def may_say_more(sentence: str, question: str | None = None, answer: str = "") -> bool:
    """Whether the number that a sentence gives is a bound, or may go on in a way that nothing here reads.

    "Au moins 3" is a number where the question asks for the least one, and three dozen are no 36 where it asks for
    dozens.
    """
    if _DOZENS_IN_DIGITS.search(sentence.lower()) and language_of(sentence) != "nl":  # where dozen are boxes
        return True
    language = "" if _is_english(sentence) else language_of(sentence)
    if not language:
        return False
    if language in WITHOUT_SPACES:
        return _is_open_in_signs(signs.with_digits(sentence, language), question or "", answer)
    heard = sentence.split()[:MAX_WORDS]
    read = _read(_apart(heard), language)
    if amounts.is_unread(read, language) or amounts.are_in_dozens(heard, (question or "").split()):
        return True
    bounds = _bounds_in(" ".join(read).lower().split())
    if len(bounds) == 1 and any(map(answer.__contains__, _BOUND_SIGNS)):  # which the answer has: x \\geq 3
        return False
    asked_for = " ".join(_read(_apart((question or "").split()[:MAX_WORDS]), language)).lower() if bounds else ""
    return any(" ".join(bound) not in asked_for for bound in bounds)


def _bounds_in(read: list[str]) -> list[tuple[str, ...]]:
    """The words in English that make a number a bound: more than 5, at least 3."""
    numbers = [at for at, word in enumerate(read) if word.lstrip("$\u20ac")[:1].isdigit()]
    before = [tuple(read[max(at - 2, 0) : at]) for at in numbers]
    return [words if words in _BOUNDS else words[-1:] for words in before if words in _BOUNDS or words[-1:] in _OVER]


def _is_open_in_signs(sentence: str, question: str, answer: str) -> bool:
    """The same of a sentence in Chinese, Japanese or Korean whose amounts are in digits."""
    pairs = pairwise(sentence)
    in_parts = any(0 <= sentence.find(unit) < sentence.rfind(smaller) for unit, smaller in _PARTS_IN_SIGNS)
    if in_parts or any(a.isdigit() and b in signs.VAGUE for a, b in pairs):
        return True
    if any(map(sentence.__contains__, _VAGUE_IN_SIGNS)):
        return True
    figures = "".join(char for char in answer if char.isdecimal() or char == ".")
    place = sentence.rfind(figures) if figures and not any(map(answer.__contains__, "<>=")) else -1
    if place < 0:
        return False
    before = sentence[max(place - _NEAR, 0) : place]
    before = before[max(map(before.rfind, _STOPS)) + 1 :]
    behind = sentence[place + len(figures) :][:_NEAR]
    behind = behind[: min((at for stop in _STOPS if (at := behind.find(stop)) >= 0), default=_NEAR)]
    found = [bound for bound in _BOUNDS_BEFORE if bound in before] + [
        bound for bound in _BOUNDS_BEHIND if bound in behind
    ]
    return any(bound not in question for bound in found)


def _is_english(line: str) -> bool:
    return len(_ENGLISH.intersection(words.split(line.lower()))) > 1


def glossed(text: str) -> str:
    """`text` with its last line in digits and English small words; as it is if its language is English or unknown."""
    start = text.rstrip().rfind("\n") + 1
    line = text[start:]
    language = language_of(line)
    if not language and not _is_english(line):
        language = language_of(text)
    if not language or len(line) > MAX_CHARS:
        return text
    return text[:start] + in_digits(line, language)


def in_digits(line: str, language: str) -> str:
    """A line of a language with its amounts in digits, and its small words in English if it writes spaces."""
    if language in WITHOUT_SPACES:
        return signs.with_digits(line, language)
    heard = line.split()
    return line if len(heard) > MAX_WORDS else " ".join(_read(_apart(heard), language))


def _apart(heard: list[str]) -> list[str]:
    """Words without what French and Italian write before an apostrophe; demi-heure and mezz'ora as two words."""
    parts: list[str] = []
    for word in (one.replace("\u2019", "'") if "$" not in one else one for one in heard):
        lowered = word.lower()
        cut = next((cut for cut in _ELISIONS if lowered.startswith(cut) and len(word) > len(cut)), "")
        whole = word[len(cut) :]
        half = next((half for half in _JOINED_HALVES if whole.lower().startswith(half)), "")
        parts += [half[:-1], whole[len(half) :]] if half else [whole]
    return parts


def _read(heard: list[str], language: str) -> list[str]:
    """The words of a sentence, with its numbers in digits and its small words in English."""
    table, found, at = glosses.GLOSSES[language], list[str](), 0
    while at < len(heard):
        amount = amounts.amount_at(heard, at, language)
        if amount.length:
            last = heard[at + amount.length - 1]
            mark = last[len(last.rstrip(amounts.ENDS)) :]
            at += amount.length
            length, unit = _gloss_at(heard, at, units_abroad.units()) if not (mark or amount.counted) else (0, "")
            if amount.counted:
                unit = units_abroad.units().get(amount.counted, " ".join(amount.counted)) + mark
                mark = ""
            is_subtracted = amount.value < 0 and any(one[:1].isdigit() for one in found[-2:])
            is_subtracted = is_subtracted and found[-1].lower() not in table.values()
            text = f"- {amount.text[1:]}" if is_subtracted else amount.text  # 60 menos 17
            found += [text + mark, unit] if unit else [text + mark]
            at += length
            continue
        length, english = _gloss_at(heard, at, table)
        found.append(english if length else heard[at])
        at += max(length, 1)
    return found


def _gloss_at(heard: list[str], at: int, table: dict[tuple[str, ...], str]) -> tuple[int, str]:
    for length in range(min(glosses.LONGEST, len(heard) - at), 0, -1):
        row = heard[at : at + length]
        last = row[-1].rstrip(amounts.ENDS)
        english = table.get(tuple(word.lower() for word in (*row[:-1], last)))
        if english:
            is_first = row[0][0].isupper() and table is not units_abroad.units()
            return length, (english[0].upper() + english[1:] if is_first else english) + row[-1][len(last) :]
    return 0, ""


def with_small_words(line: str) -> str:
    """A text in Chinese, Japanese or Korean with spaces around its small words, which are in English."""
    for sign, english in glosses.SIGNS.items():
        line = line.replace(sign, english)
    return line


def with_copula(text: str) -> str:
    """`text` with "is" for the verbs that say in other languages what something is: es handelt sich um Blei."""
    return _MEANS_IT.sub(_copula, text)


def _copula(said: re.Match[str]) -> str:
    if said["de"]:
        return "Es ist"
    language = next(one for one in ("fr", "es", "pt", "it") if said[one])
    article = said[f"{language}_article"]
    kept = article if language == "es" and article != "l " else _ARTICLES.get(article, "")
    return {"fr": "C'est ", "es": "Es ", "pt": "\u00c9 ", "it": "\u00c8 "}[language] + kept.lstrip()
