"""The names of the values that a question asks for, in its order: "Find the maximum and the minimum".

A reference that only lists the values, as 5, -1, has them in this order.
"""

from __future__ import annotations

from functools import lru_cache

from libra_cli.answers.languages import names
from libra_cli.answers.text import number, words
from libra_cli.answers.values import named, part_labels, structure
from libra_cli.lazy_pattern import lazy_pattern

_MOST, _LONGEST = 4, 3
"""Values of a list, and words of a name."""
_ASKS = lazy_pattern(
    r"\b(?:[Ff]ind|[Dd]etermine|[Cc]alculate|[Cc]ompute|[Ss]tate|[Gg]ive|[Ww]hat (?:is|are)|[Ww]rite down|[Ii]dentify"
    r"|[Ww]ork out|[Ss]olve for|[Ee]valuate) (?P<rest>[^?!\n]{3,200})"
)
_LABEL = lazy_pattern(r"(?<![^\s])\(?[a-d1-4]\) ")
_VALUES_OF = lazy_pattern(r"(?:both )?(?:the )?(?:exact )?(?:values?|coordinates) of (?:the )?")
_END = lazy_pattern(
    r"[.:;$(=]|,? (?:of|for|when|if|that|which|to|at|with|on|using|from|given|after|by|between|so|where|in|such)\b"
)
_AND = lazy_pattern(r",? and |, ")
_LEADS = words.table("the its their his her a an both all exact")
_VALUE = (" values", " value")
_ARTICLES = words.table("the a an his her their this that one no some in at it")
_SPELLED = lazy_pattern(r"[^\W\d_]{2,}(?:[ -][^\W\d_]['\u2019.\w]*)*")
_ASKS_NAME = lazy_pattern(
    r"\b(?:[Ww]ho|[Ww]hose|[Ww]hom|[Ww]here)\b|\b(?:[Ww]hat|[Ww]hich|[Nn]ame|[Ii]dentify)\b[^.?!]{0,40}\b(?:city|capital"
    r"|country|state|planet|moon|ocean|sea|river|lake|mountain|continent|island|desert|president|author|scientist"
    r"|physicist|mathematician|chemist|philosopher|composer|painter|artist|inventor|king|queen|emperor|poet|writer"
    r"|explorer|law|theorem)\b"
    r"|\b(?i:wer|wo|qui|o\u00f9|qui\u00e9n|d\u00f3nde|chi|dove|quem|onde)\b|(?i:planet|capital|hauptstadt|oc\u00e9an|oceano|ozean)"
)
"""A question for a person, a place, or what is named after one."""
_NAME = lazy_pattern(r"[A-Za-z][A-Za-z -]{0,30}")
NAMING = (" and ", " order", "respectively", "ind ", "hat is ", "etermine ", "ompute ", "alculate ", "valuate ")
"""What a question has that asks for several values, or for a term by its name: Find a + b."""
_TERM_ASKED_FOR = lazy_pattern(
    r"\b(?i:find|what is|determine|compute|calculate|evaluate)(?: the value of)? \$?([^$?.,]{1,30}?)\$?[?.]"
)
"""What a question asks for, as a term: Find $a+b$."""
_LETTER_ASKED_FOR = lazy_pattern(
    r"\b(?i:find|determine|compute|calculate|what is)(?: the(?: value of)?)?(?: [a-z]{3,12})? \$?([A-Za-z])\$?[.?]"
)
"""The one letter whose value a question asks for: Find the width w."""
_IN_GIVEN_ORDER = lazy_pattern(r"\bin (?:this|that|the (?:same|given|stated|above)) order\b|\brespectively\W*$")
"""A question for values in the order in which it names them."""


