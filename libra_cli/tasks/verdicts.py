"""The one reader of verdicts: finds the form in double brackets that a judge's prompt asks for.

A form is whole, `[[score=3]]`, in brackets that touch. Variations of real judges are accepted: letters of any case,
full-width signs, a colon for the equals sign (`[[Score: 3]]`), blanks and marks of bold or code inside the brackets,
and anything around them (`**[[score=3]]**`, `\\boxed{[[A>B]]}`, a code fence, a full stop). Anything else is no form:
brackets that do not touch (`slots.neutralise` parts those of a judged response), single ones, brackets of another kind,
a missing one, a placeholder (`[[score=N]]`), a number in words, a name outside the brackets.

Prompts ask for a closing line that holds nothing but the mark. The last such line is the verdict, whatever stands
before it; it may also name the verdict ("Final verdict: Assistant A is better: [[A>B]]"). Without such a line all marks
in the text must say the same, and the last must be asserted by its sentence. What follows must let the verdict stand:
marks that differ are `contradictory`, words that do not assert the mark or that take it back are `hedged`.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

from libra_cli.tasks import thinking, verdict_words
from libra_cli.tasks.task import GeneratedText, Outcome, Verdict, is_cut_short

NO_VERDICT, CONTRADICTORY, OUT_OF_RANGE, HEDGED = "no_verdict", "contradictory", "out_of_range", "hedged"
IN_THINKING, TRUNCATED = "in_thinking", "truncated"
REASONS = (NO_VERDICT, CONTRADICTORY, OUT_OF_RANGE, HEDGED, IN_THINKING, TRUNCATED)
"""Why a text has no verdict."""

BLANKS = r"[ \t\u00a0*_`]{0,8}"
"""Characters that may stand between the brackets and their content."""
_WIDTHS = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
"""Full-width forms of ASCII, one character each, so that positions stay the same."""


@dataclass(frozen=True)
class VerdictForm:
    """How the verdicts of a task are written."""

    pattern: re.Pattern[str]
    value: Callable[[re.Match[str]], Outcome | None]
    """The outcome of a match; None if it is not on the scale."""
    against: Mapping[Outcome, re.Pattern[str]] = field(default_factory=dict)
    """Words of an explanation that speak against an outcome, where outcomes become labels."""

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
        text = response.translate(_WIDTHS)
        lines = _marked_lines(text, self.pattern)
        if not lines:
            return Verdict(None, NO_VERDICT)
        values = [{self.value(mark) for mark in line.marks} for line in lines]
        closing = next((i for i in reversed(range(len(lines))) if len(values[i]) == 1 and lines[i].is_closing), None)
        if len(set().union(*values[closing or 0 :])) > 1:
            return Verdict(None, CONTRADICTORY)
        if closing and values[closing - 1] != values[closing] and _are_parts(lines[closing - 1], lines[closing]):
            return Verdict(None, CONTRADICTORY)
        value = values[-1].pop()
        if value is None:
            return Verdict(None, OUT_OF_RANGE)
        return Verdict(value) if lines[-1].is_asserted(self.against.get(value)) else Verdict(None, HEDGED)


_ENDED = re.compile(r"[.!?。！？][\s*_`\"'”’)\]]*$|[-*_=]{3}$|```\w*$|\*\*$")
"""The end of a line behind which something new begins."""
_FENCE = re.compile(r"\n?[ \t]*```\w*\s*\Z")
"""The line that opens a block of code."""


@dataclass(frozen=True)
class _MarkedLine:
    """A line of a text with the marks in it."""

    text: str
    start: int
    marks: Sequence[re.Match[str]]

    @property
    def before(self) -> str:
        """What stands before the first mark in its line."""
        return self.text[self.start : self.marks[0].start()]

    @property
    def above(self) -> str:
        """The line above that has text; empty if there is none."""
        near = self.text[max(0, self.start - verdict_words.NEAR_CHARS) : self.start]
        return near.rstrip().rpartition("\n")[2].strip()

    @property
    def heading(self) -> str:
        """The line above if it is a heading: `## Clarity`, `**Clarity**`, `Response 2:`; else empty."""
        line = self.above
        is_heading = line.startswith("#") or line.rstrip("* _").endswith(":") or (line[:2] == "**" == line[-2:])
        return line if is_heading else ""

    @property
    def is_closing(self) -> bool:
        """Whether nothing but marks stands in the line, or else words that name the verdict before them."""
        end, newline = self.marks[-1].end(), self.text.find("\n", self.marks[-1].end())
        rest_of_line = self.text[end : newline if newline >= 0 else len(self.text)]
        between = (self.text[one.end() : two.start()] for one, two in pairwise(self.marks))
        return (
            len(self.before) <= verdict_words.NEAR_CHARS
            and verdict_words.names_verdict(self.before)
            and verdict_words.without_words(rest_of_line)
            and all(verdict_words.only_leads(words) for words in between)
        )

    @property
    def _begins_anew(self) -> bool:
        """Whether the mark is no part of what stands above its line: not `It prints the line`, nor `My verdict is not`.

        Behind a last mark nothing can tell a quotation, but a judge's last line is rarely one: there a statement that
        lacks its full stop will do, and a colon that introduces nobody's words.
        """
        near = self.text[max(0, self.start - verdict_words.NEAR_CHARS) : self.start]
        right_above = near.removesuffix("\n").rpartition("\n")[2].strip()
        above = _FENCE.sub("", near).rstrip()
        line = above.rpartition("\n")[2].strip()
        is_last = verdict_words.without_words(self.text[self.marks[-1].end() :])
        is_heading = line[:1] in ("#", "|") or (line[:2] == "**" == line[-2:])
        if not line or is_heading or verdict_words.leads_to_verdict(above.rstrip(":： *_")):
            return True
        if is_last and self.before.lstrip(' *_`#>"“')[:1].isupper():  # a sentence of its own
            return True
        if line.rstrip("* _").endswith((":", "：")) or right_above.startswith("```"):
            return is_last and not verdict_words.tells_words(line)
        is_apart = not right_above or _ENDED.search(right_above) is not None
        return is_apart or (is_last and verdict_words.is_statement(line))

    def is_asserted(self, against: re.Pattern[str] | None) -> bool:
        """Whether the last mark is asserted, and what follows lets it stand; `against` is for `follow_verdict`."""
        end = self.marks[-1].start()
        start = self.marks[-2].end() if len(self.marks) > 1 else 0
        before = self.text[max(start, end - verdict_words.NEAR_CHARS) : end]
        if against is not None and against.search(_last_clause(before)):  # the answer is wrong: [[Correct]]
            return False
        is_quoted = self.before.lstrip().startswith(">") or self.above.startswith("```")
        leads = self.is_closing or (not is_quoted and verdict_words.leads_to_verdict(before))
        after = self.text[self.marks[-1].end() :]
        if self.is_closing and not self._begins_anew:
            return False
        return leads and verdict_words.follow_verdict(after, against, is_quoted=is_quoted)


def _last_clause(before: str) -> str:
    """The words that stand right before a mark in its line, back to a comma or the end of a sentence."""
    line = before.rpartition("\n")[2]
    return next((clause for clause in reversed(re.split("[.,;:!?—–，。：；]", line)) if clause.strip(" *_`")), "")


def _marked_lines(text: str, pattern: re.Pattern[str]) -> list[_MarkedLine]:
    """The lines of a text in which marks stand."""
    starts = [0, *(newline.end() for newline in re.finditer("\n", text))]
    marks = groupby(pattern.finditer(text), key=lambda mark: bisect(starts, mark.start()) - 1)
    return [_MarkedLine(text, starts[line], list(found)) for line, found in marks]


def _are_parts(before: _MarkedLine, closing: _MarkedLine) -> bool:
    """Whether marks that differ are parts of a list: of the marks that may be given, or of what they are given to."""
    if closing.heading:
        return before.is_closing and not verdict_words.names_verdict(closing.heading)
    between = closing.text[before.marks[-1].end() : closing.marks[0].start()]
    is_apart = not before.is_closing and re.search(r"[.!?。]|\n\s*\n", between)
    return not is_apart and len(re.findall(r"[^\W\d_]+", between)) < 2


def number(name: str, scale: tuple[int, int]) -> VerdictForm:
    """The form `[[NAME=N]]` with a whole number N on `scale`, both ends included.

    Anything else that begins like a number (`3.5`, `-1`, `44`, `03`, `3/4`) is out of range.
    """
    inside = rf"{name}{BLANKS}[=:]{BLANKS}([-+]?\.?[0-9][^\[\]\n]{{0,24}}?)"
    low, high = scale

    def value(match: re.Match[str]) -> Outcome | None:
        digits = re.fullmatch("0|[1-9][0-9]{0,3}", match.group(1))
        return int(digits.group()) if digits and low <= int(digits.group()) <= high else None

    return VerdictForm(re.compile(rf"\[\[{BLANKS}{inside}{BLANKS}\]\]", re.IGNORECASE), value)
