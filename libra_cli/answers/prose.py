"""Extracts the final answer of a text without a box; the last candidate in the text counts.

The rules, in order:

1. `<answer>X</answer>`, `{"answer": X}`.
2. "final answer is X", "the answer is X", "Answer: X", `A: X`, `#### X`, the line below a heading "Final answer", "I
   choose option X", "option X is correct".
3. The last text in Markdown bold that is no heading.
4. The end of the last sentence: its formulas if "and", "or" or commas join them, or the formula after "is"; without
   formulas, numbers that are joined in this way, its only number, the number after its last "=", or the words after
   "is". If the last line draws a conclusion ("Therefore ..."), its last formula or number. A sentence that negates an
   answer or only bounds it ("less than") has none.
5. The whole text, if it is one short line or one letter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from libra_cli.answers import languages

TAIL_CHARS = 2000
"""Length of the end of the text that is searched; earlier text does not hold the final answer."""
_SHORT = 64

_GIVEN = r"(?:(?:\\\[|\$\$)[ \t]*\n\s*)?(?P<answer>\S[^\n]*)"  # one line, or the first line of a display
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
# A closing `$` has no space before it and no digit after it; otherwise it is a price.
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
_AS_JSON = re.compile(r"\"(?:final_)?answer\"\s*:\s*\"?([^\",{}\n]+)")
_CONTROL = re.compile(r"<\|?/?[A-Za-z_]+\|>|</?s>|```\w*")
_JOINED = re.compile(r"\s*(?:,|;|,?\s*(?:and|or))\s*")
_SERIES = re.compile(r"(?<![\d./])-?\d[\d./]{0,20}(?:(?:,\s+|,?\s+(?:and|or)\s+)-?\d[\d./]{0,20})+(?=[.!]?$)")
_EQUAL_TO = re.compile(r"=\s*(-?\$?-?\d[\d,]*(?:\.\d+)?(?:/\d+)?)(?=[^=\d]*$)")
_NO_ANSWER = re.compile(
    r"\b(?:not|cannot|never|at (?:most|least)|(?:less|greater|more|fewer|larger|smaller) than)\b|n't\b", re.IGNORECASE
)
_BEGINS_NO_ANSWER = ("not", "never", "at m", "at l", " than", "n't")
"""Substrings, in lower case, of every text in which _NO_ANSWER finds something (a faster test)."""
_ASIDE = re.compile(
    r",?\s+(?:and\s+)?(?:(?:it|this|which)\s+)?(?:occurs?|is\s+(?:attained|achieved|reached)|attained|achieved)"
    r"\s+(?:at|when|where|for|by)\b.*|,\s+(?:as|since|because|while|whereas)\s.*",
    re.DOTALL,
)
"""Conditions and reasons after an answer."""
OFFER_CHARS = 300
"""Length of the end of the text in which an offer of more help must have a word."""
_BEGINS_ASIDE = (", ", "occur", "attain", "achiev", "reach")
"""Substrings of every text that _ASIDE matches (a faster test)."""
_OFFERS = ("let me know", "would you like", "feel free", "i can also", "hope this helps", "hope that helps")
_ASSIGNMENT = re.compile(r"\b([A-Za-z](?:_\w+)?)\s*=\s*(-?\$?\d[\d,]*(?:\.\d+)?(?:/\d+)?)")
_NOTHING = re.compile(r"\bno (?:real |integer |such |valid )*(?:solutions?|roots?|values?)\b", re.IGNORECASE)


def prose_answer(text: str) -> str | None:
    """Extract the final answer of a `text` without a box; None if it has none."""
    tail = _without_offer(_without_control(text[-TAIL_CHARS:]))
    answer = _tagged_answer(tail) or _stated_answer(tail)
    if not answer and (stated := languages.stated_answer(tail)):
        answer = _tidy(stated)
    answer = answer or _bold_answer(tail) or _concluded_answer(tail) or languages.concluded_number(tail)
    if answer:
        return answer
    text = _without_control(text).strip() if len(text) < TAIL_CHARS else ""
    if _LETTER.fullmatch(text):
        return text
    if len(text) > _SHORT or "\n" in text or "\\boxed" in text or not any(map(str.isdigit, text)):
        return None
    return None if _TWO_WORDS.search(text) else _tidy(text)


def _without_control(text: str) -> str:
    """Remove code fences and the tokens of chat templates that end a turn."""
    return _CONTROL.sub("", text) if "|" in text or "s>" in text or "`" in text else text


def _without_offer(text: str) -> str:
    """Cut `text` before the sentence that offers more help."""
    end = text[-OFFER_CHARS:]
    if end[-1:].isdigit() or not ("know" in end or "like" in end or "free" in end or "also" in end or "helps" in end):
        return text
    lowered = text.lower()
    starts = [start for offer in _OFFERS if (start := lowered.find(offer)) >= 0]
    if not starts:
        return text
    before = text[: min(starts)]
    kept = before[: max(before.rfind(end) for end in ".!?\n") + 1].rstrip()
    return kept or text


def _tagged_answer(tail: str) -> str | None:
    """Content of the last tag or JSON field named answer."""
    if not ("</answer>" in tail or 'answer"' in tail):
        return None
    answers = _TAGGED.findall(tail) or _AS_JSON.findall(tail)
    return _tidy(answers[-1]) if answers else None


def _stated_answer(tail: str) -> str | None:
    """Text after the last "answer is", `Answer:`, `A:` or `####`."""
    last_line = tail.rstrip().rfind("\n") + 1
    statement = _LABELLED.match(tail, last_line)
    if statement is None:
        labelled, named = list(_LABELLED.finditer(tail)), _last_named(tail)
        statements = [*labelled[-1:], *([named] if named else [])]
        statement = max(statements, key=lambda match: match.start(), default=None)
    return _tidy(statement["answer"]) if statement else None


def _last_named(tail: str) -> re.Match[str] | None:
    """Match of the last "answer is X", "I choose option X" or "option X is correct"."""
    lowered, end = tail.lower(), len(tail)
    while (start := max(lowered.rfind(name, 0, end) for name in _NAMES)) >= 0:
        match = _ANSWER_IS.match(tail, start)
        chosen = _CHOICE.match(tail, start)
        if chosen and (_CHOOSING.search(tail, max(0, start - _SHORT), start) or _IS_RIGHT.match(tail, chosen.end())):
            match = chosen
        if match:
            return match
        end = start
    return None


def _bold_answer(tail: str) -> str | None:
    """Last text in bold that is neither a heading nor a label."""
    text, answer = tail.rstrip(), None
    for bold in _BOLD.finditer(tail):
        behind, _, below = text[bold.end() :].partition("\n")
        before = text[: bold.start()].rpartition("\n")[2]
        is_heading = below and not before.strip() and not behind.strip(" :")  # on a line of its own with text below
        if not is_heading and not bold[1].endswith((":", "\uff1a")):
            answer = bold[1]
    return _tidy(answer) if answer else None


def _concluded_answer(tail: str) -> str | None:
    """Answer at the end of the last line."""
    line = tail.strip().rpartition("\n")[2]
    if _CONCLUDES.match(line) and not _has_no_answer(line):
        answer = _in_sentence(line)
        if answer:
            return answer
        conclusion = _ASIDE.sub("", line)
        spans = _formulas(conclusion)
        number = None if spans else _LAST_NUMBER.search(conclusion)
        answer = _content(spans[-1]) if spans else number.group(1).strip() if number else None
        if answer:
            return answer
    sentence = _SENTENCE.fullmatch(line)
    return _in_sentence(sentence[1]) if sentence else None


def _in_sentence(sentence: str) -> str | None:
    """Answer that a sentence states."""
    if _has_no_answer(sentence):
        return None
    if "no " in sentence.lower() and _NOTHING.search(sentence):
        return "no solution"
    if any(map(sentence.__contains__, _BEGINS_ASIDE)):
        sentence = _ASIDE.sub(".", sentence)
    spans = _formulas(sentence)
    return _among_formulas(sentence, spans) if spans else _among_numbers(sentence)


def _has_no_answer(sentence: str) -> bool:
    """Whether a sentence negates an answer or only bounds it."""
    lowered = sentence.lower()
    return any(begin in lowered for begin in _BEGINS_NO_ANSWER) and _NO_ANSWER.search(sentence) is not None


def _formulas(text: str) -> list[re.Match[str]]:
    return list(_MATH.finditer(text)) if "$" in text or "\\" in text else []


def _among_formulas(sentence: str, spans: Sequence[re.Match[str]]) -> str | None:
    """All formulas if there is one or if they are joined; else the joined ones right after "is"."""
    run = [spans[0]]
    for span in spans[1:]:
        if _JOINED.fullmatch(sentence, run[-1].end(), span.start()):
            run.append(span)
        elif _is_after_verb(sentence, run[0]):
            break
        else:
            run = [span]
    if len(run) == len(spans) or _is_after_verb(sentence, run[0]):
        return ", ".join(map(_content, run))
    return None


def _is_after_verb(sentence: str, span: re.Match[str]) -> bool:
    return bool(_IS_BEFORE.search(sentence, max(0, span.start() - _SHORT), span.start()))


def _among_numbers(sentence: str) -> str | None:
    """Answer of a sentence without formulas."""
    series = _SERIES.search(sentence) if "," in sentence or "and" in sentence or "or" in sentence else None
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
    parts = _IS.split(sentence)
    if len(parts) != 2 or not parts[1].endswith((".", "!")):
        return None
    predicate = parts[1][:-1].strip()  # the only "is" has a short one
    if not predicate or len(predicate) > _SHORT or _TWO_WORDS.search(predicate) or predicate.count("$") % 2:
        return None
    return None if "<<" in predicate else predicate


def _content(span: re.Match[str]) -> str:
    return str(span[span.lastgroup or 0]).strip()


def _tidy(answer: str) -> str | None:
    """First sentence of `answer`, or the formulas or numbers among its words."""
    if answer.isalnum():  # a number or a word, as most are
        return answer
    spans = _formulas(answer)
    bold = _BOLD.findall(answer) if "**" in answer else []
    if len(bold) == 1:
        answer = bold[0]
    elif spans and _WORDS_AROUND.sub("", answer[: spans[0].start()]) == "":
        answer = _among_formulas(f"is {answer}", [*_MATH.finditer(f"is {answer}")]) or answer
    elif len(spans) == 1:
        answer = _content(spans[0])
    elif not spans:
        end = _SENTENCE_END.search(answer)
        answer = answer[: end.start()] if end else answer
        if _TWO_WORDS.search(answer) and _NUMBER.search(answer):
            answer = (_in_sentence(f"{answer}.") if not _has_no_answer(answer) else None) or answer
    answer = _ADVERB.sub("", _WORDS_AROUND.sub("", answer)).strip().rstrip(".")
    return _SPELLED.sub("", answer) or None
