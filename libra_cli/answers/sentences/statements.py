"""Finds what a text states to be its answer: "the answer is X", `Answer: X`, `#### X`, `<answer>X</answer>`, bold text.

What is stated is cut to the answer itself: to its first sentence, without reasons and remarks ("because ...", "not B").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from libra_cli.answers.sentences import assertions
from libra_cli.answers.text import latex, number, words
from libra_cli.lazy_pattern import lazy_pattern

TAIL_CHARS = 2000
"""Length of the end of the text that is searched; earlier text does not hold the final answer."""
_NEAR = 64
_NEAR_NAME, _LONGEST_END = 16, 2000

_GIVEN = r"(?:(?:\\\[|\$\$)[ \t]*\n\s*)?(?P<answer>\S[^\n]*)"  # one line, or the first line of a display
_ANSWER_IS = lazy_pattern(
    r"(?:answer|option|choice)s?[ \t]*\**[ \t]*(?:to\s[^.\n:]{0,80}?\s)?"
    rf"(?:is|are|=|:|-(?=\s)|(?:should|must|would) be)\s*\**\s*:?\s*{_GIVEN}",
    re.IGNORECASE,
)
_SHOULD_BE = lazy_pattern(
    rf"\b(?:(?:it|this|that|value|result) (?:should|must) (?:be|have been)"
    r"|(?:change|switch|revise)(?: it| (?:my|the) (?:answer|choice|mind))?(?: from (?:option )?\S{1,12})? to)"
    rf":?\s+(?:option )?{_GIVEN}",
    re.IGNORECASE,
)
_CHOICE = lazy_pattern(
    r"\bI(?:['\u2019](?:d|ll)| would| will)? (?:(?:go|stick) with|answer|settle (?:on|for)|say|conclude)"
    r"(?: that)?(?: it(?:['\u2019]s| is))? (?P<answer>\**\\?\$?\\?[-\d(][^\n]*)",
    one_of=("go with", "stick with", "answer", "settle", "say", "conclude"),
)
"""What the first person decides on: I'd go with 9."""
_NAMES = ("answer", "option", "choice")
_SUPPOSED = lazy_pattern(
    r"\b(?:suppose|assume|if|say|guess|claim|whether|possible|wrong|incorrect|part)\b[^.\n]*$"
    r"|\b(?:none|neither) of (?:the|these) $",
    re.IGNORECASE,
)
_HEADING = r"(?:#+ *|\*+)(?i:(?:the )?(?:final )?answer):?\**:?[ \t]*\n"
ROUNDING = ("\u2248", "about", "around", "approx", "nearly", "roughly", "decimal", "numerically")
"""Texts of which every sentence holds one that says its value is rounded."""
_LABELLED = lazy_pattern(rf"^[ \t]*(?:{_HEADING}|(?:\*\*)?A(?:\*\*)?[ \t]*:|####)\s*{_GIVEN}", re.MULTILINE)
_SECTIONS = words.table(
    "explanation explanations solution reasoning step steps verification check note notes calculation calculations "
    "details approach method analysis problem question example code python given summary working proof part"
)
"""Words with which a heading begins that is no answer."""
_TAG = lazy_pattern(r"</?[A-Za-z_]{1,20}>")
_EDIT = lazy_pattern(
    r"[(\[](?i:edit|correction|corrected|typo): ?(?:(?i:it )?(?i:should be|is) )?"
    r"(?P<answer>(?:[a-z] ?= ?)?(?:minus )?[-+\u2212]?(?:\\?\$)?\d[^()\[\],; ]{0,20}(?: ?[A-Za-z%\u00b0]{1,10})?)"
    r"[,;)\]]",
    one_of=("edit:", "typo:", "corrected:", "correction:"),
)
"""A correction in brackets: (edit: 17, dropped a sign)."""
_SENTENCE_END = lazy_pattern(r"[.!](?=\s|$)(?!\s*\d)|[\u3002\uff01]")
_POINTS = lazy_pattern(
    r"\b(?:above|below|bolded|boxed|highlighted|underlined|in bold|in the box"
    r"|as (?:stated|shown|given|computed|found))\b"
)
_APPOSED = lazy_pattern(r"the [a-z]+(?: [a-z]+){0,3}, (?P<value>\$?-?\d[\d.,/]*(?<=\d)\$?)(?=[;.,]? |[;.,]?$)")
"""The larger one, 18; the smaller is 12."""
_FINISHED = lazy_pattern(r"(?<=[\w)}$%*])[.!] {1,2}(?=[A-Z][a-z']* )| (?=(?:because|since) )")
_OF_ANOTHER = lazy_pattern(r"(?i:its|their|whose) \Z")
"""Words before "answer" in a statement of another case."""
_BOLD = lazy_pattern(r"\*\*(?=\S)([^*\n]{1,200})(?<=\S)\*\*", one_of=("**",))
_NUMBERED = lazy_pattern(r"(?i:step|part|case|question|problem|example|method|phase|stage) ?#?\d{1,3}[.):]?")
"""The number of a step, in bold."""
_MATH = lazy_pattern(
    r"\$\$?(?=\S)(?P<dollars>[^$\n]+)(?<=\S)\$\$?(?!\d)|\\\((?P<round>.+?)\\\)|\\\[(?P<square>.+?)\\\]"
)
_ADVERBS = frozenset(("simply", "so", "therefore", "thus", "then", "hence", "just", "exactly", "clearly"))
_REMARK = lazy_pattern(
    r",?\s+(?:because|since|as (?:(?:shown|we|the|it|above|in)\b|\$|[a-z]\b)|due to|and not|rather than|instead of)\b.*"
    r"|,\s*(?:as|while|whereas|not|I (?:think|believe|guess|suppose))(?:\s.*|$)|,\s*i\.e\..*"
    r"|\s*\((?:i\.e\.|about|approx|not|since|because|when|where|for|or about)\b[^()]*\)\.?$"
    r"|[\s\\,]*(?:\\text\s*\{\s*)?\((?:\\text\s*\{)?\s*not\b.*$",
    re.DOTALL,
)
"""Reasons, contrasts and approximations after an answer."""
_UNSURE_WHICH = lazy_pattern(
    r"\b(?:(?:not|n['\u2019]t) (?:quite |entirely |completely |really )?(?:sure|certain) (?:which|whether|if)"
    r"|unsure (?:which|whether)"
    r"|cannot (?:tell|say) which)\b",
    re.IGNORECASE,
)
"""What says that one of several answers may be right: I am not sure which."""
_BEGINS_REMARK = (
    *(" because", " since", " as ", "due to", " not", "(not", "{not"),
    *("rather", "instead", ", ", "i.e.", "(", "about"),
)
_AS_JSON = lazy_pattern(
    r"\"(?:final_)?answer\"\s*:\s*(?:\"(?P<text>(?:[^\"\\\n]|\\.)*)\"|\[(?P<list>[^\[\]{}\n]*)\]|(?P<bare>[^\",{}\n]+))"
)
_CHOICES = lazy_pattern(r" \((?:[A-J]/){1,9}[A-J]\)")
_TAGS = ("answer", "final_answer", "result")
_FENCE = lazy_pattern(r"```\w*")
OFFER_CHARS = 300
"""Length of the end of the text in which an offer of more help must have a word."""
_OFFERS = ("let me know", "would you like", "feel free", "i can also", "hope this helps", "hope that helps")


