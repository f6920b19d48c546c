"""Extracts the final answer from the text after the thinking.

The last complete box holds it (`boxes`). A text without a box is read by the list of readers in `prose`: an explicit
statement ("the answer is X", `#### X`), text in bold, what the last sentence asserts, or the whole of a short line.

If the reference is an option, a box or a statement that names an option comes first. A candidate that the text takes
back ("that is wrong", "I miscounted") does not count; what is stated after that does. A text that was cut off has no
answer but a complete box, or a statement on a line that it finished.
"""

from __future__ import annotations

from typing import NamedTuple

from libra_cli.answers.comparison import changes, integer_bounds
from libra_cli.answers.extraction import boxed_sentences
from libra_cli.answers.extraction.retractions import changed
from libra_cli.answers.languages import commas, names
from libra_cli.answers.sentences import (
    asked_units,
    assertions,
    contradictions,
    denials,
    displays,
    options,
    statements,
)
from libra_cli.answers.sentences.extracted import (
    AMBIGUOUS,
    NO_ANSWER,
    OTHER_ANSWER,
    RETRACTED,
    TRUNCATED,
    UNDECIDED,
    Extraction,
    extraction,
)
from libra_cli.answers.text import boxes, damage, informal, number, orders, turns
from libra_cli.answers.values import conversions, dates, normalize, part_labels, science, structure
from libra_cli.lazy_pattern import in_small_letters, lazy_pattern

__all__ = ["AMBIGUOUS", "NO_ANSWER", "RETRACTED", "TRUNCATED", "Extraction", "final_answer", "read_answer"]

_SHORT, _FEW_CHARS, _NEAR_END = 64, 5, 200
_BOUNDS = ("<", ">", "\\le", "\\ge", "\u2264", "\u2265")
_ARITHMETIC = lazy_pattern(
    r"(?:[\d\s+*/^(){}.!\u00d7\u00b7\u00f7\u2212-]|\\(?:[dt]?frac|times|cdot|div|sqrt)(?![A-Za-z]))+"
)
"""A calculation in digits, whose result stands behind an equals sign."""
_CONSTANT = lazy_pattern(r"\+ ?(?:\\text\s*\{ ?)?const(?:ant\b(?! of)|\.|\b)(?: ?\})?")
_FORMULA_OF_CIRCLE = lazy_pattern(r"(?:\u03c0|\\pi)\s*[a-z]|[a-z\u00b2\u00b3]\s*(?:\u03c0|\\pi)(?![a-z])")
_LETTER = lazy_pattern(r"(?<!\\)\b(?!pi\b)[a-zA-Z]")
_GREEK = lazy_pattern(r"[\u0391-\u03a9][\u03ac-\u03ce]{3}")
_NOT_PLAIN = ("box", "\\", "{", "!", "~~")
"""What a text holds that is read as a whole: boxes, formulas, exclamations, what is struck out."""
_WORD_BEHIND = lazy_pattern(r"[$ ]{1,4}([A-Za-z]{3,12})\b")
_WORDED = lazy_pattern(r"\\text\s*\{([^{}]*[A-Za-z]{2,} [^{}]*)\}")


def final_answer(text: str) -> str | None:
    """Extract the final answer from `text`, which follows the thinking; None if it has none."""
    return read_answer(text).answer


def read_answer(
    text: str, reference: str | None = None, cut: bool | None = None, question: str | None = None
) -> Extraction:
    """Extract the final answer from `text`, which follows the thinking.

    `reference` says what kind of answer is asked for. `cut` says whether the text was cut off; None if that is unknown.
    `question` tells what is given from what is new.
    """
    own = turns.own_turn(text, question)
    text, cut = own, cut and not turns.is_beginning(own, text)  # then another turn was cut off
    if reference and not cut and text.strip() == reference.strip():  # before any other rule
        return Extraction(reference.strip())
    text = displays.with_brackets(damage.repaired(text))
    plain = None if cut or not reference or not reference.isdecimal() else _plain_integer(text)
    if plain is not None and "change" not in (question or ""):
        return plain
    found, text, cut = _found(text, reference, cut, question)
    are_integers = reference and found.answer and reference.isdecimal() and found.answer.isdecimal()
    if are_integers and not question:
        return found  # as most
    asked_for = _Asked(text, (reference or "").strip(), bool(cut), question or "")
    for correct in _OF_INTEGERS if are_integers else _CORRECTIONS:
        found = correct(found, asked_for)
    return found


