"""`reason`: answer a problem; the outcome is the final answer, which must equal the reference."""

from __future__ import annotations

from libra_cli.answers.comparison import approximations, domains, one_form, percent
from libra_cli.answers.extraction import bases, extract, references
from libra_cli.answers.languages import commas, option_signs, ratios
from libra_cli.answers.process import pool
from libra_cli.answers.sentences import alternatives, asked_names, asked_units, extracted, options, truth_values
from libra_cli.answers.text import instructions, turns
from libra_cli.answers.values import blanks, units
from libra_cli.invisible import visible
from libra_cli.tasks import template as templates
from libra_cli.tasks.task import (
    AnswerTask,
    GeneratedText,
    Messages,
    Outcome,
    Record,
    Verdict,
    is_call,
    is_cut_short,
    quick_verdict,
    with_system,
)

THINKING, DIRECT = "reason-thinking", "reason-direct"
"""The built-in templates: `prompts/NAME.txt`."""

NO_RESPONSE, NO_ANSWER, TRUNCATED = "no_response", extract.NO_ANSWER, extract.TRUNCATED
"""The text ends inside its thinking; it is complete and gives no answer; it was cut before it gave one."""
IN_THINKING = "in_thinking"
"""The text ends inside its thinking, and its model ended it there."""
OTHER_ANSWER = extracted.OTHER_ANSWER
"""The text is complete and answers something else than the question: it says what somebody else has."""
_OPEN_REASONS = frozenset((extracted.AMBIGUOUS, "unparsable_answer", "unparsable_reference", "equation_or_value"))
"""Why a complete text that was read to its end is undecided."""
TOOL_CALL = "tool_call"
"""The text ends with a call of a tool, whose result the answer waits for."""


def prompt(record: Record, template: str | None = None, system: str | None = None) -> Messages:
    """Asks for an answer; without `template` the model is asked to think first."""
    text = templates.load(THINKING) if template is None else template
    values = {name: str(value) for name, value in record.items() if isinstance(value, (str, int, float))}
    return with_system(system, [{"role": "user", "content": templates.fill(text, values)}])


def read(text: GeneratedText) -> Verdict:
    """The final answer of the text after the thinking."""
    return answer(text, {})


def answer(text: GeneratedText, record: Record) -> Verdict:
    """The final answer like `read`; the reference of `record` says whether an option is asked for."""
    if text.response is None:
        is_whole = text.finish_reason is not None and not is_cut_short(text.finish_reason)
        return Verdict(None, IN_THINKING if is_whole else NO_RESPONSE)
    if is_call(text.finish_reason):
        return Verdict(None, TOOL_CALL)
    reference = record.get("reference")
    response = visible(text.response)
    cut = None if text.finish_reason is None else is_cut_short(text.finish_reason)
    question = record.get("question")
    if reference is not None:
        reference = visible(str(reference))
    wanted = None if reference is None else references.final(reference)
    if reference and wanted and wanted is not reference and not cut and response.strip() == reference.strip():
        return quick_verdict((wanted, None))  # the same text is right, remarks included
    asked = instructions.without(visible(question)) if isinstance(question, str) else None
    if asked and wanted and option_signs.alphabet_of(wanted):
        wanted, response, asked = option_signs.with_latin(wanted, response, asked)
    if asked and wanted and not wanted.isdecimal():
        wanted, asked = options.in_capitals(wanted, asked)
        wanted = options.as_letter(wanted, asked)
    if asked and wanted and len(wanted) > 1 and any(map(str.isdigit, wanted[:2])):
        wanted = options.as_figure(wanted, asked)
    pointed = commas.with_decimal_reference(wanted, response, asked) if wanted and "," in wanted else wanted
    found = extract.read_answer(response, pointed, cut, asked)
    if found.reason in (extract.AMBIGUOUS, extract.NO_ANSWER) and asked and wanted and any(map(str.isdigit, wanted)):
        letter = options.as_letter(wanted, asked, are_figures=True)  # hence choice B
        found = found if letter == wanted else extract.read_answer(response, letter, cut, asked)
    if asked and wanted and found.answer and len(found.answer) == 1:
        found = found._replace(answer=options.with_brackets(found.answer, response, wanted, asked))
    has_figure = any(map(str.isdigit, found.answer or "")) and any(map(str.isdigit, response))
    if asked and wanted and _is_figure(wanted) and not has_figure:
        found = _chosen(found, response, wanted, cut, asked)
    if pointed != wanted and found.answer:
        found = found._replace(answer=commas.like_reference(found.answer))
    if found.answer and "%" in found.answer and wanted and percent.is_converted(response):
        found = found._replace(answer=percent.without_sign(wanted, found.answer) or found.answer)
    if found.answer and found.answer[0] == "(" and wanted and wanted[0] == "-":
        found = found._replace(answer=one_form.without_remark(found.answer, response))
    return quick_verdict((found.answer, found.reason))


