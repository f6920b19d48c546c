"""Reads what a response says in words, where the reference is words: a name, yes or no, true or false, a property.

Only what a clause asserts for certain is an answer: "Yes, because ...", "The statement does not hold", and what follows
the only "is" of a main clause. A text that says something else in words has an answer that nothing here reads.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from libra_cli.answers.languages import answer_forms
from libra_cli.answers.sentences import assertions
from libra_cli.answers.text import words
from libra_cli.answers.values import science, units
from libra_cli.lazy_pattern import lazy_pattern

MAX_NUMERAL = 12
"""Words of the longest numeral that is searched in a sentence."""
_SCALES = words.table("hundred thousand million billion trillion")
_OPENERS = frozenset("so therefore hence thus then consequently finally".split())  # noqa: SIM905
_OPENERS_ABROAD = words.table(
    "donc ainsi also somit daher quindi dunque pertanto portanto logo assim entonces así dus alltså"
)
_COPULAS = frozenset("is are was were".split())  # noqa: SIM905
_CONCLUDES = lazy_pattern(r",\s+(?:and )?(?:so|but|hence|thus|therefore|which means)\b,?\s+(?:that )?")
REMARKS = lazy_pattern(r"\s\([^()\d$]*\s[^()\d$]*\)")
"""Several words in brackets."""
_IT_IS = lazy_pattern(r"\b([Ii]t|[Tt]his|[Tt]hat|[Hh]e|[Ss]he)['\u2019]s\b")
_PARTICIPLES = ("called", "named", "termed", "known", "written", "made", "built", "found", "won")
_PREPOSITIONS = ("by", "in", "as", "at", "on", "from")
_DETAILS = ("with", "whose", "having", "because", "since")
_ABLE = {"能": "Yes", "可以": "Yes", "会": "Yes", "不能": "No", "不可以": "No", "不会": "No"}
"""Whether something can be done, as an answer in Chinese says."""
_MODALS = ("must", "will", "would", "should", "shall")
_DOUBTS = frozenset("but unless except if only maybe perhaps probably possibly likely whether or".split())  # noqa: SIM905
_OF_ONLY = words.table("if when for in with while under at on from by as to of")
"""Words before which "only" limits what it stands behind."""
_INFORMAL = dict.fromkeys(("yep", "yup", "yeah"), "Yes") | dict.fromkeys(("nope", "nah"), "No")
_VERDICTS = {"yes": "Yes", "no": "No", "true": "True", "false": "False"} | _INFORMAL
_CLAIMS = frozenset("statement claim assertion proposition conjecture".split())  # noqa: SIM905
_ADVERBS = frozenset("indeed therefore thus clearly always in general hence also".split())  # noqa: SIM905
_REASONS = (" because ", " since ", " as ", " for example")
REASONS = words.table("since because as which i namely found obtained using by see accept")
"""Words with which a remark begins."""
_REASONS_ABROAD = words.table("denn weil da car parce porque pois perché want omdat bo")
_REASON_FIRST = ("since ", "because ", "as ")
_REMARKS = (" because ", " since ", ", which ", ", who ", ", behind ", ", ahead ", ", followed by ", ", after ")
_FEW = 6
"""Words of the longest subject that is an answer."""
_HOLDING = {
    "True": ("is true", "is correct", "is right", "is valid", "holds", "holds true"),
    "False": (
        *("is false", "is incorrect", "is wrong", "is invalid", "is not true", "is not correct", "is not valid"),
        *("does not hold", "doesn't hold", "fails", "is untrue", "isn't true", "isn't correct"),
    ),
}
_TRUTH = {predicate: value for value, predicates in _HOLDING.items() for predicate in predicates}
_TRUTH_ABROAD = dict.fromkeys(
    (
        "正确",
        "正确的",
        "对",
        "对的",
        "成立",
        "真",
        "真命题",
        "√",
        "正しい",
        "真実",
        "참입니다",
        "맞습니다",
        "참이다",
        "맞다",
    ),
    "True",
) | dict.fromkeys(
    (
        *(
            "错误",
            "错误的",
            "错",
            "错的",
            "不正确",
            "不正确的",
            "不成立",
            "不对",
            "假",
            "假命题",
            "×",
            "間違い",
            "間違っている",
            "間違っています",
        ),
        *("誤り", "正しくない", "偽", "거짓입니다", "틀립니다", "틀렸습니다", "거짓이다", "틀리다"),
    ),
    "False",
)
_CONCLUDED_ABROAD = lazy_pattern(
    r"(?:所以|因此|故|因而|判断结果(?:是|为|[:：])?|答案(?:是|为|[:：]))[应该是为判]{0,2}(对|错|正确|错误|√|×)的?[。.！]?$"
)
_COUNTS = frozenset(("nothing", "undefined", "infinitely many", "finitely many", "all reals", "impossible", "infinity"))
"""Phrases that answer a question about numbers: a number is another answer."""
_SILENT = (
    *("don't know", "do not know", "not sure", "can't", "cannot", "sorry"),
    *("unable", "not able", "no idea", "let me", "not possible to ", "impossible to ", "not enough information"),
    *("please provide", "please share", "none of the options", "none of the choices", "no correct answer"),
    *("no correct option", "there is no correct", "need more information", "need more context", "no way to know"),
    *("would need to see", "none of these", "more context"),
)
_HEDGES = ("might", "depend", "perhaps", "maybe")
_PRONOUN = frozenset("the this that which each every no other another".split())  # noqa: SIM905
_DESCRIBING = frozenset("the these those all both its their his her our my".split())  # noqa: SIM905
_HEXADECIMAL = frozenset("ABCDEF")
_CLAIMS_ABROAD = (
    *(
        "说法",
        "命题",
        "结论",
        "判断",
        "陈述",
        "句话",
        "句子",
        "这题",
        "本题",
        "此题",
        "论断",
        "观点",
        "论述",
        "表述",
        "描述",
    ),
    *("この文", "その文", "命題", "主張", "記述", "문장은", "명제는", "진술은", "주장은"),
)
_PARTS = ("half", "quarter", "third")
_LONG = 3
"""Letters of words that need no table to be known as such: up."""
_STRIPPED = " \t\n.,;:!?*_`\"'()\u201c\u201d"


def are_asked_for(reference: str) -> bool:
    """Whether a reference is words, and no number, formula or letter."""
    text = answer_forms.in_english(reference.replace("\\text{", "").replace("}", ""))
    if "\\" in text or any(map(str.isdigit, text)) or words.number(text) is not None:
        return False
    if text.isupper() and set(text) <= _HEXADECIMAL:
        return False
    if text.find("(") > 0 and text[text.find("(") - 1].isalpha():  # O(n log n)
        return False
    heard = [part.strip(_STRIPPED).replace("'s", "").replace("\u2019s", "") for part in text.split()]
    return (
        is_verdict(text)
        or (1 < len(text) < _LONG and text.islower() and science.is_term(text))
        or any(len(word) > (2 if word.isascii() else 1) and word.isalpha() for word in heard)
    )


def is_verdict(text: str) -> bool:
    """Whether a text is yes or no, or true or false."""
    return words.phrase(answer_forms.in_english(text)) in ("yes", "no")


def is_count(text: str) -> bool:
    """Whether a phrase stands where a number could: no solution, infinitely many."""
    return words.phrase(text) in _COUNTS


def says_something(text: str) -> bool:
    """Whether a text makes a statement, and not only asks, refuses or begins."""
    return (
        sum(map(str.isalpha, text)) > 4
        and not text.rstrip().endswith(("?", "\uff1f", "...", ":"))
        and not refuses(text)
    )


def refuses(text: str) -> bool:
    """Whether a text says that it has no answer: I'm not sure."""
    lowered = text.lower().replace("\u2019", "'")
    return any(map(lowered.__contains__, _SILENT)) and not any(map(lowered.__contains__, _HEDGES))


