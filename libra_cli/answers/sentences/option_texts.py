"""Reads which option a text chooses by the text that the question gives the option: so it is Krypton."""

from __future__ import annotations

import re
from collections.abc import Mapping

from libra_cli.answers.languages import names
from libra_cli.answers.sentences import assertions, main_claims, option_choices, options, phrases
from libra_cli.answers.text import latex, words
from libra_cli.answers.values import science
from libra_cli.lazy_pattern import lazy_pattern

_FIGURE = lazy_pattern(r"-?\\?[$\u20ac\u00a3]?\d.*")
_RESULT = lazy_pattern(r"(?:^|[,;:]|\b(?:so|and|gives|thus|hence))\s*\$?[A-Za-z]\w? = [^=,;a-z]{1,60} = [^=,;\s]+$")
"""A calculation with a name that ends a sentence: P = 100 - 2 * 20 = 60."""
_UNLIKE = lazy_pattern(
    r"^(?:Unlike|In contrast to|As opposed to|While|Whereas|Although|Though|Even though|Despite) [^.]*?, (?=[^,]*$)"
)
_ENDS = lazy_pattern(r"[;:] |, (?:but|while|whereas) ")
_ASKS_WRONG = words.table("not except")
_ONE_CLAUSE = lazy_pattern(r"[^;:]*")
_IN_BRACKETS = lazy_pattern(r" \([^()]*\)")
_CLAUSES = (", whereas ", " whereas ", ", while ", " while ")
_CONTRASTS = (", but not ", ", and not ", " and not ", ", not ", " not ", " rather than ", " instead of ")
_ROMAN = lazy_pattern(r"(?<![A-Za-z])(?:IV|I{1,3}|VI{0,3})(?![A-Za-z'\u2019])")
_FILLING = frozenset(("it", "is", "are", "they", "be"))


def said(text: str, listed: Mapping[str, str], question: str = "", most: int = 1) -> str | None:
    """The letters of the options, at most `most`, whose texts the last sentences hold; None if that is not certain.

    Of several clauses, each with the text of an option, the one counts that has most of the words of the question.
    """
    wanted = {
        letter: [word for word in names.tokens(content) if word not in _FILLING] for letter, content in listed.items()
    }
    elements = {letter: science.element(content) for letter, content in listed.items() if len(content) < 3}
    if len(elements) == len(listed) and all(elements.values()):  # F, said as fluorine
        wanted = {letter: [str(element)] for letter, element in elements.items()}
    asks_wrong = not _ASKS_WRONG.isdisjoint(word.lower() for word in words.split(question))
    for whole in option_choices.last_sentences(text):
        denied = [held[0] for clause in _ENDS.split(whole) if asks_wrong and (held := _denied(clause, listed, wanted))]
        if denied:
            return denied[0] if len(denied) == 1 else None
        sentence = _IN_BRACKETS.sub("", _UNLIKE.sub("", whole))
        for contrast in _CONTRASTS:
            sentence = sentence.partition(contrast)[0]
        main = min((sentence.partition(contrast)[0] for contrast in _CLAUSES), key=len)
        found = _held(main, listed, wanted)
        if not found and main != sentence:
            found = _held(sentence, listed, wanted)
        concluded = _held(phrases.main_clause(sentence), listed, wanted) if len(found) > most else []
        if len(concluded) == 1:  # cats and dogs are mammals, so it is the frog
            found = concluded
        if not found or (len(found) > most and len(found) < len(listed)):
            found = _of_clause(_IN_BRACKETS.sub("", whole), listed, wanted, question) or found
        if found:
            is_denied = assertions.denies(sentence) or any(map(sentence.__contains__, ("\u4e0d\u662f", "\u5e76\u975e")))
            is_several = most > 1 and not _ONE_CLAUSE.fullmatch(main)
            return option_choices.in_order(found) if len(found) <= most and not (is_denied or is_several) else None
    return None


def _denied(clause: str, listed: Mapping[str, str], wanted: Mapping[str, list[str]]) -> list[str]:
    """The only option that a clause denies something of: coal is not, where the question asks which one is not."""
    held = _held(clause, listed, wanted) if assertions.denies(clause.rstrip(" .!")) else []
    return held if len(held) == 1 else []


