"""Cuts a sentence into clauses: each with the word that begins it, its words, and its formulas and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from libra_cli.answers.sentences import plain
from libra_cli.answers.sentences.plain import Span
from libra_cli.answers.sentences.spans import listed, with_units
from libra_cli.answers.text import vocabulary
from libra_cli.answers.values import units


class Group(NamedTuple):
    """A formula or number, or several that are joined, and the words before it in its clause."""

    text: str
    is_name: bool
    relation: bool
    before: tuple[str, ...]
    after: tuple[str, ...]
    """The words behind it, up to the next group."""
    goes_on: bool = False
    """Another one is added to it: 8 cats and 9 dogs."""
    measured: str | None = None
    """The same with its unit."""
    several: bool = False
    """Its parts are in several units: 2 hours and 30 minutes."""


class Clause(NamedTuple):
    """A part of a sentence: the word that begins it, all its words, and its groups."""

    opener: str
    words: tuple[str, ...]
    groups: tuple[Group, ...]

    @property
    def is_of_letters(self) -> bool:
        """Whether it only relates letters to each other."""
        return all(group.relation and not any(map(str.isdigit, group.text)) for group in self.groups)


class _Builder:
    """Collects the clauses of a sentence."""

    def __init__(self, chances: bool) -> None:
        self._chances = chances
        """The sentence is about chances, so that 3 in 5 is a fraction."""
        self.clauses: list[Clause] = []
        self._opener = ""
        self._words: list[str] = []
        self._groups: list[tuple[list[Span], tuple[str, ...]]] = []
        self._bounds: list[tuple[int, int]] = []
        """How many words each group begins and ends behind."""
        self._either: set[int] = set()
        """Groups of inequalities of which one holds: x < 1 or x > 3."""
        self._restated: set[int] = set()
        """Groups of values that "or" joins: 180 minutes or 3 hours."""
        self._going_on: set[int] = set()
        """Groups to which another one is added."""
        self._pending: list[str] = []
        """Words and marks since the last span."""
        self.conclusion = ""
        """What began the empty clause before this one: so, for n = 20."""

    @property
    def is_at_start(self) -> bool:
        """Whether its clause is still empty."""
        return not self._words and not self._groups

    @property
    def is_announced(self) -> bool:
        """Whether only the word that draws a conclusion was read: So, 5 remain."""
        return self.is_at_start and self._opener in vocabulary.BEGINS_CLAUSE

    @property
    def is_over(self) -> bool:
        """Whether its clause is a condition with a verb of its own, which the verb of the subject before it ends."""
        subject = self.clauses[-1] if self.clauses else None
        return (
            self._opener in vocabulary.BEGINS_ASIDE - vocabulary.CHECKS
            and not vocabulary.IS.isdisjoint(self._words)
            and subject is not None
            and bool(subject.words)
            and vocabulary.VERBS.isdisjoint(subject.words)
        )

    @property
    def is_check(self) -> bool:
        """Whether its clause only announces a check."""
        return len(self._words) == 1 and self._words[0] in vocabulary.CHECKS

    @property
    def has_groups(self) -> bool:
        """Whether its clause has a formula or number."""
        return bool(self._groups)

    @property
    def is_adjunct(self) -> bool:
        """Whether a preposition began its clause, and it has a number: From 2 pm to 4 pm she ..."""
        first = self._words[1:2] if self._words[:1] == ["and"] else self._words[:1]
        return bool(self._groups) and not vocabulary.ADJUNCTS.isdisjoint((self._opener, *first))

    @property
    def ends_in_group(self) -> bool:
        """Whether a formula or number was the last thing read."""
        return bool(self._groups) and not self._pending

    @property
    def may_end(self) -> bool:
        """Whether its clause is an adjunct, a reason or a condition, behind which the main clause may begin."""
        return self.is_adjunct or self._opener in vocabulary.CONDITIONS

    @property
    def leads(self) -> bool:
        """Whether the word before a "to" makes it lead to a result: works out to."""
        return not vocabulary.LEADS_TO.isdisjoint(self._words[-1:])

    @property
    def is_means(self) -> bool:
        """Whether its clause says by what means: Using the mirror equation we find ..."""
        return self._opener == "using"

    @property
    def is_multiple(self) -> bool:
        """Whether its clause ends with a multiple: twice as many, 3 times as much."""
        return self._words[-1:] in (["times"], ["twice"], ["thrice"], ["half"])

    @property
    def names_a_form(self) -> bool:
        """Whether its clause ends with a verb that leads to another form: it factors as, can be written as."""
        is_object = self._words[-1:] in (["it"], ["this"], ["that"])
        return not vocabulary.FORMS.isdisjoint(self._words[-2:-1] if is_object else self._words[-1:])

    @property
    def ends_in_copula(self) -> bool:
        """Whether what its subject is comes next: 100 °F is."""
        return self._opener != "which" and bool(self._pending) and self._pending[-1] in vocabulary.IS

    def goes_on_with(self, word: str, following: str) -> bool:
        """Whether a word that begins a clause elsewhere is one of its words: in total, is not, is about 5."""
        return (
            (word == "in" and following in vocabulary.SUMS_UP)
            or word in vocabulary.CHECKS
            or (word == "not" and following in vocabulary.IS)
            or (word == "as" and (self.is_multiple or self.names_a_form))
            or (word in vocabulary.ABOUT and self.ends_in_copula)
            or (word in vocabulary.THEREFORE and self.ends_in_copula)
        )

    def word(self, word: str) -> None:
        self._words.append(word)
        self._pending.append(word)

    def mark(self, mark: str) -> None:
        self._pending.append(mark)

    def span(self, span: Span) -> None:
        joined = self._groups and self._pending and all(word in vocabulary.JOINS for word in self._pending)
        last = self._groups[-1][0] if self._groups else []
        is_sum = joined and last[-1].unit == span.unit and bool(span.unit) and "are" not in self._words[-2:]
        is_compound = bool(last) and not self._pending and _is_compound(last[-1], span)
        if is_compound:
            last.append(span)
        elif (
            joined and not is_sum and not (last[-1].is_number != span.is_number and last[-1].relation != span.relation)
        ):
            last.append(span)
            if "or" in self._pending:
                self._restated.add(len(self._groups) - 1)
            if "or" in self._pending and all(map(vocabulary.has_bound, (one.text for one in last))):
                self._either.add(len(self._groups) - 1)
        elif self._pending == ["="] and last:  # the result of a calculation with units: 5 m + 3 m = 8 m
            self._groups[-1] = ([span._replace(relation=True)], self._groups[-1][1])
        elif self._is_fraction() and last and last[-1].is_number and span.is_number:
            last[-1] = last[-1]._replace(text=f"{last[-1].text}/{span.text}")
        else:
            if self._pending[-1:] in (["and"], ["or"]) and self._groups:
                self._going_on.add(len(self._groups) - 1)
            self._groups.append(([span], tuple(word for word in self._words if word not in vocabulary.MODIFIERS)))
            self._bounds.append((len(self._words), 0))
        self._bounds[-1] = self._bounds[-1][0], len(self._words)
        self._pending = []

    def _is_fraction(self) -> bool:
        return self._pending in (["out", "of"], ["out", "of", "every"]) or (self._chances and self._pending == ["in"])

    def cut(self, opener: str = "") -> None:
        """End the clause; `opener` begins the next one."""
        starts = [*(start for start, _ in self._bounds), len(self._words)]
        groups = tuple(
            Group(
                listed(spans, index in self._either),
                len(spans) == 1 and spans[0].is_name,
                any(span.relation for span in spans),
                before,
                tuple(self._words[self._bounds[index][1] : starts[index + 1]]),
                index in self._going_on,
                with_units(spans, index in self._restated),
                len({span.unit for span in spans if span.unit}) > 1,
            )
            for index, (spans, before) in enumerate(self._groups)
        )
        self.clauses.append(Clause(self._opener, tuple(self._words), groups))
        self.conclusion = self._opener if self.is_at_start and self._opener in vocabulary.BEGINS_CLAUSE else ""
        self._opener, self._words, self._groups, self._pending, self._bounds = opener, [], [], [], []
        self._going_on, self._either, self._restated = set(), set(), set()


def clauses_of(reader: plain.Reader) -> list[Clause]:
    """The clauses of a sentence, in its order; some may have neither words nor groups."""
    chances = any(word in reader.sentence for word in ("chance", "odds", "robability"))
    builder, spans = _Builder(chances), {span.start: span for span in reader.spans}
    skipped = 0
    tokens = [token for token in reader.tokens if not any(a <= token.start < b for a, b in reader.asides)]
    for index, token in enumerate(tokens):
        if token.start < skipped or (token.text == "," and builder.is_announced):
            continue
        span = spans.get(token.start)
        if span is not None:
            skipped = span.end
            behind = next((other.text for other in tokens[index:] if other.start >= skipped), "")
            is_count = span.is_number and not span.unit and units.is_counted(behind) and behind not in vocabulary.VERBS
            builder.span(span._replace(counted=behind) if is_count else span)
            continue
        word = token.text.lower()
        following = tokens[index + 1].text.lower() if index + 1 < len(tokens) else ""
        if word == ":" and builder.is_check:
            builder.cut("check")
        elif word == ":":
            builder.cut(word)
        elif (
            word in (";", "\u2014", "\u2013")
            or (word == "-" and _is_dash(tokens, index))
            or (word == "," and not _goes_on(tokens, index, spans, builder.may_end))
        ):
            builder.cut()
        elif builder.goes_on_with(word, following):
            builder.word(word)
        elif word in vocabulary.IS and builder.is_over:
            builder.cut()
            builder.word(word)
        elif following == "which" and (word in vocabulary.ADJUNCTS or word == "of"):
            builder.cut("where")
            skipped = tokens[index + 1].end
        elif word == "to" and builder.has_groups and not builder.leads and is_purpose(tokens, index, spans):
            builder.cut("after")
        elif (
            (builder.is_adjunct and (word in vocabulary.PEOPLE or _is_name(token, following)))
            or (word in ("we", "it", "this") and builder.is_means and not builder.is_at_start)
            or (builder.ends_in_group and builder.may_end and word in vocabulary.BEGINS_MAIN | vocabulary.PEOPLE)
        ):
            builder.cut(builder.conclusion)
            builder.word(word)
        elif word in vocabulary.BEGINS_CLAUSE or (
            word in vocabulary.BEGINS_ASIDE and (word not in vocabulary.ADJUNCTS or builder.is_at_start)
        ):
            builder.cut(word)
            if word in vocabulary.ADJUNCTS:
                builder.word(word)
        elif word == "and" and (following in vocabulary.SUBJECTS or _is_subject(tokens, index + 1, spans)):
            builder.cut()
        elif token.kind == "word":
            builder.word(word)
        else:
            builder.mark(word)
    builder.cut()
    return builder.clauses


def is_only_first(main: Clause, clauses: Sequence[Clause]) -> bool:
    """Whether a clause only says what comes first, before another result: we first get 60, then 43."""
    if "first" not in main.words or vocabulary.LEADS.isdisjoint(main.words):
        return False
    behind = clauses[next(at for at, clause in enumerate(clauses) if clause is main) + 1 :]
    return any(clause.groups and clause.opener not in vocabulary.BEGINS_ASIDE for clause in behind)


def _is_compound(first: Span, second: Span) -> bool:
    """Whether two numbers with units side by side are one amount: 4 h 25 min, 5 ft 3 in."""
    if not (first.is_number and second.is_number and first.unit and second.unit and first.unit != second.unit):
        return False
    size = units.scale(first.unit, second.unit)
    return size is not None and size > 1


def _is_subject(tokens: Sequence[plain.Token], at: int, spans: dict[int, Span]) -> bool:
    """Whether a formula begins at token `at` that is the subject of what follows: cancel x - 3, and x + 3 is left."""
    span = spans.get(tokens[at].start) if at < len(tokens) and tokens[at - 2 : at - 1] and at > 1 else None
    if span is None or tokens[at - 2].text != ",":
        return False
    behind = next((token.text for token in tokens[at:] if token.start >= span.end), "")
    return behind in ("is", "remains", "was")


def is_purpose(tokens: Sequence[plain.Token], at: int, spans: dict[int, Span]) -> bool:
    """Whether the "to" at token `at` begins what something is for: 5 hours to travel 300 miles."""
    following = next(iter(tokens[at + 1 : at + 2]), None)
    return (
        following is not None
        and following.kind == "word"
        and following.start not in spans
        and following.text.lower() not in vocabulary.RESULTS | vocabulary.DETERMINERS
    )


def _is_dash(tokens: Sequence[plain.Token], at: int) -> bool:
    """Whether the hyphen at token `at` stands between words, and a space before and behind it: a year - more than."""
    around = tokens[at - 1 : at + 2] if at else []
    is_apart = len(around) == 3 and around[0].end < around[1].start and around[1].end < around[2].start
    return is_apart and all(one.kind == "word" and len(one.text) > 1 for one in (around[0], around[2]))


def _is_name(token: plain.Token, following: str) -> bool:
    """Whether a name begins a main clause, with its verb behind it: after losing 5 Tom has 30."""
    return token.text[:1].isupper() and token.text[1:].islower() and following in vocabulary.VERBS


def _goes_on(tokens: Sequence[plain.Token], at: int, spans: dict[int, Span], may_end: bool) -> bool:
    """Whether a list goes on after the comma at token `at`: 3, 5, and 7; but not: Since 5% is 12, 15% is 36."""
    rest = [token for token in tokens[at + 1 : at + 3] if token.text.lower() not in ("and", "or")]
    before = tokens[at - 1] if at else None
    if not rest or rest[0].start not in spans or before is None:
        return False
    following = spans[rest[0].start]
    is_of_formula = not following.relation and any(  # 1 - 2i, 1 + 2i
        span.start < before.start < span.start + len(span.text) and not span.relation for span in spans.values()
    )
    if before.kind == "word" and not is_of_formula:
        return False
    end = following.end
    behind = next((token.text.lower() for token in tokens[at:] if token.start >= end), "") if may_end else ""
    return behind not in vocabulary.IS | {"must", "will", "has", "gives"}
