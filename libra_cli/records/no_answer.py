"""Finds non-answers: responses that say nothing, which must not reach a judge.

A response passes if anything in it could be an answer: a letter, a digit, a mathematical sign, an operator, an empty
set or list. It is stopped if it consists only of what surrounds an answer: blanks, marks, signs of applause, empty
boxes and tags, or words with which an answer begins (`openers`), in any case and with any accents, marks and blanks.
The check does not know a problem whose answer is one of these words ("What is a homogeneous mixture called?");
`libra judge --no-gate` turns it off.
"""

from __future__ import annotations

import re
import unicodedata

from libra_cli.records.openers import is_opener

EMPTY, SYMBOLS_ONLY, OPENER_ONLY = "empty", "symbols_only", "opener_only"
LONGEST = 1000
"""Characters of the longest opener, blanks and marks not counted."""

_UNSEEN = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800"
    r"\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffd\U000e0000-\U000e0fff]+|&(?:nbsp|ensp|emsp|thinsp|zwnj|zwj|#160);"
)
"""Characters that show nothing; Unicode counts some of them as letters."""
_MARKUP = re.compile(
    r"<[|｜][^<>|｜]{1,40}[|｜]>|</?(?:s|bos|eos|pad|unk|start_of_turn|end_of_turn|answer|final_answer|response|solution"
    r"|think|thinking|reasoning|output)\s*/?>|(?:```|~~~)(?:text|markdown|math|latex|python|json|plaintext)?(?=\s|$)",
    re.IGNORECASE,
)
_CIRCLED = {first + n: f"{n + 1}) " for first in (0x2460, 0x2776, 0x2780, 0x278A) for n in range(10)} | {0x20E3: ")"}
"""Numbers in circles and on keys."""
_EMPTY_SET = re.compile(r"\\\{\s*\\\}")
_HOLDER = re.compile(r"\\(?:boxed|fbox|text[a-z]*|math[a-z]+|operatorname)\s*\{([^{}]*)\}")
"""LaTeX commands around an answer, and their content."""
_BOXED = re.compile(r"\\f?box(?:ed)?\s*\{\s*[^\s}]")
_SETTING = re.compile(r"\\(?:begin|end)\s*\{[a-z]+\*?\}|\\(?:q?quad|displaystyle|left|right|newline)\b|\\[\[\]()]|\$")
"""LaTeX commands that only set an answer."""

_MARKS = "+ - * / ^ % < > = & | ~ == != <= >= && || ** // << >> -> => <- := ++ += -= *= /= <=> [] {} () '' " + '""'
_MARK_ANSWERS = frozenset(_MARKS.split())
"""ASCII marks that are answers when they stand alone: signs to be filled in, operators, an empty list, set or text."""
_APPLAUSE = frozenset(
    "✅☑✔✨❗❕❓❔⚡⚠⭐☝✋✊✌✍➡⬇👆👇👈👉👋👌👍👏🙌🙏💪💫💡💯🔍🔎🔑🔥🌟🎉🎊🎯🏁🏅🏆🚀🤔🤖🤝🥇🥳🧠🧮📌📍📐📖📚📝📊"
) | set(map(chr, range(0x1F600, 0x1F650)))
"""Signs and faces with which chat models praise, point or adorn."""
_NO_SIGNS = frozenset("∴∵⋯⋮⋱∎∙⋅∗∶∷•●■◆▪") | set(map(chr, range(0x2500, 0x25A0))) | _APPLAUSE
"""Signs that answer nothing: those of an argument or applause, bullets, and box-drawing characters.

Check and cross (`✓`, `✗`, `❌`), circles, arrows, suits and pictures can be answers.
"""


def no_answer(response: str) -> str | None:
    """What kind of non-answer a response is: `empty`, `symbols_only` or `opener_only`; None if it may be one."""
    if len(response) > LONGEST and sum(map(str.isalnum, response[:LONGEST])) > LONGEST // 2:
        return None  # the quick way out for most responses
    text = _UNSEEN.sub(_blank, unicodedata.normalize("NFKC", response.translate(_CIRCLED))).strip()
    if len(text) > LONGEST:
        return None if any(map(str.isalnum, text)) else SYMBOLS_ONLY
    content, replaced = _EMPTY_SET.sub("∅", _MARKUP.sub(" ", text)), 1
    while replaced:
        content, replaced = _HOLDER.subn(r" \1 ", content)
    content = _SETTING.sub(" ", content).strip()
    if any(map(str.isalnum, content)):
        return OPENER_ONLY if not _BOXED.search(text) and is_opener(content, _is_sign) else None
    if _is_sign(content):
        return None
    return SYMBOLS_ONLY if content else EMPTY


def _is_sign(text: str) -> bool:
    """Whether a text without letters and digits can be an answer."""
    signs = {character for character in text if ord(character) > 127} - _NO_SIGNS
    return text in _MARK_ANSWERS or any(unicodedata.category(one) in ("Sm", "Sc", "So") for one in signs)


def _blank(match: re.Match[str]) -> str:
    """The replacement of unseen characters: nothing for those without width."""
    unseen = match.group()
    if "\n" in unseen:
        return "\n"
    return " " if unseen[0] == "&" or any(map(str.isspace, unseen)) else ""
