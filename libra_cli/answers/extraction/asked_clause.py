"""Reads the clause of a last sentence that a question asks for, and leaves out what is about something else.

`The maximum is 100 and the minimum is 10`, where the minimum is asked for; `22 boxes were taken, and 18 are left`.
"""

from __future__ import annotations

import re

from libra_cli.answers.extraction.prose_text import Prose
from libra_cli.answers.sentences import claimed, negation
from libra_cli.answers.sentences.extracted import Extraction
from libra_cli.answers.text import words
from libra_cli.answers.values import structure
from libra_cli.lazy_pattern import lazy_pattern

_LEAST = r"minim|smallest|lowest|(?<!at )least|kleinst|niedrigst|наименьш|минимал|plus petite?s?\b|menor|mínim"
_GREATEST = r"maxim|largest|greatest|highest|größt|höchst|наибольш|максимал|plus grande?s?\b|mayor|máxim|maior"
_EXTREMES = (lazy_pattern(_LEAST, re.IGNORECASE), lazy_pattern(_GREATEST, re.IGNORECASE))
_LEFT = lazy_pattern(
    r"\b(?:left|remain\w*|остал\w+|останется|übrig\w*|blieb(?:en)?|bleib(?:t|en)|reste(?:nt)?|restaient|qued[aóe]\w*|sobra\w*"
    r"|rest(?:a|ano|am|aram)|rimang\w+|rimasti|zostało|zostanie)\b",
    re.IGNORECASE,
)
_TAKEN = lazy_pattern(
    r"\b(?:t[oa]ken?|took|gives?|gave|given|s[eo]lls?|sold|eats?|ate|eaten|uses?|used|spends?|spent|los[et]s?|removed?"
    r"|broken?|увез\w+|взя\w+|прода\w+|съе\w+|отда\w+|забра\w+|потрати\w+|llev\w+|comi\w+|vend\w+|gast\w+|regal\w+"
    r"|enlev\w+|mang\w+|dépens\w+|donn\w+|abgeholt|verkauft?e?n?|gegessen|genommen|ausgegeben|verschenkt|sprzeda\w+"
    r"|zabra\w+|mangiat\w+|spes[oiae]|usat\w+|comeu|gast\w+)\b",
    re.IGNORECASE,
)
"""Verbs of what is no longer there."""
_NOUN_BEHIND = lazy_pattern(r"\w*\s+(?P<noun>[^\W\d_]{3,20})")
_NO_NOUN = words.table(
    "is are was were equals value values one number possible ist sind beträgt wert est sont vaut valeur son valor vale "
    "valore sono равно равен равна значение"
)
_IS_VALUE = lazy_pattern(
    r"\w*(?: of|(?:[^\d]{0,60}\W)?(?:is|are|was|were|equals?|ist|sind|beträgt|est|sont|vaut|es|son|vale|è|é|sono"
    r"|равно|равен|равна|:)(?: then| thus| therefore)?)?[\s$]*"
)
"""What stands between the name of an extreme and its value: imum of f is."""
_SMALL = words.table(
    "are were was there still only and the them him her his its they she now then has have had just also thus sind "
    "noch ihm ihr ihnen sont elle ils elles encore hay aún sono ancora нём ней них него неё еще ещё там aan nog "
    "pozostało"
)
_STEM = 4
_LEAD = lazy_pattern(r"^(?i:(?:so|and|thus|hence|therefore|then|meaning(?: that)?|which means(?: that)?),? )+")
_JOINTS = lazy_pattern(
    r"[,;] (?:(?:and|while|whereas|but|then|so|und|während|et|alors|y|mientras|e|mentre|enquanto|и|а|i|a) )?"
    r"| (?:and|while|whereas|und|während|et|y|mientras|e|mentre|enquanto|и|а) "
)
_LABEL = lazy_pattern(r"\W*(?i:(?:final |so the )?(?:answer|result|solution|conclusion)) ?: ?(?=[A-Z][a-z]+ [a-z])")
_FIGURE = lazy_pattern(r"(?<![\w.,^_/])-?\d+(?:[.,]\d+)*(?:/\d+)?(?![\w^/]|[.,]\d)")
_STARTED = lazy_pattern(
    r", (?:which|who|that) (?:had )?(?:(?:initially|originally|at first) )?(?:started|began|was (?:first|initially"
    r"|originally)|were (?:first|initially|originally)|used to)\b[^,;.]{1,60},",
    one_of=(", which", ", who", ", that"),
)
"""What something was before: the gas, which started at 300 K, ends up at 400 K."""
_ASKS_END = lazy_pattern(r"\b(?i:final\w*|ends?|now|after\w*|new|becomes?|eventual\w*)\b")
_ASKS_HOW_MANY = lazy_pattern(r"\b[Hh]ow many (?:such |different |distinct |possible )?(?P<noun>[a-z]{4,20})s\b")


