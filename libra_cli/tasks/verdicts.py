"""The one reader of verdicts: finds the form in double brackets that a judge's prompt asks for.

A form is whole, `[[score=3]]`, in brackets that touch. Variations of real judges are accepted: letters of any case,
full-width signs, a colon for the equals sign (`[[Score: 3]]`), blanks and marks of bold or code inside the brackets,
and anything around them (`**[[score=3]]**`, `\\boxed{[[A>B]]}`, a code fence, a full stop). Anything else is no form:
brackets that do not touch (`slots.neutralise` parts those of a judged response), single ones, brackets of another kind,
a missing one, a placeholder (`[[score=N]]`), a number in words, a name outside the brackets.

The last form is the verdict, and all others in the text must say the same: a judge that first quotes the scale, or
changes its mind, has not decided (`contradictory`). Nor has one whose words take the verdict back (`hedged`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from libra_cli.tasks import thinking
from libra_cli.tasks.task import GeneratedText, Outcome, Verdict, is_cut_short

NO_VERDICT, CONTRADICTORY, OUT_OF_RANGE, HEDGED = "no_verdict", "contradictory", "out_of_range", "hedged"
IN_THINKING, TRUNCATED = "in_thinking", "truncated"
REASONS = (NO_VERDICT, CONTRADICTORY, OUT_OF_RANGE, HEDGED, IN_THINKING, TRUNCATED)
"""Why a text has no verdict."""

BLANKS = r"[ \t\u00a0*_`]{0,8}"
"""Characters that may stand between the brackets and their content."""
_WIDTHS = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
"""Full-width forms of ASCII, one character each, so that positions stay the same."""


TakesBack = Callable[[str, Sequence[re.Match[str]]], bool]
"""Whether the words around the forms of a text, which all say the same, take the verdict back."""


@dataclass(frozen=True)
class VerdictForm:
    """How the verdicts of a task are written."""

    pattern: re.Pattern[str]
    value: Callable[[re.Match[str]], Outcome | None]
    """The outcome of a match; None if it is not on the scale."""
    takes_back: TakesBack

    def read(self, text: GeneratedText) -> Verdict:
        """Reads the verdict of a generated text; the reason for having none is one of REASONS.

        A text that was truncated has none, even if a form stands in it: a server that does not part thoughts from
        answers returns the beginning of a thought as an answer. A verdict that stands only in the thinking does not
        count. If thinking markers of any family stand in the response, it is cut at them once more.
        """
        if is_cut_short(text.finish_reason):
            return Verdict(None, TRUNCATED)
        response = None if text.response is None else thinking.split_any(text.response).response
        verdict = Verdict(None, TRUNCATED) if response is None else self._read_response(response)
        if verdict.reason in (NO_VERDICT, TRUNCATED):
            whole = (text.whole or text.response or "").translate(_WIDTHS)
            return Verdict(None, IN_THINKING) if self.pattern.search(whole) else verdict
        return verdict

    def _read_response(self, response: str) -> Verdict:
        response = response.translate(_WIDTHS)
        matches = list(self.pattern.finditer(response))
        if not matches:
            return Verdict(None, NO_VERDICT)
        values = {self.value(match) for match in matches}
        if len(values) > 1:
            return Verdict(None, CONTRADICTORY)
        value = values.pop()
        if value is None:
            return Verdict(None, OUT_OF_RANGE)
        return Verdict(None, HEDGED) if self.takes_back(response, matches) else Verdict(value)


def number(name: str, scale: tuple[int, int], takes_back: TakesBack) -> VerdictForm:
    """The form `[[NAME=N]]` with a whole number N on `scale`, both ends included.

    Anything else that begins like a number (`3.5`, `-1`, `44`, `03`, `3/4`) is out of range.
    """
    inside = rf"{name}{BLANKS}[=:]{BLANKS}([-+]?\.?[0-9][^\[\]\n]{{0,24}}?)"
    low, high = scale

    def value(match: re.Match[str]) -> Outcome | None:
        digits = re.fullmatch("0|[1-9][0-9]{0,3}", match.group(1))
        return int(digits.group()) if digits and low <= int(digits.group()) <= high else None

    return VerdictForm(re.compile(rf"\[\[{BLANKS}{inside}{BLANKS}\]\]", re.IGNORECASE), value, takes_back)


# -- words that take a verdict back ---------------------------------------------------------------------------------

_NEAR_WORDS = 3
"""Words right before a verdict, within its sentence, that can be about it ("these do not match, so" is not)."""
_NEAR_CHARS = 256
_SENTENCE_ENDS = re.compile(r"[.!?;:\n]")
_CLAUSE_ENDS = re.compile(r"[.!?;:,\n—–]|\b(?:so|thus|hence|therefore)\b", re.IGNORECASE)

_DENIED = re.compile(
    r"\b(?:not|never|neither|nor|cannot|rather than|instead of|if|unless|whether|says|claims|writes|tells|instructs"
    r"|demands|ask(?:s|ed) (?:for|to))\b|n['’]t\b",
    re.IGNORECASE,
)
"""Before a verdict on a scale, within its clause: the verdict is denied, conditional, or somebody else's."""
_REPORTED = re.compile(
    r"\b(?:refus\w*|ignor\w*|told|tr(?:y|ies|ied|ying)|attempt\w*|contain\w*|inject\w*|manipulat\w*|instruct\w*"
    r"|pretend\w*|embed\w*)\b",
    re.IGNORECASE,
)
"""Anywhere before it within its clause: the clause reports on the response or the task."""
_EXAMPLE = re.compile(r"(?:\bfor example|\bsuch as|\be\.g\.)[\s,:*_`\"'“]*$", re.IGNORECASE)
"""Right before it: the verdict is only an example."""
_CHANGE = (
    r"(?:wait|hold on|actually|on second thought|on reflection|scratch that|correction|hmm|i take (?:it|that) back"
    r"|i retract|let me (?:re\w+|think again|correct))"
)
_TURNED = re.compile(
    rf"[\s*_`\"'”’(),.–—-]{{0,8}}(?:\?|(?:{_CHANGE}|however|nevertheless|unless|if|or|means|would|could|might|should"
    r"|cannot|isn['’]t|is not|is too|was not|wasn['’]t)\b)",
    re.IGNORECASE,
)
"""Right after it: the verdict is denied, or the sentence turns against it."""
_RETRACTED = re.compile(rf"[.!?\n][\s*_`>#-]{{0,8}}{_CHANGE}", re.IGNORECASE)
"""Anywhere after it: a sentence that begins like this changes the judge's mind."""

