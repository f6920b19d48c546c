"""Readers of single kinds of answers: of two cases, sequences of letters, blood types, and what a name restates."""

from __future__ import annotations

import re

from libra_cli.answers.comparison import equal
from libra_cli.answers.extraction.asked import is_given
from libra_cli.answers.extraction.prose_text import Prose
from libra_cli.answers.languages import amounts, names
from libra_cli.answers.sentences import denials, negation, ordinals
from libra_cli.answers.sentences.extracted import OTHER_ANSWER, UNDECIDED, Extraction
from libra_cli.answers.text import words
from libra_cli.answers.values import structure
from libra_cli.lazy_pattern import lazy_pattern

_NUMBER = r"\$?[-\u2212]?\d[\d.,/]*(?<=\d)\$?"
_GIVES = r"(?:which (?:gives|means|yields)|giving|so|hence|i\.e\.|then|\u2192|=>|\u21d2)(?: [a-z] ?=)? ?"
_EITHER = lazy_pattern(
    rf"\b[Ee]ither [^.;]*?{_GIVES}(?P<one>{_NUMBER})[,;]? or [^.;]*?{_GIVES}(?P<other>{_NUMBER})[.!;](?P<behind>.*)$"
)
"""Either x - 3 = 5, which gives 8, or x - 3 = -5, which gives -2."""
_BOTH = lazy_pattern(
    r"\W*(?:so |and |hence )?(?:both|these|each)(?: of them| values| solutions| roots| answers)?"
    r" (?:are|is|work|works|check out|hold|satisfy|fit)\b[^.]*[.!]?\W*$",
    re.IGNORECASE,
)
_ONLY = lazy_pattern(
    rf"\b[Oo]nly (?:the (?:value|solution|root) )?(?:[a-z] ?= ?)?(?P<value>{_NUMBER}) "
    r"(?:is (?:a|the|valid|left|possible|allowed)|works|remains|satisfies|fits|qualifies|counts|survives|solves)\b"
)
"""So only 8 is a solution."""
_THING = r"(?: (?:one|value|solution|root|answer|number|candidate|case))?"
_OF_OTHERS = lazy_pattern(
    r"\b(?i:errors?|squares?|cubes?|sums?|products?|differences?|tolerances?|margins?|uncertaint\w+)\b"
)
"""What has a sign, or a tolerance, beside the values themselves."""
_PLUS_MINUS = lazy_pattern(
    r"\b(?:is|are|be|equals?|ist|sind|est|sont|es|son|è|sono|é|são|to|gives?) plus "
    r"(?:und|oder|and|or|et|ou|y|o|e|и) (?:minus|moins|menos|meno|минус) "
    r"(?P<value>\$?(?:\d+(?:\.\d+)?(?:/\d+)?|\\(?:frac|sqrt)[\d{}/]{1,16})\$?|[^\W\d_]+(?:[ -][^\W\d_]+){0,2})[.!]?$",
    one_of=(
        "plus und",
        "plus oder",
        "plus and",
        "plus or",
        "plus et",
        "plus ou",
        "plus y",
        "plus o",
        "plus e",
        "plus \u0438",
    ),
)
_KEPT_SIGN = lazy_pattern(
    rf"\b(?i:only) the (?P<kept>positive|negative){_THING} (?:is (?:valid|allowed|possible|left|acceptable)|works"
    r"|remains|satisfies|fits)(?: (?:the|our|this|all)(?: [a-z]+){1,3})?[.!]?$"
    r"|(?:^|[,;.] (?:so |and )?|\b(?:we|I) )(?i:reject|discard|ignore|exclude|drop) the (?P<dropped>negative|positive)"
    rf"{_THING}[.!]?$"
)
_TURNED = lazy_pattern(
    r"\b(?i:not|no|never|cannot|wrong|if|unless|reason|both)\b|n['\u2019]t\b",
    one_of=("no", "never", "cannot", "wrong", "if", "unless", "reason", "both", "n't", "n\u2019t"),
)
_OF_SIGN = lazy_pattern(rf"\b(?:positive|negative){_THING}\b", one_of=("positive", "negative"))
_SIGNED = lazy_pattern(r"(?<![\w.,/^*+(-])[-\u2212]?\d+(?:\.\d+|/\d+)?(?![\d^*/(]|\.\d)")
_NEAR_END = 200
"""Characters of the end of a text in which both values stand."""
_BEGINS = lazy_pattern(
    r"(?P<name>[A-Z][\w-]{2,20}(?: [\w-]{2,20}){0,2}?)\*{0,2}(?: \([^()]{1,20}\))?"
    r"(?:[.,;:]|,? (?:with|because|since)) "
)
_AWAY = lazy_pattern(
    r"\b(?i:opposite|outside|adjacent|symmetric\w*|neighbou?r\w*|between|not|nor|next|reflect\w+|or)\b"
)
_QUADRANTS = ("I", "II", "III", "IV")
_STRAND = lazy_pattern(r"[ACGTU]{3,40}")
_JOINED = lazy_pattern(
    r"(?<![A-Za-z-])(?:[ACGTU][- ]){2,40}[ACGTU](?![A-Za-z-])|(?<![A-Za-z])[ACGTU]{3,40}(?![A-Za-z])"
)
_BLOOD = lazy_pattern(
    r"(?<![A-Za-z])(?P<group>AB|A|B|O|0)(?: ?[Rr]h(?:esus)?)?(?:[ -]?(?P<sign>positive|negative|pos|neg)\b"
    r"| ?(?P<mark>[-+\u2212\u2013\u207b\u207a])(?![A-Za-z\d]))"
)
_RESTATED = lazy_pattern(
    r"(?:\bi\.e\.,?|\bnamely|\b(?:also|better|otherwise|commonly|now|more commonly)?,? ?(?:known|called)"
    r"(?: (?:in|to|by) [A-Z]\w+)?(?: as)?) (?:the |an? )?(?P<name>[A-Za-z][\w' -]{1,40}?)"
    r"(?:, (?:not|which|unlike|as opposed)\b[^.]*)?[.!]?$"
)
_BUT_VALUE = lazy_pattern(
    rf", but (?P<why>[^\d.;:]{{4,80}}), (?:so |it is |it's )?(?P<value>{_NUMBER})[.!]?$", one_of=(", but ",)
)
"""9 + 4 is 13, but with the minus in front, -13."""
_WITH_REMAINDER = lazy_pattern(
    r"(?P<whole>\d+)\s*(?:,?\s*(?:R|r|rem(?:ainder)?\.?|Rest|reste|resto|\u4f59|\u3042\u307e\u308a)\.?\s*"
    r"|\u2026+|\.{3,6}|\\[lc]?dots\s*)(?P<rest>\d+)"
)
"""7 R 3, 7......3."""
_IS = r"(?: is| of|=|:|\u662f|\u4e3a|\u306f)? ?"
_QUOTIENT = lazy_pattern(
    rf"(?:quotient|Quotient|cociente|quociente|quoziente|\u5546){_IS}(?P<whole>\d+)\D{{1,24}}?"
    rf"(?:remainder|Rest|reste|resto|residuo|\u4f59\u6570|\u4f59|\u3042\u307e\u308a){_IS}(?P<rest>\d+)"
)
_NONE = ("none", "no solution", "nothing", "\\emptyset", "\\varnothing", "no such", "there are none", "keine", "aucun")
_NONE_EXIST = lazy_pattern(
    r"(?:(?:so|thus|hence|therefore|but),? )?(?:such|those|these|any such) (?!other\b)(?:an? )?[a-z]+(?: [a-z]+)? "
    r"(?:don['\u2019]t|do not|does not|doesn['\u2019]t|cannot|can['\u2019]t) exist[.!]?$",
    re.IGNORECASE,
)
_BLANK, _BOLD = lazy_pattern(r"_{2,}"), lazy_pattern(r"\*\*([^*]{1,40})\*\*")
_GROUPS = {"pair": "2", "trio": "3", "quartet": "4", "quintet": "5", "dozen": "12"}
_A_GROUP = lazy_pattern(
    r"(?:so |hence |thus |therefore )?(?:(?:it|that)(?:['\u2019]s| is)|they (?:are|form)|there is) (?:just )?an? "
    rf"(?P<noun>{'|'.join(_GROUPS)})[.!]?$"
)