def verdict(parts: Sequence[str], reference: str) -> str | None:
    """Yes, No, True or False, as the first or the last sentence of `parts` says for certain; else None."""
    stated = (parts[0], parts[-1], main_clause(parts[-1]), parts[-1].rpartition(", ")[2])
    said = {found for part in stated if (found := _leading(part)) is not None}
    if not said and (whole := _whole_abroad(parts[-1])):
        return whole
    if said:
        return said.pop() if len(said) == 1 else None
    if reference.strip().lower() in ("yes", "no"):  # of what is asked, nothing says that it is this statement
        return None
    return _TRUTH.get(_predicate_of_claim(parts[-1])) or _verdict_abroad(parts[-1])


def _whole_abroad(sentence: str) -> str:
    """Yes or No, if a sentence is nothing but the word for it in another language: Donc non."""
    heard = [word for word in sentence.lower().replace(",", " ").split() if word.strip(" .!*")]
    heard = heard[1:] if len(heard) > 1 and heard[0] in _OPENERS_ABROAD else heard
    word = heard[0].strip(" .!*") if len(heard) == 1 else ""
    if word in _ABLE:
        return _ABLE[word]
    return {"yes": "Yes", "no": "No"}.get(words.phrase(answer_forms.in_english(word)) or "", "") if word else ""