def _plain_integer(text: str) -> Extraction | None:
    """The integer behind `####` or `A:` that a text ends in, as most do, if nothing in it asks for a closer look."""
    if not text[-1:].isdigit() or any(map(text.__contains__, _NOT_PLAIN)):
        return None
    word = statements.word_of_last_line(text)
    is_integer = word is not None and word.isdecimal() and word.isascii() and text.endswith(word)
    return extraction((word, None)) if is_integer else None


def _found(
    text: str, reference: str | None, cut: bool | None, question: str | None
) -> tuple[Extraction, str, bool | None]:
    """What is read from a text, the text as it was read, and whether that was cut off."""
    if "\u2044" in text:
        text = normalize.with_slashes(text)
    if cut is None and statements.goes_on(text):
        text, cut = statements.before_check(text)
    if cut:
        from libra_cli.answers.sentences import extras

        complete = turns.before_loop(text) or extras.before(text)
        text, cut = (complete, False) if complete else (text, cut)
    if ("\\" in text or "{" in text) and "box" not in text:
        from libra_cli.answers.text import undelimited

        text = undelimited.with_dollars(text)
    if "const" in text:
        text = _CONSTANT.sub("+ C", text)
    if "!" in text:
        text = informal.without_exclamations(text, reference or "", question or "")
    if "~~" in text:
        text = denials.STRUCK.sub("", text)
    if "box" not in text:
        text = denials.with_pause(denials.without_rejected(denials.without_opinion(denials.without_slip(text))))
    return _read(text, reference, cut, question), text, cut


class _Asked(NamedTuple):
    """A text and what is asked for."""

    text: str
    reference: str
    """Empty if it is unknown."""
    cut: bool
    question: str
    """Empty if it is unknown."""


def _ordered(found: Extraction, asked_for: _Asked) -> Extraction:
    """`A, then C, then B`: an order of the things that the question names."""
    text, reference, _, question = asked_for
    if not reference or found.reason not in (None, AMBIGUOUS, NO_ANSWER):
        return found
    order = orders.stated(found.answer or "", reference, question)
    text = science.with_symbols(text, reference) if order is None else text
    order = orders.stated(text, reference, question) if order is None else order
    return Extraction(order) if order else Extraction(None, OTHER_ANSWER) if order == "" else found


def _unread(found: Extraction, asked_for: _Asked) -> Extraction:
    """A text that states something of the kind of the reference has an answer, which nothing here reads."""
    if found.reason != NO_ANSWER or not asked_for.reference or asked_for.cut:
        return found
    from libra_cli.answers.extraction import certainty

    return UNDECIDED if certainty.is_statement(asked_for.text, asked_for.reference) else found


def _counted(found: Extraction, asked_for: _Asked) -> Extraction:
    """`no solution` as 0, where the question asks how many there are."""
    if not asked_for.reference.isdecimal() or not found.answer or not found.answer[0].isalpha():
        return found
    from libra_cli.answers.extraction import asked
    from libra_cli.answers.sentences import nothing

    if found.answer not in asked.COUNTS:
        return found
    return Extraction(asked.COUNTS[found.answer]) if nothing.asks_how_many(asked_for.question) else UNDECIDED


def _lettered(found: Extraction, asked_for: _Asked) -> Extraction:
    """`C` as the text of the option C that the response itself lists, for a reference that is no letter."""
    text, reference, _, question = asked_for
    letter = (found.answer or "").strip(" .()*")
    if len(letter) != 1 or not letter.isupper() or not reference or options.is_letter(reference):
        return found
    listed = {} if letter in question else options.of_question(text)
    return found._replace(answer=listed[letter]) if letter in listed else found


