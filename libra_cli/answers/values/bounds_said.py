"""Reads bounds and half-lines that are said in words: a is at most -2, all positive real numbers, mindestens 3."""

from __future__ import annotations

from libra_cli.answers.text import latex
from libra_cli.lazy_pattern import lazy_pattern

WORDS = {
    ">=": "at least|(?:no|not) (?:less|smaller|lower) than|(?:greater|larger|bigger|more) than or equal to"
    "|mindestens|wenigstens|größer(?: oder)? gleich|nicht kleiner als"
    "|au moins|au minimum|(?:supérieure?s?|plus grande?s?) ou éga(?:l|ux|les?) à"
    "|al menos|como mínimo|por lo menos|mayor(?:es)? o igual(?:es)? (?:que|a)"
    "|pelo menos|no mínimo|maior(?:es)? ou igua(?:l|is) (?:que|a)|almeno|maggior[ei] o ugual[ei] (?:a|di)"
    "|не меньше|не менее|co najmniej|minst(?:ens)?|大于(?:或)?等于|不小于|不少于|至少(?:为)?",
    "<=": "at most|(?:no|not) (?:more|greater|larger) than|(?:less|smaller) than or equal to"
    "|höchstens|kleiner(?: oder)? gleich|nicht größer als"
    "|au plus|au maximum|(?:inférieure?s?|plus petite?s?) ou éga(?:l|ux|les?) à"
    "|a lo sumo|como máximo|menor(?:es)? o igual(?:es)? (?:que|a)"
    "|no máximo|menor(?:es)? ou igua(?:l|is) (?:que|a)|al massimo|al più|minor[ei] o ugual[ei] (?:a|di)"
    "|не больше|не более|co najwyżej|hoogstens|högst|小于(?:或)?等于|不大于|不超过|至多(?:为)?",
    ">": "(?:strictly )?(?:greater|larger|bigger|more) than|(?:echt )?größer als"
    "|(?:strictement )?(?:supérieure?s? à|plus grande?s? que)|mayor(?:es)? que|maior(?:es)? que|maggior[ei] di"
    "|больш(?:е|ие|их)(?: чем)?|groter dan|大于",
    "<": "(?:strictly )?(?:less|smaller|lower) than|(?:echt )?kleiner als"
    "|(?:strictement )?(?:inférieure?s? à|plus petite?s? que)|menor(?:es)? que|minor[ei] di"
    "|меньш(?:е|ие|их)(?: чем)?|kleiner dan|小于",
}
_WORDS_BEHIND = {
    ">=": "or (?:more|greater|larger|higher|above)|oder (?:mehr|größer)|ou plus|o más|ou mais|o più|以上|이상",
    "<=": "or (?:less|fewer|smaller|lower|below)|oder (?:weniger|kleiner)|ou moins|o menos|ou menos|o meno|以下|이하",
    ">": "より大きい|を超える|초과|보다 크다",
    "<": "より小さい|未満|미만|보다 작다",
}
_SIGNS = {">=": "\\geq ", "<=": "\\leq ", ">": "> ", "<": "< "}
IS = (
    r"(?:(?:is|must be|has to be|needs to be|should be|can be|ist|muss|est|doit être|es|debe ser|é|è|deve essere"
    r"|deve ser|jest|är|должно быть|должен быть) (?:always )?)"
)
_NUMBER = r"\$?(?P<{}>[-\u2212]?(?:\d+(?:[.,]\d+)?(?:/\d+)?|\\frac\{{\d+\}}\{{\d+\}}))\$?"
NUMBER = _NUMBER.format("number")
_BOUND = {
    sign: lazy_pattern(
        rf"(?:\$?(?P<letter>[A-Za-z])\$? ?{IS}?)?(?:{spelled})(?::? |(?<=[\u4e00-\u9fff])){NUMBER}(?: sein| être)?"
        rf"|(?:\$?(?P<of>[A-Za-z])\$? ?(?:{IS}|[はが은는] ?)?)?{_NUMBER.format('bound')} ?(?:{_WORDS_BEHIND[sign]})"
    )
    for sign, spelled in WORDS.items()
}
_OF_NUMBER = {sign: lazy_pattern(rf"\b(?:{spelled}) {NUMBER}") for sign, spelled in WORDS.items()}
_REALS = (
    r"(?:the (?:real )?numbers|(?:all|any|every) (?:the )?(?:real )?(?:numbers?|values?|reals)|the (?:set of )?reals"
    r"|alle[nr]? (?:reellen )?Zahlen|(?:tous )?les (?:nombres )?réels|l['\u2019]ensemble des (?:nombres )?réels"
    r"|(?:todos )?los (?:números )?reales|(?:todos )?os (?:números )?reais|(?:tutti )?i (?:numeri )?reali"
    r"|все(?:ми|х)? (?:действительн|вещественн)\w+ чис\w+)"
)
_OF_REALS = {
    sign: lazy_pattern(rf"(?:the set of )?{_REALS},? (?:(?:that|which) are )?(?:{spelled}) {NUMBER}[.!]?$")
    for sign, spelled in WORDS.items()
}
"""A half-line as a set: all real numbers less than 3."""
TURNED = lazy_pattern(
    r"(?i:\b(?:not|no|except|undefined|fails?|unless|if|outside|exclu\w+|escl\w+|ausge\w+|besides|other|beyond|nicht"
    r"|keine?|außer|pas|sauf|excepto|non|eccetto|não|не|кроме)\b|n['\u2019]t\b)"
)
"""What turns a set of numbers into the others: we exclude all numbers less than 3."""
_SET = (
    r"(?:the set of )?(?:(?:all|exactly|precisely|every|any|each|the|of) ){0,3}"
    r"(?P<sign>(?:non-?)?(?:positive|negative)) (?:real )?(?:numbers?|values?|reals)"
)
_HALF_LINE = lazy_pattern(_SET, one_of=("positive", "negative"))
_TAKES = lazy_pattern(
    r"(?:(?:so|thus|hence|therefore|then|and),? )?"
    r"(?:(?:the|its) (?:range|image|domain|solution set|set of (?:values|solutions))"
    r"(?: of \$?[a-zA-Z](?:\([a-z]\))?\$?)? (?:is|consists of|equals|=|:)"
    r"|(?:the function|\$?[a-zA-Z](?:\([a-z]\))?\$?|it) (?:takes(?: on)?|attains|assumes)"
    r"(?= (?:exactly|precisely|all|every))"
    r"|\$?(?P<letter>[a-z])\$? (?:can|may) be(?= any)) (?:therefore |thus |then |just |simply |precisely |exactly )?"
    rf"{_SET}[.!]?",
    one_of=("positive", "negative"),
)
_LETTER_OF_SIGN = lazy_pattern(
    r"(?:(?:so|thus|hence|therefore|then|and|answer:),? )?(?:(?:we need|that means|this means) (?:that )?)?"
    r"\$?(?P<letter>[A-Za-z])\$? (?:must be|has to be|needs to be|is) (?:always |strictly )?"
    r"(?P<sign>(?:non-?)?(?:positive|negative))[.!]?",
    one_of=("positive", "negative"),
)
_OF_SIGN = {"positive": "> 0", "negative": "< 0", "nonnegative": "\\geq 0", "nonpositive": "\\leq 0"}
_IS_BOUND = lazy_pattern(r"\$?(?P<letter>[A-Za-z])\$? ?(?:<|>|\\leq?|\\geq?|\u2264|\u2265)[^<>\u2264\u2265]+")
_IS_HALF_LINE = lazy_pattern(
    r"(?:\$?[A-Za-z]\$? ?\\in ?)?[\[(][^,()\[\]]*(?:\\infty|\u221e|oo)[^,()\[\]]*,[^,]+[\])]"
    r"|(?:\$?[A-Za-z]\$? ?\\in ?)?[\[(][^,]+,[^,()\[\]]*(?:\\infty|\u221e|oo) ?[\])]"
)
_LETTER = lazy_pattern(r"(?<![A-Za-z'\u2019\\])[b-zB-HJ-Z](?![A-Za-z'\u2019])")
_ENDLESS = ("<", ">", "\\le", "\\ge", "\u2264", "\u2265", "\\infty", "\u221e", "oo)")
"""What a reference has that is a bound, or an interval without an end."""


