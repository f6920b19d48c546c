"""Patterns of what takes an answer back, doubts it, or puts another in its place."""

from __future__ import annotations

import re

from libra_cli.lazy_pattern import lazy_pattern

DENIED_AT_ONCE = lazy_pattern(
    r"[\s$.*\\)\]]*(?:(?:is|was|would be)|(?:but|no|wait),?\s+(?:that|this|it)(?:'s| is| was))"
    r"\s+(?:actually\s+)?(?:(?:wrong|incorrect|a mistake)\b"
    r"|not(?:\s+(?:right|correct|the (?:right |correct |final )?answer))?(?=\s*(?:[.!?,;]|$)))",
    re.IGNORECASE,
    one_of=("not", "wrong", "a mistake", "incorrect"),
)
_MISTAKES = r"(?:a|an|some) (?:\w+ )?(?:mistakes?|errors?|slip)"
DENIED = lazy_pattern(
    r"\b(?:(?:that|this|it|which|(?:the|my) (?:\w+ )?(?:answer|result|value|box|count)"
    r"(?: above| here| I gave| in the box| I (?:boxed|wrote))?)(?:[\u2019']s| is| was)"
    r"(?: actually| clearly)? (?:wrong|incorrect|mistaken|a mistake|an error|not (?:right|correct|the answer))"
    r"(?! for\b| if\b| unless\b)"
    rf"|(?:I|we|have|must have) made {_MISTAKES}|my mistake|mis(?:counted|calculated|read|computed)"
    r"|I was (?:wrong|mistaken)|reject (?:it|this|that)|take (?:it|this|that) back|s(?:cratch|crap|trike) that"
    r"(?=\s*[.,;:!\u2014-]|\s*$)"
    r"|fails the check|oops|so (?:this|that|it) (?:must|has to|should|needs to|ought to) be (?:halved|doubled|tripled"
    r"|reduced|corrected|adjusted|divided|multiplied|lowered|raised))\b"
    rf"|(?:^|[.!?\n]\s?)made {_MISTAKES}"
    r"|(?:\u6211|\u521a\u624d)?(?:\u7b97\u9519|\u641e\u9519|\u5f04\u9519)\u4e86"
    r"|\b(?:me equivoqué|je me suis trompée?|mi sono sbagliat[oa]|me enganei|ich habe mich (?:verrechnet|geirrt))"
    r"|\bя ошиб",
    re.IGNORECASE,
    one_of=(
        *("wrong", "incorrect", "mis", "error", "not right", "not correct", "not the answer"),
        *("slip", "reject", "back", "scratch", "scrap", "strike", "fails", "oops", "\u4e86", "equivoqu", "tromp"),
        *("so this ", "so that ", "so it "),
        *("sbagliat", "enganei", "verrechnet", "geirrt", "ошиб"),
    ),
)
"""Words that take back what stands before them."""
DOUBTED = lazy_pattern(
    r"(?:^|[.!?\n(])[\s*_$\\)\]\u2014\u2013]{0,8}(?:(?:but|oh|ah),? )?"
    r"(?:wait|hold on|hmm+|actually|on second thought|correction|edit|sorry|no|let me re\w+)\b"
    r"|^[\s*_$\\)\].,;\u2014\u2013-]{0,8}but (?:that|this|it)(?:[\u2019']s| is| was) (?:only |just |merely )?"
    r"(?:the|its|what|half|twice)\b",
    re.IGNORECASE,
    one_of=(
        *("wait", "hold on", "hm", "actually", "on second thought", "correction", "edit", "sorry"),
        *("no", "let me re", "but that", "but this", "but it"),
    ),
)
"""What may change what stands before it: an explicit statement behind it counts."""
RESTATED = lazy_pattern(
    r"(?:(?:^(?:[\s.,:;\u2014-]|wait\b|no\b|sorry\b)*|[.!?\n]\s*(?:so )?|, (?:so|hence|thus) |; )"
    r"(?:it(?:['\u2019]s| is)|I meant|make (?:that|it)|(?:(?:it|this|that) )?"
    r"(?:should (?:be|have been)|(?:must|has to) be(?= \$?[-\u2212]?\d[\d.,/]*\$?[.!]?\s*$)))"
    r"|\bthe (?:correct|right|actual|true|real) (?:(?:\w+ ){1,2}|(?:number|value|total|count|result) of \w+ )is):? "
    r"(?P<given>[^.!?\n]{0,40}?(?-i:(?<![A-Za-z])[\dA-J](?![a-z]))(?:[^.!?\n]|\.\d){0,40})"
    r"|^[\s.,:;\u2014-]*(?P<subject>\(?[A-J]\)?|\$?[-\d.,/]+\$?) is (?:correct|right|the (?:right "
    r"|correct )?answer)\b",
    re.IGNORECASE,
)
"""What a doubt puts in the place of the answer: "no, it's 6", "actually, B is correct"."""
STRUCK = lazy_pattern(r"~~[^~\n]{1,200}~~")
_CROSSES = "\u2717\u2718\u274c\u2716"
_CROSS = f"[{_CROSSES}]\ufe0f?"
CROSS = lazy_pattern(_CROSS, one_of=tuple(_CROSSES))
CROSS_AT_BOX = lazy_pattern(rf"{_CROSS}[\s$*]*\\boxed|\\boxed\{{[^{{}}]*\}}[\s$*.]*{_CROSS}")
"""A box that a cross calls wrong."""
_CROSSED = lazy_pattern(
    rf"^[ \t*_-]*(?:{_CROSS}[ *_]*(?P<before>[^|\n:;?!]{{1,60}}?)[.]?"
    rf"|(?P<behind>[^|\n]{{1,200}}?)[ *_\u2014\u2013-]*{_CROSS}"
    r"[ *_]*(?:\([^()\n]{1,60}\)|(?i:wrong|incorrect|false|no|not \w+|too \w+|fails))?[.!*_]*)[ \t]*(?:\n|$)",
    re.MULTILINE,
    one_of=tuple(_CROSSES),
)
_SAYS_MORE = lazy_pattern(r"\b(?i:answer|should|instead|correct|right|actually)\b|\. ")
_FIGURE, _OPTION = r"\*{0,2}\$?-?\d[\d.,/]*(?<![.,])%?(?:\*\*)?", r"\(?(?-i:[A-H])\)?"
_PAUSE = r"(?:[ ,.;:!?(\u2014\u2013\u2026]|-(?= )){1,5}"
_TURN = (
    r"(?:no(?=[,.;:\u2014\u2013-]| wait| sorry| actually)|wait|sorry|actually|or rather|I meant?|oops|correction"
    r"|make that)"
)
_TURNED = rf"{_PAUSE}(?:{_TURN}{_PAUSE}){{1,3}}(?:it(?:['\u2019]s| is) )?"
_SLIP = lazy_pattern(
    rf"(?<![\w.,*/=^-])(?:{_FIGURE}{_TURNED}(?P<figure>{_FIGURE})(?=[.!) ]|$)(?! ?[-+*/=^<>\u00d7\u00b7])"
    rf"|{_OPTION}{_TURNED}(?P<option>{_OPTION})[.!)]*$)",
    re.IGNORECASE | re.MULTILINE,
)
"""A number or an option whose place another takes at once: 7, no, 8."""
_TURNS = (
    *("wait", "Wait", "orry", "ctually", "or rather", "I mean", "ops", "ake that", "orrection"),
    *("no,", "no.", "no;", "no:", "no\u2014", "no\u2013", "No,", "No.", "No:"),
)
_REJECTING = (
    *("reject", "discard", "drop", "rule out", "throw away", "throw out", "exclude", "dismiss", "eliminate"),
    "cross out",
)
_REJECT = f"(?:{'|'.join(_REJECTING)})"
_KEEP = r"(?:keep|take|accept|retain|choose|use|pick|are left with|have|get)"
_ROOT = r"(?:the (?:negative |positive |other |first |second |extraneous )?(?:value|root|solution|one),? )?"
_SIDE = r"\$?(?:[A-Za-z] ?= ?)?[-\u2212]?\d[\d./]*(?<!\.)\$?"
_REJECTED = lazy_pattern(
    rf"(?:(?P<lead>\b(?:we|I|you|must|can|should|and|so|one) ){_REJECT}|\b{_REJECT}ing|\brejecting) {_ROOT}{_SIDE},?"
    rf" (?:and|but|to|we|then) (?:we )?(?:{_KEEP}|keeping|taking) {_ROOT}(?=\$?(?:[A-Za-z] ?= ?)?[-\u2212]?\d)",
    re.IGNORECASE,
    one_of=_REJECTING,
)
"""A value that a sentence rejects before it keeps another: we reject 3 and keep x = -3."""
_REJECTED_BEHIND = lazy_pattern(
    rf"(?<=[\d$]) ?,? (?:and|but) (?:we )?(?:{_REJECT}|{_REJECT}ing) {_ROOT}{_SIDE}"
    r"(?=[.!]*$|,? (?:because|since|as)\b)",
    re.IGNORECASE | re.MULTILINE,
    one_of=_REJECTING,
)
_END, _SEVERAL = 200, 2
_PAST = r"(?:thought|believed|guessed|assumed|expected|supposed|figured|got|had|wrote|calculated|was going to say)"
_PRESENT = r"(?:think|believe|say|guess|assume|expect|suppose|answer|claim)"
_PEOPLE = r"(?:you|one|some|many|most|people|students|everyone|someone|somebody)(?: (?!is\b|are\b|that\b)[a-z]+){0,3}?"
_SOURCE = (
    r"(?:textbook|book|key|manual|calculator|teacher|tutor|friend|classmate|website|answer sheet|author|program"
    r"|(?:official|worked|posted|printed) (?:solution|answer))"
    r"(?:['\u2019]s (?:answer key|key|solution|answer))?"
)
_OPINION = lazy_pattern(
    rf"(?:^|(?<=[.!?\n] )|(?<=\n))[^.!?\n;:]{{0,40}}?\b(?:"
    rf"(?:at first|initially|originally|first|earlier),? (?:I|we) {_PAST}|(?:I|we)(?: had)? (?:at first"
    rf"|initially|originally"
    rf"|first) {_PAST}|(?:I|we) (?:thought|believed|guessed|assumed|was going to say)|(?:I"
    rf"|we) {_PAST}(?= [^.,;]{{1,20}} at first\b)"
    rf"|{_SOURCE} (?:says?|claims?|states?|lists?|shows?|prints?)"
    rf"|{_PEOPLE} {_PRESENT}|(?:my|our|the|an?) (?:first|initial|obvious|tempting|na[i\u00ef]ve|intuitive"
    rf"|earlier|original)"
    r" (?:guess|answer|thought|idea|result|attempt|estimate)|(?:looks|sounds) like|seems (?:right|true|false"
    r"|like|to be)|is (?:very )?tempting"
    r")\b(?:[^.!?\n;]|\.(?=\d)){0,60}?[,;.]? (?:but|yet|however|though)\b,? (?:then |now )?(?P<rest>[^\n]{8,})$",
    re.IGNORECASE,
)
"""What somebody thinks, and behind "but" what is so: at first I thought 12, but the right number is 24."""
_OPEN = lazy_pattern(
    r"\b(?:may|might|could|maybe|perhaps|possibly|sure|certain|unless|if|guess|think|thought|check|verify|either)\b"
)
_REASON = lazy_pattern(
    r"(?:^|(?<=[.,;\n] ))(?:(?:but|and|so|now|yet|however),? )?(?:since|because|as|given that|after|when|once) "
    r"(?:[^.,;:=\n]|\.(?=\d)){8,80}?(?<!\bof)(?<!\b(?:in|at|to|by|on|as))(?<!\b(?:for|and))(?<!\b(?:that|from"
    r"|with|than)) "
    r"(?=the (?:[a-z]+ ){1,5}(?:is|are|becomes|equals|must be) [^.,;]*\.?$|it (?:is|must be) [^.,;]*\.?$"
    r"|there (?:are|is|remain) [^.,;]*\.?$|we (?:get|have) [^.,;]*\.?$)",
    re.IGNORECASE,
)
"""A reason at the beginning of a sentence or behind "but", and what follows from it, without a comma between them."""
_BEGIN_REASON = ("ince ", "ecause ", " as ", "As ", "iven that ", "fter ", "hen ", "nce ")
_HAS_VALUE = lazy_pattern(r"\d|(?<![A-Za-z])[A-J](?![a-z'])")
_TAKES_BACK = (
    *(
        "wrong",
        "incorrect",
        "mistake",
        "error",
        "slip",
        "not ",
        "mis",
        "reject",
        "back",
        "scratch",
        "scrap",
        "strike",
        "fails",
    ),
    *("oops", "wait", "edit", "hold on", "hmm", "actually", "thought", "correction", "sorry", "let me"),
    *("equivoqu", "tromp", "sbagliat", "enganei", "ich habe mich", "ошиб"),
    *("no ", "no,", "no.", "no!", "no:", "\u7b97\u9519", "\u641e\u9519", "\u5f04\u9519"),
)
"""Parts of words, in small letters, of texts that take something back."""


