"""Reads the option that a text chooses where one is asked for."""

from __future__ import annotations

from libra_cli.answers.extraction import judged_options, prose
from libra_cli.answers.extraction.retractions import changed
from libra_cli.answers.sentences import (
    contradictions,
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

_FEW_CHARS = 5
"""Characters behind a box in which nothing is said."""


def chosen(
    text: str, reference: str, box: boxes.Box | None, cut: bool | None, question: str | None
) -> Extraction | None:
    """The option that a text chooses where one is asked for; None if what is in its box decides."""
    text = text if box else small_options.in_capitals(text)
    listed = options.of_question(question) if question else {}
    checked = None if box or cut else option_checks.right(statements.tail_of(text), question)
    checked = checked or (option_choices.stands_first(text, listed) if listed and not box and not cut else None)
    if checked:
        return Extraction(checked)
    option = _named(text, box, cut)
    if (
        option
        and listed
        and option_texts.has_another_text(option, box.content if box else statements.tail_of(text), listed)
    ):
        return UNDECIDED
    if option is not None and listed and options.is_none_of(option, listed):
        option = None
    if box is not None and listed and option and not options.parse(box.content):
        boxed = [letter for letter, content in listed.items() if _is_text_of(content, box.content)]
        stated = next(statements.explicit(statements.tail_of(text)), None)
        option = boxed[0] if len(boxed) == 1 and stated is None else option
    if box is not None or cut:
        return None if option is None else Extraction(option)
    tail = statements.tail_of(text)
    last = next(statements.explicit(tail), None)
    if last and (option_choices.wavers(last.given) or contradictions.are_stated(tail)):
        return UNDECIDED
    judged = judged_options.chosen(tail, reference, listed, question or "") if option is None else None
    if judged is not None:
        return Extraction(judged) if judged else UNDECIDED
    option = option_texts.said_or_chosen(tail, listed, option, reference, question or "") if listed else option
    if option is not None:
        return Extraction(option) if option else UNDECIDED
    if option_choices.refuses(tail, listed):
        return Extraction(None, NO_ANSWER)
    wanted = options.parse(reference.strip())
    text_of = wanted.text or listed.get(reference.strip(" ()."), reference) if wanted else reference
    text_of = units.set_apart(text_of, question) if listed and question else text_of
    found = prose.read(text, text_of, cut, question)
    if (not found.answer or found.reason) and wanted and text_of is not reference:
        found = prose.read(text, wanted.text or reference, cut, question)
    if wanted and listed and len(wanted.letters) > 1 and found.answer and not options.parse(found.answer):
        return UNDECIDED  # water and ammonia
    is_unread = found.reason == NO_ANSWER and (
        option_choices.are_named(text) or (listed and phrases.says_something(text))
    )
    return UNDECIDED if is_unread else found


def _is_text_of(content: str, box: str) -> bool:
    """Whether a box holds the text of an option."""
    plain = box.replace("\\$", "$").replace("\\%", "%").strip()
    return plain == content.replace("\\$", "$").replace("\\%", "%").strip()


def _named(text: str, box: boxes.Box | None, cut: bool | None) -> str | None:
    """The option that a text names in its last box or chooses in words; None if none, "" if it may be several."""
    after = text[box.end :] if box is not None else ""
    change = changed(after, after_box=True, cut=cut) if len(after) > _FEW_CHARS else None
    if box is not None and not change and options.parse(box.content):
        return box.content
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
