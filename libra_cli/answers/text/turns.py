"""Cuts a response to its own turn: chat templates leave tokens at its ends, and some models go on as the user."""

from __future__ import annotations

from collections.abc import Collection

from libra_cli.lazy_pattern import lazy_pattern

_CONTROL = lazy_pattern(
    r"<(?=[|\uff5c/A-Za-z])(?:[|\uff5c][A-Za-z_\u2581][\w\u2581.-]{2,40}[|\uff5c]>"
    r"|(?i:/?s|bos|eos|pad|unk|end_of_turn|start_of_turn|end_of_utterance|turn\||\|turn)>|reserved_\d{1,4}>)"
    r"|\[\|[a-z]{3,20}\|\]"
)
"""Tokens of the chat templates of all families: `<|im_end|>`, `<eos>`, `<end_of_turn>`, `[|endofturn|]`."""
_ANGLED = lazy_pattern(r"<[|\uff5c/A-Za-z]")
_NEXT_QUESTIONS = (
    "\n\nQuestion:",
    "\n\nQ:",
    "\n\nProblem:",
    "\n\nNext question:",
    "\n\nNext problem:",
    "\n\nNew question:",
    "\n\nAnother question:",
    "\n\n### Question",
    "\n\n### Instruction",
)
"""Marks of another question, each behind an empty line."""
_NO_HEADS: frozenset[str] = frozenset()
_ON_NEXT_LINE = ("\nQuestion:", "\nQ:")
"""Marks of another question that asks in the same line."""
_OF_USERS = ("\nHuman:", "\nUser:", "\n### Instruction:", "\n### Human:")
"""Marks of a turn that is not the model's own."""
_OF_ALL = (*_NEXT_QUESTIONS, *_ON_NEXT_LINE, *_OF_USERS)
_HEADS_OF_MARKS = frozenset(mark.lstrip("\n")[:2] for mark in _OF_ALL)
"""First characters of the lines with these marks; those of all lines are looked at once, since most texts have none."""
_NUMBERED = lazy_pattern(
    r"\n\n(?:(?:Question|Problem|Exercise|Example) \d+[:.]|(?:#+ |\*\*)(?:Question|Problem|Exercise|Example) \d+\b)"
)
_HEADS_OF_NUMBERED = frozenset(("Qu", "Pr", "Ex", "# ", "##", "**"))
_ANOTHER = lazy_pattern(
    r"\n\n(?:(?:Now,? |Next,? )?[Ll]et(?:['\u2019]s| us) (?:try|do|solve|look at|consider) "
    r"(?:another|a similar|one more)\b"
    r"|Here(?:['\u2019]s| is) (?:another|a similar)\b|You are an? (?:AI|helpful|assistant)\b)"
)
_HEADS_OF_OTHERS = frozenset(("No", "Ne", "Le", "le", "He", "Yo"))
"""How a text goes on to another question, or a template to another task."""
_ASKS = ("What is", "Calc", "Comp", "Eval", "Simp", "Fact", "Work", "Expand", "How much")
_ASKED = lazy_pattern(
    r"(?:What is|Calculate|Compute|Evaluate|Simplify|Factor(?:i[sz]e)?|Work out|Expand|How much is) "
    r"(?P<term>[^?\n]{3,80}?)[.?]?"
)
_DIGITS = lazy_pattern(r"\d+")
_MOST_QUESTIONS, _LONGEST_TERM, _MOST_LINES = 8, 40, 100
_FEWEST_LINES = 3
"""Whole lines of a text that says the same on every line."""
_SHORTEST_LOOP = 8
"""Characters of a sentence that a text may say again and again."""
_FIRST = 6
"""Characters with which a question begins that is asked again."""
_ALIKE, _FEWEST = 0.7, 4
"""How many words of a question another one of the same form shares, and the fewest that it has."""
_BEGINNING = 24
"""Letters by which a question that is asked again is known."""
_ANSWERED = lazy_pattern(r"[Aa]nswer(?: is\b|\**:| \([^()\n]{1,20}\):)|####|\\boxed|(?:^|\n)A: ")
_END = 80
_HEADING_SIGNS = "#*[(-=<"
_END_LINE = lazy_pattern(
    r"[#*\[(=< -]{1,8}(?i:(?:the )?end(?: of (?:the |my )?(?:response|answer|solution|explanation|proof|output|text))?"
    r"|done|finished|explanation|response|notes?|references?|verification|check)[\])*.:=> -]{0,8}"
)
"""A last line that says no more than that the text ends: ### End."""
_DOUBT = lazy_pattern(r"\b(?:[Ww]ait|[Ll]et me|[Hh]mm+|[Hh]old on|[Aa]ctually|[Cc]heck|[Oo]ops|[Ss]orry)\b")
"""A word behind which a text works on its own question again."""
_FINAL = lazy_pattern(r"(?:^|\n)#### ?[-$]{0,2}\d[\d.,/]{0,20}%?(?: [a-z]{1,20})?(?=\n\n)")
_THING = lazy_pattern(r"[a-z]{4,}")
_SMALL = frozenset(
    "this that what then with have from they there were when will each total answer thus therefore hence here".split()  # noqa: SIM905
)
_LABEL = lazy_pattern(r"(?:^|\n|[.?!\uff1f\u3002] )[ \t]*(?P<name>[^\W\d_]{1,12}(?: [a-z]{1,12})?[:\uff1a])\Z")
"""What a prompt ends with: Answer:."""
_OPENER = lazy_pattern(r"[^\W\d_]{1,12}[:\uff1a]")
_ALONE = lazy_pattern(r"\(?[A-J](?:[.):]|\Z)|[^\n]*\d|(?i:yes|no|true|false)\b")
"""An answer above an empty line: B, B. whale, 42 apples, yes."""
_LABELS = ("Answer:", "A:", "Solution:", "Ans:")
_HEADS_OF_LABELS = frozenset(label[:2] for label in _LABELS)
_SHORTEST_QUESTION, _LONGEST_ANSWER, _MOST_PARAGRAPHS = 4, 60, 60
"""Words of a question, and characters of an answer that stands alone."""
_ROLE = lazy_pattern(r"(?:assistant|model|final)(?=\s|<|$)\s*")


