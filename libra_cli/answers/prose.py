"""The final answer of a text without a box; what stands last in the text counts.

The rules, in order:

1. `<answer>X</answer>`, `{"answer": X}`.
2. "final answer is X", "the answer is X", "Answer: X", `A: X`, `#### X`, the line below a heading "Final answer", "I
   choose option X", "option X is correct".
3. The last text in Markdown bold that is no heading.
4. What the last sentence ends in: its formulas where "and", "or", commas join them, or the one behind "is"; without a
   formula the numbers that are so joined, its only number, the one behind its last "=", or what something is said to
   be. Where the last line draws a conclusion ("Therefore ...") its last formula or number will do. A sentence that
   says what the answer is not, or only what it is less or more than, gives none.
5. The whole text, where it is one short line, or one letter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

TAIL_CHARS = 2000
"""Prose is searched this far from the end only: what is said before is not the final answer."""
_SHORT = 64

_GIVEN = r"(?:(?:\\\[|\$\$)[ \t]*\n\s*)?(?P<answer>\S[^\n]*)"  # a line, or the first one of a display
_ANSWER_IS = re.compile(
    rf"(?:answer|option|choice)[ \t]*\**[ \t]*(?:to\s[^.\n:]{{0,80}}?\s)?(?:is|=|:|-(?=\s))\s*\**\s*:?\s*{_GIVEN}",
    re.IGNORECASE,
)
_NAMES = ("answer", "option", "choice")
_CHOICE = re.compile(r"(?i:option|choice)\s*\(?(?P<answer>[A-J])\)?(?![A-Za-z])")
_IS_RIGHT = re.compile(r"\s+is\s+(?:the\s+)?(?:correct|right)\b", re.IGNORECASE)
_CHOOSING = re.compile(r"\b(?:choose|select|pick|is|go with)\s+(?:the\s+)?$", re.IGNORECASE)
_LETTER = re.compile(r"\(?[A-J]\)?\.?")
_HEADING = r"(?:#+ *|\*+)(?i:(?:the )?(?:final )?answer):?\**:?[ \t]*\n"
_LABELLED = re.compile(rf"^[ \t]*(?:{_HEADING}|(?:\*\*)?A(?:\*\*)?[ \t]*:|####)\s*{_GIVEN}", re.MULTILINE)
_SENTENCE_END = re.compile(r"[.!](?=\s|$)(?!\s*\d)")
_BOLD = re.compile(r"\*\*(?=\S)([^*\n]{1,200})(?<=\S)\*\*")
# A closing `$` has no space before it and no digit behind it: those are prices.
_MATH = re.compile(r"\$\$?(?=\S)(?P<dollars>[^$\n]+)(?<=\S)\$\$?(?!\d)|\\\((?P<round>.+?)\\\)|\\\[(?P<square>.+?)\\\]")
_SENTENCE = re.compile(r"(?:.*[.!?:]\s)?(?=\S)(.*(?:[.!$)\]%]|\d))", re.DOTALL)
_NUMBER = re.compile(
    r"(?<![\w.$/^*+])-?\$?\d[\d,]*(?:\.\d+)?(?:/\d+|:\d\d)?(?:\s*(?:%|[ap]\.?m\b\.?))?(?![\w^*/])", re.IGNORECASE
)
_IS_BEFORE = re.compile(r"\b(?:is|are|equals?|equal to|be)\s*:?\s*$")
_IS = re.compile(r"\b(?:is|are|equals?(?: to)?)\s")
_SPELLED = re.compile(r"\s\([a-z][a-z -]*\)$")
_CONCLUDES = re.compile(r"\s*(?:so|thus|hence|therefore|in conclusion|in total|consequently|finally)\b", re.IGNORECASE)
_LAST_NUMBER = re.compile(r"(?<![\d+*/^<>.-])(-?\$?\d[\d,]*(?:\.\d+)?(?:/\d+)?\s*%?)(?=[^\d]*$)")
_TWO_WORDS = re.compile(r"(?<!\\)\b[A-Za-z]{2,}\s+[A-Za-z]{2,}")
_WORDS_AROUND = re.compile(r"^(?:\*\*|[:=\s])+|(?:\*\*|\s)+$")
_ADVERB = re.compile(r"^(?:simply|therefore|thus|then|just|exactly|clearly|equal to)\s+", re.IGNORECASE)
_TAGGED = re.compile(r"<answer>\s*(.*?)\s*</answer>", re.DOTALL)
_AS_JSON = re.compile(
    r"\"(?:final_)?answer\"\s*:\s*\"?([^\",{}\n]+)|\u7b54\u6848(?:\u662f|\u4e3a|\uff1a|:)\s*\**\s*(?:\uff1a|:)?\s*(\S+)"
)
_CONTROL = re.compile(r"<\|?/?[A-Za-z_]+\|>|</?s>|```\w*")
_MARKS = ("</answer>", 'answer"', "\u7b54\u6848")
_JOINED = re.compile(r"\s*(?:,|;|,?\s*(?:and|or))\s*")
_SERIES = re.compile(r"(?<![\d./])-?\d[\d./]{0,20}(?:(?:,\s+|,?\s+(?:and|or)\s+)-?\d[\d./]{0,20})+(?=[.!]?$)")
_EQUAL_TO = re.compile(r"=\s*(-?\$?-?\d[\d,]*(?:\.\d+)?(?:/\d+)?)(?=[^=\d]*$)")
_NO_ANSWER = re.compile(
    r"\b(?:not|cannot|never|at (?:most|least)|(?:less|greater|more|fewer|larger|smaller) than)\b|n't\b", re.IGNORECASE
)
_ASIDE = re.compile(
    r",?\s+(?:and\s+)?(?:(?:it|this|which)\s+)?(?:occurs?|is\s+(?:attained|achieved|reached)|attained|achieved)"
    r"\s+(?:at|when|where|for|by)\b.*|,\s+(?:as|since|because|while|whereas)\s.*",
    re.DOTALL,
)
"""Where something is so, and why: not what it is."""
OFFER_CHARS = 300
"""Before the end, where a word of an offer must stand."""
_OFFERS = ("let me know", "would you like", "feel free", "i can also", "hope this helps", "hope that helps")
_ASSIGNMENT = re.compile(r"\b([A-Za-z](?:_\w+)?)\s*=\s*(-?\$?\d[\d,]*(?:\.\d+)?(?:/\d+)?)")
_NOTHING = re.compile(r"\bno (?:real |integer |such |valid )*(?:solutions?|roots?|values?)\b", re.IGNORECASE)


def prose_answer(text: str) -> str | None:
    """The final answer that `text` gives without a box; None where it gives none."""
    tail = _without_offer(_without_control(text[-TAIL_CHARS:]))
    return _marked(tail) or _stated(tail) or _bold(tail) or _concluded(tail) or _short(text)


def _without_control(text: str) -> str:
    """`text` without what ends a turn in somebody's chat template, and without fences."""
    return _CONTROL.sub("", text) if "|>" in text or "s>" in text or "```" in text else text


