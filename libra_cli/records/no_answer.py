"""Finds responses that are no answer at all by rule, before they can fool a judge.

A response passes if anything in it could be an answer: a letter, a digit, a mathematical sign, an operator, an empty
set or list. It is stopped if it consists only of what surrounds an answer: blanks, marks, empty boxes and tags, or the
words with which an answer begins ("Solution:", "Let's think step by step"). These are the phrases of `openers.txt` and
three kinds of English sentence, in any case and with any accents, marks and blanks. The rule does not know a problem
whose answer is one of these words ("What is a homogeneous mixture called?"); `libra judge --no-gate` turns it off.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib import resources

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
_EMPTY_SET = re.compile(r"\\\{\s*\\\}")
_HOLDER = re.compile(r"\\(?:boxed|fbox|text[a-z]*|math[a-z]+|operatorname)\s*\{([^{}]*)\}")
"""LaTeX commands around an answer, and their content."""
_BOXED = re.compile(r"\\f?box(?:ed)?\s*\{\s*[^\s}]")
_SETTING = re.compile(r"\\(?:begin|end)\s*\{[a-z]+\*?\}|\\(?:q?quad|displaystyle|left|right|newline)\b|\\[\[\]()]|\$")
"""LaTeX commands that only set an answer."""

_MARKS = "+ - * / ^ % < > = & | ~ == != <= >= && || ** // << >> -> => <- := ++ += -= *= /= <=> [] {} () '' " + '""'
_MARK_ANSWERS = frozenset(_MARKS.split())
"""ASCII marks that are answers when they stand alone: signs to be filled in, operators, an empty list, set or text."""
_NO_SIGNS = frozenset("∴∵⋯⋮⋱∎∙⋅∗∶∷•●■◆▪") | set(map(chr, range(0x2500, 0x25A0)))
"""Signs that answer nothing: those of an argument, bullets, and box-drawing characters."""

_APOSTROPHES, _ASCII_WORD = re.compile("['’ʼ`]"), re.compile("[a-z0-9]+")
_DRESS = " *_`#>~-"
"""Characters that only set text in Markdown."""
_PHRASE = re.compile(r"([^\n.:!?。：！？；،؟…।]+)([.:!?。：！？；،؟…।]?)")
_LEADS = ("ok", "okay", "alright", "all right", "sure", "certainly", "absolutely", "of course", "great", "well", "so",
          "now", "first", "firstly", "hmm", "yes", "therefore", "thus", "hence")  # fmt: skip
"""Words that may stand before an opener; alone they can be an answer."""
_LEAD = rf"(?:(?:{'|'.join(_LEADS)}) )*"
_THING = r"(?:problem|question|task|exercise|equation|puzzle|challenge|solution|answer)s?"
_VERB = (
    r"(?:solv|think|tackl|approach|analyz|analys|break|work|reason|figur|address|answer|begin|start|see|look|consider"
    r"|understand|examin|explor|go|walk|find|follow|determin|do)(?:e|ing)?"
)
_FILLER = (
    rf"(?: (?:this|that|it|the|these|through|out|down|into|about|at|on|given|math|mathematical|following|{_THING}"
    r"|steps?|by|one|a|time|in|detail|order|carefully|together|systematically|logically|slowly|first|now|and|then|for|of"
    r"|find|solve|follow|use|what|we|i|can|will|know|have|need|to|do|here|is|are|being|asked|how|with))*"
)
_PLAN = rf"(?: first| now| just| try to| begin to| start to)* {_VERB}{_FILLER}"
_ENGLISH = re.compile(
    rf"{_LEAD}(?:(?:lets|let us|let me){_PLAN}"
    rf"|(?=.* (?:this|that|these|the|by) (?:{_THING}|steps?)\b)"
    rf"(?:(?:we|i)(?: will| can| need to| should| must| have to)|well|ill|to|by){_PLAN}"
    r"|(?:here is|heres|here are|this is|below is) (?:my|the|a|an|your)(?: detailed| complete| full| step by step)*"
    rf" (?:solution|answer|explanation|reasoning|response|thought process){_FILLER}"
    rf"|(?:the|my|our)(?: final| correct| right)* (?:answer|solution|result)(?: (?:to|of|for) (?:the|this) {_THING})?"
    r"(?: is| would be| equals| will be)?(?: as follows| the following)?)"
)
"""A plan ("let's think about it step by step"), a presentation ("here is the solution"), or "the answer is"."""


def no_answer(response: str) -> str | None:
    """Why a response is no answer at all: `empty`, `symbols_only` or `opener_only`; None if it may be one."""
    if len(response) > LONGEST and sum(map(str.isalnum, response[:LONGEST])) > LONGEST // 2:
        return None  # the quick way out for most responses
    text = _UNSEEN.sub(_blank, unicodedata.normalize("NFKC", response)).strip()
    if len(text) > LONGEST:
        return None if any(map(str.isalnum, text)) else SYMBOLS_ONLY
    content, replaced = _EMPTY_SET.sub("∅", _MARKUP.sub(" ", text)), 1
    while replaced:
        content, replaced = _HOLDER.subn(r" \1 ", content)
    content = _SETTING.sub(" ", content).strip()
    if any(map(str.isalnum, content)):
        return OPENER_ONLY if not _BOXED.search(text) and _is_opener(content) else None
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


def _is_opener(text: str) -> bool:
    """Whether every phrase is an opener, or leads to one; a phrase after the last opener may be the answer."""
    always, before_colon = _openers()
    opened = answered = False
    for words, end in _PHRASE.findall(text):
        phrase = _plain(words)
        if phrase in always or (end in (":", "：") and phrase in before_colon) or _ENGLISH.fullmatch(phrase):
            opened, answered = True, False
        elif phrase in _LEADS or (not phrase and _is_sign(words.strip(_DRESS))):
            answered = opened
        elif phrase:
            return False
    return opened and not answered


@cache
def _openers() -> tuple[frozenset[str], frozenset[str]]:
    """The phrases of openers.txt: those that count always, and those that count before a colon."""
    text = resources.files("libra_cli.records").joinpath("openers.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return (
        frozenset(_plain(line) for line in lines if not line.endswith(":")),
        frozenset(_plain(line) for line in lines if line.endswith(":")),
    )


def _plain(phrase: str) -> str:
    """The words in lower case, separated by one blank, without accents, apostrophes and marks."""
    text = _APOSTROPHES.sub("", phrase.casefold())
    if text.isascii():  # the same, and most phrases are
        return " ".join(_ASCII_WORD.findall(text))
    parts = unicodedata.normalize("NFKD", text)
    kept = (one if one.isalnum() else " " for one in parts if unicodedata.category(one) != "Mn")
    return " ".join("".join(kept).split())