def own_turn(text: str, question: str | None = None) -> str:
    """The text between the tokens that begin and end its turn; tokens of a text that has nothing else are dropped.

    A base model goes on with the next question; what it says before that counts if it is stated to be the answer, if a
    user speaks next, or if the `question` is known and the next one is another.
    """
    heads = {line[:2] for line in text.split("\n")} if "\n" in text else _NO_HEADS
    has_empty_lines = "" in heads and "\n\n" in text
    marks = _OF_ALL if has_empty_lines else (*_ON_NEXT_LINE, *_OF_USERS)
    for mark in () if heads.isdisjoint(_HEADS_OF_MARKS) else marks:
        following = text.find(mark) if mark in text else -1
        if following < 0 or (mark in _ON_NEXT_LINE and "?" not in text[following:].lstrip().partition("\n")[0]):
            continue
        if following > 0 and _is_answered(text, following, following + len(mark), mark, question):
            text = text[:following]
    numbered = _NUMBERED.search(text) if has_empty_lines and not heads.isdisjoint(_HEADS_OF_NUMBERED) else None
    if (
        numbered
        and not text.lstrip().startswith(numbered[0].split()[0])
        and _is_answered(text, numbered.start(), numbered.end(), "", question)
    ):
        text = text[: numbered.start()]
    may_be_other = has_empty_lines and not heads.isdisjoint(_HEADS_OF_OTHERS)
    is_other_said = may_be_other and any(map(text.__contains__, ("another", "similar", "one more", "\n\nYou are")))
    if is_other_said and (another := _ANOTHER.search(text)) and _is_value_before(text, another.start()):
        text = text[: another.start()]
    if question and (has_empty_lines or question.rstrip().endswith((":", "\uff1a"))) and "\n" in text:
        text = _before_template(text, question, heads)
    if question and ("?" in text or f"\n{question[:_FIRST]}" in text or question.startswith(_ASKS)):
        text = _before_alike(text, question)
    if question and has_empty_lines and text.count("####") > 1:
        text = _before_another_problem(text, question)
    text = text if text[-1:].isdigit() else _without_end(text)
    if "[DONE]" in text[-_END:]:
        text = text.partition("[DONE]")[0]
    return _within_tokens(text)