def in_signs(answer: str, other: str) -> str:
    """`answer` as an inequality, if it is a bound or a half-line in words and `other` is one; else `answer`."""
    if not any(map(other.__contains__, _ENDLESS)):
        return answer
    bare = latex.without_setting(answer).strip(" .$")
    bare = bare[:1].lower() + bare[1:] if bare[1:2].islower() else bare
    letter = letter_of(other)
    half = _HALF_LINE.fullmatch(bare)
    if half:
        return f"{letter} {_OF_SIGN[half['sign'].replace('-', '')]}"
    for sign, pattern in (*_BOUND.items(), *_OF_REALS.items()):
        if found := pattern.fullmatch(bare):
            said = found.groupdict()
            return written(said.get("letter") or said.get("of") or letter, sign, said["number"] or said["bound"])
    return answer


def bounds_of(sentence: str) -> tuple[list[tuple[str, str]], str]:
    """The bounds that a sentence says in words, as sign and number in their order, and the sentence without them."""
    found: list[tuple[int, str, str]] = []
    rest = sentence
    for sign, pattern in _OF_NUMBER.items():  # not less than 3 before less than 3
        for one in pattern.finditer(rest):
            found.append((one.start(), sign, one["number"]))
        rest = pattern.sub(lambda one: " " * len(one[0]), rest)
    return [(sign, number) for _, sign, number in sorted(found)], rest