def _verdict_abroad(sentence: str) -> str | None:
    """True or False, if a Chinese sentence ends with what it says of the statement: 该命题错误."""
    if sentence.isascii():
        return None
    marks = {
        _TRUTH_ABROAD.get(mark)
        for mark in re.split("[\\s()\uff08\uff09\u3002.!\uff01,\uff0c\u3001:\uff1a]+", sentence)
        if mark
    }
    if len(marks) == 1 and None not in marks:  # \u221a\uff08\u6b63\u786e\uff09
        return marks.pop()
    concluded = _CONCLUDED_ABROAD.search(sentence)
    if concluded:
        return _TRUTH_ABROAD.get(concluded[1])
    sentence = sentence.partition("，因为")[0]
    noun = next((noun for noun in _CLAIMS_ABROAD if noun in sentence), None)
    if noun is None or sentence.count(noun) > 1:
        return None
    predicate = sentence.partition(noun)[2].strip(" 。．.！!")
    for beginning in ("是", "は", "が"):
        predicate = predicate.removeprefix(beginning)
    for end in ("的", "です", "である", "だ"):
        predicate = predicate.removesuffix(end)
    return _TRUTH_ABROAD.get(predicate)


def _leading(sentence: str) -> str | None:
    """The yes or no with which a sentence begins, set off from what follows and not limited by it."""
    heard = [] if sentence.rstrip().endswith("?") else sentence.split()
    while heard and heard[0].lower().strip(",:") in _OPENERS:
        heard = heard[1:]
    said = heard[0].lower().strip(_STRIPPED) if heard else ""
    if not said or (len(heard) > 1 and heard[0][-1] not in ",.;:!*\u2014" and said not in _INFORMAL):
        return None
    meaning = _VERDICTS.get(said)
    behind = heard[1] if len(heard) > 1 else ""
    is_followed = behind.isalpha() and len(heard) > 2
    if behind.lower().strip(_STRIPPED) in _VERDICTS and not is_followed:  # yeah no, it is prime
        return None
    low = [word.lower().strip(_STRIPPED) for word in heard]
    end = next((at for at, word in enumerate(low) if at and word in _REASONS_ABROAD), len(low))
    behind_only = {after for word, after in pairwise((*low[1:end], "")) if word == "only"}
    is_free = meaning == "No" or _OF_ONLY.isdisjoint(behind_only)  # a catalyst only speeds it up
    limited = not (_DOUBTS - {"only"} if is_free else _DOUBTS).isdisjoint(low[1:end])
    return None if limited else meaning


