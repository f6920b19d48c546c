"""Reads what the end of a text asserts: its last display, its last sentence, or the whole of a short line."""

from __future__ import annotations

import re

from libra_cli.answers.comparison import codes
from libra_cli.answers.extraction import asked
from libra_cli.answers.sentences import assertions, displays, options, phrases, statements
from libra_cli.answers.sentences.extracted import NO_ANSWER, Extraction, of_asserted
from libra_cli.answers.text import words
from libra_cli.answers.values import units
from libra_cli.lazy_pattern import lazy_pattern

_SHORT = 64
_FEW_WORDS = 4
_SPELLED = lazy_pattern(
    r"\b(?:hundred|thousand|million|dozen)\b", re.IGNORECASE, one_of=("dozen", "million", "hundred", "thousand")
)
_LETTER_SAID = lazy_pattern(
    r"(?:It|This|That|The \w+)(?: is| was|['\u2019]s)(?: (?:just|simply|only))? ?([A-Za-z]{1,2})[.!]?"
    r"|The symbol ([A-Za-z]{1,2})[.!]?"
)
"""It is R."""
_FEWEST = 3
_SETS = ("all real numbers", "all reals", "the empty set", "the set of all real numbers")
_REASON = lazy_pattern(r"(?:,? because|, since) (?![^.]*(?:=|\b(?:so|thus|hence|therefore|which|giving|making)\b)).*$")
_NEIGHBOUR = lazy_pattern(
    r"(?P<kept>(?:.*[:,] )?(?i:so|thus|hence|therefore|it is|it's|the answer is)\b[^;\d]{0,40}"
    r"\d[\d,.]*(?<=\d)[^;\d]{0,40}); \d[\d,.]* (?:comes|stands|lies|precedes|follows|would|was|belongs|divides"
    r"|is (?:just|its|too|already))\b"
)
_LABEL_OF_SET = lazy_pattern(r"(?i:(?:so )?(?:the )?(?:range|domain|solution set|solution)(?::| is(?: therefore)?) )")
_IS = lazy_pattern(r"\b(?:is|are|equals?(?: to)?)\s")


def concluded(tail: str) -> assertions.Asserted:
    """What the end of a text asserts: its last display, or its last sentence with more than a few words."""
    tail = tail.strip()
    displayed = displays.of_end(tail)
    if displayed is not None:
        return displayed
    line = tail.rpartition("\n")[2]
    *earlier, last = words.sentences(line)[-3:]
    kept = [sentence for sentence in earlier if not assertions.is_aside(sentence)]
    for sentence in reversed([*kept, last] if not kept or not assertions.is_aside(last) else kept):
        if "<<" in (sentence := assertions.without_calculations(sentence)):
            break  # cut within a calculation
        found = assertions.asserted(_without_reason(_without_neighbour(_behind_pause(sentence))))
        if found.answer or found.unclear:
            return found
        if len(sentence.split()) > _FEW_WORDS or any(map(str.isdigit, sentence)):
            said = predicate(sentence)
            return assertions.Asserted(said) if said else displays.before_remark(tail) or found
    return displays.before_remark(tail) or assertions.Asserted(None)


def _behind_pause(sentence: str) -> str:
    """What stands behind the dots with which a sentence breaks off: so x = 2... no, we get x = 3."""
    before, dots, behind = sentence.replace("\u2026", "...").rpartition("... ")
    is_pause = dots and before[-1:] not in ",+*/(=" and behind[:1].isalpha() and any(map(str.isdigit, behind))
    return behind if is_pause else sentence


def _without_neighbour(sentence: str) -> str:
    """A conclusion without a clause on another number behind it: so it's 34; 21 comes just before it."""
    neighbour = _NEIGHBOUR.match(sentence) if ";" in sentence else None
    return neighbour["kept"] if neighbour else sentence


def _without_reason(sentence: str) -> str:
    """A sentence without the reason of several clauses behind its number: 6, because each needs 2 and there are 3."""
    reason = _REASON.search(sentence) if "because " in sentence or ", since " in sentence else None
    if reason is None or not (" and " in reason[0] or ", " in reason[0].lstrip(", ")):
        return sentence
    kept = sentence[: reason.start()]
    return kept if any(map(str.isdigit, kept)) else sentence


def drawn(tail: str) -> assertions.Asserted | None:
    """What the clause asserts that a Chinese sentence concludes with; None if there is none, or nothing for certain."""
    clause = asked.concluding_clause(tail)
    found = assertions.asserted(clause) if clause else None
    return found if found and found.answer else None


def predicate(sentence: str) -> str | None:
    """The one or two words after the only "is" of a sentence without a number."""
    parts = _IS.split(phrases.REMARKS.sub("", sentence))
    if len(parts) != 2 or assertions.denies(sentence):
        return None
    said = parts[1].rstrip(".! ")
    first, _, rest = said.partition(" ")
    if words.number(first) is not None and not rest.startswith("of "):  # three possible values
        return first
    if not said or len(said) > _SHORT or words.in_row(said) or said.count("$") % 2:
        return None
    return said


def whole(text: str, reference: str | None) -> Extraction:
    """The whole of a short line: with a number, or the few words that answer a reference in words."""
    text = text.strip()
    if len(text) <= _SHORT and "\n" not in text and "\\boxed" not in text and text:
        in_words = reference is not None and reference.replace(" ", "").isalpha() and len(text.split()) <= _FEW_WORDS
        labelled = _LABEL_OF_SET.match(text)
        if labelled and text[labelled.end() :].lower().strip(" .") in _SETS:
            return Extraction(text[labelled.end() :].strip(" ."))
        in_words = in_words or codes.is_cross(text) or text.lower().strip(" .") in _SETS
        is_letter = reference is not None and len(reference) < _FEWEST and reference.lstrip("-\u2212").isalpha()
        letter = _LETTER_SAID.fullmatch(text) if is_letter else None
        if letter:
            return Extraction(letter[1] or letter[2])
        if options.parse(text) or in_words or (any(map(str.isdigit, text)) and not words.in_row(text)):
            return of_asserted(statements.tidy(text))
    return Extraction(None, NO_ANSWER)


def with_digits(tail: str) -> str:
    """`tail` with the numerals in words of its last sentence as digits."""
    sentence = tail.rstrip()
    last = sentence.rstrip(".!").rpartition(" ")[2]
    line = sentence[sentence.rfind("\n") + 1 :]
    line = line[line.rfind(". ") + 1 :] if last[-1:].isalpha() and " past " not in line else line
    concluded = line.rpartition(", so ")[2] if ", so " in line else line.rpartition(", therefore ")[2]
    if len(concluded) < len(line) and any(map(str.isdigit, line)) and not any(map(str.isdigit, concluded)):
        start = len(sentence) - len(concluded)
        return sentence[:start] + phrases.with_digits(sentence[start:])
    measured = units.end_of(f" {last}", 0) > 1 or " and a half" in line[-_SHORT:] or _SPELLED.search(line)
    if any(map(str.isdigit, line[-_SHORT:])) and words.number(last) is None and not measured:  # as most
        return tail
    start = len(sentence) - len(words.sentences(sentence)[-1])
    return sentence[:start] + phrases.with_digits(sentence[start:])
