"""Reads a sentence as claims: which value it gives to which subject, and which of them a question asks for.

"Ed gives away 24 stickers and keeps 16" claims 24 and 16. A claim has a number and the words of its clause; a clause
that leaves out its subject, verb or noun has those of the clause before it. The claim that is asked for is the one
that has more of the words of the question than every other claim. A claim about someone or something else than what
the question asks for is no answer to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from libra_cli.answers.sentences import asking, nothing
from libra_cli.answers.sentences.asking import stem
from libra_cli.answers.text import vocabulary, words
from libra_cli.answers.values import units
from libra_cli.lazy_pattern import lazy_pattern

MAX_CLAIMS = 6
_BEGINNING = 3
"""Letters of a name that stay in all its cases: Ваня, у Вани."""
_TOKEN = lazy_pattern(
    r"(?P<number>(?<![\w.])\\?[$\u20ac\u00a3]?\d+(?:,\d{3})*(?:\.\d+)?(?:/\d+)?(?:\\?%)?(?![\w^]|[.,]\d))"
    r"|(?P<word>[^\W\d_]+(?:['\u2019-][^\W\d_]+)*)|(?P<mark>[,;.:()\u2014\u2013])|(?P<other>\S)"
)
_UNREAD = ("\\(", "\\[", "\\frac", "\\sqrt", "^", "<", ">", "{", "...")
"""Signs of a formula, which other readers read."""
_OUT_OF = lazy_pattern(r"(?:robability|chances?|odds|fraction)\b.*\d out of (?:every )?\d", one_of=(" out of ",))
_NAMED = lazy_pattern(r"(?<![^\s,;])([^\W\d_]{3,}) ?= ?(?=\$?\d)")
"""A word that stands for a value: John = 16."""
_CUTS = words.table("and or but while whereas although though")
_RELATIVES = words.table(
    "brother sister mother father son daughter cousin uncle aunt wife husband friend neighbour neighbor teacher twin "
    "grandmother grandfather grandson niece nephew boss colleague classmate roommate partner mom dad dog cat"
)
_CONCLUDES = words.table("so therefore hence thus then leaving leaves giving gives")
_SIGNS = frozenset("-\u2212+*\u00d7\u00f7~\u00b1")
"""Signs of a calculation, or of a negative number."""
_RESULTS = words.table("makes making totaling totalling equals gives giving")
"""Words with which a part begins that says what comes of those before it."""
_SUBJECTS = words.table("that this it which")
_RESTATES = words.table(
    "plus namely equivalently actually wait nein sorry correction not never neither nor nicht about roughly"
)
"""Words by which a sentence says a value again, takes it back, or leaves it open."""
_REASONS = words.table("because since as if when after before from given despite besides instead without with by")
"""Words with which a part begins that says no value of its own: after selling 30."""
_REASONS_INSIDE = words.table("because since after when")
"""Those that begin one without a comma."""
_OF_A_NUMBER = words.table("of out after before in from for within every per than at since until to")
_COMPARING = words.table(
    """
    more fewer less than times older younger taller shorter longer heavier lighter faster slower larger smaller higher
    lower bigger cheaper further farther deeper wider twice fold
    """
)
_AMOUNTS = words.table("more fewer less times")
"""Words that compare only with "than"."""
_NUMERALS = words.table(
    "two three four five six seven eight nine ten eleven twelve hundred thousand million dozen half twice third quarter"
)
"""Numbers that are not in digits."""
_FUNCTIONS = words.table(
    """
    a an the per each every in on at of for from to with by is are was were be left remain remains remained remaining
    over more less fewer now and or had has have will does did do still them him her it ones one
    """
)
"""Words behind a number that are not what it counts."""
_PLACES = words.table("in on at by for to from with during")
_ARTICLES = words.table("the a an his her its their my our your this that these those")


_COINS = frozenset(
    map(
        stem,
        "cent cents centimes céntimos centavos cêntimos centesimi centesimo grosze groszy gr öre копеек".split(),  # noqa: SIM905
    )
)


_EXCLUDES = words.table(
    "no none nobody not never other apart aside besides except excluding without when before after double twice half"
)
"""Words that turn what a claim says of a class or a time: 20 children other than girls."""


class Claim(NamedTuple):
    """A value and the words of its clause, as stems."""

    value: str
    subject: frozenset[str]
    """Words before the number."""
    noun: str
    """What the number counts; empty if the clause does not say."""
    verb: frozenset[str]
    """Other words behind it, up to the first preposition."""
    places: frozenset[str]
    """Those behind that: where, when, for whom."""
    names: frozenset[str]
    """Names before the number, or of the subject that the clause leaves out."""
    compares: bool
    """The value is a difference or a ratio: 3 more than Max."""
    has_subject: bool
    text: tuple[str, ...]
    """The words of the clause in order."""
    at: int
    """How many of them stand before the number."""

    @property
    def words(self) -> frozenset[str]:
        """All stems of the clause."""
        return self.subject | self.verb | self.places | ({self.noun} if self.noun else frozenset())

    @property
    def unit(self) -> str:
        """The words right behind the number if they are a unit, as metres per second are; else empty."""
        word = self.text[self.at] if len(self.text) > self.at else ""
        if word and stem(word) in _COINS:
            return word
        row = f" {' '.join(self.text[self.at : self.at + units.MAX_WORDS])}"
        return row[: units.end_of(row, 0)].strip()


class _Reading:
    """The claims of the tokens that were read, and the clause that is being read."""

    def __init__(self, question: asking.Question):
        self.question = question
        self.found: list[Claim] = []
        self.is_open = False
        """A part since the last conclusion may say more than was read."""
        self._begin()

    def _begin(self) -> None:
        self.said, self.value, self.before, self.is_reason = list[str](), "", 0, False

    def number(self, text: str, following: str) -> None:
        """Takes a number, which the clause claims or which belongs to another word."""
        if self.value and vocabulary.leads([word.lower() for word in self.said[-2:]]):
            self.value, self.before = text, len(self.said)
        elif _is_circumstance(text, self.said, following, self.question, bool(self.value)):
            self.said.append(text)
        elif self.value or self.said[-1:] == ["to"]:
            self.is_open = True
        else:
            self.value, self.before = text, len(self.said)

    def end(self, cut: str) -> None:
        """Ends the clause; `cut` is the conjunction that begins the next one, or a mark."""
        is_rest = self.is_reason and bool(self.value) and self.said[0].lower() == "with"  # with 50 to go
        self.is_open = self.is_open or (bool(self.value) and not self.said) or is_rest
        if self.value and not self.is_reason and not (self.found and _is_share(self.said, self.before)):
            self.found.append(_claim(self.value, self.said, self.before, self.found[-1] if self.found else None))
        elif self.said and not self.value and not self.is_reason:
            if nothing.is_said(" ".join(self.said)):
                self.found.append(_claim("0", self.said, len(self.said), None))
            elif cut in _CUTS and cut != "and":
                self.is_open = True
        if cut in _CONCLUDES:
            self.found, self.is_open = [], False
        self._begin()
        if cut in ("leaving", "leaves"):
            self.said.append(cut)

    def word(self, text: str, low: str) -> None:
        """Takes a word of the clause."""
        if low in _NUMERALS and not _belongs(self.said):
            self.is_open = True
        if low in _RESULTS and not self.value and all(word.lower() in _SUBJECTS for word in self.said):
            self.found, self.is_open = [], False
        self.is_reason = self.is_reason or (not self.said and not self.value and low in _REASONS)
        self.said.append(text)


def read(sentence: str, question: asking.Question) -> list[Claim] | None:
    """The claims of a sentence in order; None if it has a formula, or a clause with several numbers."""
    sentence = _NAMED.sub(r"\1 is ", sentence) if "=" in sentence else sentence
    if "=" in sentence or any(map(sentence.__contains__, _UNREAD)) or _OUT_OF.search(sentence):
        return None
    reading, depth = _Reading(question), 0
    tokens = [*_TOKEN.finditer(sentence)]
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        kind, text = token.lastgroup, token[0]
        low = text.lower().replace("\u2019", "'")
        is_before_number = following is not None and following.lastgroup == "number"
        if text in "()":
            depth += 1 if text == "(" else -1
        elif depth > 0 or (text == ":" and is_before_number and reading.said and not reading.value):  # Alice: 30
            continue
        elif kind == "number":
            reading.number(text, following[0] if following else "")
        elif kind == "mark" or low in _CUTS or low in _CONCLUDES:
            reading.end(low)
        elif text == "$" or text.isdigit():
            return None
        elif low in _RESTATES or text in _SIGNS:
            reading.is_open = True
        elif kind == "word":
            if low in _REASONS_INSIDE and reading.value and reading.before < len(reading.said) and not is_before_number:
                reading.end(low)
            reading.word(text, low)
    reading.end(".")
    return None if reading.is_open or len(reading.found) > MAX_CLAIMS else reading.found


def _is_share(said: Sequence[str], before: int) -> bool:
    """Whether a clause only tells how a number that was said is made up: one for each of its faces."""
    behind = [word.lower() for word in said[:2]]
    return (before == 0 and behind[:1] in (["per"], ["each"])) or (before == 0 and behind[1:] in (["each"], ["every"]))


def _belongs(said: Sequence[str]) -> bool:
    """Whether the next number belongs to the word before it: in three days, the second."""
    return bool(said) and said[-1].lower() in _OF_A_NUMBER | {"the"}


def _is_circumstance(
    number: str, said: Sequence[str], following: str, question: asking.Question, has_value: bool
) -> bool:
    """Whether a number belongs to another word: in 5 years, 3 of the 10 cups."""
    if (number, stem(following)) in question.numbers:
        return True
    before = [word.lower() for word in said[-3:]]
    if before and before[-1] in _ARTICLES:
        before = before[:-1]
    if not before or before[-1] not in _OF_A_NUMBER | _PLACES:
        return False
    if before[-1] == "of" and not vocabulary.AMOUNTS.isdisjoint(before[:-1]):  # a total of 84
        return False
    if has_value and before[-1] in _PLACES and before[-1] != "to":
        return True
    if before[-1] in ("of", "out"):
        return True
    return has_value and stem(following) in asking.TIMES


def _claim(value: str, said: list[str], before: int, earlier: Claim | None) -> Claim:
    heard = [word.lower().replace("\u2019", "'") for word in said]
    behind = heard[before:]
    is_counted = bool(behind) and behind[0] not in _FUNCTIONS and not (behind[0].endswith("ed") and len(behind[0]) > 4)
    noun = stem(behind[0]) if is_counted else ""
    rest = behind[1:] if noun else behind
    place = next((index for index, word in enumerate(rest) if word in _PLACES), len(rest))
    verb, places = frozenset(map(stem, rest[:place])), frozenset(map(stem, rest[place:]))
    names = frozenset(
        stem(word)
        for earlier_word, word in zip(["", *heard], said[:before], strict=False)
        if word[0].isupper()
        and word.lower() not in asking.PRONOUNS
        and earlier_word not in _PLACES
        and not _names_a_relative(word, heard[:before])
    )
    subject = frozenset(stem(word) for word in heard[:before] if not _names_a_relative(word, heard[:before]))
    has_subject = bool(names) or (before > 0 and heard[0] in _ARTICLES)
    if earlier is not None:
        has_no_verb = all(
            low in _PLACES or low in _ARTICLES or word[0].isupper()
            for low, word in zip(heard[:before], said, strict=False)
        )
        if before == 0:
            subject = earlier.subject
        elif has_no_verb:  # Lukas 4; on Sunday 9
            subject |= earlier.subject - earlier.names
        elif not has_subject:
            subject |= earlier.names
        names = names if has_subject else earlier.names
        if heard[:1] in (["its"], ["their"]):
            subject |= earlier.subject
        if has_no_verb and not verb:
            verb = earlier.verb
        if not noun or noun == "one":
            noun = earlier.noun
    return Claim(value, subject, noun, verb, places, names, _compares(heard, before), has_subject, tuple(heard), before)


def _names_a_relative(word: str, subject: Sequence[str]) -> bool:
    """Whether a name only says whose relative the subject is: Sara's brother."""
    low = word.lower().replace("\u2019", "'")
    return low.endswith("'s") and not _RELATIVES.isdisjoint(subject[subject.index(low) + 1 :][:3])