def _within_tokens(text: str) -> str:
    """The first text between tokens of a chat template, without a role before it; the whole text if it has none."""
    if "<" not in text and ("|" not in text or "[|" not in text):
        return text  # nearly all texts without a comparison
    if _ANGLED.search(text) is None and "[|" not in text:
        return text
    begin = 0
    for token in _CONTROL.finditer(text):
        if text[begin : token.start()].strip():
            return text[begin : token.start()].strip()
        begin = token.end()
        role = _ROLE.match(text, begin)  # <|im_start|>assistant
        begin = role.end() if role and token[0][1:2] not in "/" else begin
    return text[begin:] if begin else text


def _without_end(text: str) -> str:
    """A text without a last line that only says that it ends, or heads what does not follow: ### End."""
    start = text.rstrip().rfind("\n") + 1
    line = text[start:].strip() if 0 < len(text) - start < _END else ""
    return text[:start].rstrip() if line[:1] in _HEADING_SIGNS and line and _END_LINE.fullmatch(line) else text


def _before_another_problem(text: str, question: str) -> str:
    """A text up to its first `#### 42` if what follows an empty line is about other things than the question."""
    first = _FINAL.search(text)
    if first is None or "####" not in text[first.end() :]:
        return text
    line = text[first.end() :].lstrip().partition("\n")[0]
    things = {word for word in _THING.findall(line.lower()) if word not in _SMALL}
    known = f"{question} {text[: first.start()]}".lower()
    is_other = len(things) > 1 and not _DOUBT.search(line) and not any(map(known.__contains__, things))
    return text[: first.end()] if is_other else text


def _before_template(text: str, question: str, heads: Collection[str]) -> str:
    """A text up to the next question of a base model that goes on with the template of its prompt.

    `B`, and `Which of these is a bird? A. bat B. hen` above `Answer: B`, where the question itself ends with Answer:.
    `heads` are the first characters of the lines.
    """
    asked = question.strip()
    label = _LABEL.search(asked) if asked[-1:] in (":", "\uff1a") else None
    opener = _OPENER.match(asked) if label else None
    if label and opener and opener[0] != label["name"] and f"\n{opener[0]}" in text:
        before = text.partition(f"\n{opener[0]}")[0].rstrip()
        if before.strip() and before[-1] not in ":?\uff1a\uff1f":
            return before
    labels = (label["name"],) if label else _LABELS
    if (label is None and _HEADS_OF_LABELS.isdisjoint(heads)) or not any(f"\n{name}" in text for name in labels):
        return text
    paragraphs = text.split("\n\n")
    if len(paragraphs) < 2 or len(paragraphs) > _MOST_PARAGRAPHS:
        return text
    known = _letters(asked)
    for at, own in enumerate(paragraphs[1:], 1):
        line = own.strip().partition("\n")[0]
        following = own if at + 1 == len(paragraphs) else f"{own}\n{paragraphs[at + 1]}"
        if not any(f"\n{name}" in following for name in labels) or _letters(_asked_in(line))[:_BEGINNING] in known:
            continue
        first, is_question = paragraphs[0].strip(), "?" in line or "\uff1f" in line
        if len(line.split()) < _SHORTEST_QUESTION or not (is_question or (label and at == 1)):
            continue
        is_stated = len(first) <= _LONGEST_ANSWER or any(map(str.isdigit, first[-_END:]))
        is_whole = at == 1 and first and is_stated and first[-1] not in ":?" and "\n" not in first
        if is_whole and (label or _ALONE.match(first)) and not _DOUBT.search(first):
            return paragraphs[0]
    return text


def is_beginning(own: str, text: str) -> bool:
    """Whether `own_turn` left out what a text ends with."""
    return own is not text and bool(own.strip()) and not text.rstrip().endswith(own.rstrip())


