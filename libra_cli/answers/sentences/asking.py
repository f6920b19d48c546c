"""What a question asks for: its subject, what it counts, in what time, and whether it asks for what is left."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from libra_cli.answers.languages import abroad
from libra_cli.answers.sentences import comparatives
from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

PRONOUNS = words.table(
    """
    he she they it we i you this that these those there each all both so then thus therefore hence now in on at by after
    since because if when the a an his her its their and but for from to of total er sie es il elle ils elles on él ella
    ellos lui lei loro ele ela eles hij zij ze hon han de он она они ona oni
    """
)
_NUMBER = lazy_pattern(r"\d+(?:,\d{3})*(?:\.\d+)?")
TIMES = words.table("second minute hour day week month year")
EACH = words.table("a an per each every")
_SUBJECT_BEHIND = words.table("does did do is was are were has have had will can could would should must a")
_VERB_BEHIND = words.table("has have had is are will does did gets get needs need pays pay earns earn spends")
TOTALS = words.table("altogether total combined together sum all both average")
PRONOUNS_OF_PEOPLE = words.table(
    "he she they it we i you who er sie es il elle él ella lui lei ele ela hij zij он она on ona"
)
_VERBS = """
    eat ate eaten | run ran | sell sold | buy bought | pay paid | spend spent | give gave given | get got gotten
    make made | take took taken | go went gone | drive drove driven | win won | lose lost | find found | keep kept
    write wrote written | grow grew grown | drink drank drunk | catch caught | send sent | build built | teach taught
    fly flew flown | swim swam swum | throw threw thrown | break broke broken | feed fed | sleep slept | see saw seen
    bring brought | child children | person people | man men | woman women | foot feet | have has | do does
    wide width | long length | high height tall | old age | deep depth | weigh weight heavy | cost price | fast speed
"""
_IRREGULAR = {form: row.split()[0] for row in _VERBS.replace("\n", "|").split("|") for form in row.split()[1:]}
"""The first form of an irregular word."""
_LEFT = words.table(
    """
    left remain remains remained remaining keeps keep kept still noch übrig bleiben bleibt reste restent restants
    queda quedan quedaron le restano resta rimangono rimane rimasti sobra sobram sobraram restam ficou осталось остается
    осталась остались zostało pozostało zostaje kvar kaldı
    """
)
_EMPTY = words.table(
    """
    how many much what which who whom whose doe do did does are is was were been being would can could there
    the and with for from that this these those them they their his hers its you your one all any not need
    number value find determine calculate comput be she her him our of in on at to by so it
    """
)
"""Stems of a question that say nothing of what it asks for."""
_STEM = 3
_STRONG = ("left", "will", "each")
_CHANGES = words.table(
    """
    add added adding need needs needed missing rise rose grow grew
    compared raise raised
    """
)
"""Words of a question that asks how much more or less something is."""
_OPPOSITE = """
    boy girl | yes no | man woman | male female | adult child | pass fail | win lose | true false | odd even | day night
    red green blue yellow white black brown purple pink orange | full empty | taken empty | open closed
    indoor outdoor | first second third
    monday tuesday wednesday thursday friday saturday sunday | morning afternoon evening
    sold left | used left | eaten left | spent left | lost left | sold unsold | used unused | vowel consonant
    jungen mädchen | männer frauen | niños niñas | chicos chicas | garçons filles | мальчиков девочек
"""
"""Words that exclude each other in each group."""


class Question(NamedTuple):
    """What a question asks for."""

    stems: frozenset[str]
    """Its words that tell one claim from another."""
    capitals: frozenset[str]
    """Its words with a capital letter, but for the first."""
    strong: tuple[frozenset[str], ...]
    """Words that only what it asks for has: left, each, will."""
    names: frozenset[str]
    """Of whom or what it asks: names that are its subject."""
    others: frozenset[str]
    """Names that stand only in what is given."""
    numbers: frozenset[tuple[str, str]]
    """Its numbers with the stem behind each."""
    time: str
    """The time for which it asks: per week."""
    compares: bool
    is_total: bool


def stem(word: str) -> str:
    """A word without the ending of a plural or a verb; one form of an irregular verb, and one word for what is left."""
    word = word.lower().removesuffix("'s").removesuffix("\u2019s")
    if word in _LEFT:
        return "left"
    word = _IRREGULAR.get(word, word)
    for ending in ("ren", "ing", "es", "ed", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= _STEM:
            word = word.removesuffix(ending)
            break
    return word.removesuffix("e") if len(word) > _STEM else word


def _opposites() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for group in _OPPOSITE.replace("\n", "|").split("|"):
        members = frozenset(map(stem, group.split()))
        for member in members:
            found[member] = found.get(member, frozenset()) | (members - {member})
    return found


OPPOSITES = _opposites()


@lru_cache(1 << 8)
def of(question: str) -> Question:
    """What a question asks for."""
    last = comparatives.last_question(question)
    given = question[: question.rfind(last)]
    main, if_, condition = last.partition(" if ")
    if if_ and main.strip():
        last, given = f"{main}?", f"{given} {condition}"
    language = abroad.language_of(question)
    if language and language not in abroad.WITHOUT_SPACES:
        last = abroad.in_digits(last, language)
    heard = words.split(last)
    low = [word.lower() for word in heard]
    every = (low[at + 1] for at in range(len(low) - 1) if low[at] in EACH and low[at + 1] in TIMES)
    stems = frozenset(map(stem, low))
    named = (word for word in words.split(given) if word[0].isupper() and word.lower() not in PRONOUNS)
    capitals = [at for at, word in enumerate(heard) if at and word[0].isupper()]
    return Question(
        stems - _EMPTY,
        frozenset(stem(heard[at]) for at in capitals) if language != "de" else frozenset(),
        tuple(frozenset((word,)) for word in _STRONG if word in stems),
        frozenset(stem(heard[at]) for at in capitals if _is_subject(low, heard, at, language)),
        frozenset(map(stem, named)) - stems,
        frozenset((number[0], _behind(last, number.end())) for number in _NUMBER.finditer(last)),
        next(every, ""),
        comparatives.are_asked_for(last) or not _CHANGES.isdisjoint(low),
        not TOTALS.isdisjoint(low),
    )


def _is_subject(low: list[str], heard: list[str], at: int, language: str) -> bool:
    """Whether a name is what a question asks about: does Ann have, Ann's age."""
    is_owner = heard[at].endswith(("'s", "\u2019s"))
    following = low[at + 1] if at + 1 < len(low) else ""
    return is_owner or low[at - 1] in _SUBJECT_BEHIND or (following in _VERB_BEHIND and language != "de")


def _behind(text: str, at: int) -> str:
    found = words.split(text[at : at + 40])
    return stem(found[0]) if found else ""