def first_of_cut(prose: Prose) -> Extraction | None:
    """`Nitrogen (N2), with about 78%. The remaining part is mainly ox`: the name that begins a text."""
    if not prose.cut or not prose.question or not prose.asks_for_words or len(words.sentences(prose.text)) == 1:
        return None
    first = _BEGINS.match(prose.text.lstrip(" *"))
    if first is None or denials.may_take_back(prose.text):
        return None
    decided = equal.decide_quickly(prose.reference, first["name"])
    return Extraction(first["name"]) if decided is not None and decided.equal is not None else None


def two_cases(prose: Prose) -> Extraction | None:
    """`Either ..., which gives 8, or ..., which gives -2. Both are valid.`, for a reference of several values."""
    if prose.cut or not (prose.is_several or prose.reference.strip("$ ")[:2] in ("{", "\\{")):
        return None
    only = _ONLY.search(prose.sentences[-1])
    if only and not negation.is_open(prose.sentences[-1]):
        return Extraction(only["value"].strip("$"))
    found = _EITHER.search(prose.tail) if "ither " in prose.tail else None
    if found is None:
        return None
    is_whole = not found["behind"].strip() or _BOTH.match(found["behind"])
    return Extraction(f"{found['one'].strip('$')}, {found['other'].strip('$')}") if is_whole else UNDECIDED