def _is_answered(text: str, end: int, start: int, mark: str, question: str | None) -> bool:
    """Whether a text up to `end` answers, and what begins at `start` is the question of another turn."""
    if _ANSWERED.search(text, 0, end):
        return True
    is_asked_next = mark in (*_NEXT_QUESTIONS, *_ON_NEXT_LINE) and "?" in text[start:].lstrip().partition("\n")[0]
    if not _is_value_before(text, end) and not (is_asked_next and text[:end].rstrip().endswith((".", "!", "*"))):
        return False
    if mark in _OF_USERS:
        return True
    asked = _letters(question or "")
    following = _letters(text[start : start + 4 * _BEGINNING].strip().partition("\n")[0])[:_BEGINNING]
    return bool(asked and following) and following not in asked


def before_loop(text: str) -> str | None:
    """A text that was cut off while it said one sentence again and again, up to that sentence; None for any other."""
    end = text.rstrip()
    *lines, started = [line.strip() for line in end.split("\n") if line.strip()] or [""]
    if len(lines) >= _FEWEST_LINES and len(set(lines)) == 1 and lines[0].startswith(started):  # 9, on every line
        return lines[0]
    last = max(end.rfind(mark) for mark in (". ", ".\n", "\n"))
    rest, body = end[last + 1 :].strip(), end[: last + 1].rstrip()
    if end.endswith("."):
        rest, body = "", end
    begin = max(body[:-1].rfind(mark) for mark in (". ", ".\n", "\n")) + 1
    sentence, times = body[begin:].strip(), 0
    if len(sentence) < _SHORTEST_LOOP or not sentence.startswith(rest):
        return None
    while body.endswith(sentence):
        body, times = body[: -len(sentence)].rstrip(), times + 1
    return f"{body} {sentence}".lstrip() if times + bool(rest) > 2 else None


def _is_value_before(text: str, end: int) -> bool:
    """Whether a text up to `end` ends in a sentence with a number."""
    return any(map(str.isdigit, text[max(end - _END, 0) : end])) and not text[:end].rstrip().endswith((":", "?"))


def _before_alike(text: str, question: str) -> str:
    """`text` before another question of the form of `question`, or what follows the answer to another such term.

    What is 8 + 5?, and 8 + 5 = 13, where 7 + 5 is asked for.
    """
    for before in (_before_question, _before_line_of_another, _before_line_with_others, _before_term):
        kept = before(text, question)
        if kept is not None:
            return kept
    return text


def _before_question(text: str, question: str) -> str | None:
    """A text up to a sentence that asks the same about other numbers, all of it if nothing is stated before that."""
    numbers = set(_DIGITS.findall(question)) if "?" in text else set[str]()
    end = -1
    for _ in range(_MOST_QUESTIONS if numbers else 0):
        end = text.find("?", end + 1)
        if end < 0:
            break
        start = max(text.rfind(mark, 0, end) + len(mark) for mark in ("\n", ". ", "? ", ": "))
        begin = text.rfind("\n\n", 0, end) + 2
        is_same = begin > 1 and _is_of_another(text[begin:start], text[start:end], question, numbers)
        if start > 1 and (is_same or _is_alike(text[start:end], question, numbers)):
            line = text.rfind("\n", 0, start)
            before = text[: line if line > 0 else start].rstrip()
            is_stated = any(map(str.isdigit, before[-_END:])) and not before.endswith(":")
            return before if is_stated and before.count("?") <= text[:start].count("?") else text
    return None


def _before_line_of_another(text: str, question: str) -> str | None:
    """A text up to a line that asks the same about something else, where the question has no number."""
    for at, own in _lines_that_begin_alike(text, question) if _DIGITS.search(question) is None else ():
        if "?" in own and _asks_of_another(own, question):
            before = "\n".join(text.split("\n")[:at]).rstrip()
            return before if before.strip() and before[-1] not in ":?" else text
    return None


def _before_line_with_others(text: str, question: str) -> str | None:
    """A text up to a line that is the question with other numbers, if there is a number above it."""
    form = _DIGITS.sub("0", question.strip())
    for at, own in _lines_that_begin_alike(text, question):
        is_next = form == _DIGITS.sub("0", own.strip()) != own.strip() and own.strip() != question.strip()
        above = "\n".join(text.split("\n")[:at]) if is_next and abs(len(own) - len(question)) <= _FIRST else ""
        if any(map(str.isdigit, above)):
            return above.rstrip()
    return None