_GOES_ON = ("=", "\\cdot", "\\times", "\\frac", "\\sqrt", "\\le", "\\ge", "\\pm")
"""Ends of a text that was cut off."""
_WORDS_THAT_GO_ON = """
    and or but because since the of is are equals that with by which from so to for into than if when where
    then get gets obtain obtaining give gives giving yield yields yielding let
"""
_GOES_ON_AFTER = frozenset(_WORDS_THAT_GO_ON.split())
"""Words that end no sentence."""
_OPEN_WORDS = tuple(f" {word}" for word in _GOES_ON_AFTER)
_WITHOUT_VALUE = lazy_pattern(r"[A-Za-z] \$\Z|\b(?:[Hh]ence|[Tt]hus|[Ss]o|[Tt]herefore|[Tt]hen|that) \$?[f-z]\$?\Z")
"""A sentence that breaks off before the value: a total of $, so x."""


class Statement(NamedTuple):
    """What a text states to be its answer, as it stands, and where."""

    given: str
    start: int
    end: int


def tail_of(text: str) -> str:
    """The end of a text, without code fences and offers of more help."""
    tail = text[-TAIL_CHARS:]
    if "(A/B" in tail:  # Answer (A/B/C/D): D
        tail = _CHOICES.sub("", tail)
    return _without_offer(_FENCE.sub("", tail) if "`" in tail else tail)


def _without_offer(text: str) -> str:
    """Cut `text` before the sentence that offers more help."""
    end = text[-OFFER_CHARS:]
    if end[-1:].isdigit() or not ("know" in end or "like" in end or "free" in end or "also" in end or "helps" in end):
        return text
    lowered = words.lowered(text)
    starts = [start for offer in _OFFERS if (start := lowered.find(offer)) >= 0]
    if not starts:
        return text
    before = text[: min(starts)]
    kept = before[: max(before.rfind(end) for end in ".!?\n") + 1].rstrip()
    return kept or text