def _worded(found: Extraction, asked_for: _Asked) -> Extraction:
    """`the red ball` as red, where the question asks for the colour of the ball."""
    _, reference, _, question = asked_for
    if not (found.answer and question and reference) or reference.isdecimal() or " " not in found.answer:
        return found
    if " " not in reference and any(map(str.isupper, reference[1:])):  # HCl
        return found
    from libra_cli.answers.extraction import asked

    return found._replace(answer=asked.without_given(found.answer, reference, question))


def _in_greek(found: Extraction, asked_for: _Asked) -> Extraction:
    """`Αθήνα` as Athens: Greek letters stand for themselves in a name, and not for those of formulas."""
    if not found.answer or not asked_for.reference or found.answer.isascii() or not _GREEK.search(found.answer):
        return found
    is_same = names.same(asked_for.reference, found.answer)
    return found if is_same is None else Extraction(asked_for.reference) if is_same else Extraction(None, OTHER_ANSWER)


def _signed(found: Extraction, asked_for: _Asked) -> Extraction:
    """`a decrease of 25%` as -25%, for a negative reference or a question for a change."""
    text, reference, _, question = asked_for
    is_change = found.answer and changes.read(reference)
    if not found.answer or not (is_change or reference[:1] == "-" or "change" in question):
        return found
    from libra_cli.answers.extraction import asked

    if is_change:
        change = changes.stated(asked.last_sentence(text), found.answer)
        return UNDECIDED if change == "" else found._replace(answer=change or found.answer)
    return found._replace(answer=asked.with_sign(found.answer, reference, text, question))


def _unlisted(found: Extraction, asked_for: _Asked) -> Extraction:
    """`y = 15x + 40` is not wrong for certain, where an option is asked for and the question does not list any."""
    _, reference, _, question = asked_for
    if reference.isdecimal():
        return found
    wanted = options.parse(reference) if found.answer and question and len(reference) < _FEW_CHARS else None
    if not wanted or len(wanted.letters) > 1 or wanted.text or found.reason or options.parse(found.answer or ""):
        return found
    listed = options.of_question(question)
    is_open = options.is_rounded(found.answer or "", listed) if listed else len(found.answer or "") > 1
    has_figures = any(map(str.isdigit, "".join(listed.values())))
    is_open = is_open or bool(listed and not has_figures and structure.is_number(found.answer or ""))
    return found._replace(reason=AMBIGUOUS) if is_open else found


def _in_unit(found: Extraction, asked_for: _Asked) -> Extraction:
    """80 of `80 feet` with its unit, where the question asks for inches."""
    text, _, _, question = asked_for
    answer, asks_for_unit = found.answer or " ", " in " in question or "(" in question
    if not asks_for_unit or not (answer[-1].isdigit() or answer[-1] in normalize.RAISED):
        return found
    return found._replace(answer=asked_units.in_its_unit(answer, text[-_NEAR_END:], question))


def _bounded(found: Extraction, asked_for: _Asked) -> Extraction:
    """`n > 2` as the bound of the reference that says the same of integers."""
    text, reference, _, question = asked_for
    if not (found.answer and reference) or found.answer.isalnum() or not any(map(found.answer.__contains__, _BOUNDS)):
        return found
    same = integer_bounds.as_reference(found.answer, reference, f"{text[-_NEAR_END:]} {question}")
    return Extraction(same) if same else found


def _of_term(found: Extraction, asked_for: _Asked) -> Extraction:
    """`15a` of `3a + 5a = 15a`, where the question asks what 3a + 5a is."""
    answer, question = found.answer or "", asked_for.question
    if "\\approx" in answer and answer.partition("\\approx")[0].strip(" $") == asked_for.reference:
        return Extraction(asked_for.reference)  # e \approx 2.718
    if "=" not in answer or "=" in asked_for.reference:
        return found
    left, _, right = answer.rpartition(", ")[2].partition("=")
    is_asked = question and "=" not in question and turns.plain_term(left) == turns.asked_term(question)
    is_worked_out = _FORMULA_OF_CIRCLE.search(left) is not None and not _LETTER.search(right)  # πr² = π·9
    is_asked = is_asked or is_worked_out
    if not is_asked:
        from libra_cli.answers.extraction import chains

        is_asked = chains.is_inside(answer, asked_for.text, asked_for.reference)  # 12:18 = 2:3
    is_asked = is_asked or (structure.is_number(right) and _ARITHMETIC.fullmatch(answer.partition("=")[0]) is not None)
    return found._replace(answer=right.rpartition("=")[2].strip()) if is_asked and right.strip() else found