def _predicate_of_claim(sentence: str) -> str:
    """What the main clause says of the statement, without adverbs; empty if its subject is anything else."""
    clause = f"{sentence.strip().rstrip('.! ').lower()} "
    for end in (":", ";", ",", *_REASONS):
        if end != "," or clause.partition(",")[0].strip() not in _OPENERS:
            clause = clause.partition(end)[0]
    heard = [word.strip(_STRIPPED) for word in clause.replace("\u2019", "'").split()]
    at = next((index for index, word in enumerate(heard[:4]) if word in _CLAIMS), None)
    if at is None or not {*heard[:at]} <= _OPENERS | {"the", "this", "that", "given", "original"}:
        return ""
    return " ".join(word for word in heard[at + 1 :] if word not in _ADVERBS)


def complement(sentence: str) -> str | None:
    """What follows the only "is" of a main clause, up to its comma; None if it is denied or doubted."""
    heard = _modal_as_copula(in_full(main_clause(REMARKS.sub("", sentence))).split())
    copulas = [index for index, word in enumerate(heard) if word.lower() in _COPULAS]
    if len(copulas) != 1 or not copulas[0] or heard[copulas[0] - 1].lower() == "there" or "`" in sentence:
        return None
    subject, predicate = heard[: copulas[0]], _without_participle(heard[copulas[0] + 1 :])
    cut = next((at for at, word in enumerate(predicate) if at and word in _DETAILS), len(predicate))
    predicate = predicate[:cut]
    if not predicate:
        return None
    end = next((index for index, word in enumerate(predicate) if word[-1] in ",;:"), len(predicate) - 1)
    plain = [word.lower().strip(_STRIPPED) for word in (*subject, *predicate[: end + 1])]
    following = predicate[end + 1].lower().strip(_STRIPPED) if end + 1 < len(predicate) else ""
    doubted = assertions.denies(sentence) or not _DOUBTS.isdisjoint(plain)
    if doubted or following in ("and", "or", "but", "nor") or any(word[-1] in ",;:" for word in subject[1:]):
        return None
    found = " ".join(predicate[: end + 1]).strip(_STRIPPED)
    return found if found and "$" not in found and not any(map(str.isdigit, found)) else None


def is_time_in_words(text: str) -> bool:
    """Whether the last line tells a time in words: half past seven."""
    line = text.strip().rpartition("\n")[2]
    return (" past " in line or "quarter to " in line) and not any(map(str.isdigit, line))


def main_clause(sentence: str) -> str:
    """What a sentence concludes, behind its reasons: "..., so the triangle is equilateral"."""
    return _CONCLUDES.split(sentence)[-1]


def in_full(sentence: str) -> str:
    """A sentence with "it is" for "it's"."""
    return _IT_IS.sub(r"\1 is", sentence) if "s" in sentence and ("'" in sentence or "\u2019" in sentence) else sentence


def is_participle(text: str) -> bool:
    """Whether a text is one word that says what is done: produced, made."""
    return text.isalpha() and (text in _PARTICIPLES or text.endswith("ed"))


def subject(sentence: str) -> str:
    """What stands before the only "is" of a main clause; empty if it has none, or several."""
    heard = in_full(main_clause(sentence)).split()
    copulas = [index for index, word in enumerate(heard) if word.lower() in _COPULAS]
    return " ".join(heard[: copulas[0]]) if len(copulas) == 1 and copulas[0] < _FEW else ""


def without_reason(sentence: str) -> str:
    """What a sentence says without its reasons and remarks: "It is an ellipse, because ...", "It is Ann, who ..."."""
    lowered = words.lowered(sentence)
    if lowered.startswith(_REASON_FIRST) and ", " in sentence:
        sentence = sentence.partition(", ")[2]
        lowered = words.lowered(sentence)
    ends = [at for remark in _REMARKS if (at := lowered.find(remark)) > 0]
    return sentence[: min(ends)].rstrip(" ,") if ends and len(sentence[: min(ends)].split()) > 1 else sentence


def _without_participle(predicate: list[str]) -> list[str]:
    """The predicate behind "called", "painted by", "formed in"."""
    first = predicate[0].lower() if predicate else ""
    if not (first in _PARTICIPLES or (first.endswith("ed") and predicate[1:2] and predicate[1] in _PREPOSITIONS)):
        return predicate
    return predicate[2:] if predicate[1:2] and predicate[1] in _PREPOSITIONS else predicate[1:]


