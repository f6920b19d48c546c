"""Cuts a response to its own turn: chat templates leave tokens at its ends, and some models go on as the user."""

from __future__ import annotations

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
_OF_USERS = ("\nHuman:", "\nUser:", "\n### Instruction:", "\n### Human:")
"""Marks of a turn that is not the model's own."""
_NUMBERED = lazy_pattern(r"\n\n(?:Question|Problem|Exercise|Example) \d+[:.]")
_BEGINNING = 24
"""Letters by which a question that is asked again is known."""
_ANSWERED = lazy_pattern(r"[Aa]nswer(?: is\b|\**:| \([^()\n]{1,20}\):)|####|\\boxed|(?:^|\n)A: ")
_END = 80
_ROLE = lazy_pattern(r"(?:assistant|model|final)(?=\s|<|$)\s*")


def own_turn(text: str, question: str | None = None) -> str:
    """The text between the tokens that begin and end its turn; tokens of a text that has nothing else are dropped.

    A base model goes on with the next question; what it says before that counts if it is stated to be the answer, if a
    user speaks next, or if the `question` is known and the next one is another.
    """
    has_empty_lines = "\n\n" in text
    for mark in (*_NEXT_QUESTIONS, *_OF_USERS) if has_empty_lines else _OF_USERS if "\n" in text else ():
        following = text.find(mark) if mark in text else -1
        if following > 0 and _is_answered(text, following, following + len(mark), mark, question):
            text = text[:following]
    numbered = _NUMBERED.search(text) if has_empty_lines else None
    if (
        numbered
        and not text.lstrip().startswith(numbered[0].split()[0])
        and _is_answered(text, numbered.start(), numbered.end(), "", question)
    ):
        text = text[: numbered.start()]
    if "[DONE]" in text[-_END:]:
        text = text.partition("[DONE]")[0]
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


def _is_answered(text: str, end: int, start: int, mark: str, question: str | None) -> bool:
    """Whether a text up to `end` answers, and what begins at `start` is the question of another turn."""
    if _ANSWERED.search(text, 0, end):
        return True
    if not any(map(str.isdigit, text[max(end - _END, 0) : end])) or text[:end].rstrip().endswith((":", "?")):
        return False
    if mark in _OF_USERS:
        return True
    asked = _letters(question or "")
    following = _letters(text[start : start + 4 * _BEGINNING].strip().partition("\n")[0])[:_BEGINNING]
    return bool(asked and following) and following not in asked


def _letters(text: str) -> str:
    """The letters and digits of a text in lower case."""
    return "".join(filter(str.isalnum, text.lower()))