def _greater(found: Extraction, asked_for: _Asked) -> Extraction:
    """`9.9 > 9.11` as 9.9, where the question asks which one is greater."""
    _, reference, _, question = asked_for
    if not (found.answer and question and reference) or number.is_bare(found.answer):
        return found
    from libra_cli.answers.sentences import greater

    if not any(map(found.answer.__contains__, greater.SIGNS)):
        return found
    side = greater.side(found.answer, reference, question)
    return Extraction(side) if side else found


def _pointed(found: Extraction, asked_for: _Asked) -> Extraction:
    """`12.500,75` with a decimal point; undecided if nobody knows what its marks are."""
    if not found.answer or not ("," in found.answer or "." in found.answer):
        return found
    text, reference, _, question = asked_for
    open_answer = commas.with_open_comma(found.answer, text, question or None)
    if open_answer and structure.is_number(reference):
        return _by_reference(open_answer, reference)
    plain = commas.in_one_notation(found.answer, text, question or None)
    if plain is None or commas.may_be_thousandths(found.answer, plain, reference or None):
        return UNDECIDED
    return found._replace(answer=commas.with_decimal_point(plain, text, question or None))


def _reformed(found: Extraction, asked_for: _Asked) -> Extraction:
    """6/8 is no answer where the question asks for lowest terms, nor (x + 1)(x + 2) where it asks for the expansion."""
    _, reference, _, question = asked_for
    if not (found.answer and question and reference) or reference.isdecimal() or found.reason:
        return found
    from libra_cli.answers.extraction import requested_form  # which loads the parser of formulas

    is_another = requested_form.is_another(found.answer, reference, question)
    return Extraction(None, OTHER_ANSWER) if is_another else found


def _by_reference(answer: str, reference: str) -> Extraction:
    """`2,375` with a decimal point, unless the reference is 2375: then nobody knows which of the two it is."""
    from libra_cli.answers.comparison import equal

    grouped = equal.decide_quickly(reference, answer.replace(",", ""))
    return UNDECIDED if grouped is None or grouped.equal is not False else Extraction(answer.replace(",", "."))


_CORRECTIONS = (
    *(_ordered, _unread, _counted, _lettered, _worded, _in_greek, _signed, _unlisted),
    *(_of_term, _in_unit, _greater, _bounded, _pointed, _reformed),
)
"""What is done to the answer that was read, in order: each returns it as it is where it does not apply."""
_OF_INTEGERS = (_signed, _in_unit)
"""Those that may change an integer where the reference is one."""


def _read(text: str, reference: str | None, cut: bool | None, question: str | None) -> Extraction:
    box = None
    start = text.rfind("\\boxed{")
    if start >= 0 or "box" in text:
        if start < 0:
            text = boxes.with_backslashes(text)
            start = text.rfind("\\boxed{")
        box = boxes.last(text)
        if box is None or start >= box.end:
            unclosed = boxes.left_open(text)
            said_before = box is not None and unclosed and box.content.startswith(unclosed)
            if unclosed is not None and not said_before:
                inside, closing, _ = unclosed.partition("$")
                if not cut and closing and inside.strip():  # only the brace is missing
                    return Extraction(inside.strip())
                return Extraction(unclosed) if unclosed and cut is False else Extraction(None, TRUNCATED)
        is_blank = box is not None and box.content.strip("{} .").lower() in boxes.PLACEHOLDERS
        if box is not None and is_blank and (reference or "").lower() not in box.content.lower():
            text, box = text[: box.start] + text[box.end :], None
        if box is not None and not box.content.strip("\\,;:! "):
            text, box = boxes.without_empty(text), None
    if reference is not None and not reference.isdecimal() and options.is_letter(reference):
        from libra_cli.answers.extraction import choices  # which most texts do not need

        chosen = choices.chosen(text, reference, box, cut, question)
        if chosen is not None:
            return chosen
    if box is None:
        return _without_box(text, reference, cut, question)
    return _of_box(text, box, start, reference, cut, question)