def _compares(heard: Sequence[str], before: int) -> bool:
    """Whether a number is a difference or a ratio: 3 more than Max, 3 times as many, 12 feet taller."""
    behind = heard[before : before + 8]
    if behind[:1] in (["times"], ["fold"]):
        return "as" in behind or "than" in behind or "more" in behind
    at = next((at for at, word in enumerate(behind[:3]) if word in _COMPARING), None)
    if at and behind[at - 1] in ("other", "rather"):  # 20 children other than girls
        return False
    return at is not None and ("than" in behind[at:] or behind[at] not in _AMOUNTS)


def chosen(found: Sequence[Claim], question: asking.Question) -> Claim | None:
    """The claim that the question asks for; None if that is not certain."""
    if len({claim.value for claim in found}) == 1:
        return found[0]
    if are_about_unnamed(found, question):
        return None
    for strong in (question.names if all(claim.names for claim in found) else frozenset[str](), *question.strong):
        told = [claim for claim in found if not (claim.subject | claim.words).isdisjoint(strong)]
        if len(told) == 1:
            return told[0]
    own = [claim.words & question.stems for claim in found]
    at = _most(own)
    has_place = any(not _PLACES.isdisjoint(claim.text[claim.at :]) for claim in found[:-1])
    if at is None and found[-1].places & question.stems and not has_place:  # 12 boys and 18 girls in the class
        at = _most([row | (found[-1].places & question.stems) for row in own])
    if at is None:
        kept = [frozenset[str]()]
        for earlier, claim in pairwise(found):
            has_own = not _PLACES.isdisjoint(claim.text)
            kept.append(frozenset() if has_own else (kept[-1] | earlier.places) & question.stems)
        at = _most([row | more for row, more in zip(own, kept, strict=True)])
    return None if at is None else found[at]


