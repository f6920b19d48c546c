"""Puts a sentence of another language into digits and English small words, for the reader of clauses.

"12 niñas y 15 niños son veintisiete alumnos en total" becomes "12 niñas and 15 niños are 27 alumnos in total".
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from libra_cli.answers import glosses, languages, numerals, words
from libra_cli.lazy_pattern import lazy_pattern

MAX_WORDS, MAX_CHARS = 60, 600
"""Length of the longest line that is read."""
WITHOUT_SPACES = ("zh", "ja", "ko")
_ENGLISH = frozenset(
    "the of and we so therefore answer thus hence is are it its this that with by to at which has have was were not "  # noqa: SIM905
    "for from be each there you your i my".split()
)
_WEAK = frozenset(
    "a as do to o e y i in me no on or is was son sin per pro die also an want met den of con da hay van the with for "  # noqa: SIM905
    "so men we but he mas at and my come fine are have has make main pour om bin on eg pass die dont".split()
)
"""Small words of other languages that are English words as well, or letters; they tell no language."""
_SCALES = {
    word: 10**exponent
    for exponent, names in {
        3: "tausend mille mil тысяч тысячи тысяча тыс tysięcy tysiące tys duizend tusen bin",
        6: "million millionen mio millions millones millón milhões milhão milioni milione миллиона миллионов миллион "
        "млн milionów miliony milion miljoen miljoner milyon",
        9: "milliarden milliarde mrd milliards milliard miliardi miliardo миллиардов миллиарда миллиард млрд mld "
        "miliardów miliardy miljard bilhões",
    }.items()
    for word in names.split()
}
_ONES = frozenset("un une una uno um uma ein eine einen een один одна одно одного jeden jedna jedno bir en ett".split())  # noqa: SIM905
"""One, which is an article as well."""
_ENDS = ".,;:!?)*"
_ELISIONS = ("d'", "l'", "n'", "qu'", "s'", "c'")
_COUNTED_BY = frozenset(
    "个個种種人名位只隻头頭匹条條张張本页頁枚辆輛台棵朵件次回份组組套双排行列段瓶盒箱袋块颗粒支把艘间間层層道题題度元円岁歳天年米倍通"
)
_KOREAN_COUNTERS = (
    "개",
    "명",
    "가지",
    "번",
    "마리",
    "권",
    "장",
    "대",
    "살",
    "쪽",
    "자루",
    "그루",
    "송이",
    "원",
    "시간",
)
_BEFORE_VALUE = ("等于", "等於", "是", "为", "為", "共", "有", "得", "は")


_HALF_OF_A_NAME = lazy_pattern("半[径徑圆圓球轴軸线線直]|반(?:지름|원|구|직선)")
"""What begins with a half and is no number: radius, semicircle."""
_GOES_ON_IN_SIGNS = ("半", "반", "几个", "几十", "十几", "多个", "만 ")
_PARTS_IN_SIGNS = (("元", "角"), ("小时", "分钟"), ("小時", "分鐘"), ("시간", "분"))
"""A unit, and the smaller one behind it: 十元五角."""
_MYRIADS = frozenset("万萬億亿만억")
_MILLIONS = (" million", " millon", " millió", " milion", " milhõ", " миллион", " tausend", " mil ")
_GROUP = lazy_pattern(r"\d\.\d{3} ")
_DOZENS_IN_DIGITS = lazy_pattern(r"\d (?:dozen|and a half)")
_AND_A_HALF = (
    *(" y media", " y medio", " e meia", " e meio", " e mezz", " et demi", " und eine halbe", " und ein halb"),
    *(" och en halv", " en een half", " i pół", " с половиной", " buçuk", " anderthalb", " полтор", " półtor"),
    *(" dutzend", " docena", " dúzia", " douzain", " dozzin", " дюжин"),
)
_DENOMINATORS = (
    *(
        "siebtel",
        "neuntel",
        "elftel",
        "zwölftel",
        "stel",
        "eavo",
        "eavos",
        "ièmes",
        "esimi",
        "noni",
        "settimi",
        "ottavi",
    ),
    *("sétimos", "séptimos", "delar", "siódme", "siódmych", "сотых", "десятых", "тысячных", "двенадцатых", "седьмых"),
    *("восьмых", "девятых", "пятых", "шестых"),
)


@lru_cache(1 << 8)
def language_of(text: str) -> str:
    """The language of a text by its small words and letters; empty for English, and for what no table knows."""
    if not text.isascii():
        if any("\u0400" <= char < "\u0500" for char in text):
            return "ru"
        if any("\u3040" <= char < "\ua000" for char in text):
            return "ja" if any("\u3040" <= char < "\u3100" for char in text) else "zh"
        if any("\uac00" <= char < "\ud7b0" for char in text):
            return "ko"
    in_order = words.split(text.lower())
    heard = set(in_order)
    if heard.isdisjoint(_small_words()):
        return ""
    row = f" {' '.join(in_order)} "
    found = {language: _share(heard, row, language) for language in glosses.GLOSSES}
    best = max(found, key=lambda language: found[language])
    return best if found[best] > len(heard & _ENGLISH) and found[best] > 0 else ""


def _share(heard: set[str], row: str, language: str) -> int:
    """How many of the small words of a language a text has; a row of them counts twice."""
    known, rows = _of_language(language)
    return len(heard & known) + 2 * sum(first in heard and f" {one} " in row for first, one in rows)


@lru_cache
def _of_language(language: str) -> tuple[frozenset[str], tuple[tuple[str, str], ...]]:
    """The small words of a language, and its rows of them, each with its first word."""
    known = {gloss[0] for gloss in glosses.GLOSSES[language] if len(gloss) == 1}
    rows = tuple((gloss[0], " ".join(gloss)) for gloss in glosses.GLOSSES[language] if len(gloss) > 1)
    return frozenset((known | languages.COMMA_WORDS.get(language, frozenset())) - _WEAK), rows


@lru_cache
def _small_words() -> frozenset[str]:
    """Small words of any language, and those that begin a row."""
    tables = [_of_language(language) for language in glosses.GLOSSES]
    return frozenset(word for known, rows in tables for word in (*known, *(first for first, _ in rows)))


def may_say_more(sentence: str) -> bool:
    """Whether a number of a sentence may go on in a way that nothing here reads: a half, a dozen, sevenths, 3万5000."""
    if not sentence.isascii() and _goes_on_in_signs(_HALF_OF_A_NAME.sub("", sentence)):
        return True
    lowered = f" {sentence.lower()} "
    if _DOZENS_IN_DIGITS.search(lowered) or (_GROUP.search(lowered) and any(map(lowered.__contains__, _MILLIONS))):
        return True
    if _is_english(sentence) or not language_of(sentence):
        return False
    unread = [word for word in words.split(lowered) if not numerals.is_denominator(word)]
    return any(map(lowered.__contains__, _AND_A_HALF)) or any(word.endswith(_DENOMINATORS) for word in unread)


def _goes_on_in_signs(sentence: str) -> bool:
    in_parts = any(0 <= sentence.find(unit) < sentence.rfind(smaller) for unit, smaller in _PARTS_IN_SIGNS)
    triples = zip(sentence, sentence[1:], sentence[2:], strict=False)
    in_myriads = any(a.isdigit() and b in _MYRIADS and c.isdigit() for a, b, c in triples)
    return in_parts or in_myriads or any(map(sentence.__contains__, _GOES_ON_IN_SIGNS))


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
    if language in WITHOUT_SPACES:
        return text[:start] + _in_digits(line, language)
    heard = line.split()
    if len(heard) > MAX_WORDS:
        return text
    return text[:start] + " ".join(_read(_apart(heard), language))


def _apart(heard: list[str]) -> list[str]:
    """Words without the articles and pronouns that French and Italian write before an apostrophe."""
    return [
        next((word[len(cut) :] for cut in _ELISIONS if word.lower().startswith(cut) and len(word) > len(cut)), word)
        for word in (one.replace("\u2019", "'") if "$" not in one else one for one in heard)
    ]


def _read(heard: list[str], language: str) -> list[str]:
    """The words of a sentence, with its numbers in digits and its small words in English."""
    table, found, at = glosses.GLOSSES[language], list[str](), 0
    while at < len(heard):
        length, value = _number_at(heard, at, language)
        if not length:
            length, value = _gloss_at(heard, at, table)
        found.append(value if length else heard[at])
        is_number = bool(found[-1]) and found[-1][-1].isdigit()
        at += max(length, 1)
        if is_number:
            length, unit = _gloss_at(heard, at, glosses.UNITS)
            found += [unit] if length else []
            at += length
    return found


def _gloss_at(heard: list[str], at: int, table: dict[tuple[str, ...], str]) -> tuple[int, str]:
    for length in range(min(glosses.LONGEST, len(heard) - at), 0, -1):
        row = heard[at : at + length]
        last = row[-1].rstrip(_ENDS)
        english = table.get(tuple(word.lower() for word in (*row[:-1], last)))
        if english:
            is_first = row[0][0].isupper() and table is not glosses.UNITS
            return length, (english[0].upper() + english[1:] if is_first else english) + row[-1][len(last) :]
    return 0, ""


def _number_at(heard: list[str], at: int, language: str) -> tuple[int, str]:
    """How many words from `at` on are a number, and that in digits; (0, "") if none are."""
    if heard[at][0].isdigit():
        return _grouped(heard, at)
    for length in range(min(numerals.MAX_NUMERAL, len(heard) - at), 0, -1):
        row = heard[at : at + length]
        last = row[-1].rstrip(_ENDS)
        if not last or any(not word.isalpha() and "-" not in word for word in (*row[:-1], last)):
            continue
        said = " ".join((*row[:-1], last)).lower()
        value = None if said in _ONES else numerals.spelled_fraction(said, language)
        if value is not None:
            return length, f"{value}{row[-1][len(last) :]}"
    return 0, ""


def _grouped(heard: list[str], at: int) -> tuple[int, str]:
    """A number in digits whose groups stand apart, or with a scale behind it: 1 234 567, 1.5 Millionen."""
    end = at + 1
    number = heard[at]
    while len(heard[at]) < 4 and number.isdecimal() and end < len(heard) and _is_group(heard[end]):
        number += heard[end]
        end += 1
    following = heard[end].lower().rstrip(_ENDS) if end < len(heard) else ""
    if following in _SCALES and number.replace(".", "", 1).isdecimal():
        tail = heard[end][len(following) :]
        return end + 1 - at, f"{Fraction(number) * _SCALES[following]}{tail}"
    return (end - at, number) if end > at + 1 else (0, "")


def _is_group(word: str) -> bool:
    digits = word.rstrip(_ENDS + "%€")
    return len(digits) == 3 and digits.isdecimal()


def with_small_words(line: str) -> str:
    """A text in Chinese, Japanese or Korean with spaces around its small words, which are in English."""
    for sign, english in glosses.SIGNS.items():
        line = line.replace(sign, english)
    return line


def _in_digits(line: str, language: str) -> str:
    """A line in Chinese, Japanese or Korean with its numerals in digits."""
    if language == "ko":
        return languages.without_myriads(_with_korean_digits(line))
    line = languages.with_han_digits(line.replace("分の", "分之"), _COUNTED_BY, _BEFORE_VALUE)
    return languages.without_myriads(line)


def _with_korean_digits(line: str) -> str:
    """A line in Korean with digits for numerals before a counter, and for fractions: 4분의 3."""
    heard = line.split(" ")
    for at, word in enumerate(heard[:-1]):
        following = heard[at + 1]
        if word.endswith("분의") and word.removesuffix("분의").isdecimal() and following[:1].isdigit():
            end = next((end for end, char in enumerate(following) if not char.isdigit()), len(following))
            heard[at : at + 2] = ["", f"{following[:end]}/{word.removesuffix('분의')}{following[end:]}"]
        elif following.startswith(_KOREAN_COUNTERS) and not word.isascii():
            heard[at] = languages.cjk_number(word) or word
    return " ".join(heard)