def _without_offer(text: str) -> str:
    """`text` without the sentence in which it offers more, and without what follows."""
    end = text[-OFFER_CHARS:]
    if end[-1:].isdigit() or not ("know" in end or "like" in end or "free" in end or "also" in end or "helps" in end):
        return text
    lowered = text.lower()
    places = [place for offer in _OFFERS if (place := lowered.find(offer)) >= 0]
    if not places:
        return text
    before = text[: min(places)]
    kept = before[: max(before.rfind(end) for end in ".!?\n") + 1].rstrip()
    return kept or text


def _marked(tail: str) -> str | None:
    """What stands in the last tag or field that is called answer."""
    if not any(map(tail.__contains__, _MARKS)):
        return None
    found = _TAGGED.findall(tail) or [given or other for given, other in _AS_JSON.findall(tail)]
    return _tidy(found[-1]) if found else None


def _stated(tail: str) -> str | None:
    """What stands behind the last "answer is", `Answer:`, `A:` or `####`."""
    last_line = tail.rstrip().rfind("\n") + 1
    found = _LABELLED.match(tail, last_line)
    if found is None:
        labelled = list(_LABELLED.finditer(tail))
        named = _last_named(tail)
        found = max([*labelled[-1:], *([named] if named else [])], key=lambda one: one.start(), default=None)
    return _tidy(found["answer"]) if found else None


def _last_named(tail: str) -> re.Match[str] | None:
    lowered, end = tail.lower(), len(tail)
    while (start := max(lowered.rfind(name, 0, end) for name in _NAMES)) >= 0:
        found = _ANSWER_IS.match(tail, start)
        chosen = _CHOICE.match(tail, start)
        if chosen and (_CHOOSING.search(tail, max(0, start - _SHORT), start) or _IS_RIGHT.match(tail, chosen.end())):
            found = chosen
        if found:
            return found
        end = start
    return None


def _bold(tail: str) -> str | None:
    bold = [found for found in _BOLD.finditer(tail) if not _is_heading(tail.rstrip(), found)]
    bold = [found for found in bold if not found[1].endswith((":", "\uff1a"))]  # a label
    return _tidy(bold[-1][1]) if bold else None


def _is_heading(text: str, found: re.Match[str]) -> bool:
    """Whether it has a line of its own, and something stands below."""
    behind, _, below = text[found.end() :].partition("\n")
    before = text[: found.start()].rpartition("\n")[2]
    return bool(below) and not before.strip() and not behind.strip(" :")