def stated(prose: Prose) -> Extraction | None:
    """The number of the only clause that is about the extreme, or about what is left, for which the question asks."""
    sentence, question = prose.sentences[-1], prose.question or ""
    if prose.cut or not question or not structure.is_number(prose.reference) or not prose.reference[-1:].isdecimal():
        return None
    heard = {word.lower() for word in words.split(sentence)}
    if len(_FIGURE.findall(sentence)) < 2 or not (negation.OPEN - {"se"}).isdisjoint(heard):  # se llevaron
        return None
    asked = [extreme.search(question) is not None for extreme in _EXTREMES]
    if sum(asked) == 1:
        key, other = _EXTREMES if asked[0] else _EXTREMES[::-1]
        return _of_extreme(sentence, question, key, other)
    return _of_rest(sentence, question) if _LEFT.search(question) and not any(asked) else None


def _of_extreme(sentence: str, question: str, key: re.Pattern[str], other: re.Pattern[str]) -> Extraction | None:
    """The number of the clause about one extreme, where the other clause is about the other one."""
    clauses = [clause for clause in _JOINTS.split(sentence) if _FIGURE.search(clause)]
    found = [clause for clause in clauses if key.search(clause)]
    rest = [clause for clause in clauses if other.search(clause)]
    if len(clauses) != 2 or len(found) != 1 or len(rest) != 1 or found == rest:
        return None
    noun = _NOUN_BEHIND.match(found[0], next(key.finditer(found[0])).end())
    if noun and noun["noun"].lower() not in _NO_NOUN and noun["noun"].lower() not in question.lower():
        return None  # the smallest angle, where the smallest side is asked for
    figures = [*_FIGURE.finditer(found[0].replace("$", " "))]
    end = next(key.finditer(found[0])).end()
    is_value = len(figures) == 1 and end <= figures[0].start() and "=" not in found[0]
    is_value = is_value and _IS_VALUE.fullmatch(found[0], end, figures[0].start()) is not None
    return Extraction(figures[0][0]) if is_value else None  # and not the place of the maximum, or a bound of it


def _of_rest(sentence: str, question: str) -> Extraction | None:
    """The number of the last of two clauses, if only that one says what is left, and of what the question asks for."""
    clauses = [clause for clause in _JOINTS.split(sentence) if _FIGURE.search(clause)]
    if len(clauses) != 2 or _LEFT.search(clauses[0]) or not _LEFT.search(clauses[1]) or not _TAKEN.search(clauses[0]):
        return None
    figures = _FIGURE.findall(clauses[1].replace("$", " "))
    said = [word.lower() for word in words.split(_LEFT.sub(" ", clauses[1])) if not word[0].isdigit()]
    asked = {word.lower()[:_STEM] for word in words.split(question)}
    is_of_others = any(word not in _SMALL and len(word) > 2 and word[:_STEM] not in asked for word in said)
    return Extraction(figures[0]) if len(figures) == 1 and not is_of_others and "%" not in clauses[1] else None


def behind_label(prose: Prose) -> Extraction | None:
    """`Final answer: Tom has 8 apples and Anna has 5`, where the question asks how many Tom has."""
    if prose.cut or not prose.question or not prose.reference.isdecimal():
        return None
    label = _LABEL.match(prose.sentences[-1])
    said = prose.sentences[-1][label.end() :] if label else ""
    if len(_FIGURE.findall(said)) < 2 or negation.is_open(said):
        return None
    return claimed.answer(said, prose.question, with_unit=False)


def _says_what_is_asked(clause: str, answer: str, question: str) -> bool:
    """Whether the last clause gives one figure, that of the answer, and has no other words than the question.

    Since 60 pens are split among 5 boxes, each box holds 12 pens; How many pens does each box hold?
    """
    figures = _FIGURE.findall(clause.replace("$", " "))
    if len(figures) != 1 or figures[0] not in answer or negation.is_open(clause):
        return False
    asked = {word.lower()[:_STEM] for word in words.split(question)}
    said = {word.lower()[:_STEM] for word in words.split(_LEAD.sub("", clause)) if word.isalpha() and len(word) > 2}
    return len(said - _SMALL) > 1 and said <= asked | _SMALL


def without_others(tail: str, answer: str, question: str) -> str:
    """`tail` without a clause on what was before, without reasons, and without the property of what it counts."""
    if _ASKS_END.search(question):
        tail = _STARTED.sub("", tail)
    before, _, clause = tail.rpartition(", ")
    if before and question and _says_what_is_asked(clause, answer, question):
        return clause
    asked = _ASKS_HOW_MANY.search(question)
    if asked is None or not answer.isdecimal():
        return tail
    counted = re.search(
        rf"\b[Tt]here (?:are|is) (?:exactly |only )?{answer} (?:such |different |distinct |possible )?{asked['noun']}s?"
        r"(?P<property> (?:with|of|whose|having|that have) (?:(?! and )[^,;.]){1,40})[.!]?$",
        tail,
    )
    return f"{tail[: counted.start('property')]}." if counted else tail