def goes_on(text: str) -> bool:
    """Whether a text ends in the middle of a formula or a sentence."""
    end = text.rstrip()
    if "{" in end:
        if "\\begin{" in end and end.count("\\begin{") > end.count("\\end{"):
            return True
        line = end[max(end.rfind("\n") + 1, len(end) - _LONGEST_END) :]
        if "{" in line and "box" not in line and _open_braces(line) > 0:
            return True
    last = end[-1:]
    if last.isdigit() or last in ".)}]*!":  # as most
        return False
    if last.isalpha() and end.endswith(_OPEN_WORDS) and len(end[-_NEAR:].split()) > 2:
        return True
    if end.endswith(_GOES_ON) or _WITHOUT_VALUE.search(end, max(len(end) - _NEAR_NAME, 0)):
        return True
    if last not in "+-":
        return False
    line = end.rpartition("\n")[2]
    return (end.endswith(" +") and "=" in line) or line.count("$") % 2 == 1


def _open_braces(line: str) -> int:
    """How many braces of LaTeX a line leaves open."""
    return line.count("{") - line.count("\\{") - line.count("}") + line.count("\\}")


def word_of_last_line(text: str) -> str | None:
    """The number or word behind `A:` or `####` on the last line, as most texts without a box end; None otherwise."""
    match = _LABELLED.match(text, text.rfind("\n") + 1)
    if match is None:
        return None
    answer = match["answer"]
    if answer.isalnum():
        return None if answer[0].isalpha() and _is_heading(match) else answer
    is_number = answer[-1:].isdecimal() and len(answer) < _NEAR and number.parse(answer) is not None
    return answer if is_number else None


def tagged(tail: str) -> Statement | None:
    """Content of the last tag named answer or result, or of the last JSON field named answer."""
    if "[/ANSWER]" in tail:
        tail = tail.replace("[ANSWER]", "<answer>").replace("[/ANSWER]", "</answer>")
    if not ("</" in tail or 'answer"' in tail):
        return None
    for name in _TAGS:
        start = tail.rfind(f"<{name}>", 0, max(tail.rfind(f"</{name}>"), 0))
        if start >= 0:
            end = tail.find(f"</{name}>", start)
            content = tail[start + len(name) + 2 : end].strip()
            if "</" in content:  # <value>24</value><unit>legs</unit>
                content = " ".join(_TAG.sub(" ", content).split())
            return Statement(content, start, end + len(name) + 3)
    found = [*_AS_JSON.finditer(tail)]
    if not found:
        return None
    last = found[-1]
    return Statement(last[last.lastindex or 1].replace("\\\\", "\\"), *last.span())


def explicit(tail: str) -> Iterator[Statement]:
    """What stands after "answer is", `Answer:`, `A:`, `####` or "should be", from the last to the first."""
    last_line = tail.rstrip().rfind("\n") + 1
    labelled = _LABELLED.match(tail, last_line)
    if (
        labelled is not None
        and not _is_heading(labelled)
        and not any(one.start > labelled.start() for one in _named(tail))
    ):
        yield _statement(labelled)
    found = [
        _statement(match) for match in _LABELLED.finditer(tail) if match.start() != last_line and not _is_heading(match)
    ]
    if any(map(tail.__contains__, ("should", "must", "change ", "switch", "revise"))):
        found += [_statement(match) for match in _SHOULD_BE.finditer(tail)]
    found += _named(tail)
    if "dit" in tail or "orrect" in tail or "ypo" in tail:  # (edit: 17, dropped a sign)
        found += [Statement(match["answer"].strip(), *match.span("answer")) for match in _EDIT.finditer(tail)]
    yield from sorted(found, key=lambda statement: statement.start, reverse=True)
    if "I" in tail:  # in the end, for "At first I'd say 10" decides nothing
        last = tail.rfind(words.sentences(tail)[-1])
        yield from reversed([_statement(match) for match in _CHOICE.finditer(tail, max(last, 0))])


def points_elsewhere(given: str) -> bool:
    """Whether a statement only says where the answer stands: as bolded above."""
    return not any(map(str.isdigit, given)) and _POINTS.search(given) is not None


def _statement(match: re.Match[str]) -> Statement:
    given = match["answer"]
    if given.count("**") % 2 and not given.startswith("**"):  # **Answer: 0.15**, i.e. 15 percent
        given = given.partition("**")[0].rstrip()
    if given.startswith("}"):  # $$\text{Answer: } 8$$
        given = given[1:].rstrip("$").strip()
    return Statement(given, match.start(), match.end())


def _is_heading(match: re.Match[str]) -> bool:
    """Whether "####" begins a heading and no answer: #### Explanation."""
    first, *rest = match["answer"].strip("*: ").split()[:3] or [""]
    return match[0].lstrip().startswith("####") and first.lower().rstrip(":") in _SECTIONS and len(rest) < 2


