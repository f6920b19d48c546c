"""Extracts the final answer from the text after the thinking.

The last complete box holds it (`boxes`). A text without a box is read by the list of readers in `prose`: an explicit
statement ("the answer is X", `#### X`), text in bold, what the last sentence asserts, or the whole of a short line.

If the reference is an option, a box or a statement that names an option comes first. A candidate that the text takes
back ("that is wrong", "I miscounted") does not count; what is stated after that does. A text that was cut off has no
answer but a complete box, or a statement on a line that it finished. What is found is then adjusted to what the
question asks for (`adjustments`).
"""

from __future__ import annotations

from libra_cli.answers.extraction import adjustments, boxed_sentences
from libra_cli.answers.extraction.retractions import changed
from libra_cli.answers.sentences import (
    assertions,
    contradictions,
    denials,
    displays,
    options,
    phrases,
    statements,
    verifications,
)
from libra_cli.answers.sentences.extracted import (
    AMBIGUOUS,
    NO_ANSWER,
    RETRACTED,
    TRUNCATED,
    UNDECIDED,
    Extraction,
    extraction,
)
from libra_cli.answers.text import boxes, closing_remarks, damage, delimiters, exclusions, informal, turns
from libra_cli.answers.values import conversions, dates, normalize, part_labels, structure, units
from libra_cli.lazy_pattern import in_small_letters, lazy_pattern

__all__ = ["AMBIGUOUS", "NO_ANSWER", "RETRACTED", "TRUNCATED", "Extraction", "final_answer", "read_answer"]

_FEW_CHARS = _FEW_WORDS = 5
_EXACTLY = lazy_pattern(
    r"^(\\text\s*\{ ?|)(?i:exactly|precisely|genau|exactement|exactamente|esattamente|ровно|恰好) ?"
)
_IN_FORMULAS = ("\u00b2", "\u00b3", "\u00ac", "\u2227", "\u2228")
"""Signs of formulas that people type without dollar signs: (x+3)\u00b2, \u00acp."""
_GAPS = lazy_pattern(r"(?<=[^\s|&]) {2,4}(?=[^\s|&])")
"""Spaces between two words where one is enough."""
_REPEATED = lazy_pattern(r"(?<![\d.,])(\d{2,15})(?: \1){2,}(?![\d.,])")
"""A number that a model repeats until it is stopped."""
_AS_WELL = lazy_pattern(r"(?<=[\d$)}]) as well as (?=\$?(?:[a-z] ?= ?)?[-\u2212]?\d)")
"""What joins two values: x = 5 as well as x = -2."""
_CONSTANT = lazy_pattern(r"\+ ?(?:\\text\s*\{ ?)?const(?:ant\b(?! of)|\.|\b)(?: ?\})?")
_ONE_AND = lazy_pattern(
    r"(?:(?<=takes )|(?<=took )|(?<=lasts )|(?<=lasted )|(?<=needs )|(?<=about )|(?<= (?:in|is) )|(?<= (?:for|was) ))"
    r"an? (?=(?:hour|day|week|minute|met(?:er|re)|kilomet(?:er|re)|mile|foot|yard|dollar|pound|kilogram) and \d)"
)
"""The article of the first of two units: an hour and 90 minutes."""
_CHECK_BOX = lazy_pattern(
    r"(?<=\S) ?\((?i:check|checking|as a check)[:,]? (?![^()]{0,200}\b(?:no|not|must|wrong|should|instead|actually)\b)"
    r"[^()]{0,120}\\boxed\{[^{}]{0,60}\}[^()]{0,120}\)"
)
"""A check in brackets that has a box of its own."""
_NOT_PLAIN = ("box", "\\", "{", "!", "~~")
"""What a text holds that is read as a whole: boxes, formulas, exclamations, what is struck out."""
_SIGN = lazy_pattern("[\u4e00-\u9fff]")
_WORD_BEHIND = lazy_pattern(r"[$ ]{1,4}([A-Za-z]{3,12})\b")
_WORD_LAST = lazy_pattern(r"[A-Za-z]{2}\}?$")
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
    text = text.lstrip() if cut else text.strip()
    own = turns.own_turn(text, question)
    text, cut = own, cut and not turns.is_beginning(own, text)  # then another turn was cut off
    if reference and not cut and text.strip() == reference.strip():  # before any other rule
        return Extraction(reference.strip())
    text = displays.with_brackets(damage.repaired(delimiters.in_one_form(text)))
    plain = None if cut or not reference or not reference.isdecimal() else _plain_integer(text)
    if plain is not None and "change" not in (question or ""):
        return plain
    text, cut = _as_read(text, reference, cut, question)
    if not text.isascii() and reference and not cut and denials.CROSS.search(text):
        if denials.CROSS_AT_BOX.search(text):
            return UNDECIDED
        may_be_cross = denials.CROSS.search(reference) or phrases.is_verdict(reference) or options.is_letter(reference)
        kept = text if may_be_cross or "box" in text else denials.without_crossed(text)
        if kept is None:
            return UNDECIDED
        text = kept
    if not cut and text[-1:].isalpha() and text.rpartition("\n")[2].count(" ") > _FEW_WORDS:
        text = f"{text}."  # a sentence, as far as anybody can tell
    return adjustments.adjusted(_read(text, reference, cut, question), text, reference, cut, question)