def _lines_that_begin_alike(text: str, question: str) -> list[tuple[int, str]]:
    """The lines below the first that begin as the question does, with their numbers; none of a text of many lines."""
    first = question[:_FIRST]
    if f"\n{first}" not in text or text.count("\n") >= _MOST_LINES:
        return []
    return [(at, line) for at, line in enumerate(text.split("\n")) if at and line.startswith(first)]


def _before_term(text: str, question: str) -> str | None:
    """A text up to an equation that works out another term of the form of the one that is asked for."""
    term = asked_term(question) if "=" in text else ""
    form = _DIGITS.sub("0", term)
    if not 2 < len(term) < _LONGEST_TERM or form == term or text.count("=") < 2:
        return None
    pieces, is_said = text.split("="), False
    for at, piece in enumerate(pieces[:-1]):
        begin = max((piece.rfind(mark) + len(mark) for mark in ("\n", ". ", ", ") if mark in piece), default=0)
        own = plain_term(piece[begin:] if begin else piece)
        is_said = is_said or own.endswith(term)
        is_next = begin > 0 and at > 0 and own != term and _DIGITS.sub("0", own) == form
        if is_said and is_next:
            is_doubted = _DOUBT.search("=".join(pieces[: at + 1]))  # Wait, let me check: ...
            return None if is_doubted else "=".join([*pieces[:at], piece[:begin]]).rstrip(" ,\n")
    return None


def _asked_in(line: str) -> str:
    """What a line asks, up to its question mark."""
    return line.partition("?")[0].partition("\uff1f")[0]


def _asks_of_another(line: str, question: str) -> bool:
    """Whether a line asks of something else what `question` asks: the capital of Spain, not of France."""
    asked, heard = _asked_in(question).rstrip(" .\n").split(), _asked_in(line).split()
    shared = sum(word in asked for word in heard)
    is_of_one_form = len(heard) >= _FEWEST and shared >= _ALIKE * len(heard) and abs(len(heard) - len(asked)) < _FEWEST
    return is_of_one_form and any(word not in asked for word in heard)


def _is_of_another(before: str, asked: str, question: str, numbers: set[str]) -> bool:
    """Whether a paragraph asks what `question` asks in the same words, but of somebody else with other numbers."""
    own = set(_DIGITS.findall(before))
    is_same = bool(own - numbers) and _letters(question).endswith(_letters(asked))
    return is_same and _letters(before)[:_BEGINNING] not in _letters(question)


def _is_alike(other: str, question: str, numbers: set[str]) -> bool:
    """Whether a question asks the same as another one about other numbers."""
    own = set(_DIGITS.findall(other))
    if not own or own <= numbers:
        return False
    asked = question.rstrip("? .\n")
    last = asked[max(asked.rfind(mark) for mark in ("\n", ". ", "? ", ": ")) + 1 :]
    words, heard = (_DIGITS.sub("0", one.lower()).split() for one in (last, other))
    if words == heard:
        return True
    return len(heard) >= _FEWEST and sum(word in words for word in heard) >= _ALIKE * len(heard)


def asked_term(question: str) -> str:
    """The term of which a question asks only the value or another form, as `plain_term`; empty if there is none."""
    if len(question) > _LONGEST_TERM * 3 or not question.startswith(_ASKS):
        return ""
    asked = _ASKED.fullmatch(question.strip())
    return plain_term(asked["term"]) if asked else ""


def plain_term(term: str) -> str:
    """A term without spaces and dollar signs, with one sign for each operation."""
    term = term.replace("\\times", "*").replace("\\cdot", "*").replace("\u00d7", "*").replace("\u00b7", "*")
    return "".join(term.replace("\u2212", "-").replace("$", "").split())


def _letters(text: str) -> str:
    """The letters and digits of a text in lower case."""
    return "".join(filter(str.isalnum, text.lower()))