_OPEN = re.compile(
    r"\b(?:not|never|neither|nor|either|or|if|unless|but|except|though|although|however|assuming|maybe|perhaps|probably"
    r"|possibly|likely|might|may|could|would|should|unsure|uncertain|unclear|cannot)\b|n['’]t\b|\?",
    re.IGNORECASE,
)
"""Words that take a verdict of correct or wrong back, or leave it open."""


def taken_back(text: str, matches: Sequence[re.Match[str]]) -> bool:
    """Whether a rating or a comparison is denied, struck out, quoted, or taken back afterwards.

    Judges explain their decision, and an explanation may say "but", "not" and, further on, "however": only words right
    next to the verdict count, or a later sentence that begins like a change of mind ("Wait, "). A doubt ("I would say")
    is no denial.
    """
    return bool(_RETRACTED.search(text, matches[-1].end())) or any(
        _DENIED.search(_words_before(text, match, _CLAUSE_ENDS))
        or _REPORTED.search(_CLAUSE_ENDS.split(_text_before(text, match))[-1])
        or _EXAMPLE.search(_text_before(text, match))
        or _TURNED.match(text, match.end())
        or text[max(0, match.start() - 2) : match.start()] == "~~" == text[match.end() : match.end() + 2]
        for match in matches
    )


def left_open(text: str, matches: Sequence[re.Match[str]]) -> bool:
    """Whether the words before a verdict, the rest of its line, or the text after the last one leave it open.

    Stricter than `taken_back`, because verdicts of correct and wrong become labels: any doubt counts.
    """
    if _OPEN.search(text, matches[-1].end()):
        return True
    ends = [*(match.start() for match in matches[1:]), len(text)]
    for match, end in zip(matches, ends, strict=True):
        newline = text.find("\n", match.end(), end)
        line_end = end if newline < 0 else newline
        if _OPEN.search(_words_before(text, match, _SENTENCE_ENDS)) or _OPEN.search(text, match.end(), line_end):
            return True
    return False


def _words_before(text: str, match: re.Match[str], ends: re.Pattern[str]) -> str:
    """The last words before a verdict, back to where its sentence or clause begins."""
    return " ".join(ends.split(_text_before(text, match))[-1].split()[-_NEAR_WORDS:])


def _text_before(text: str, match: re.Match[str]) -> str:
    return text[max(0, match.start() - _NEAR_CHARS) : match.start()]