def plus_and_minus(prose: Prose) -> Extraction | None:
    """`Die Eigenwerte sind plus und minus ein Drittel`, for a reference that is two numbers of opposite signs."""
    is_asked = "pm" in prose.reference or "\u00b1" in prose.reference or prose.is_several
    found = _PLUS_MINUS.search(prose.sentences[-1]) if is_asked and not prose.cut else None
    if found is None or negation.is_open(before := prose.sentences[-1][: found.start()]) or _OF_OTHERS.search(before):
        return None
    said = found["value"].strip("$ ")
    value = said if said[0].isdigit() or said[0] == "\\" else amounts.spelled(said) or words.number(said)
    return None if value is None else Extraction(f"\\pm {value}")


def signed_one(prose: Prose) -> Extraction | None:
    """`5 or -5; only the positive one works`: of two values of opposite signs the one that a text keeps."""
    sentence = prose.sentences[-1]
    if prose.cut or not structure.is_number(prose.reference) or not _OF_SIGN.search(sentence):
        return None
    values = {value.replace("\u2212", "-") for value in _SIGNED.findall(prose.tail[-_NEAR_END:])}
    below = [value for value in values if value.startswith("-")]
    if len(values) != 2 or len(below) != 1:
        return None
    is_denied = _TURNED.search(sentence) is not None or "ow many" in (prose.question or "")
    kept = None if is_denied else _KEPT_SIGN.search(sentence)
    if kept is None:
        return UNDECIDED if " or " in prose.tail[-_NEAR_END:] else None
    is_below = (kept["kept"] == "negative") if kept["kept"] else kept["dropped"] == "positive"
    return Extraction(below[0] if is_below else (values - {*below}).pop())


def strand(prose: Prose) -> Extraction | None:
    """`A pairs with T: T-A-C-G`, for a reference that is a sequence of bases."""
    if prose.cut or not _STRAND.fullmatch(prose.reference.strip()):
        return None
    found = {run.replace("-", "").replace(" ", "") for run in _JOINED.findall(prose.sentences[-1])}
    return Extraction(found.pop()) if len(found) == 1 else UNDECIDED if found else None


def blood_type(prose: Prose) -> Extraction | None:
    """`O-`, `type AB negative`, for a reference that is a blood type."""
    wanted = _BLOOD.fullmatch(prose.reference.strip(" .")) if len(prose.reference) < 16 else None
    if wanted is None or prose.cut:
        return None
    said = {_type(match) for match in _BLOOD.finditer(prose.sentences[-1])}
    if len(said) != 1 or negation.is_open(prose.sentences[-1]):
        return UNDECIDED if said else None
    return Extraction(prose.reference) if said == {_type(wanted)} else Extraction(None, OTHER_ANSWER)


def _type(match: re.Match[str]) -> tuple[str, bool]:
    group, sign = match["group"].replace("0", "O"), match["sign"] or match["mark"]
    return group, sign[0] in ("p", "+", "\u207a")


