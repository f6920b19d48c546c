"""Reads the option that a text chooses where one is asked for."""

from __future__ import annotations

from collections.abc import Mapping

from libra_cli.answers.extraction import after_box, judged_options, left_over, prose
from libra_cli.answers.extraction.retractions import changed
from libra_cli.answers.sentences import (
    contradictions,
    judgements,
    option_checks,
    option_choices,
    option_texts,
    options,
    phrases,
    small_options,
    statements,
)
from libra_cli.answers.sentences.extracted import NO_ANSWER, UNDECIDED, Extraction
from libra_cli.answers.text import boxes
from libra_cli.answers.values import units
from libra_cli.lazy_pattern import lazy_pattern

_BOLD = lazy_pattern(r"\*\*\(?([A-J])\)?\*\*")
_BOTH = lazy_pattern(r"(?<=\b[A-J]) ?& ?(?=[A-J]\b)")
_SET = lazy_pattern(r"\\\{([A-J](?:, ?[A-J])*)\\\}")
_FEW_CHARS = 5
"""Characters behind a box in which nothing is said."""


def chosen(
    text: str, reference: str, box: boxes.Box | None, cut: bool | None, question: str | None
) -> Extraction | None:
    """The option that a text chooses where one is asked for; None if what is in its box decides."""
    wanted = options.parse(reference.strip())
    if wanted is None:
        return None
    if small_options.is_list(reference):
        text = small_options.all_in_capitals(text)
        box = box._replace(content=small_options.all_in_capitals(box.content)) if box else None
    text = text if box else small_options.in_capitals(text)
    if len(wanted.letters) > 1:
        text = text if box else _joined(text)
        box = box._replace(content=_SET.sub(r"\1", box.content)) if box else None
    listed = options.of_question(question) if question else {}
    is_whole = box is None and not cut
    checked = option_checks.right(statements.tail_of(text), question, len(wanted.letters)) if is_whole else None
    if checked is not None:
        return Extraction(checked) if checked else UNDECIDED
    if is_whole and listed and (first := option_choices.stands_first(text, listed)):
        return Extraction(first)
    said = box.content if box else statements.tail_of(text)
    if (
        len(wanted.letters) > 1
        and not cut
        and (rest := option_choices.all_but(said, listed, question or "")) is not None
    ):
        return Extraction(rest) if rest else UNDECIDED
    if is_whole and len(wanted.letters) > 1 and question:
        judged = judgements.of_each(text.rstrip().rpartition("\n")[2], "ABCDEFGHIJ")
        if len(set(judged.values())) > 1:  # some are called true, and the others false
            asks_wrong = option_checks.asks_wrong(question)
            return Extraction(option_choices.in_order([one for one in judged if judged[one] is not asks_wrong]))
    option = _named(text, box, cut)
    if option and listed and option_texts.has_another_text(option, said, listed):
        return UNDECIDED
    if option is not None and listed and options.is_none_of(option, listed):
        option = None
    if is_whole:
        return _of_whole(text, reference, wanted, listed, option, question)
    if box is not None and listed and option and not options.parse(box.content):
        boxed = [letter for letter, content in listed.items() if _is_text_of(content, box.content)]
        stated = next(statements.explicit(statements.tail_of(text)), None)
        option = boxed[0] if len(boxed) == 1 and stated is None else option
    return None if option is None else Extraction(option)


def _joined(text: str) -> str:
    """`text` with options that are set apart as one list: **D** and **B**, A & C."""
    text = _BOLD.sub(r"\1", text) if text.count("**") > 2 else text
    return _BOTH.sub(" and ", text) if "&" in text else text


def _of_whole(
    text: str,
    reference: str,
    wanted: options.Option,
    listed: Mapping[str, str],
    option: str | None,
    question: str | None,
) -> Extraction:
    """What a text without a box chooses that is not cut off and names `option`, or none."""
    tail = statements.tail_of(text)
    last = next(statements.explicit(tail), None)
    if last and (option_choices.wavers(last.given) or contradictions.are_stated(tail)):
        return UNDECIDED
    left = left_over.option(tail, listed) if listed and (option is None or last is None) else None
    if left:
        return Extraction(left)
    judged = judged_options.chosen(tail, len(wanted.letters), listed, question or "") if option is None else None
    if judged is not None:
        return Extraction(judged) if judged else UNDECIDED
    option = option_texts.said_or_chosen(tail, listed, option, reference, question or "") if listed else option
    if option is not None:
        return Extraction(option) if option else UNDECIDED
    if option_choices.refuses(tail, listed):
        return Extraction(None, NO_ANSWER)
    found = _by_text(text, reference, wanted, listed, question)
    is_unread = found.reason == NO_ANSWER and (
        option_choices.are_named(text) or (listed and phrases.says_something(text))
    )
    return UNDECIDED if is_unread else found


def _by_text(
    text: str, reference: str, wanted: options.Option, listed: Mapping[str, str], question: str | None
) -> Extraction:
    """What a text that chooses no option says, where the text of an option is the answer: water and ammonia."""
    content = wanted.text or listed.get(reference.strip(" ()."), reference)
    content = units.set_apart(content, question) if listed and question else content
    found = prose.read(text, content, False, question)
    if (not found.answer or found.reason) and content is not reference:
        found = prose.read(text, wanted.text or reference, False, question)
    is_of_several = listed and len(wanted.letters) > 1
    return UNDECIDED if is_of_several and found.answer and not options.parse(found.answer) else found


def _is_text_of(content: str, box: str) -> bool:
    """Whether a box holds the text of an option."""
    plain = box.replace("\\$", "$").replace("\\%", "%").strip()
    return plain == content.replace("\\$", "$").replace("\\%", "%").strip()


def _named(text: str, box: boxes.Box | None, cut: bool | None) -> str | None:
    """The option that a text names in its last box or chooses in words; None if none, "" if it may be several."""
    after = text[box.end :] if box is not None else ""
    change = changed(after, after_box=True, cut=cut) if len(after) > _FEW_CHARS else None
    if box is not None and not change and options.parse(box.content):
        return after_box.option(after, cut) or box.content
    tail = statements.tail_of(text)
    stated = statements.explicit(tail)
    found = [*filter(None, (statements.finished(one, tail) for one in stated))] if cut else [*stated]
    change = changed(tail[found[0].start :], False, cut) if found and box is None else None
    if change and change.answer and options.parse(change.answer):
        return change.answer
    again = option_choices.after_doubt(tail[found[0].start :]) if found and box is None and not cut else None
    if again is not None:
        return again
    return option_choices.chosen("" if cut else tail, [statement.given for statement in found])