def are_about_unnamed(found: Sequence[Claim], question: asking.Question) -> bool:
    """Whether a name of the question stands in no claim, which may mean it by another word: the second day."""
    heard = frozenset[str]().union(*(claim.words for claim in found))
    begun = {word[:_BEGINNING] for word in heard}
    missing = {word for word in question.capitals if word[:_BEGINNING] not in begun}
    has_pronoun = any(not asking.PRONOUNS_OF_PEOPLE.isdisjoint(claim.text) for claim in found)
    return bool(missing) and not (has_pronoun and missing <= question.names)


def are_all_asked(found: Sequence[Claim], question: asking.Question) -> bool:
    """Whether all claims have the same words of the question, or two have one each that no other claim has."""
    rows = [claim.words & question.stems for claim in found]
    is_total = any(not asking.TOTALS.isdisjoint(claim.text) for claim in found)
    are_places = all(claim.at == 0 and claim.text[0] in _PLACES for claim in found[1:])
    if len({*rows}) == 1 and rows[0] and are_places and not is_total:
        return len(found) > 1  # 20 to adults and 21 to children
    own = [row - frozenset[str]().union(*(other for other in rows if other is not row)) for row in rows]
    return sum(map(bool, own)) > 1 and all(claim.has_subject for claim in found)


