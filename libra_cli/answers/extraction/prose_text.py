"""A text without a box, as its readers see it: each part is looked for once, when a reader needs it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from libra_cli.answers.extraction import conclusions
from libra_cli.answers.languages import (
    abroad,
    answer_forms,
    clock_words_abroad,
    clocks_abroad,
    commas,
    contrasts,
    names,
    numerals,
    ratios,
    root_words,
    units_abroad,
)
from libra_cli.answers.sentences import phrases, remarks, set_aside, statements, verifications
from libra_cli.answers.sentences.assertions import Asserted
from libra_cli.answers.text import choose_words, clock_words, hedges, informal, number, words
from libra_cli.answers.values import coordinates, dates, structure, units
from libra_cli.answers.values.structure import Leaf, Parts
from libra_cli.lazy_pattern import lazy_pattern

_NEAR = 80
"""Characters before a clause in which the value stands of which it speaks."""
_FEW = 4
"""Words in bold that may be an answer without a figure."""
_PART_OF_DAY = lazy_pattern(r"(\d{1,2}(?::\d\d)?)(?: o'clock)? (?:in the (morning|afternoon|evening)|at (night))\b")
_CLOCK = lazy_pattern(r"\d:\d\d(?!\d)|(?i:[ap]\.?m)\b")
_ABOUT = lazy_pattern(r"(?<=so )(?:about|approximately|roughly|around) (?=\d)")
_OF = (" in ", " out of ", "-in-", "-out-of-")
_CHANCE = lazy_pattern(
    r"(?<![\d.,/\w-])(\d{1,6}|[a-z]{3,9})[ -](?:in|out[ -]of)[ -](?:every )?(\d{1,9})(?![\d/]|[.,]\d)"
    r"(?: (?:times|cases|trials|draws|tries|attempts))?"
)
_PART = lazy_pattern(r"(?<![\d.,/])(\d{1,6}) of the (\d{1,9})(?![\d/]|[.,]\d)")
_GROUPED = lazy_pattern(r"(?<=[a-z]{3} )(?<!for )(?<!and )(?<!are )[1-9]\d{0,2}(?: \d{3}){1,3}(?= [a-z]{2}|[.!]?$)")
"""A number whose groups of three digits stand apart: has 86 400 seconds."""
_NUMBERED_NOUNS = words.table(
    "number class page day year group box room step case question part problem level grade team"
)
"""Nouns that carry a number of their own: class 1."""
_CHANCE_ABROAD = lazy_pattern(
    r"(?<![\d.,/\w])(\d{1,6}|[^\W\d_]{2,12})(?: chances?| Chancen?| posibilidad(?:es)?| possibilità| kans(?:en)?)? "
    r"(?:sur|von(?: den)?|aus|de(?: cada)?|en|entre|sobre|em(?: cada)?|su|op(?: de)?|van de|из|na|z|av|på) "
    r"(\d{1,9}|[^\W\d_]{2,12})(?![\d/\w]|[.,]\d)"
)
"""A chance in another language: 2 sur 5, 6 von 36, 1 de cada 13."""
_ONE = frozenset(
    ("une", "un", "una", "uno", "um", "uma", "eins", "eine", "een", "один", "одна", "jeden", "jedna", "en")
)
"""The numeral of a chance that `numerals` takes for an article or a word of another language: une sur six."""
_ORDINALS_IN_SIGNS = ("第", "目", "째")
_ORDINAL_IN_SIGNS = lazy_pattern(
    r"第[一二三四五六七八九十百\d]+(?:[步次轮輪回遍个個项項天年月周位题]|种方法|種方法)"
    r"|[一二三四五六七八九十\d]+(?:回目|度目)|\d+번째로? ?"
)
_NUMERAL = lazy_pattern(r"[\d一二三四五六七八九十百千万两]")
_NEGATIVE = lazy_pattern(
    r" (?:negative|minus(?<= is minus)|minus(?<= are minus)|minus(?<= to minus)|minus(?<= gives minus)"
    r"|minus(?<=[=:] minus)|minus(?<= equals minus)) (?=\d)",
    one_of=(" negative ", " minus "),
)
_HALF_A = lazy_pattern(r"(?<!a )(?<!and )\b[Hh]alf an? (?P<noun>[a-z]{3,})\b(?! (?:more|less|as)\b)")
_AND_A_HALF = lazy_pattern(r"(\d+) and a half\b", one_of=(" and a half",))
_SPACED = lazy_pattern(r"\d(?:(?<=[=\u2248] \d)|(?<= is \d)|(?<= are \d))\d{0,2}(?: \d{3}){1,4}(?![\d/]|[.,]\d| ?\d)")
_SPELLED = lazy_pattern(
    r"\b(?P<words>[A-Za-z]{2,20}(?:[- ][A-Za-z]{2,20}){0,6})"
    r" \((?P<figure>[$\u20ac\u00a3]?\d[\d,.]*(?P<unit> ?[%A-Za-z\u00b0]{0,9}))\)",
    one_of=(" (",),
)
"""A number in words and once more in digits: seventy-five percent (75 %)."""


_IN_TWO_UNITS = lazy_pattern(
    r"(?:(?<=hours)|(?<=\bhour)|(?<=minutes)|(?<= quarter)|(?<= half)) "
    r"\(\d+ ?h(?:ours?|rs?)? (?:and )?\d+ ?min(?:ute)?s?\)",
    one_of=("min)", "mins)", "minute)", "minutes)"),
)
"""A duration once more in two units: an hour and a quarter (1 h 15 min)."""
_OUT_OF = lazy_pattern(r"(?<=\d) out of (?=\d)")
"""Between a number and that of all, where no fraction is asked for: 7 out of 28."""
_CHANCES = ("robability", "chance", "odds", "raction", "atio")
_PER_ONE = lazy_pattern(
    r"(?:1|一|한) ?(?:人|個|本|つ|箱|袋|枚|명|사람|개|상자|봉지)(?:あたり|当たり|につき|당 )",
    one_of=("あたり", "当たり", "につき", "당 "),
)
"""For one person: 1人あたり, 한 명당."""
_TURKISH = lazy_pattern(
    r"(?<=[\d\u00b0%])['\u2019](?:d|t)[i\u0131u\u00fc]r\b", one_of=("'d", "'t", "\u2019d", "\u2019t")
)
"""The copula of Turkish behind a number: 180\u00b0'dir."""
_PARTICLE = lazy_pattern(r"(?:(?<=[\u00b2\u00b3])|(?<=/[hs])|(?<=/min))(?=[\u3040-\u30ff\uac00-\ud7a3])")
"""Between a unit and a particle of Japanese or Korean: 36 cm\u00b2\uac00."""
_CONCENTRATION = lazy_pattern(
    r"(?<!\w)\[[A-Z][A-Za-z0-9\u2080-\u2089\u207a\u207b\u00b2+^{}-]{0,12}\] ?=(?= ?[-\d$\\])", one_of=("] =", "]=")
)
"""The concentration of a substance in moles: [H\u207a] =."""
_DECLARATION = lazy_pattern(
    r"(?:[,;] (?:where |with |and )?| (?:where|with) )\$?[A-Za-z]\$? (?:is |being |denotes )?(?:an? |any |the )?"
    r"(?:arbitrary |real |integration )*constants?(?: of integration)?(?=[.\s]*$)"
    r"|[,;]? (?:for|with|where) (?:an?|any|some|every|all) (?:arbitrary |real |integration )*(?:constants? )?"
    r"\$?[A-DKc]\$?(?=[.\s]*$)"
    r"|[,;] (?:where |with |and )?\$?[A-DKc]\$? (?:is |being )?(?:any |an )?(?:arbitrary|\u2208 ?\u211d)(?: real)?"
    r"(?: number)?(?=[.\s]*$)"
    r"|,? \(\$?[A-DKc]\$? (?:is )?(?:an? |any )?(?:arbitrary |real |integration )*(?:constant|arbitrary)\)(?=[.\s]*$)"
)
"""What a letter in a formula is: K a constant."""
_THATS_IT = lazy_pattern(
    r"(?<=[\d}$)]),? (?:so|and) (?:that|this|it)(?: is|['\u2019]s) (?:the|our|my|your) "
    r"(?!wrong|other|incorrect|opposite|first|same|reason|only|smallest|largest)[a-z]{4,}(?: [a-z]{4,})?[.!]*$",
    one_of=(" so it", " so this", " so that", " and it", " and this", " and that"),
)
"""What a sentence ends with that only says what its value is: so that's the quotient."""
_MONTH_OF_YEAR = lazy_pattern(
    r"(?<= )(January|February|March|April|May|June|July|August|September|October|November|December)"
    r" (?:19|20)\d\d(?= [a-z])",
    one_of=(
        *("january", "february", "march", "april", "may ", "june", "july", "august", "september"),
        *("october", "november", "december"),
    ),
)
_MEANS_IT = ("handelt", "'agit d", "\u2019agit d", "e trata d", "rata-se d", "i tratta d")
_ANY_CONSTANT = (" any ", " some ", " every ", "\u211d")
_OUTCOMES = ("no solution", "infinitely many solutions", "no real")
_PARTS_OF_SENTENCE = lazy_pattern(r"; |, (?=so |and |then |there )|(?<=\$) (?=and |then )")
_CONDITION_AGAIN = lazy_pattern(
    r"(?<=[^\s=<>])[.;!,] (?:and )?(?:(?:[Ff]or|[Ww]ith|[Ii]n|[Aa]t) (?:that|this|such an?) "
    r"(?:\$?(?P<letter>[A-Za-z])\$?|value(?: of \$?[A-Za-z]\$?)?|case|choice)|[Tt]hen),? (?P<rest>[^.;=]{4,120})[.!]?$"
)
"""What a text says last of the value that it gives: for that k there is no solution."""
_ASKS_LETTER = lazy_pattern(
    r"(?i:\b(?:find|which|what|determine|values? of)\b)[^.?]*?(?<![A-Za-z\\])\$?([A-Za-z])\$?(?![A-Za-z^(])"
)
_AFTER_NEXT = lazy_pattern(
    r"(?:[.,;]| and) (?:(?:and )?(?i:after that|then|followed by)|(?i:the (?:number|term|one|next \w+) after that))\b"
)
"""Where a text goes on behind the next number that a question asks for."""
_NEXT_NUMBER = (" next number", " next term", " next value")