_OTHERS = ("unlike", "contrast", "next to", "beside", "near", "opposed", "rather than", "different", "compared")
"""Words before what is named only to tell it apart."""


def restated_name(prose: Prose) -> Extraction | None:
    """`The 'little brain', i.e. the cerebellum`, `Mikołaj Kopernik, known as Copernicus`: the reference once more."""
    if not prose.asks_for_words or prose.asks_for_verdict or prose.cut:
        return None
    sentence = prose.sentences[-1]
    found = _RESTATED.search(sentence)
    before = sentence[: found.start()].lower() if found else ""
    if found is None or negation.is_open(before) or any(map(before.__contains__, _OTHERS)):
        return None
    is_same = names.tokens(found["name"]) == names.tokens(prose.reference)
    return Extraction(prose.reference) if is_same and not is_given(prose.reference, prose.question or "") else None


def turned_value(prose: Prose) -> Extraction | None:
    """`9 + 4 is 13, but with the minus in front, -13`: the number behind what changes the one before it."""
    if prose.cut or not structure.is_number(prose.reference):
        return None
    found = _BUT_VALUE.search(prose.sentences[-1])
    return Extraction(found["value"].strip("$")) if found and not negation.is_open(found["why"]) else None


def a_group(prose: Prose) -> Extraction | None:
    """`So it's a pair`, where the question asks how many there are."""
    if prose.cut or not prose.question or "ow many" not in prose.question or not prose.reference.isdecimal():
        return None
    found = _A_GROUP.match(prose.sentences[-1].lower())
    return Extraction(_GROUPS[found["noun"]]) if found and found["noun"] not in prose.question else None


def ordinal(prose: Prose) -> Extraction | None:
    """`In the seventeenth century`, for a reference that is a place in digits: 17th."""
    if prose.question and "uadrant" in prose.question and prose.reference in _QUADRANTS and not prose.cut:
        place = ordinals.stated(prose.sentences[-1], f"quadrant {prose.reference}")
        is_led = place and not denials.may_take_back(prose.sentences[-1]) and not _AWAY.search(prose.sentences[-1])
        value = ordinals.parse(place or "") if is_led else None
        return Extraction(_QUADRANTS[value.value - 1]) if value and value.value <= len(_QUADRANTS) else None
    wanted = None if prose.cut or not prose.reference[:1].isdecimal() else ordinals.parse(prose.reference)
    if wanted is None or " or " in prose.sentences[-1] or denials.may_take_back(prose.sentences[-1]):
        return None
    whole = ordinals.parse(prose.sentences[-1].strip(" .!*"))
    if whole and whole.agrees(wanted):
        return Extraction(whole._replace(noun=whole.noun or wanted.noun).text)
    said = ordinals.stated(prose.sentences[-1], prose.reference)
    return Extraction(said) if said else None


def quotient(prose: Prose) -> Extraction | None:
    """`The quotient is 7 and the remainder is 3`, for a reference that gives both: 7 R 3."""
    wanted = _WITH_REMAINDER.fullmatch(prose.reference.strip(" $")) if not prose.cut else None
    said = _QUOTIENT.search(prose.sentences[-1]) if wanted else None
    if wanted is None or said is None or _WITH_REMAINDER.search(prose.sentences[-1], said.end()):
        return None
    is_same = (said["whole"], said["rest"]) == (wanted["whole"], wanted["rest"])
    return Extraction(prose.reference) if is_same else Extraction(None, OTHER_ANSWER)


def none_exist(prose: Prose) -> Extraction | None:
    """`Such primes do not exist`, for a reference that says that there are none."""
    is_none = words.phrase(prose.reference.strip(" .$")) in _NONE or prose.reference.lower().strip(" .") in _NONE
    return Extraction("none") if is_none and not prose.cut and _NONE_EXIST.match(prose.sentences[-1]) else None


def in_blanks(prose: Prose) -> Extraction | None:
    """`2, 4, **8**, 16, **32**`, where the question has two blanks: what is in bold, in the order of the text."""
    blanks = len(_BLANK.findall(prose.question or ""))
    line = prose.tail.rstrip().rpartition("\n")[2]
    filled = _BOLD.findall(line) if blanks > 1 and prose.is_several else []
    return Extraction(", ".join(filled)) if len(filled) == blanks > 1 else None