def _most(rows: Sequence[frozenset[str]]) -> int | None:
    """The row that has all words of every other, and more."""
    best = max(range(len(rows)), key=lambda index: len(rows[index]))
    return best if all(rows[best] > row for index, row in enumerate(rows) if index != best) else None


def in_several_units(found: Sequence[Claim]) -> bool:
    """Whether claims may be one amount: 1 hour and 30 minutes, 1.5 km, which is 1500 m."""
    named = {stem(claim.unit) for claim in found}
    return len(named - {""}) > 1 or not named.isdisjoint(_COINS)


def is_about_another(claim: Claim, question: asking.Question) -> bool:
    """Whether a claim is about someone, a time or a class that the question does not ask about."""
    return _is_of_another(claim, question) or _is_per_another(claim, question) or _is_of_other_class(claim, question)


def _is_of_another(claim: Claim, question: asking.Question) -> bool:
    """Whether the subject is a name of what is given, and nobody whom the question asks about is named."""
    heard = claim.words
    is_other = bool(claim.names) and claim.names <= question.others and claim.has_subject
    if not is_other or not asking.PRONOUNS_OF_PEOPLE.isdisjoint(claim.text):
        return False
    return bool(question.names) and heard.isdisjoint(question.names)


def _is_per_another(claim: Claim, question: asking.Question) -> bool:
    """Whether a claim tells of another time: 35 hours a day, where the question asks for hours per week."""
    behind = claim.text[claim.at :]
    own = next((at for at, word in enumerate(behind) if word in _PLACES or word.isdecimal()), len(behind))
    every = (behind[at + 1] for at in range(len(behind[:own]) - 1) if behind[at] in asking.EACH)
    time = next((word for word in every if word in asking.TIMES), "")
    return bool(time and question.time) and time != question.time


def _is_of_other_class(claim: Claim, question: asking.Question) -> bool:
    """Whether a claim has the opposite of a word of the question, and not that word: 12 girls, for the boys."""
    members = frozenset[str]().union(*(asking.OPPOSITES.get(word, ()) for word in question.stems))
    if not (_EXCLUDES - members).isdisjoint(claim.text) or any(word.endswith("n't") for word in claim.text):
        return False
    heard = {stem(word) for word, behind in zip(claim.text, (*claim.text[1:], ""), strict=True) if behind != "the"}
    return any(
        other in heard and word not in heard
        for word in question.stems
        for other in asking.OPPOSITES.get(word, ())
        if other not in question.stems
    )


def may_be_another(claim: Claim, question: asking.Question) -> bool:
    """Whether the subject is a name that the question does not have, in place of one that it asks about."""
    heard = claim.words
    return (
        bool(claim.names) and heard.isdisjoint(question.names | question.stems & claim.names) and bool(question.names)
    )