def _in_figures(spelled: re.Match[str]) -> str:
    """What a number is in digits, without its words, if both are the same."""
    heard, figure = spelled["words"].split(" "), spelled["figure"]
    digits = number.parse(figure.removesuffix(spelled["unit"]).strip("$\u20ac\u00a3"))
    for start in range(len(heard)):
        for end in range(len(heard), start, -1):
            value = words.number(" ".join(heard[start:end]).lower())
            if value is not None and digits is not None and value == digits.value and len(heard) - end < _FEW:
                behind = "" if spelled["unit"].strip() else "".join(f" {word}" for word in heard[end:])
                return " ".join([*heard[:start], figure + behind])
    return spelled[0]


def _as_share(chance: re.Match[str]) -> str:
    """1/52 for 1 in 52 and for one in 52; any other words as they are."""
    if chance[1].isdecimal():
        return f"{chance[1]}/{chance[2]}"
    before = chance.string[: chance.start()].lower().split()[-1:]
    is_part = before and (words.number(before[0]) is not None or before[0] in ("no", "of", "not", "half"))
    value = None if is_part else words.number(chance[1])  # but not of thirty-one in 100
    return chance[0] if value is None else f"{value}/{chance[2]}"


def _with_shares(text: str, language: str) -> str:
    """`text` with 2/5 for 2 sur 5 and 3/8 for drei von acht, if it has one such chance."""
    written, chance, count = text, _CHANCE_ABROAD.search(text), 0
    while chance is not None:
        parts = (part.lower() for part in chance.groups())
        found = [
            int(part) if part.isdecimal() else 1 if part in _ONE else numerals.spelled_number(part, language)
            for part in parts
        ]
        if None not in found:
            written, count = f"{text[: chance.start()]}{found[0]}/{found[1]}{text[chance.end() :]}", count + 1
        chance = _CHANCE_ABROAD.search(text, chance.start() + 1)
    return written if count == 1 else text