@lru_cache(1 << 8)
def of(question: str) -> tuple[str, ...]:
    """The names of the values that a question asks for; empty if it does not name two or more."""
    asks = [*_ASKS.finditer(question.replace("$", ""))]
    if not asks or " and " not in question:
        return ()
    rest = _LABEL.sub("", asks[-1]["rest"])
    values_of = _VALUES_OF.match(rest)
    rest = rest[values_of.end() :] if values_of else rest
    head = _END.split(rest, maxsplit=1)[0]
    items = _AND.split(head if " and " in head else _END.sub("\0", rest).split("\0 ")[0])
    if " and " not in head:  # the area of a square and its perimeter
        items = [_END.split(item, maxsplit=1)[0] for item in rest.split(" and ")]
    found = [_name(item) for item in items]
    return tuple(found) if 1 < len(found) <= _MOST and all(found) and len(set(found)) == len(found) else ()


def _name(item: str) -> str:
    heard = item.strip(" ,.").split()
    while heard and heard[0].lower() in _LEADS:
        heard = heard[1:]
    name = " ".join(heard)
    name = next((name.removesuffix(end) for end in _VALUE if name.endswith(end)), name)
    return name if _NAME.fullmatch(name) and len(heard) <= _LONGEST else ""


def capitalised(reference: str, answer: str, question: str) -> str:
    """A name in small letters with its capitals, where `question` asks for a proper name: isaac newton."""
    if any(map(str.isupper, answer[1:])) or not names.is_name(reference) or not names.is_name_in_any_case(reference):
        return answer
    heard = answer.split()
    is_described = heard[0].lower() in _ARTICLES and set(names.tokens(reference)).isdisjoint(heard)  # the red planet
    if is_described or len(heard) > _MOST or not _SPELLED.fullmatch(answer) or not _ASKS_NAME.search(question):
        return answer
    return " ".join(word if names.is_small(word) else f"{word[:1].upper()}{word[1:]}" for word in heard)


def listed(reference: str) -> list[str]:
    """The values that a reference lists, labelled or not; empty if it gives them names, or is anything else."""
    labelled = part_labels.values(reference)
    if labelled:
        return labelled
    found = [] if "=" in reference or named.values(reference) else part_labels.listed(reference)
    return found if len(found) <= _MOST else []


def in_one_form(reference: str, answer: str, question: str) -> tuple[str, str]:
    """A reference and an answer of which one has names and the other one lists values, both with names.

    Lists of numbers are tuples where the question asks for them in the order in which it names them.
    """
    if "=" in answer and "=" not in reference and (letter := _LETTER_ASKED_FOR.search(question)):
        answer = named.values(answer).get(letter[1], answer)
    if "=" in reference and "=" not in answer:
        reference = _value_asked_for(reference, question)
    is_ordered = _IN_GIVEN_ORDER.search(question) and not any(map(question.__contains__, ("reasoning", "final answer")))
    found = [structure.parse(text) for text in (reference, answer)] if is_ordered else []
    lists = [one.parts for one in found if isinstance(one, structure.Parts) and one.kind == "list"]
    if len(lists) == 2 and all(isinstance(part, structure.Leaf) and part.number for one in lists for part in one):
        reference, answer = (f"({', '.join(part.text for part in one)})" for one in lists)
    if number.is_bare(reference) and number.is_bare(answer):
        return reference, answer
    have_names = bool(named.values(reference)), bool(named.values(answer))
    if have_names == (False, True):
        return with_names(reference, question) or reference, answer
    if have_names == (True, False) and part_labels.values(answer):
        return reference, with_names(answer, question) or answer
    return reference, answer


def _value_asked_for(reference: str, question: str) -> str:
    """30 of a+b=30, where the question asks for a+b; any other reference as it is."""
    name, _, value = reference.strip(" $").partition("=")
    asked = _TERM_ASKED_FOR.findall(question)
    is_asked = any("".join(term.split()) == "".join(name.split()) for term in asked) if name and value else False
    return value.strip() if is_asked and "=" not in value else reference


def with_names(reference: str, question: str) -> str | None:
    """`maximum = 5, minimum = -1` of 5, -1; None if the question does not name as many values as are listed."""
    values = listed(reference)
    asked = of(question) if values else ()
    if not values or len(asked) != len(values):
        return None
    return ", ".join(f"{name} = {value}" for name, value in zip(asked, values, strict=True))
