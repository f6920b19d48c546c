"""Reads the one that a text leaves of several: it rules the others out, and says that one remains, or names it.

"A, B and D are not noble gases, so the remaining option is the answer"; "by exclusion Thales"; "leaving Aristotle".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from libra_cli.answers.extraction.prose_text import Prose
from libra_cli.answers.languages import names
from libra_cli.answers.sentences import assertions, judgements, negation, option_checks
from libra_cli.answers.sentences.extracted import Extraction
from libra_cli.answers.text import words
from libra_cli.answers.values import science
from libra_cli.lazy_pattern import lazy_pattern

LETTER = lazy_pattern(r"(?<![\w'\u2019\\{])\(?(?P<name>[A-J])\)?(?![\w'\u2019=+^*/])")
_SHORTEST = 3
"""Characters of the text of an option that a sentence may name it by."""
_ONE_REMAINS = lazy_pattern(
    r"\b(?:what|whatever|that which|the (?:only )?(?:one|option|choice|answer|letter)(?: that)?)"
    r"(?: remains| is left| stays|['\u2019]s left)"
    r"|\b(?:only )?one(?: option| choice| answer)? (?:remains|is left|survives)"
    r"|\bthe (?:only |last |one )?(?:remaining|surviving|left-?over) (?:one|option|choice|answer|letter)"
    r"|\bleav(?:es|ing)(?: us with)?(?: only)? (?:one|a single) (?:option|choice|answer)"
    r"|\b(?:one|option|choice|answer|letter) left\b|\bby elimination\b",
    re.IGNORECASE,
)
"""What remains is the right one."""
_LEAVES = lazy_pattern(
    r"[,;] (?:so |and |which |that |this |it )*(?:only |just )?leav(?:es|ing) "
    r"(?:only |just |us with )?(?:the )?[a-z]{3}"
)
"""Behind the options that are ruled out, the text of the one that is left: that only leaves neon."""
_BY_WHICH_WAY = "by elimination"
"""Says how one was found, not that the options which a text names are wrong."""
_NAMED = lazy_pattern(
    r"\b(?:by (?:exclusion|elimination)|leaves|leaving|remains?)[,:]? "
    r"(?:it(?:['\u2019]s| is| must be) |only |just |us with )?"
    r"(?P<name>[^\d.;:]{3,60}?)(?:,? as (?:the|our)\b[^.;]*)?[.!]*$"
)
_NAME = lazy_pattern(r"[A-Z][\w'-]*(?: [A-Z][\w'-]*){0,3}")
_ITEMS = lazy_pattern(r",? or |, ")


def option(text: str, listed: Mapping[str, str]) -> str | None:
    """The only option that is not ruled out where the last sentence says that one remains; None for other texts."""
    sentence = words.sentences(text.rstrip())[-1]
    last = " ".join(sentence.split())
    leaves = _LEAVES.search(last)
    said = leaves or _ONE_REMAINS.search(last)
    if said is None or LETTER.search(last, said.start()):
        return None
    if not leaves and LETTER.search(last) and not assertions.denies(last[: said.start()]):  # it says which one
        return None
    if assertions.denies(last[said.start() :]):  # by elimination we cannot decide
        return None
    before = text.rstrip().removesuffix(sentence) + last[: said.start()]
    if True in judgements.of_each(before, listed).values():
        return None
    denied = option_checks.denied_lines(before)
    are_denied = len(denied) + 1 >= len(listed) or said[0].lower() == _BY_WHICH_WAY
    ruled_out = denied if are_denied else _named(before, listed)
    left = [letter for letter in listed if letter not in ruled_out]
    if len(left) != 1 or (leaves and not _is_text_of(last[leaves.end() - _SHORTEST :], listed[left[0]])):
        return None
    return left[0]


def _is_text_of(said: str, content: str) -> bool:
    """Whether words begin with the text of an option, or with the name of the element whose symbol it is."""
    first = words.split(said.lower())[:1]
    if not first:
        return False
    element = science.element(content)
    return content.lower().startswith(first[0]) or (element is not None and science.element(first[0]) == element)


def _named(text: str, listed: Mapping[str, str]) -> set[str]:
    """The options that a text names by their letters or by their texts."""
    heard = names.tokens(text)
    return {match["name"] for match in LETTER.finditer(text)} | {
        letter
        for letter, content in listed.items()
        if (len(content) >= _SHORTEST and words.stand_in(names.tokens(content), heard))
        or (content.isdecimal() and re.search(rf"(?<![\w.,]){content}(?![\w.,]\d|\w)", text))
    }


def name(prose: Prose) -> Extraction | None:
    """`So by exclusion Thales of Miletus`, where the question lists Thales among others: what is left of them.

    `Leaving Aristotle` is a name, too, where the question asks for what something is not and lists nothing.
    """
    if prose.cut or not prose.question or not prose.asks_for_words or prose.asks_for_verdict:
        return None
    found = _NAMED.search(prose.sentences[-1])
    if found is None:
        return None
    heard = names.tokens(found["name"])
    listed = _ITEMS.split(prose.question.rpartition(": ")[2].strip(" ?."))
    told = [item for item in listed if names.tokens(item) and words.stand_in(names.tokens(item), heard)]
    if len(listed) > 1 and len(told) == 1:
        return Extraction(told[0])
    is_name = _NAME.fullmatch(found["name"]) and names.is_name(prose.reference)
    return Extraction(found["name"]) if is_name and negation.denied_by(prose.question) else None