def _of_box(
    text: str, box: boxes.Box, start: int, reference: str | None, cut: bool | None, question: str | None
) -> Extraction:
    """What the last box of a text answers, in view of those before `start` and of what the text says behind it."""
    from libra_cli.answers.extraction import after_box

    if reference and not reference.isdecimal() and text.count("\\boxed{") > 1:
        by_parts = after_box.of_parts(text, reference)
        if by_parts:
            return Extraction(by_parts)
    if contradictions.in_boxes(text, box.start, reference):
        return UNDECIDED
    if reference and ")" in reference and "\\boxed{" in text[:start]:
        by_parts = part_labels.stated(statements.tail_of(text), reference, _no_conclusion)
        if by_parts:
            return Extraction(by_parts)
    after = text[box.end :]
    if len(after) > _FEW_CHARS and (change := changed(after, after_box=True, cut=cut)):  # most texts end in the box
        return change
    is_split = box.content.rstrip("}")[-1:] == "千" and after.lstrip("$ ")[:1] in tuple("克米瓦焦伏")
    if after[:1].isdigit() or is_split:  # \\boxed{1}2, \\boxed{3千}克
        return UNDECIDED
    value = after_box.carried_out(box.content, after, reference) if reference and "=" in after[:_FEW_CHARS] else None
    if value:
        return Extraction(value)
    if len(after) > _FEW_CHARS and not cut:
        later = after_box.answer(text, box, reference)
        if later is not None:
            return later
    may_be_sentence = reference and ("\\" in box.content or not box.content.isascii())
    if may_be_sentence and reference and (said := boxed_sentences.read(box.content, reference, question)):
        return said
    answer = box.content if box.content.isalnum() else _in_box(box.content)
    if reference is not None and not reference.isdecimal():
        answer = _with_unit_behind(answer, after, reference)
    return extraction((answer, None))


def _without_box(text: str, reference: str | None, cut: bool | None, question: str | None) -> Extraction:
    """What a text without a box answers: most end with a line such as `#### 42`, and need no reader of sentences."""
    is_plain = not cut and (not reference or reference.isdecimal())
    word = statements.word_of_last_line(text) if is_plain else None
    may_be_rounded = (
        word is not None and "." in word and any(map(in_small_letters(text).__contains__, statements.ROUNDING))
    )
    if word is not None and not may_be_rounded:
        return extraction((word, None))
    from libra_cli.answers.extraction import prose  # which loads all readers of sentences

    return prose.read(text, reference, cut, question)


def _no_conclusion(_: str) -> None:
    """A part without a box says nothing for certain where others have one."""


def _with_unit_behind(answer: str, after: str, reference: str) -> str:
    """The answer in a box with the unit that stands right behind it, if the reference has a unit: \\boxed{90} hours."""
    if not after[:4].strip("$ "):
        return answer
    word = _WORD_BEHIND.match(after)
    if word is None or not conversions.is_common(word[1].lower()):
        return answer
    needs_unit = reference[-1:].isalpha() or getattr(structure.parse(reference), "unit", None) is not None
    has_unit = getattr(structure.parse(answer), "unit", None) is not None
    return f"{answer} {word[1]}" if needs_unit and not has_unit else answer


def _in_box(content: str) -> str:
    """The answer in a box: without a contrast ("not 43"), the last member of a chain of equations, or of a sentence."""
    if content.isalnum():
        return content
    if "\\)" in content and "\\(" not in content:  # \\( \\boxed{18 \\) }
        content = content.partition("\\)")[0].strip()
    if "\\begin" in content:
        return displays.in_rows(content) or content
    if content.startswith("\\text") and (formula := displays.behind_words(content)):
        return formula
    worded = _WORDED.fullmatch(content) if "\\text" in content else None
    if worded and any(map(str.isdigit, content)) and not dates.is_date(worded[1]):
        return assertions.asserted(worded[1]).answer or content
    return statements.without_remark(content) if "not" in content else content