def _modal_as_copula(heard: list[str]) -> list[str]:
    """ "must be" as "is"; other words stay as they are."""
    at = next((at for at, word in enumerate(heard[1:], 1) if word == "be" and heard[at - 1] in _MODALS), None)
    return heard if at is None else [*heard[: at - 1], "is", *heard[at + 1 :]]


def with_digits(sentence: str) -> str:
    """`sentence` with its numerals in words as digits; if it has digits, only a numeral that ends it after "is"."""
    heard = _with_halves(sentence.split())
    has_digits = any(map(str.isdigit, sentence))
    written: list[str] = []
    at = 0
    while at < len(heard):
        length, value = _numeral(heard, at)
        before = next((word for word in reversed(heard[:at]) if word.lower() not in _ADVERBS | {"exactly"}), "").lower()
        is_last = before in (*_COPULAS, "equals") and at + length == len(heard)
        is_said = length > 1 and before in (*_COPULAS, "gives", "equals", "makes", "make", "give")
        behind = heard[at + length : at + length + 1] if length else []
        is_measure = bool(behind) and units.end_of(f" {behind[0]}", 0) > 1
        if length and (is_last or is_said or is_measure or not has_digits):
            bare = heard[at + length - 1]
            written.append(value + bare[len(bare.rstrip(".,;:!?")) :])
        else:
            written += heard[at : at + max(length, 1)]
        at += max(length, 1)
    return " ".join(written) if written != sentence.split() else sentence


def _with_halves(heard: list[str]) -> list[str]:
    """An hour and a half or a quarter as one and a half hour, and half an hour as 0.5 hour."""
    for at in range(1, len(heard) - 2):
        is_half = [word.lower() for word in heard[at : at + 2]] in (["half", "a"], ["half", "an"])
        if is_half and units.end_of(f" {heard[at + 2]}", 0) > 1 and heard[at - 1].lower() not in ("a", "and"):
            return [*heard[:at], "0.5", *heard[at + 2 :]]
    for at in range(1, len(heard) - 3):
        *joined, part = (word.lower().rstrip(_STRIPPED) for word in heard[at + 1 : at + 4])
        if joined == ["and", "a"] and part in _PARTS:
            count = "one" if heard[at - 1].lower() in ("a", "an") else heard[at - 1]
            if words.number(count) is not None and units.end_of(f" {heard[at]}", 0) > 1:
                end = heard[at + 3][len(part) :]
                return [*heard[: at - 1], count, "and", "a", part, heard[at] + end, *heard[at + 4 :]]
    return heard


def _numeral(heard: Sequence[str], at: int) -> tuple[int, str]:
    """Number of words of the longest numeral at `at` and its value; (0, "") if there is none, or only a pronoun."""
    most = next((n for n, word in enumerate(heard[at : at + MAX_NUMERAL], 1) if word[-1] in ".,;:!?"), MAX_NUMERAL)
    for length in range(min(most, len(heard) - at), 0, -1):
        text = " ".join(heard[at : at + length]).rstrip(".,;:!?")
        value = words.number(text)
        if at and text.lower() in _SCALES and heard[at - 1].lstrip("$\u20ac\u00a3")[:1].isdigit():  # 250 thousand
            return 0, ""
        if value is None or text.lower().endswith(" and") or (text.lower().startswith(("and ", "a ")) and length == 1):
            continue
        following = heard[at + length].lower() if at + length < len(heard) else ""
        before = heard[at - 1].lower() if at else ""
        if text.lower() == "one" and (before in _PRONOUN or following in ("of", "can", "could", "must", "may")):
            return 0, ""
        if before in _DESCRIBING and value == int(value):  # the three lines
            return 0, ""
        is_whole = following == "the" and before not in ("than", "by", "in", "and", "a", "nearly", "almost")
        if text.lower() == "half" and following != "of" and not is_whole:
            return 0, ""
        return length, str(value)
    return 0, ""