def may_take_back(text: str) -> bool:
    """Whether a text has words that, with others, take something back."""
    return any(map(text.lower().__contains__, _TAKES_BACK))


def without_slip(text: str) -> str:
    """`text` with the number or the option on its last line that takes the place of the one before it: 7, no, 8."""
    start = max(text.rfind("\n", 0, -1) + 1, len(text) - _END)
    end = text[start:]
    if not any(map(end.__contains__, _TURNS)):
        return text
    return text[:start] + _SLIP.sub(lambda slip: slip["figure"] or slip["option"], end)


def without_crossed(text: str) -> str | None:
    """`text` without the lines that a cross marks as wrong; None if it has several such lines and no others."""
    crossed = [line for line in _CROSSED.finditer(text) if not _SAYS_MORE.search(line["before"] or "")]
    kept = text
    for line in reversed(crossed):
        kept = kept[: line.start()] + kept[line.end() :]
    return kept if len(crossed) < _SEVERAL or kept.strip() else None


def without_opinion(text: str) -> str:
    """`text` without what somebody first thought, if its last line says behind "but" what is so."""
    start = max(text.rfind("\n", 0, -1) + 1, len(text) - 2 * _END)
    end = text[start:]
    struck = max(map(end.rfind, ("cratch that", "trike that", "crap that")))
    if struck > 0:  # D. Scratch that, it's B
        rest = end[struck:].partition("that")[2].lstrip(" ,.;:!-\u2014\u2013\u2026")
        return text[:start] + rest if _HAS_VALUE.search(rest) else text
    if any(map(end.__contains__, ("but ", "But ", " yet ", "owever", "though"))) and (told := _OPINION.search(end)):
        has_both = any(map(str.isdigit, told["rest"])) or not any(map(str.isdigit, told[0]))
        rules_out = " remain" in told["rest"] or " left" in told["rest"]  # all but one of several opinions
        if has_both and not rules_out and not _OPEN.search(told["rest"].lower()):
            text = f"{text[: start + told.start()]}{told['rest'][0].upper()}{told['rest'][1:]}"
    return text


def without_rejected(text: str) -> str:
    """`text` without the value that its last line rejects beside the one that it keeps."""
    start = max(text.rfind("\n", 0, -1) + 1, len(text) - _END)
    end = _REJECTED.sub(lambda one: f"{one['lead'] or 'we '}get ", text[start:])
    return text[:start] + _REJECTED_BEHIND.sub("", end)


def with_pause(text: str) -> str:
    """`text` with a comma between a reason that begins its last sentence and what follows from it."""
    start = max(text.rfind("\n", 0, -1) + 1, len(text) - _END)
    end = text[start:]
    is_reason = any(map(end.__contains__, _BEGIN_REASON))
    return text[:start] + _REASON.sub(lambda reason: f"{reason[0][:-1]}, ", end) if is_reason else text


def is_about_the_answer(denial: re.Match[str]) -> bool:
    """Whether the sentence before a denial names no other number that it may be about: "9 is tempting, but wrong"."""
    start = max(denial.string.rfind(end, 0, denial.start()) for end in (". ", "! ", "? ", "\n", "\u3002", "$."))
    return not any(map(str.isdigit, denial.string[max(start, 0) : denial.start()]))
