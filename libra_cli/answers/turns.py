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
    "\nHuman:",
    "\nUser:",
    "\n\n### Question",
    "\n\n### Instruction",
)
_ANSWERED = lazy_pattern(r"[Aa]nswer(?: is\b|\**:| \([^()\n]{1,20}\):)|####|\\boxed|(?:^|\n)A: ")
_END = 80
_ROLE = lazy_pattern(r"(?:assistant|model|final)(?=\s|<|$)\s*")


def own_turn(text: str) -> str:
    """The text between the tokens that begin and end its turn; tokens of a text that has nothing else are dropped."""
    for mark in _NEXT_QUESTIONS:
        following = text.find(mark) if mark in text else -1
        if following > 0 and _ANSWERED.search(text, 0, following):  # a base model goes on with the next question
            text = text[:following]
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