def _without_outcome(tail: str) -> str:
    """`tail` without a last clause that says the outcome of which the question asks for the condition: no solution."""
    start = len(tail) - len(words.sentences(tail)[-1])
    marks = [mark for mark in _PARTS_OF_SENTENCE.finditer(tail) if mark.start() > start]
    if not marks:
        return tail
    before, last = tail[: marks[-1].start()], tail[marks[-1].end() :]
    says_outcome = any(map(last.__contains__, _OUTCOMES)) and "=" in before[start:]
    return f"{before}." if says_outcome else tail


def _without_condition(tail: str, question: str) -> str:
    """`tail` without a last clause on what holds for the value before it, where the question asks for that value.

    The clause names the letter that is asked for, or says of it what the question says.
    """
    again, asked = _CONDITION_AGAIN.search(tail), _ASKS_LETTER.search(question)
    before = tail[: again.start()] if again else ""
    if again is None or asked is None:
        return tail
    value = re.search(rf"(?<![A-Za-z]){asked[1]}\$? ?= ?\$?-?[\d\\(][^\s,;]*", before[-_NEAR:])
    if value is None or value[0].replace(" ", "").rstrip(".$") in question.replace(" ", ""):
        return tail
    said = {word for word in names.tokens(again["rest"]) if len(word) >= _FEW}
    known = {*names.tokens(question), "there", "indeed", "does", "exactly"}
    is_repeated = "both sides" in again["rest"]
    is_repeated = is_repeated or (bool(said) and said <= known)
    return f"{before}." if again["letter"] == asked[1] or is_repeated else tail