def pair(outcome: Outcome, record: Record, response: str | None = None) -> tuple[str, str]:
    """`reference` and the answer, both as texts if one is the letter of an option that the question lists.

    25% is 25 where the question asks for a percentage, or the `response` says that it gives one. Without `response`,
    that of the record counts.
    """
    reference, answer = record["reference"], outcome
    if type(reference) is not str or type(answer) is not str:
        reference, answer = str(reference), str(answer)
    if reference == answer:  # as most
        return reference, answer
    are_integers = reference.isdecimal() and answer.isdecimal()  # as most others
    if not are_integers:
        reference, answer = references.final(visible(reference)), visible(answer)
        if reference == answer:
            return reference, answer
    if "," in reference or "." in reference:
        reference = commas.in_reference(reference, answer, _texts(record, response), response or "")
    bare = percent.without_sign(reference, answer) if "%" in answer or "cent" in answer else None
    if bare is not None and any(map(percent.is_asked_for, _texts(record, response))):
        return reference, bare
    if not are_integers:
        reference, answer = truth_values.in_words(*domains.without(reference, answer))
    question = record.get("question")
    if not isinstance(question, str):
        return reference, answer
    question = instructions.without(visible(question))
    if "2" in question or "(ii)" in question:
        reference, answer = options.as_listed(reference, answer, question)
    if not are_integers:
        reference, question = options.in_capitals(reference, question)
    if not are_integers and option_signs.alphabet_of(reference):
        reference, answer, question = option_signs.with_latin(reference, answer, question)
    if "__" in question or "\uff08" in question or "  " in question:
        reference, answer = blanks.in_order(reference, answer, question)
    if not are_integers:
        reference, answer = units.set_apart(reference, question), units.set_apart(answer, question)
    if reference[-1:] in ("}", ")") or "_" in reference:
        answer = bases.with_base(reference, answer, question)
    elif "_" in answer or answer[:1] == "0" or answer[-1:] in bases.BELOW:
        reference, answer = bases.like(reference, answer, question), bases.as_asked(answer, question)
    if reference.isalnum() and not reference.isdecimal():
        reference, answer = bases.as_hexadecimal(reference, answer, question)
    if reference[:1].isupper() and answer[1:2].islower() and reference[1:2].islower():
        answer = asked_names.capitalised(reference, answer, question)
    if not are_integers and any(map(question.__contains__, asked_names.NAMING)):
        reference, answer = asked_names.in_one_form(reference, answer, question)
    reference = ratios.from_words(reference, answer) if " to " in reference and "ratio" in question else reference
    reference = one_form.with_imaginary(reference, answer, question) if "j" in reference else reference
    if " or " in question:
        reference, answer = alternatives.in_letters(reference, answer, question)
    if reference[:1] in ("$", "\\") and ("$" in answer or "cent" in answer or "dollar" in answer):
        answer = asked_units.without_each(reference, answer, question)
    if "illions" in question or "thousands" in question:
        reference = asked_units.in_multiples(reference, answer, question)
    if "." in answer or "{,}" in answer:  # more exact than the reference
        answer = approximations.like_measured(reference, answer, question)
    reference = asked_units.with_unit(reference, answer, question)
    wanted, given = options.with_texts(reference, answer, question)
    return (wanted if wanted is reference else units.set_apart(wanted, question)), given


def _is_figure(reference: str) -> bool:
    """Whether a reference may be the number of an option."""
    return len(reference) == 1 and reference.isdecimal() and reference.isascii()


def _chosen(
    found: extracted.Extraction, response: str, wanted: str, cut: bool | None, asked: str
) -> extracted.Extraction:
    """What a response without a figure chooses of the options that the question numbers, by number; else `found`."""
    listed = options.numbered(asked) if "2" in asked else {}
    if wanted not in listed:
        return found
    letters = {chr(ord("@") + int(one)): one for one in listed}
    letter = next(one for one, number in letters.items() if number == wanted)
    chosen = extract.read_answer(response, letter, cut, options.in_letters(asked))
    return chosen._replace(answer=letters.get(chosen.answer or "", chosen.answer))


def _texts(record: Record, response: str | None) -> list[str]:
    texts = [record.get("question"), record.get("problem"), response or record.get("response")]
    return [text for text in texts if isinstance(text, str)]


def is_correct(outcome: Outcome, record: Record) -> bool | None:
    """Whether the answer equals `reference`; None if that cannot be decided."""
    return pool.decide(*pair(outcome, record)).equal


def excludes(text: GeneratedText, record: Record, reason: str | None) -> bool:
    """Whether a text that is undecided for `reason` has no value that `reference` may be."""
    reference, response = record.get("reference"), text.response
    if reason not in _OPEN_REASONS or reference is None or response is None or is_cut_short(text.finish_reason):
        return False
    from libra_cli.answers.extraction import absence, absent_formulas  # which most texts do not need

    question = instructions.without(visible(str(record.get("question") or "")))
    own = turns.own_turn(visible(response), question)
    wanted = references.final(visible(str(reference)))
    return absence.is_absent(own, wanted, question) or absent_formulas.is_absent(own, wanted, question)


REASON = AnswerTask("reason", prompt, read, is_correct, answer, pair, frozenset({NO_ANSWER, OTHER_ANSWER}), excludes)