def _plain_integer(text: str) -> Extraction | None:
    """The integer behind `####` or `A:` that a text ends in, as most do, if nothing in it asks for a closer look."""
    if not text[-1:].isdigit() or any(map(text.__contains__, _NOT_PLAIN)):
        return None
    word = statements.word_of_last_line(text)
    is_integer = word is not None and word.isdecimal() and word.isascii() and text.endswith(word)
    return extraction((word, None)) if is_integer else None


def _as_read(text: str, reference: str | None, cut: bool | None, question: str | None) -> tuple[str, bool | None]:
    """A text as it is read, without what it strikes out, rejects or checks, and whether it was cut off."""
    if "  " in text and "`" not in text:
        text = _GAPS.sub(" ", text)
    if "\u2044" in text:
        text = normalize.with_slashes(text)
    if cut is None and statements.goes_on(text):
        text, cut = verifications.before_check(text)
    if cut:
        from libra_cli.answers.sentences import extras

        complete = turns.before_loop(text) or extras.before(text)
        text, cut = (complete, False) if complete else (text, cut)
    is_formula = "\\" in text or "{" in text or any(map(text.__contains__, _IN_FORMULAS))
    if is_formula and "box" not in text:
        from libra_cli.answers.text import undelimited

        text = undelimited.with_dollars(text)
    if " and " in text and (" an " in text or " a " in text):
        text = _ONE_AND.sub("1 ", text)
    text = closing_remarks.without(text)
    if reference is not None:
        text = closing_remarks.without_substance(text, reference)
    text = _REPEATED.sub(r"\1", exclusions.as_conditions(text))
    if " as well as " in text:
        text = _AS_WELL.sub(" and ", text)
    if "const" in text:
        text = _CONSTANT.sub("+ C", text)
    if text.count("\\boxed{") > 1 and "check" in text.lower():
        text = _CHECK_BOX.sub("", text)
    if "!" in text:
        text = informal.without_exclamations(text, reference or "", question or "")
    if "~~" in text:
        text = denials.STRUCK.sub("", text)
    if "box" not in text:
        text = denials.with_pause(denials.without_rejected(denials.without_opinion(denials.without_slip(text))))
    return text, cut


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
        if box is not None and not box.content.isalnum():
            box = box._replace(content=boxes.bare(box.content))
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
        # A part without a box says nothing for certain where others have one.
        by_parts = part_labels.stated(statements.tail_of(text), reference, lambda part: None)
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
        numbered = after_box.numbered_option(after, box.content, question) if later is None and question else None
        later = Extraction(numbered) if numbered else later
        if later is not None:
            return later
    if reference and "=" in after and after_box.defines_other(reference, box.content, after):
        return UNDECIDED
    if reference and not box.content.isalnum():
        box = box._replace(content=after_box.in_form_of(reference, box.content, after))
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


def _with_unit_behind(answer: str, after: str, reference: str) -> str:
    """The answer in a box with the unit that stands right behind it, if the reference has a unit: \\boxed{90} hours."""
    if not after[:4].strip("$ "):
        return answer
    sign, end = after.lstrip("$ ")[:1], after.lstrip("$ ")[1:2]
    is_unit = _SIGN.match(sign) and not end.isalnum() and _SIGN.match(reference[-1:]) and any(map(str.isdigit, answer))
    if is_unit and not (reference.endswith(sign) and any(map(str.isdigit, reference))):
        return f"{answer}{sign}"  # 45 jiao, where yuan are asked for
    word = _WORD_BEHIND.match(after)
    if word and word[1] == "times" and reference.isalpha():
        return f"{answer} times"
    if word is None or not conversions.is_common(word[1].lower()):
        return answer
    needs_unit = _WORD_LAST.search(reference) is not None or units.before_letter(reference) is not None
    needs_unit = needs_unit or getattr(structure.parse(reference), "unit", None) is not None
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
    content = _EXACTLY.sub(r"\1", content)
    if content.startswith("\\text") and (formula := displays.behind_words(content)):
        return formula
    worded = _WORDED.fullmatch(content) if "\\text" in content else None
    if worded and any(map(str.isdigit, content)) and not dates.is_date(worded[1]):
        asserted = assertions.asserted(worded[1])
        return asserted.measured or asserted.answer or content
    return statements.without_remark(content) if "not" in content else content