def _concluded(tail: str) -> str | None:
    """What the last line ends in."""
    line = tail.strip().rpartition("\n")[2]
    if _CONCLUDES.match(line) and not _NO_ANSWER.search(line):
        concluded = _in_sentence(line) or _last_number(_ASIDE.sub("", line))
        if concluded:
            return concluded
    sentence = _SENTENCE.fullmatch(line)
    return _in_sentence(sentence[1]) if sentence else None


def _last_number(line: str) -> str | None:
    spans = list(_MATH.finditer(line))
    number = None if spans else _LAST_NUMBER.search(line)
    return _content(spans[-1]) if spans else number.group(1).strip() if number else None


def _in_sentence(sentence: str) -> str | None:
    """What a sentence says that the answer is."""
    if _NO_ANSWER.search(sentence):
        return None
    if _NOTHING.search(sentence):
        return "no solution"
    sentence = _ASIDE.sub(".", sentence) if _may_have_aside(sentence) else sentence
    spans = list(_MATH.finditer(sentence))
    return _of_formulas(sentence, spans) if spans else _of_numbers(sentence)


def _may_have_aside(sentence: str) -> bool:
    """A quick look for what `_ASIDE` begins with."""
    return (
        ", " in sentence or "occur" in sentence or "attain" in sentence or "achiev" in sentence or "reach" in sentence
    )


def _of_formulas(sentence: str, spans: Sequence[re.Match[str]]) -> str | None:
    """Its formulas where they are joined or there is one; else those joined ones that stand right behind "is"."""
    run = [spans[0]]
    for span in spans[1:]:
        if _JOINED.fullmatch(sentence, run[-1].end(), span.start()):
            run.append(span)
        elif _is_said(sentence, run[0]):
            break
        else:
            run = [span]
    if len(run) == len(spans) or _is_said(sentence, run[0]):
        return ", ".join(map(_content, run))
    return None


def _is_said(sentence: str, span: re.Match[str]) -> bool:
    return bool(_IS_BEFORE.search(sentence, max(0, span.start() - _SHORT), span.start()))


def _of_numbers(sentence: str) -> str | None:
    series = _SERIES.search(sentence)
    if series:
        return series[0].rstrip(".")
    numbers = _NUMBER.findall(sentence)
    if len(numbers) == 1:
        return str(numbers[0]).strip()
    assigned = dict(_ASSIGNMENT.findall(sentence)) if sentence.count("=") > 1 else {}
    if len(assigned) > 1:
        return ", ".join(f"{name}={value}" for name, value in assigned.items())
    last = _EQUAL_TO.search(sentence)
    if last and "<<" not in sentence:
        return last[1]
    return _said(sentence)


def _said(sentence: str) -> str | None:
    """What stands behind the only "is" of a sentence, where that is short."""
    parts = _IS.split(sentence)
    if len(parts) != 2 or not parts[1].endswith((".", "!")):
        return None
    said = parts[1][:-1].strip()
    is_answer = said and len(said) <= _SHORT and not _TWO_WORDS.search(said) and said.count("$") % 2 == 0
    return said if is_answer and "<<" not in said else None


def _content(span: re.Match[str]) -> str:
    return str(span[span.lastgroup or 0]).strip()


def _short(text: str) -> str | None:
    """A text that is nothing but its answer."""
    text = _without_control(text).strip() if len(text) < TAIL_CHARS else ""
    if _LETTER.fullmatch(text):
        return text
    if len(text) > _SHORT or "\n" in text or "\\boxed" in text or not any(map(str.isdigit, text)):
        return None
    return None if _TWO_WORDS.search(text) else _tidy(text)


def _tidy(answer: str) -> str | None:
    """The first sentence of `answer`; where that holds formulas or numbers among words, those."""
    spans = list(_MATH.finditer(answer))
    bold = _BOLD.findall(answer)
    if len(bold) == 1:
        answer = bold[0]
    elif spans and _WORDS_AROUND.sub("", answer[: spans[0].start()]) == "":
        answer = _of_formulas(f"is {answer}", [*_MATH.finditer(f"is {answer}")]) or answer
    elif len(spans) == 1:
        answer = _content(spans[0])
    elif not spans:
        ended = _SENTENCE_END.search(answer)
        answer = answer[: ended.start()] if ended else answer
        if _TWO_WORDS.search(answer) and _NUMBER.search(answer):
            answer = (_in_sentence(f"{answer}.") if not _NO_ANSWER.search(answer) else None) or answer
    answer = _ADVERB.sub("", _WORDS_AROUND.sub("", answer)).strip().rstrip(".")
    return _SPELLED.sub("", answer) or None
