"""Reads answers that say one value twice: `160 minutes (or 2 hours 40 minutes)`, `250 cm (2.5 m)`."""

from __future__ import annotations

from libra_cli.answers.text import latex, words
from libra_cli.answers.values.finding import Decide
from libra_cli.lazy_pattern import lazy_pattern

_OF_SETS = ("<", ">", "\\le", "\\ge", "\\in", "≤", "≥", "∈", "\\cup", "∪", "\\mathbb", "\\setminus")
"""Signs of a set, from which the condition takes a value."""
_EXCEPT = lazy_pattern(
    r"(?<=\S)[\s$\\]*(?:,[\s$\\]*|\(|(?=(?:for|where|with|if)\b))(?:(?:for|where|with|if) )?"
    r"[\s$]*[a-z] ?(?:\\neq?(?![a-z])|≠) ?-?\d+\)?\$?\.?$"
)
"""A condition behind a formula: x+3, x\\neq 3."""
_PLACED = lazy_pattern(
    r"(?:in|into|to|towards?) (?:the|an?) (?P<way>[a-z-]{3,20}) direction"
    r"|(?P<property>[^\W\d_]{5,20})(?:[- ]angled)?\s+(?:en|in|at|em|bei|w)\s+\$?[A-Z]\$?"
)
"""A direction, and a property at a point: in the clockwise direction, rectangle en B."""
_SPELLED = lazy_pattern(r"^(?P<kept>(\d{1,4})\s*(?:\\text\s*\{\s*)?)\((?P<word>[a-z-]{3,20})\)")
"""A number that is spelled out behind it: 3 (three)."""
_LABELLED = lazy_pattern(r"\([a-h]\) (?P<text>[^\W\d_]{3,})")
"""A word with the small letter of its option: (c) Jupiter."""
_MEASURED = lazy_pattern(r"\d[\d.,]* ?[A-Za-z][A-Za-z /^\d]{0,24}")
"""A number with what may be its unit."""
_TWO_NAMES = lazy_pattern(r"([^()\uff08\uff09]{1,60}?) ?[(\uff08]([^()\uff08\uff09]{1,60})[)\uff09]?")
"""A term, and once more in another script: 光合作用（photosynthesis）."""
_SCRIPTS = {"Latin", "other"}
_OPENINGS = lazy_pattern(r"(?:or(?: equivalently)?|i\.e\.|that is|which (?:is|equals)|equivalently|=)[, ]\s*")


def alone(answer: str, reference: str, decide: Decide) -> str:
    """An answer without its value once more in brackets, and without the values that its variable cannot have.

    `decide` says whether two values are the same.
    """
    labelled = _LABELLED.fullmatch(answer) if answer[:1] == "(" != reference[:1] else None
    answer = labelled["text"] if labelled else answer
    if " " in answer and reference.isalpha():
        answer = _of_one_word(answer)
    if "(" in answer and answer[:1].isdigit():
        answer = _SPELLED.sub(
            lambda said: said["kept"] if words.number(said["word"]) == int(said[2]) else said[0], answer
        )
    if not answer.isascii() and any(map(answer.__contains__, "(\uff08")):
        answer = _in_script_of(reference, answer)
    has_except = ("\\ne" in answer or "≠" in answer) and "\\ne" not in reference and "≠" not in reference
    if has_except and not any(map(f"{answer} {reference}".__contains__, _OF_SETS)):
        answer = _EXCEPT.sub("", answer)
    if " or " in answer and answer.count(" or ") == 1 and " or " not in reference and answer[-1:].isalpha():
        first, second = answer.split(" or ")
        decision = decide(first, second) if all(_MEASURED.fullmatch(one.strip()) for one in (first, second)) else None
        return first if decision is not None and decision.equal else answer
    return _once(answer, decide) if " (" in answer and answer.endswith((")", ").", ")}")) else answer


def _of_one_word(answer: str) -> str:
    """The word of a direction, or of a property without its place: in the clockwise direction, rectangle en B."""
    found = _PLACED.fullmatch(latex.without_setting(answer).strip(" .$"))
    return (found["way"] or found["property"]) if found else answer


def _in_script_of(reference: str, answer: str) -> str:
    """The one of a term's two names that is in the script of the reference: iron of \u94c1 (iron)."""
    found = _TWO_NAMES.fullmatch(latex.without_setting(answer).strip(" .$"))
    wanted = _script(latex.without_setting(reference))
    scripts = [_script(name) for name in found.groups()] if found else []
    return found.groups()[scripts.index(wanted)].strip() if found and wanted and {*scripts} == _SCRIPTS else answer


def _script(text: str) -> str:
    """Whether the letters of a text are all Latin, or none of them; empty if it has digits, or letters of both."""
    letters = [char for char in text if char.isalpha()]
    latin = sum(char < "\u0370" for char in letters)
    is_one = letters and latin in (0, len(letters)) and not any(map(str.isdigit, text))
    return ("Latin" if latin else "other") if is_one else ""


def _once(answer: str, decide: Decide) -> str:
    """The first of two values that are the same, if the second stands in brackets; else `answer`."""
    text = answer.rstrip(". ")
    if "\\text" in text:
        text = latex.without_setting(text)
    start = text.rfind(" (") if text.endswith(")") else -1
    head, content = text[:start].strip(), text[start + 2 : -1].strip()
    if start < 1 or "(" in content or not any(map(str.isdigit, head)) or not any(map(str.isdigit, content)):
        return answer
    opening = _OPENINGS.match(content)
    decision = decide(head, content[opening.end() :] if opening else content)
    return head if decision is not None and decision.equal else answer