def _of_clause(sentence: str, listed: Mapping[str, str], wanted: Mapping[str, list[str]], question: str) -> list[str]:
    """The option of the clause that has most of the words of the question; none if that is not certain."""
    own = {stem for sought in wanted.values() for stem in main_claims.stems(sought)}
    told: list[tuple[str, str]] = []
    for clause in main_claims.clauses(sentence):
        held = [] if assertions.denies(clause) else _held(clause, listed, wanted)
        if len(held) > 1:
            return []
        if held:
            told.append((clause, held[0]))
    at = main_claims.most_about([clause for clause, _ in told], main_claims.asked_stems(question) - own)
    return [] if at is None else [told[at][1]]


def _held(sentence: str, listed: Mapping[str, str], wanted: Mapping[str, list[str]]) -> list[str]:
    """Letters of the options whose text a sentence holds; all of them if that is not certain of figures."""
    numerals = _ROMAN.findall(sentence)
    if numerals:
        return [one for one, content in listed.items() if sorted(_ROMAN.findall(content)) == sorted(set(numerals))]
    if all(map(_FIGURE.match, listed.values())):
        end = latex.without_setting(sentence).rstrip(" .*!")
        held = [letter for letter, content in listed.items() if _has_figure(end, content)]
        ended = [letter for letter in held if end.endswith(listed[letter])]
        is_certain = len(ended) == 1 and (len(held) == 1 or _RESULT.search(end))
        return ended if is_certain else [*listed] if held else []
    if names.is_in_signs("".join(listed.values())):
        return [letter for letter, content in listed.items() if content in sentence]
    heard = names.tokens(sentence)
    heard += [word.removesuffix("s") for word in heard]
    held = [letter for letter, sought in wanted.items() if sought and words.stand_in(sought, heard)]
    if held or not all(map(names.is_name, listed.values())):
        return held
    last = [sought[-1:] for sought in wanted.values()]  # Einstein
    return [letter for letter, sought in wanted.items() if last.count(sought[-1:]) == 1 and {*sought[-1:]} <= {*heard}]


def _has_figure(sentence: str, content: str) -> bool:
    """Whether a sentence has the figure of an option, and not only as part of a longer one."""
    return re.search(rf"(?<![\w.,\-/^]){re.escape(content)}(?![.,/^]?[-\w])", sentence) is not None


def has_another_text(option: str, text: str, listed: Mapping[str, str]) -> bool:
    """Whether behind the letter of an option stands the text of another one: "B. Rome" where Rome is A."""
    named = options.parse(option)
    letter = next(iter(named.letters)) if named and len(named.letters) == 1 else ""
    at = max((text.rfind(f"{letter}{mark}") for mark in (".", ")", ":", ",", "**", "}")), default=-1) if letter else -1
    behind = latex.without_setting(text[at + 1 :]).lstrip(" .):,*}\u2014-").lower() if at >= 0 else ""
    own = listed.get(letter, "").lower()
    if not behind or not own or behind.startswith(own):
        return False
    return any(behind.startswith(content.lower()) for one, content in listed.items() if one != letter)


def said_or_chosen(
    text: str, listed: Mapping[str, str], option: str | None, reference: str, question: str
) -> str | None:
    """`option`, or the letter of the option whose text the last sentences say; "" if a letter may be either.

    In "vitamin D" the letter belongs to the text. "Answer: A market economy" is the text of the reference B; if the
    reference is A, nobody knows what it is.
    """
    last = next(option_choices.last_sentences(text), "")
    heard = words.split(last.lower())
    holding = [
        letter
        for letter, content in listed.items()
        if option in content.split() != [option] and words.stand_in(words.split(content.lower()), heard)
    ]
    if option and not holding:
        return option
    named = options.parse(reference.strip())
    most = len(named.letters) if named else 1
    meant = holding[0] if len(holding) == 1 else said(text, listed, question, most) if not option else None
    if meant and len(meant) > 1:
        return meant
    if not meant:
        return option
    content = listed[meant]
    before = last[: max(last.lower().find(content.lower()), 0)].split()[-1:]
    is_letter = content.split()[0] in listed or (before and before[0].strip("(*") in listed and before != [meant])
    return "" if is_letter and meant not in reference and option_choices.is_choice(last) else meant