def finished(statement: Statement, tail: str) -> Statement | None:
    """A statement of a text that was cut off, up to the end of its sentence; None if that is not there."""
    if statement.end < len(tail.rstrip()):
        return statement
    end = _FINISHED.search(statement.given)
    label = tail[statement.start : statement.end].rpartition(statement.given)[0]
    if any(map(str.isdigit, label)) or " part" in label or " step" in label:  # the answer to the first part
        return None
    return statement._replace(given=statement.given[: end.start() + 1]) if end else None


def _named(tail: str) -> Iterator[Statement]:
    lowered, end = words.lowered(tail), len(tail)
    while (start := max(lowered.rfind(name, 0, end) for name in _NAMES)) >= 0:
        match = _ANSWER_IS.match(tail, start)
        if match and not _SUPPOSED.search(tail, max(0, start - _NEAR), start) and not _is_beside(tail, start):
            yield _statement(match)
        end = start


def _is_beside(tail: str, start: int) -> bool:
    """Whether the statement at `start` is of another case, behind a value: (Its answer is 30.)"""
    begin = max(map(tail.rfind, (". ", "! ", "? ", "\n", "("), (0,) * 5, (start,) * 5))
    before = tail[max(begin, 0) : start]
    is_in_brackets = before[:1] == "(" and ")" in tail[start : start + _NEAR]
    is_other = is_in_brackets or _OF_ANOTHER.match(before.lstrip(" .!?(\n")) is not None
    return is_other and any(map(str.isdigit, tail[max(0, begin - _NEAR) : max(begin, 0)]))


def bold(tail: str) -> Statement | None:
    """Last text in bold that is neither a heading nor a label."""
    text, found = tail.rstrip(), None
    for match in _BOLD.finditer(tail):
        behind, _, below = text[match.end() :].partition("\n")
        before = text[: match.start()].rpartition("\n")[2]
        is_heading = below and not before.strip() and not behind.strip(" :")  # on a line of its own with text below
        if not is_heading and not match[1].endswith((":", "\uff1a")) and not _NUMBERED.fullmatch(match[1]):
            found = match
    return Statement(found[1], *found.span()) if found else None


def formulas(text: str) -> list[re.Match[str]]:
    """The formulas in LaTeX of a text."""
    return list(_MATH.finditer(text)) if "$" in text or "\\" in text else []


def content(span: re.Match[str]) -> str:
    """What is inside the dollar signs or brackets of a formula."""
    return str(span[span.lastgroup or 0]).strip()


def without_remark(answer: str) -> str:
    """`answer` without the reason, contrast or approximation at its end."""
    if not any(map(answer.__contains__, _BEGINS_REMARK)):
        return answer
    kept = _REMARK.sub("", answer).strip()
    return kept or answer


def tidy(answer: str) -> assertions.Asserted:
    """The answer in what is stated: its first sentence, and of a sentence in words what that asserts."""
    if answer.isalnum():  # a number or a word, as most are
        return assertions.Asserted(answer)
    if _UNSURE_WHICH.search(answer):
        return assertions.Asserted(None, unclear=True)
    bolds = _BOLD.findall(answer) if "**" in answer else []
    if len(bolds) == 1:
        answer = bolds[0]
    end = _SENTENCE_END.search(answer) if not formulas(answer) else None
    answer = without_remark(answer[: end.start()] if end else answer)
    apposed = _APPOSED.match(answer) if answer[:1].isalpha() else None
    answer = apposed["value"] if apposed else answer
    answer = _without_adverb(answer.lstrip("*:= \t\n").rstrip("* \t\n")).rstrip(".")
    if answer.endswith(")") and "(" not in answer and "[" not in answer:  # (The answer is 14.)
        answer = answer[:-1].rstrip(".")
    spans = formulas(answer)
    beside = latex.without_commands(answer[: spans[0].start()] + answer[spans[0].end() :]) if len(spans) == 1 else ""
    if len(spans) == 1 and all(len(word) == 1 for word in words.split(beside)):
        return assertions.Asserted(content(spans[0]) or None)
    in_words = words.in_row(answer) or " equals " in answer or " is " in answer
    if spans or (in_words and any(map(str.isdigit, answer))):
        found = assertions.asserted(f"is {answer}")
        if found.answer or found.unclear or spans:
            return found if found.answer or found.unclear else assertions.Asserted(answer)
    return assertions.Asserted(_without_spelling(answer) or None)


def _without_spelling(answer: str) -> str:
    """5 (five) as 5."""
    figure, bracket, spelled = answer.rpartition(" (")
    letters = spelled.removesuffix(")").replace(" ", "").replace("-", "")
    is_spelled = bracket and spelled.endswith(")") and len(letters) > 1 and letters.isalpha() and letters.islower()
    return figure if is_spelled else answer


def _without_adverb(answer: str) -> str:
    first, _, rest = answer.removeprefix("equal to ").partition(" ")
    return rest.strip() if rest and first.lower().rstrip(":,") in _ADVERBS else f"{first} {rest}".strip()