def is_of_bound(reference: str) -> bool:
    """Whether a reference is one bound or one half-line: x \\geq 3, [3, \\infty)."""
    bare = reference.strip(" $.")
    return _IS_BOUND.fullmatch(bare) is not None or _IS_HALF_LINE.fullmatch(bare) is not None


def of_sentence(sentence: str, reference: str, question: str) -> str | None:
    """The half-line that is all that a sentence says: f takes exactly the positive real values, x must be positive."""
    half = _of_reals(sentence, reference)
    if half or "tive" not in sentence or not any(map(reference.__contains__, _ENDLESS)):
        return half
    bare = sentence[:1].lower() + sentence[1:]
    found = _TAKES.fullmatch(bare) or _LETTER_OF_SIGN.fullmatch(bare)
    if question and not {*_LETTER.findall(bare)} <= {*_LETTER.findall(question)}:
        return None  # the range of g, where that of f is asked for
    is_of_domain = "domain" in bare
    if found is None or (question and is_of_domain is not ("omain" in question) and "ange" in question + bare):
        return None
    if found["letter"] and _IS_BOUND.fullmatch(reference.strip(" $.")) and found["letter"] != letter_of(reference):
        return None
    return f"{found['letter'] or letter_of(reference)} {_OF_SIGN[found['sign'].replace('-', '')]}"


def _of_reals(sentence: str, reference: str) -> str | None:
    """The half-line that a sentence ends with as a set: the solutions are all real numbers less than 3."""
    for sign, pattern in _OF_REALS.items():
        found = pattern.search(sentence)
        before = sentence[: found.start()] if found else ""
        if found and not TURNED.search(before) and not any(map(str.isdigit, before)):
            return written(letter_of(reference), sign, found["number"])
    return None


def written(letter: str, sign: str, number: str) -> str:
    """A bound in signs: x \\geq 1.5."""
    return f"{letter} {_SIGNS[sign]}{number.replace(chr(0x2212), '-').replace(',', '.')}"


def letter_of(bound: str) -> str:
    """The letter that a bound in signs is of; x if it is no such bound."""
    found = _IS_BOUND.fullmatch(bound.strip(" $."))
    return found["letter"] if found else "x"
