"""Extracts the final answer from the text after the thinking.

A text gives candidates, each with its place and how it is stated. They rank in this order:

1. The last complete box (`boxes`).
2. An explicit statement: a tag or a JSON field named answer, "the answer is X", `Answer: X`, `#### X` (`statements`).
3. Text in bold.
4. What the last sentence asserts (`sentences`), or the display that ends the text.
5. The whole text, if it is one short line.

If the reference is an option, a box or a statement that names an option comes first. A candidate that the text takes
back ("that is wrong", "I miscounted") does not count; what is stated after that does. A text that was cut off has no
answer but a complete box, or a statement on a line that it finished.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from libra_cli.answers import (
    abroad,
    asked,
    boxes,
    cases,
    certainty,
    chemistry,
    commas,
    conversions,
    damage,
    dates,
    denials,
    displays,
    languages,
    named,
    normalize,
    numerals,
    options,
    orders,
    phrases,
    quantities,
    sentences,
    statements,
    structure,
    turns,
    typed,
    units,
    words,
)
from libra_cli.lazy_pattern import lazy_pattern

NO_ANSWER, TRUNCATED, AMBIGUOUS, RETRACTED = "no_answer", "truncated", "ambiguous", "retracted"
"""The text gives no answer; it was cut before it gave one; it says something, and no answer for certain; it takes back
the only one."""

_SHORT = 64
_FEW_WORDS, _FEW_CHARS = 4, 5
_WORD_BEHIND = lazy_pattern(r"[$ ]{1,4}([A-Za-z]{3,12})\b")
_SPELLED = lazy_pattern(r"\b(?:hundred|thousand|million|dozen)\b", re.IGNORECASE)
_IS = lazy_pattern(r"\b(?:is|are|equals?(?: to)?)\s")
_WORDED = lazy_pattern(r"\\text\s*\{([^{}]*[A-Za-z]{2,} [^{}]*)\}")


class Extraction(NamedTuple):
    """The final answer of a text, or why it has none."""

    answer: str | None
    reason: str | None = None
    """Beside an answer: why it is not wrong for certain where it is not the reference."""


_extraction: Callable[[tuple[str | None, str | None]], Extraction] = partial(tuple.__new__, Extraction)
"""Makes an Extraction in half the time that Extraction(...) takes."""


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
    text = turns.own_turn(text)
    if (
        reference and not cut and len(text) <= len(reference) + _SHORT and text.strip() == reference.strip()
    ):  # before any other rule
        return Extraction(reference.strip())
    text = displays.with_brackets(damage.repaired(text))
    if cut is None and statements.goes_on(text):
        text, cut = statements.before_check(text)
    if "~~" in text:
        text = denials.STRUCK.sub("", text)
    found = _read(text, reference, cut, question)
    if question and reference and found.reason in (None, AMBIGUOUS, NO_ANSWER):
        ordered = orders.stated(found.answer or "", reference, question) or orders.stated(text, reference, question)
        found = Extraction(ordered) if ordered else found
    if found.reason == NO_ANSWER and reference and not cut and certainty.is_statement(text, reference):
        return Extraction(None, AMBIGUOUS)
    is_number = reference is not None and reference.strip().isdecimal()
    if is_number and found.answer in asked.COUNTS:  # 0 for "no solution", where the question asks how many
        return Extraction(None, AMBIGUOUS)
    if found.answer and question and " in " in question and asked.is_in_another_unit(found.answer, text, question):
        return Extraction(None, AMBIGUOUS)
    if found.answer and commas.groups_may_be_places(found.answer, text):
        return Extraction(None, AMBIGUOUS)
    if found.answer and "," in found.answer:
        return found._replace(answer=commas.with_decimal_point(found.answer, text, question))
    return found


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
                return Extraction(unclosed) if unclosed and cut is False else Extraction(None, TRUNCATED)
        if box is not None and not box.content:
            text, box = boxes.without_empty(text), None
    if reference is not None and not reference.isdecimal() and options.is_letter(reference):
        listed = options.of_question(question) if question else {}
        option = _option(text, box, cut)
        if option is not None and listed and options.is_none_of(option, listed):
            option = None
        if box is None and not cut:
            tail = statements.tail_of(text)
            last = next(statements.explicit(tail), None)
            if last and options.wavers(last.given):
                return Extraction(None, AMBIGUOUS)
            option = options.said_or_chosen(tail, listed, option, reference) if listed else option
        if option is not None:
            return Extraction(option or None, None if option else AMBIGUOUS)
        if box is None and not cut:
            wanted = options.parse(reference.strip())
            found = _in_prose(text, wanted.text or reference if wanted else reference, cut, question)
            if wanted and len(wanted.letters) > 1 and found.answer and " or " in found.answer:
                return Extraction(None, AMBIGUOUS)
            if listed and found.reason == NO_ANSWER and phrases.says_something(text):
                return Extraction(None, AMBIGUOUS)
            is_silent = found.reason != NO_ANSWER or not options.are_named(text)
            return found if is_silent else Extraction(None, AMBIGUOUS)
    if box is None:
        return _in_prose(text, reference, cut, question)
    after = text[box.end :]
    if len(after) > _FEW_CHARS and (changed := _changed(after, after_box=True, cut=cut)):  # most texts end in the box
        return changed
    answer = box.content if box.content.isalnum() else _in_box(box.content)
    if reference is not None and not reference.isdecimal():
        answer = _with_unit_behind(answer, after, reference)
    return _extraction((answer, None))


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


def _option(text: str, box: boxes.Box | None, cut: bool | None) -> str | None:
    """The option that a text names in its last box or chooses in words; None if it names none for certain."""
    after = text[box.end :] if box is not None else ""
    changed = _changed(after, after_box=True, cut=cut) if len(after) > _FEW_CHARS else None
    if box is not None and not changed and options.parse(box.content):
        return box.content
    tail = statements.tail_of(text)
    found = [statement for statement in statements.explicit(tail) if not cut or statement.end < len(tail.rstrip())]
    changed = _changed(tail[found[0].start :], False, cut) if found and box is None else None
    if changed and changed.answer and options.parse(changed.answer):
        return changed.answer
    stated = [statement.given for statement in found]
    return options.chosen("" if cut else tail, stated)


def _changed(after: str, after_box: bool, cut: bool | None) -> Extraction | None:
    """What a text says after its answer, if it takes the answer back; None if it does not."""
    denied = denials.DENIED_AT_ONCE.match(after) if after_box else None
    if denied is None:
        after = after[-statements.TAIL_CHARS :]
        if not any(map(after.lower().__contains__, denials.CHANGES)):
            return None
        denied = next(filter(denials.is_about_the_answer, denials.DENIED.finditer(after)), None)
    doubted = None if denied else denials.DOUBTED.search(after)
    change = denied or doubted
    if change is None:
        return None
    rest = after[change.end() :]
    tail = statements.tail_of(rest)
    for statement in statements.explicit(tail):
        if not cut or statement.end < len(tail.rstrip()):
            return _of_asserted(statements.tidy(statement.given))
    if doubted:
        again = denials.RESTATED.search(rest)
        given = (again["given"] or again["subject"]) if again else ""
        return _of_asserted(statements.tidy(given.rstrip(")") if "(" not in given else given)) if given else None
    if cut:
        return Extraction(None, TRUNCATED)
    restated = languages.restated(tail)
    if restated:
        return _of_asserted(statements.tidy(restated))
    concluded = _concluded(tail.lstrip(" .,;:!")) if rest.strip() else sentences.Asserted(None)
    return Extraction(concluded.answer) if concluded.answer else Extraction(None, RETRACTED)


def _in_prose(text: str, reference: str | None, cut: bool | None, question: str | None = None) -> Extraction:
    """The answer of a text without a box."""
    word = None if cut else statements.word_of_last_line(text)
    if word is not None:
        return _extraction((word, None))
    tail = statements.tail_of(text)
    if reference and dates.dates(reference):
        tail = languages.with_english_dates(tail)
    tagged = statements.tagged(tail)
    if tagged is not None:
        return _of_asserted(statements.tidy(tagged.given), reference)
    if statements.contradict(tail):
        return Extraction(None, AMBIGUOUS)
    for statement in statements.explicit(tail):
        if cut and statement.end >= len(tail.rstrip()):
            break
        changed = _changed(tail[statement.start :], False, cut)
        listed = named.read(statement.given, reference) if reference else None
        asserted = sentences.Asserted(listed) if listed else statements.tidy(statement.given)
        if not changed and sentences.denies((asserted.answer or "").partition(" ")[0]):  # "not 7. It is 5."
            asserted = _concluded(tail[statement.start :])
        return changed or _of_asserted(asserted, reference)
    if cut:
        return Extraction(None, TRUNCATED)
    stated = languages.stated_answer(tail)
    if stated:
        changed = _changed(tail[tail.rfind(stated) + len(stated) :], False, cut)
        return changed or _of_asserted(statements.tidy(stated), reference)
    if reference and not reference.isdecimal() and (pieces := cases.stated(tail, normalize.normalized(reference))):
        return Extraction(pieces)
    found = typed.stated(tail, reference) if reference else None
    if found is not None and reference:
        return _unless_misread(Extraction(found), tail, reference) if found else Extraction(None, AMBIGUOUS)
    bold = statements.bold(tail)
    if reference and (listed := named.read(bold.given if bold else "", reference) or named.read(tail, reference)):
        return Extraction(listed)
    if bold is not None and any(map(str.isdigit, bold.given)):
        return _of_asserted(statements.tidy(bold.given), reference)
    if reference and (found := chemistry.stated(tail, reference) or asked.dated(tail, reference)):
        return Extraction(found)
    if reference is not None and phrases.are_asked_for(reference):
        if asked.is_hedged(tail, reference):
            return Extraction(None, AMBIGUOUS)
        said = asked.known(tail, reference) or asked.either(tail, reference) or asked.term(tail, reference)
        if not said and not phrases.is_verdict(reference):
            said = asked.name(bold.given if bold else tail, reference, question)
        elif not said:
            said = phrases.verdict(words.sentences(tail), reference)
            said = said or asked.verdict(tail, question)
        return Extraction(said) if said else _in_words(tail, text, reference, bold)
    if reference and phrases.is_time_in_words(tail):
        return Extraction(None, AMBIGUOUS)
    read = _in_numbers(tail, text, reference, bold, question)
    if read.answer is None and not words.in_row(reference or "") and (said := asked.counted(tail)):
        return Extraction(said)
    if reference and asked.is_of_several(reference) and typed.is_a_part(read.answer, tail):
        return Extraction(None, AMBIGUOUS)
    if reference and read.answer and cases.is_one_piece(*map(normalize.normalized, (read.answer, reference))):
        return Extraction(None, AMBIGUOUS)
    return read


def _in_numbers(
    tail: str, text: str, reference: str | None, bold: statements.Statement | None, question: str | None
) -> Extraction:
    """What the last sentence of a text in prose asserts, its bold text, or the whole of a short one."""
    sentence = words.sentences(tail)[-1]
    tail = commas.with_decimal_points(tail, question)
    if reference and reference.startswith("0."):  # 5 percent is no 5
        tail = tail.replace(" per cent", " percent").replace(" percent ", "% ").replace(" percent.", "%.")
    in_digits = tail
    if reference and any(map(str.isdigit, reference)):
        in_digits = abroad.glossed(tail)
        in_digits = _with_digits(tail) if in_digits is tail else in_digits
    concluded = _drawn(tail) or _concluded(in_digits)
    if not concluded.answer and in_digits is not tail and abroad.language_of(sentence) in abroad.WITHOUT_SPACES:
        concluded = _concluded(abroad.with_small_words(in_digits))
    counted = languages.concluded_number(tail) if not concluded.answer else None
    if reference and not (counted or concluded.answer or concluded.unclear or bold):
        counted = numerals.numeral_in(sentence)
    if counted or concluded.answer or concluded.unclear:
        read = _of_asserted(sentences.Asserted(counted) if counted else concluded, reference)
        if read.answer and reference and abroad.may_say_more(sentence):
            return Extraction(None, AMBIGUOUS)
        return _unless_misread(read, tail, reference) if reference else read
    if bold:
        return _of_asserted(statements.tidy(bold.given), reference)
    option = options.chosen(tail, ()) if reference is None else None
    whole = Extraction(option) if option else _whole(text, reference)
    if whole.answer or not reference or not (numerals.is_abroad(sentence) and phrases.says_something(sentence)):
        return whole
    return Extraction(None, AMBIGUOUS)


def _unless_misread(read: Extraction, tail: str, reference: str) -> Extraction:
    """What a last sentence asserts; ambiguous, if it is not the reference, where something speaks against it."""
    misread = read.answer and certainty.may_be_misread(read.answer, tail, reference)
    return Extraction(read.answer, AMBIGUOUS) if misread else read


def _in_words(tail: str, text: str, reference: str, bold: statements.Statement | None) -> Extraction:
    """The answer of a text in prose to a reference in words; ambiguous if the text says what nothing here reads."""
    parts = words.sentences(tail)
    is_verdict = phrases.is_verdict(reference)
    names_verdicts = is_verdict and any(phrases.is_verdict(word) for word in words.split(tail))
    unread = Extraction(None, AMBIGUOUS if names_verdicts or phrases.says_something(text) else NO_ANSWER)
    said = phrases.verdict(parts, reference) if is_verdict else None
    if said:
        return Extraction(said)
    concluded = _concluded(tail)
    found = _of_asserted(statements.tidy(bold.given) if bold and not (concluded.answer or "").isalpha() else concluded)
    if not (concluded.answer or concluded.unclear or bold):
        found = _whole(text, reference)
    if is_verdict:
        return found if found.answer and phrases.is_verdict(found.answer) else unread
    complement = phrases.complement(parts[-1])
    if complement and not bold:
        return Extraction(complement)
    is_count = phrases.is_count(reference) and not asked.is_doubted(tail)
    is_number = any(map(str.isdigit, found.answer or "")) and not is_count
    return found if found.answer and not is_number else unread


def _with_digits(tail: str) -> str:
    """`tail` with the numerals in words of its last sentence as digits."""
    sentence = tail.rstrip()
    last = sentence.rstrip(".!").rpartition(" ")[2]
    line = sentence[sentence.rfind("\n") + 1 :]
    measured = units.end_of(f" {last}", 0) > 1 or " and a half" in line[-_SHORT:] or _SPELLED.search(line)
    if any(map(str.isdigit, line[-_SHORT:])) and words.number(last) is None and not measured:  # as most
        return tail
    start = len(sentence) - len(words.sentences(sentence)[-1])
    return sentence[:start] + phrases.with_digits(sentence[start:])


def _of_asserted(asserted: sentences.Asserted, reference: str | None = None) -> Extraction:
    """The answer that is asserted, with its unit if the reference has one."""
    is_money = (asserted.answer or "").startswith(("$", "\\$", "\u20ac", "\u00a3"))
    measured = None if is_money or not reference or reference.isdecimal() else asserted.measured
    if measured and reference and quantities.is_quantity(reference):
        return Extraction(measured)
    if asserted.answer and not (asserted.of_limit and reference and structure.is_number(reference)):
        return Extraction(asserted.answer)
    return Extraction(None, AMBIGUOUS if asserted.unclear or asserted.answer else NO_ANSWER)


def _concluded(tail: str) -> sentences.Asserted:
    """What the end of a text asserts: its last display, or its last sentence with more than a few words."""
    tail = tail.strip()
    displayed = displays.of_end(tail)
    if displayed is not None:
        return displayed
    line = tail.rpartition("\n")[2]
    *earlier, last = words.sentences(line)[-3:]
    kept = [sentence for sentence in earlier if not sentences.is_aside(sentence)]
    for sentence in reversed([*kept, last] if not kept or not sentences.is_aside(last) else kept):
        if "<<" in (sentence := sentences.without_calculations(sentence)):
            break  # cut within a calculation
        found = sentences.asserted(sentence)
        if found.answer or found.unclear:
            return found
        if len(sentence.split()) > _FEW_WORDS or any(map(str.isdigit, sentence)):
            predicate = _predicate(sentence)
            return sentences.Asserted(predicate) if predicate else displays.before_remark(tail) or found
    return displays.before_remark(tail) or sentences.Asserted(None)


def _drawn(tail: str) -> sentences.Asserted | None:
    """What the clause asserts that a Chinese sentence concludes with; None if there is none, or nothing for certain."""
    clause = asked.concluding_clause(tail)
    drawn = sentences.asserted(clause) if clause else None
    return drawn if drawn and drawn.answer else None


def _predicate(sentence: str) -> str | None:
    """The one or two words after the only "is" of a sentence without a number."""
    parts = _IS.split(phrases.REMARKS.sub("", sentence))
    if len(parts) != 2 or sentences.denies(sentence):
        return None
    predicate = parts[1].rstrip(".! ")
    first, _, rest = predicate.partition(" ")
    if words.number(first) is not None and not rest.startswith("of "):  # three possible values
        return first
    if not predicate or len(predicate) > _SHORT or words.in_row(predicate) or predicate.count("$") % 2:
        return None
    return predicate


def _whole(text: str, reference: str | None) -> Extraction:
    """The whole of a short line: with a number, or the few words that answer a reference in words."""
    text = text.strip()
    if len(text) <= _SHORT and "\n" not in text and "\\boxed" not in text and text:
        in_words = reference is not None and reference.replace(" ", "").isalpha() and len(text.split()) <= _FEW_WORDS
        if options.parse(text) or in_words or (any(map(str.isdigit, text)) and not words.in_row(text)):
            return _of_asserted(statements.tidy(text))
    return Extraction(None, NO_ANSWER)


def _in_box(content: str) -> str:
    """The answer in a box: without a contrast ("not 43"), the last member of a chain of equations, or of a sentence."""
    if content.isalnum():
        return content
    if "\\begin" in content:
        return displays.in_rows(content) or content
    worded = _WORDED.fullmatch(content) if "\\text" in content else None
    if worded and any(map(str.isdigit, content)) and not dates.is_date(worded[1]):
        return sentences.asserted(worded[1]).answer or content
    return statements.without_remark(content) if "not" in content else content
