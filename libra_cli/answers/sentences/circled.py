"""Reads which of the options ① ② ③ of a question a text chooses, by its sign or by the text of the option."""

from __future__ import annotations

from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

SIGNS = "\u2460\u2461\u2462\u2463\u2464\u2465\u2466\u2467\u2468\u2469"
_SIGN = lazy_pattern(f"[{SIGNS}]")
_STATED = lazy_pattern(
    "(?:정답은|답은|정답:|답:|答案(?:是|为|为：|：|:)|故选|应选|选择?|正解は|答えは|正答は|(?i:answer is|answer:))"
    f"[ :：]*([{SIGNS}])(?!的)"
)
_CLAUSES = lazy_pattern(r"이므로|므로|이니까|니까|때문에|따라서|그러므로|ので|なので|から|よって|所以|因此|故|[，,;；]")
_DENIED = (
    "不应",
    "不选",
    "的人",
    "아니",
    "않",
    "ない",
    "不是",
    "不正",
    "不符",
    "不对",
    "错",
    "틀",
    "誤",
    "n't",
    " not ",
)


def chosen(text: str, question: str) -> str | None:
    """The sign of the option that the last sentence chooses; None if it names none or several, or denies one."""
    last = words.sentences(text.strip())[-1]
    stated = _STATED.findall(last)
    if any(map(last.__contains__, _DENIED)):
        return None
    if stated:
        return stated[-1] if len(set(stated)) == 1 else None
    named = set(_SIGN.findall(last))
    if named:
        return named.pop() if len(named) == 1 else None
    parts = _SIGN.split(question)
    listed = dict(zip(_SIGN.findall(question), (part.strip(" .,;\n") for part in parts[1:]), strict=True))
    clause = [part for part in _CLAUSES.split(last) if part and part.strip(" .。")][-1:]
    held = [sign for sign, content in listed.items() if content and clause and content in clause[0]]
    return held[0] if len(held) == 1 else None