def _with_clocks(text: str, reference: str) -> str:
    """`text` with its times of day in figures, if the reference is one: 8.40 Uhr, 3 o'clock in the morning."""
    is_named = reference[-1].isalnum() and any(map(reference.__contains__, (":", "h", "Uhr")))
    text = clocks_abroad.in_figures(text, reference) if is_named else text
    text = clock_words_abroad.in_figures(text, reference)
    is_clock = ":" in reference or reference.lower().replace(".", "").endswith(("am", "pm"))
    text = clock_words.in_figures(text) if is_clock and _CLOCK.search(reference) else text
    if is_clock and (" in the " in text or " at night" in text):
        text = _PART_OF_DAY.sub(lambda time: f"{time[1]} {'AM' if time[2] == 'morning' else 'PM'}", text)
    return text


class Prose:
    """A text without a box and what is asked for; each part of it is looked for once, when a reader needs it."""

    def __init__(self, text: str, reference: str | None, cut: bool | None, question: str | None):
        self.reference, self.cut, self.question = reference or "", cut, question
        if not self.reference.isdecimal() and self.reference:  # most are integers
            text = _with_clocks(text, self.reference)
        self.text = text

    @cached_property
    def tail(self) -> str:
        """The end of the text, in which the answer stands."""
        tail = self._as_asked(self._said_once(self._in_plain_notation(self._own_end())))
        return answer_forms.with_english_dates(tail) if self.reference and dates.dates(self.reference) else tail

    def _own_end(self) -> str:
        """The end of the text without what it checks, remarks, denies or sets aside."""
        tail = self.text.rstrip()
        if tail.endswith("!!") and "!" not in self.reference:  # 42!! is no factorial
            tail = f"{tail.rstrip('!')}."
        tail = informal.in_full(verifications.without_check(statements.tail_of(tail)))
        tail = tail if self.cut else remarks.without_remarks(tail, self.question, self.reference)
        tail = contrasts.without_denied(tail)
        tail = root_words.in_signs(tail) if root_words.is_said(tail) else tail
        tail = ratios.in_figures(tail, self.reference) if self.reference else tail
        return tail if self.cut else set_aside.without(tail, self.question)

    def _in_plain_notation(self, tail: str) -> str:
        """`tail` with its numbers and units as an English formula has them."""
        if " " in tail:
            tail = _SPACED.sub(lambda number: number[0].replace(" ", ""), tail)
        if "pesos" in tail and "$" in tail:
            tail = tail.replace("\\$", "$").replace("$", "")
        tail = _TURKISH.sub("", tail)
        if "кв" in tail or "куб" in tail:
            tail = units_abroad.with_squares(tail)
        if any(map(tail.__contains__, _MEANS_IT)):
            tail = abroad.with_copula(tail)
        if not tail.isascii():
            tail = self._without_ordinals(tail)
            tail = units_abroad.with_rates_per_time(tail) if "每" in tail and "/" in self.reference else tail
            tail = _PARTICLE.sub(" ", units_abroad.with_rates(tail))
        if "empty set" in tail and "\\emptyset" in self.reference and "{" in self.reference:  # the members of a set
            tail = tail.replace("the empty set", "$\\emptyset$")
        tail = choose_words.in_signs(tail) if " choose " in tail else tail
        if "the origin" in tail and ("(" in self.reference or "\\begin" in self.reference):
            tail = coordinates.with_origin_said(tail, words.sentences(tail)[-1], self.reference, self.question or "")
        if " and at " in tail and self.is_several:
            tail = tail.replace(" and at ", " and ")
        return units.with_per(tail) if self.reference[-1:].isalpha() or self.reference[-1:] == "}" else tail

    def _said_once(self, tail: str) -> str:
        """`tail` without what says its value once more, or only what a letter in it is."""
        tail = _IN_TWO_UNITS.sub("", _SPELLED.sub(_in_figures, tail))
        tail = _CONCENTRATION.sub("c =", tail)
        if "onstant" in tail or "rbitrary" in tail or ("=" in tail and any(map(tail.__contains__, _ANY_CONSTANT))):
            tail = _DECLARATION.sub("", tail)
        tail = _THATS_IT.sub(".", tail)
        return _MONTH_OF_YEAR.sub(r"\1", tail) if self.reference.isdecimal() and len(self.reference) < _FEW else tail

    def _as_asked(self, tail: str) -> str:
        """`tail` without what says more or less of its value than the question asks for."""
        question = self.question or ""
        if any(map(question.__contains__, _NEXT_NUMBER)):
            tail = next(filter(str.strip, _AFTER_NEXT.split(tail)), tail)
        if any(map(question.__contains__, _OUTCOMES)):
            tail = _without_outcome(tail)
        if question and any(map(tail[-2 * _NEAR :].__contains__, (" that ", " this ", " such ", "hen "))):
            tail = _without_condition(tail, question)
        if self.asks_for_words:
            last = words.sentences(tail)[-1]
            is_short = not self.asks_for_verdict or len(last.split()) < _FEW
            plain = hedges.without_hedge(last) if is_short else last
            tail = tail if plain is last or not tail.endswith(last) else tail[: -len(last)] + plain
        return _ABOUT.sub("", tail) if "round" in question.lower() or "nearest" in question else tail

    def _without_ordinals(self, tail: str) -> str:
        """`tail` without the ordinals in signs of its end, if that has another number: 第二次验算后."""
        asked = self.question or ""
        if not self.reference.isdecimal() or any(map(asked.__contains__, _ORDINALS_IN_SIGNS)):
            return tail
        start = len(tail) - len(words.sentences(tail)[-1])
        rest = _ORDINAL_IN_SIGNS.sub("", tail[start:])
        return tail[:start] + rest if rest != tail[start:] and _NUMERAL.search(rest) else tail

    @cached_property
    def sentences(self) -> Sequence[str]:
        """The sentences of `tail`."""
        return words.sentences(self.tail)

    @cached_property
    def bold(self) -> str:
        """The last text in bold; empty if there is none."""
        found = statements.bold(self.tail)
        given = found.given if found else ""
        is_said = self.asks_for_words or not self.reference or any(char.isdigit() or char in "$\\" for char in given)
        return given if is_said or len(given.split()) < _FEW else ""

    @cached_property
    def is_several(self) -> bool:
        """Whether the reference has several values: a list, a set, a point, or values with names."""
        reference = self.reference
        return any(map(reference.__contains__, (",", ";", " and "))) and isinstance(structure.parse(reference), Parts)

    @cached_property
    def asks_for_words(self) -> bool:
        """Whether the reference is words, and no number, formula or letter."""
        return bool(self.reference) and phrases.are_asked_for(self.reference)

    @cached_property
    def asks_for_verdict(self) -> bool:
        """Whether the reference is yes or no, or true or false."""
        return self.asks_for_words and phrases.is_verdict(self.reference)

    @cached_property
    def asks_for_share(self) -> bool:
        """Whether the reference is a number below one, which may be said in percent."""
        if "/" not in self.reference and not self.reference.startswith(("0.", ".", "\\", "$")):
            return False
        wanted = structure.parse(self.reference)
        return isinstance(wanted, Leaf) and wanted.number is not None and 0 < wanted.number.value < 1

    @cached_property
    def in_figures(self) -> str:
        """`tail` with a decimal point in its numbers, percent as one word, and 3 and a half as 3.5."""
        found = commas.with_decimal_points(self.tail, self.question).replace(" per cent", " percent")
        found = _PER_ONE.sub("", found)
        found = _GROUPED.sub(self._joined, found)
        if self.asks_for_share and any(map(found.__contains__, _OF)):
            found = _CHANCE.sub(_as_share, found)
        if self.asks_for_share and _CHANCE_ABROAD.search(found):
            language = abroad.language_of(self.sentences[-1]) or abroad.language_of(self.question or "")
            found = _with_shares(found, language) if language else found
        if self.asks_for_share and " of the " in found and "raction" in (self.question or ""):
            found = _PART.sub(r"\1/\2", found)
        if " out of " in found and self.reference.isdecimal() and not any(map(found.__contains__, _CHANCES)):
            found = _OUT_OF.sub(" out of the ", found)
        found = _NEGATIVE.sub(" -", found)
        if "alf a" in found and "ow many" in (self.question or ""):
            found = _HALF_A.sub(self._half_of_asked, found)
        return _AND_A_HALF.sub(r"\1.5", found)

    def _joined(self, grouped: re.Match[str]) -> str:
        """86400 for 86 400, unless the reference is one of the two."""
        before = grouped.string[: grouped.start()].lower().split()[-1:]
        is_one = self.reference not in grouped[0].split() and _NUMBERED_NOUNS.isdisjoint(before)
        return grouped[0].replace(" ", "") if is_one else grouped[0]

    def _half_of_asked(self, half: re.Match[str]) -> str:
        """Half a cup as 0.5 cup, where the question asks how many cups."""
        asked = (self.question or "").lower().rpartition("how many ")[2].split()
        is_asked = bool(asked) and asked[0].rstrip("?.,") in (f"{half['noun']}s", f"{half['noun']}es")
        return f"0.5 {half['noun']}" if is_asked else half[0]

    @cached_property
    def in_digits(self) -> str:
        """`in_figures` with the numerals in words of its last sentence as digits, where the reference has any."""
        if not any(map(str.isdigit, self.reference)) and not (
            self.reference[-1:].isalpha() and words.number(self.reference.lower()) is not None
        ):
            return self.in_figures
        glossed = abroad.glossed(self.in_figures)
        found = conclusions.with_digits(glossed) if glossed is self.in_figures else glossed
        return found.replace(" percent", "%") if self.asks_for_share and " percent" in found else found

    @cached_property
    def concluded(self) -> Asserted:
        """What the last sentence asserts."""
        tail, in_digits = self.in_figures, self.in_digits
        found = conclusions.drawn(tail) or conclusions.concluded(in_digits)
        if found.answer or in_digits is tail or abroad.language_of(self.sentences[-1]) not in abroad.WITHOUT_SPACES:
            return found
        return conclusions.concluded(abroad.with_small_words(in_digits))
