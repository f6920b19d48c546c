"""Reads the answer of a text without a box, by a list of readers in one visible order.

A reader looks at the text for one kind of statement. It returns None if the text has no such statement; else the answer
that it states, or why what it states is no answer for certain. The first reader that finds something decides. A reader
has checks where its kind of statement only suggests the answer: each says of an answer why it may not be the one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from libra_cli.answers.extraction import (
    asked_clause,
    asked_nouns,
    asked_quantity,
    beside,
    bold,
    endings,
    further_facts,
    infinite,
    left_over,
    measured_parts,
    percentages,
    prose_lists,
    prose_sentences,
    prose_statements,
    prose_words,
    readings,
    sets_in_words,
)
from libra_cli.answers.extraction.prose_text import Prose
from libra_cli.answers.sentences import assertions, phrases, remarks, statements
from libra_cli.answers.sentences.extracted import (
    AMBIGUOUS,
    NO_ANSWER,
    OTHER_ANSWER,
    UNDECIDED,
    Extraction,
)
from libra_cli.answers.text import number, words
from libra_cli.answers.values import normalize
from libra_cli.lazy_pattern import lazy_pattern

_FEW = 3
"""Words of a line without a full stop."""
_ROUNDS = lazy_pattern(
    r"\b(?i:about|approx\w*|roughly|around|decimals?|numerically|nearly)\b|\u2248|\\approx",
    one_of=statements.ROUNDING,
)
_ANNOUNCED = ("answer", "result", "value", "solution", "derivative", "asked for", "required", "we need", "we want")
_ANNOUNCES = lazy_pattern(
    r"(?:(?:and|so|then|thus|hence),? )?(?:this|that|it|doing so|which)(?: then| finally| now)? (?:will )?"
    r"(?:gives?|yields?|produces?|provides?|leads? to|is|leaves) (?:us )?the "
    r"(?:(?:required|desired|final|correct|sought|wanted|right|needed) )*(?:answer|result|value|solution|derivative)"
    r"(?: (?:asked for|required|we (?:need|want|seek)|that (?:is|was) (?:asked for|required)))?",
    re.IGNORECASE,
)
"""A sentence that announces a result and says none: This gives the required answer."""
_STATES = lazy_pattern(
    r"[=\u2248:\u2192]|\\(?:approx|to)(?![a-z])|\*\*|\b(?:is|are|was|were|be|get|gets|obtain|equals?|gives?|yields?|becomes?"
    r"|has|have|find|so|hence|thus|therefore|leaves|makes)\b",
    re.IGNORECASE,
)
Check = Callable[[Prose, "str | None"], Extraction | None]
_OF_A_SENTENCE: tuple[Check, ...] = (
    prose_sentences.says_more,
    endings.value_for_count,
    prose_sentences.compared,
    prose_sentences.one_of_several,
    prose_sentences.one_piece,
    prose_sentences.a_listing,
    prose_sentences.misread,
    prose_sentences.within_a_root,
    prose_sentences.beside_the_question,
    prose_sentences.holds_reference,
    prose_sentences.given_away,
)
_OF_A_VALUE: tuple[Check, ...] = (prose_sentences.one_of_several, prose_sentences.one_piece)
READERS: tuple[tuple[Callable[[Prose], Extraction | None], tuple[Check, ...]], ...] = (
    # what the text states to be its answer
    (prose_statements.last_line, ()),
    (prose_words.circled_option, ()),
    (prose_words.selected_items, ()),
    (prose_statements.time_in_signs, ()),
    (prose_sentences.right_angle, ()),
    (prose_sentences.bound_of_letter, ()),
    (infinite.limit, ()),
    (prose_sentences.denied_relation, ()),
    (prose_statements.predicate_in_signs, ()),
    (prose_statements.whole_value, ()),
    (prose_lists.rows_of_matrix, ()),
    (prose_lists.named_matrix, ()),
    (prose_statements.tag, ()),
    (prose_statements.contradiction, ()),
    (prose_statements.labelled_parts, ()),
    (prose_lists.listed_lines, ()),
    (sets_in_words.empty_set, ()),
    (sets_in_words.all_reals, ()),
    (asked_clause.behind_label, ()),
    (prose_statements.statement, ()),
    (readings.first_of_cut, ()),
    (prose_statements.cut_off, ()),
    (prose_words.filled_in, ()),
    (endings.row, ()),
    (prose_lists.code_list, ()),
    (prose_statements.duration_in_signs, ()),
    (prose_statements.counted_in_signs, (prose_sentences.says_more, prose_sentences.misread)),
    (prose_statements.undecided_between, ()),
    (prose_words.untold, ()),
    (prose_statements.refusal, ()),
    (prose_words.truths, ()),
    (prose_statements.statement_abroad, ()),
    (prose_statements.moment, ()),
    (prose_statements.first, ()),
    # what is of the kind of the reference
    (prose_statements.in_base, ()),
    (prose_statements.calculation, ()),
    (prose_statements.pieces, ()),
    (prose_statements.of_type, (prose_sentences.misread,)),
    (prose_statements.named_values, ()),
    (prose_statements.measured_values, ()),
    (readings.in_blanks, ()),
    (bold.figure, ()),
    (prose_statements.compound, ()),
    (prose_statements.symbol, ()),
    (readings.quotient, ()),
    (readings.strand, ()),
    (readings.blood_type, ()),
    (readings.ordinal, ()),
    (readings.two_cases, ()),
    (readings.plus_and_minus, ()),
    (measured_parts.stated, ()),
    (prose_statements.date, ()),
    # words, where words are asked for
    (prose_words.hedge, ()),
    (prose_words.way, ()),
    (prose_words.multiple, ()),
    (prose_words.listed, ()),
    (readings.none_exist, ()),
    (prose_words.term, ()),
    (prose_words.abbreviation, ()),
    (readings.restated_name, ()),
    (left_over.name, ()),
    (prose_words.name, ()),
    (asked_nouns.said, ()),
    (prose_words.alternative, ()),
    (prose_words.named, ()),
    (prose_words.new_word, ()),
    (prose_words.said_abroad, ()),
    (prose_words.verdict, ()),
    (prose_words.in_words, ()),
    # what the end of the text asserts
    (prose_sentences.time_in_words, ()),
    (endings.greater_one, ()),
    (asked_clause.stated, ()),
    (readings.signed_one, ()),
    (prose_sentences.zero, ()),
    (endings.count, ()),
    (readings.a_group, ()),
    (readings.turned_value, ()),
    (endings.next_one, ()),
    (endings.digit, ()),
    (endings.once_more, ()),
    (endings.led, ()),
    (endings.behind_colon, ()),
    (endings.rounded, ()),
    (endings.multiplied, ()),
    (percentages.percent_of, ()),
    (percentages.restated, ()),
    (beside.loss, ()),
    (beside.average, ()),
    (endings.spelled, ()),
    (endings.one_of_named, ()),
    (further_facts.in_two_units, ()),
    (further_facts.before_fact, ()),
    (prose_sentences.counted_as_asked, ()),
    (prose_sentences.one_asked_for, ()),
    (prose_sentences.in_unit_asked_for, ()),
    (endings.sum_of_parts, ()),
    (prose_sentences.listed_option, ()),
    (asked_quantity.before_others, ()),
    (endings.among_given, _OF_A_SENTENCE),
    (prose_sentences.conclusion, _OF_A_SENTENCE),
    (prose_sentences.number_abroad, _OF_A_SENTENCE),
    (prose_sentences.numeral_abroad, _OF_A_SENTENCE),
    (prose_sentences.count, ()),
    (prose_sentences.unclear, ()),
    (bold.last_words, _OF_A_VALUE),
    (prose_sentences.option, ()),
    (prose_sentences.whole, _OF_A_VALUE),
    (prose_sentences.foreign, ()),
    (endings.compound, ()),
    (prose_sentences.unread_set, ()),
)
"""Readers in the order in which they are asked, each with the checks of what it reads."""


def read(text: str, reference: str | None, cut: bool | None, question: str | None = None) -> Extraction:
    """The answer of a text without a box, or why it has none."""
    if reference and not cut and text.rstrip(" .!*\n").endswith(_ANNOUNCED) and _only_announces(text, reference):
        return Extraction(None, OTHER_ANSWER)
    found = _read(Prose(text, reference, cut, question))
    if found.answer and "." in found.answer and not cut:
        return _before_rounding(found, text, reference, question)
    if found.reason != NO_ANSWER or found.answer or not reference or cut:
        return found
    before, last = remarks.before_last_sentence(text), remarks.last_sentence(text)
    if " than " in last and any(map(str.isdigit, last)):  # 20 dollars - less than the 25 dollars she had
        return UNDECIDED
    is_whole = last.rstrip("*_ ")[-1:] in (".", "!") or len(last.split()) <= _FEW
    says_less = last.startswith("(") or "<<" in last or assertions.denies(last)
    if not before or not is_whole or says_less or not phrases.says_something(last):
        return found
    earlier = _read(Prose(before, reference, cut, question))
    if not earlier.answer or "," in earlier.answer:
        return found
    return Extraction(earlier.answer, AMBIGUOUS)


def _only_announces(text: str, reference: str) -> bool:
    """Whether a text ends with a sentence that announces a result, and nowhere states one, nor has the `reference`."""
    last = remarks.last_sentence(text)
    before = text.rstrip()[: -len(last)]
    if not before or _ANNOUNCES.fullmatch(last.strip(" .!*")) is None or _STATES.search(before):
        return False
    return reference not in before and all(str(words.number(word)) != reference for word in words.split(before.lower()))


def _before_rounding(found: Extraction, text: str, reference: str | None, question: str | None) -> Extraction:
    """What a text gives before a last sentence that only rounds it: The area is 9π. This is roughly 28.27."""
    last = remarks.last_sentence(text)
    decimal = found.answer or ""
    rounds = _ROUNDS.search(last) if reference and decimal in last and decimal != reference else None
    is_stated = "**" in last or remarks.begins_conclusion(last)  # So approximately **0.11**
    before = remarks.before_last_sentence(text) if rounds and not is_stated else ""
    earlier = _read(Prose(before, reference, False, question)) if before else found
    if earlier is found or not earlier.answer or earlier.reason:
        return found
    from libra_cli.answers.values import numeric  # which loads the parser of formulas

    value = number.parse(decimal.strip(" $"))
    exact = normalize.normalized(earlier.answer.rpartition("=")[2])
    return earlier if value is not None and numeric.rounds(exact, value) else found


def _read(prose: Prose) -> Extraction:
    """What the first reader finds that finds something."""
    for reader, checks in READERS:
        found = reader(prose)
        if found is None:
            continue
        if found.answer:
            for check in checks:
                doubt = check(prose, found.answer)
                if doubt is not None:
                    return doubt
        return found
    return Extraction(None, NO_ANSWER)
