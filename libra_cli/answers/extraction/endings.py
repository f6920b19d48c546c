"""Readers of how a last sentence ends: with a count (`so exactly one`), or with its value once more (`i.e. 32`)."""

from __future__ import annotations

import re
from fractions import Fraction

from libra_cli.answers.comparison import equal
from libra_cli.answers.extraction.prose_text import Prose
from libra_cli.answers.languages import names
from libra_cli.answers.sentences import among_given as among_given_numbers
from libra_cli.answers.sentences import comparatives, greater, nothing, phrases
from libra_cli.answers.sentences.asking import stem
from libra_cli.answers.sentences.extracted import UNDECIDED, Extraction
from libra_cli.answers.text import number, words
from libra_cli.answers.values import normalize, quantities, structure
from libra_cli.answers.values.structure import Leaf, Parts
from libra_cli.lazy_pattern import lazy_pattern

_NAMELY = ("namely", "n\u00e4mlich", "\u00e0 savoir", "a saber")
_COINS = ("\u00a2", " cent")
_MONEY = ("$", "\\$", "\u20ac")
_CONCLUDES = lazy_pattern(r"(?i:(?:^|[\s,;])(?:so|hence|thus|therefore|giving|making)\b,?)|[\u2192\u21d2\u27f9]|[-=]>")
_COUNT = lazy_pattern(
    r"\s*(?i:(?:there (?:are|is)|we have|it has|that(?:'s| is| makes)|exactly|just|only|in total|a total of)\s+)*"
    r"(?P<count>\d{1,9}|[A-Za-z-]{3,20})(?P<noun>(?: [A-Za-z-]+){0,4})[.!]?$"
)
_THERE_ARE = lazy_pattern(
    r"(?i:(?:so|thus|hence|therefore),? )?(?i:there (?:are|is)) (?i:exactly |only |just )?"
    r"(?P<count>\d{1,9}|[A-Za-z-]{3,20})(?P<noun>(?: [A-Za-z-]+){0,3})(?:[,:;.] |[.!]?$)",
    one_of=("there is", "there are"),
)
_COUNTED = lazy_pattern(r"ow many (\w+)")
_THERE_IS = lazy_pattern(r"^there(?: is|['\u2019]s| are) ", one_of=("there is", "there are", "there's", "there\u2019s"))
_VALUE = r"\*{0,2}\$?(?P<value>-?\d[\d.,/]*(?<=\d)|\\frac\{\d+\}\{\d+\})\$?\*{0,2}"
_LED = lazy_pattern(
    rf"(?:(?:it is|it's|the answer's) )?{_VALUE},? (?P<behind>(?i:because|since|as|it|they|there|which|that)\b.*)"
)
_ONCE_MORE = lazy_pattern(
    r",? (?:i\.e\.|that is|in other words|which (?:is|equals)|d\. ?h\.|das hei\u00dft|c['\u2019]est-\u00e0-dire|soit"
    r"|es decir|ou seja|cio\u00e8|namely|n\u00e4mlich|\u00e0 savoir|a saber),? "
    r"(?P<value>[^,;:]{1,40}?|[^,;:()\u27e8]{0,20}[(\u27e8][^()\u27e8;:]{1,40}[)\u27e9]\$?)[.!]?$",
    one_of=(
        *("i.e.", "that is", "in other words", "which is", "which equals", "d.h.", "d. h."),
        *("das heißt", "-dire", "soit", "es decir", "ou seja", "cioè", "namely", "nämlich", "à savoir", "a saber"),
    ),
)
_BOUNDS = ("<", ">", "\u2264", "\u2265")
_LEADING = lazy_pattern(
    r"(?:(?:an?|the|exactly|about|just|only|by|eine?r?|une?|una?|um|de) )?(?:(?!to |from |for |in |at |of "
    r"|more |less )"
    r"[a-z\u00e0-\u00ff]{3,12} (?:of |von |de )?)?(?=[-\d(\u27e8$])",
    re.IGNORECASE,
)
"""What stands before a value that is said once more: an increase of 15%, the vector (0, 0, 1)."""
_SUM = lazy_pattern(
    r"(?P<parts>[^.=]{1,200}?)(?:,? (?:which|that|this))? "
    r"(?:makes?|gives?|totals?|comes? to|adds? up to)(?: a total of)? "
    r"(?P<value>\d[\d,.]*(?<=\d))(?P<noun>(?: [a-z]+){0,2})[.!]?"
)
_DIGITS = lazy_pattern(r"\d+(?:\.\d+)?")
_RESULTS = words.table("result value answer outcome")
_TOTALS = words.table("total altogether together sum combined all")
"""Words of a question that asks what its parts come to."""
_ROWS = words.table("step steps row line stage first second third")
"""Words of a question that may ask for one row of a table."""
_SEQUENCE = lazy_pattern(r"(?<![\d.,])-?\d+(?:, ?-?\d+){2,}")
_RESULT = lazy_pattern(r"=|\b(?i:so|thus|hence|therefore|answer)\b")
_NUMBERED = lazy_pattern(r"(?<![\d-])\d+(?:-\d+){2,3} [a-z]{3}", one_of=("-",))
_PARTS = lazy_pattern(r", |; ")
_NAMED = lazy_pattern(r"\**(?:the )?(?P<name>[A-Za-z][A-Za-z -]{0,30}?)\** ?[:=] ?\**(?P<value>-?\\?[\d\\][^=:]{0,30})")
_QUANTITY = lazy_pattern(
    r"(?:\b(?:the|its|his|her|their|whose|each) (?P<name>[a-z][a-z-]+(?: [a-z-]+)?) (?:is|was|equals|will be|must be)"
    r"|\b(?:a|an|the) (?P<of>[a-z-]{4,20}) of) (?:about |exactly |only |just )?"
    r"(?P<value>[$\u20ac\u00a3]?-?\d+(?:,\d{3})*(?:\.\d+)?(?:/\d+)?(?![\d^*/]| ?[-+*/=\u00b7\u00d7\u00f7]))"
    r"(?P<behind> (?:each|per|for|more|less|times)\b)?",
    re.IGNORECASE,
)
"""The radius is 5, a remainder of 2."""
_ASKED_QUANTITY = lazy_pattern(
    r"\b(?:how (?:much|long|big|high|large|far|old|tall|wide|heavy|deep) (?:is|was)|what(?:['\u2019]s| is"
    r"| was| are| will be)|find|calculate|determine|compute|give|state) "
    r"(?:the |its |his |her |their )([a-z][a-z-]+(?: [a-z-]+)?)(?= (?:of|in|for|when|if|on|at|that|which"
    r"|after|left|to)\b|[?.,]|$)",
    re.IGNORECASE,
)
_SAYS_QUANTITY = (" is ", " was ", " equals ", " of ", " be ")
_VAGUE = words.table("total answer result value number rest whole new final other same amount figure one")
"""Words of names that may mean what the question names otherwise."""
_CONDITIONAL = words.table("if suppose assume were not isn't wasn't would could instead unless maybe perhaps or wrong")
_FEW, _SHORTEST, _FEWEST, _SEVERAL = 6, 2, 4, 3
_OPEN_BEFORE_COLON = words.table(
    "not except than without wrong false incorrect check checking note ratio but unless next option options answers"
)
"""Words of a clause before a colon behind which another number may stand than the answer."""
_ROUNDED = lazy_pattern(
    r"(?P<long>(?<![\d.,])-?\d+\.\d{3,20})(?:\.\.\.|\u2026|`)?[,;]? "
    r"(?:(?:or|so|which is|which|that is|i\.e\.|thus|hence|and),? )?"
    r"(?:about|approximately|roughly|around|rounded to|rounds to|\u2248|~) ?\$?\**(?P<short>-?\d+\.\d{1,9})\$?\**[.!]?$"
)
"""A decimal with many places, and what it is rounded to."""
_LEADS_TO = (": ", ", so ", ", hence ", ", thus ", ", which makes ", ", making ", ", which leaves ", ", leaving ")
_SUPPOSED = lazy_pattern(r"(?:\bwould\b|['\u2019]d\b|\bwere to\b).*, but ")
_LESS = lazy_pattern(r"\b(?i:not|than|except|but|unless|least|most)\b")
_ROOTS = ("solution", "root", "zero", "value", "intercept", "pair", "triple")
_FACTORS = {
    **dict.fromkeys(("doubles", "doubled"), "2"),
    **dict.fromkeys(("triples", "tripled", "trebles"), "3"),
    **dict.fromkeys(("quadruples", "quadrupled"), "4"),
    **dict.fromkeys(("halves", "halved"), "1/2"),
}
_TIMES = {"once": "1", "twice": "2", "thrice": "3"}
_CONDITIONS = words.table("when if as side sides radius length lengths twice each time")
"""Words by which a sentence may tell what else is doubled."""
_COLLECTIVES = ("dozen", "score", "hundred", "thousand", "million")
"""Words of a number in which a question may count: how many dozens."""
_DIGIT = (
    r"(?P<which>last|final|units?|ones|tens|hundreds|thousands|first|leading)(?:['\u2019]s?)?"
    r"(?: (?:two|three|2|3))?[ -]digits?"
)
_ASKS_DIGIT = lazy_pattern(rf"\b{_DIGIT}\b", re.IGNORECASE)
_SAYS_DIGIT = lazy_pattern(
    rf"\b(?:{_DIGIT}(?: of [^,;.]{{1,24}})?(?: (?:is|are|must be|of|equals?|will be)|:| ?=)?"
    r"|(?P<ends>end(?:s|ing)? (?:in|with)(?: an?| the digits?)?))"
    r" ?[$*]*(?P<value>\d{1,4})[$*]*(?=[.!]*$|,? (?:because|since|as)\b)",
    re.IGNORECASE,
)
"""What the end of a sentence says of a digit of a number: whose last digit is 4, so it ends in 4."""
_NOT_SAID = words.table("not never cannot if unless or")
_UNITS = dict.fromkeys(("last", "final", "unit", "units", "ones"), "ones") | {"leading": "first"}
_OF_CHOICE = words.table("real distinct different possible such")


def count(prose: Prose) -> Extraction | None:
    """`Dividing by x gives x = 2, so exactly one`, where the question asks how many: what stands behind the "so"."""
    if not prose.question or not prose.reference.isdecimal() or not nothing.asks_how_many(prose.question):
        return None
    sentence = prose.sentences[-1]
    *before, last = _CONCLUDES.split(sentence)
    found = _COUNT.fullmatch(last.strip(" *$")) if before else None
    rest, found = (sentence, _THERE_ARE.match(sentence)) if found is None else ("", found)
    if found is None:
        return None
    counted = words.number(found["count"].lower()) if found["count"].isalpha() or "-" in found["count"] else None
    value = found["count"] if found["count"].isdecimal() else None if counted is None else str(counted)
    noun = [word for word in names.tokens(found["noun"]) if word not in _OF_CHOICE]
    asked = _COUNTED.findall(prose.question)
    if noun and asked and asked[-1] not in noun and asked[-1] in rest[found.end("noun") :]:  # 12 boys, 8 girls
        return None
    is_counted = {*map(stem, noun)} <= {stem(word) for word in words.split(prose.question)}
    return Extraction(value) if value is not None and is_counted else None


def value_for_count(prose: Prose, answer: str | None) -> Extraction | None:
    """Check of `x = 2` where a question asks how many solutions there are."""
    if not answer or "=" not in answer or not prose.question or not prose.reference.isdecimal():
        return None
    question = prose.question.lower()
    if not nothing.asks_how_many(question) or not any(map(question.__contains__, _ROOTS)):
        return None
    given = structure.parse(answer)
    is_solution = isinstance(given, structure.Equation) and len(given.name) == 1
    return UNDECIDED if is_solution else None


def once_more(prose: Prose) -> Extraction | None:
    """`It must be four eights, i.e. thirty-two`: what says the value of the sentence once more.

    A value that is no bare number is only wrong for certain where the sentence has no other one.
    """
    sentence = prose.sentences[-1]
    found = _ONCE_MORE.search(sentence) if prose.reference else None
    if found is None:
        return None
    if prose.question and any(map(found[0].__contains__, _NAMELY)) and nothing.asks_how_many(prose.question):
        return None  # exactly one, namely 5
    said = found["value"].strip(" *$")
    spelled = words.number(said.lower())
    if spelled is not None and spelled.denominator > 1 and any(map(sentence.__contains__, _COINS)):
        return None  # 75 cents, that is three quarters
    if (spelled is None or "dozen" in said) and comparatives.may_say_a_number(said):
        return None
    value = str(spelled) if spelled is not None else said
    is_number = number.parse(value.replace(",", "")) is not None
    if _LESS.search(sentence, 0, found.start()):
        return None
    if is_number and structure.is_number(prose.reference):
        return Extraction(value)
    if any(map(said.__contains__, _BOUNDS)) and any(map(prose.reference.__contains__, (*_BOUNDS, "\\le", "\\ge"))):
        return Extraction(said)  # x must exceed 1, i.e. x > 1
    bare = _LEADING.sub("", said, count=1)
    wanted, given = structure.parse(prose.reference), structure.parse(quantities.measured(bare) or bare)
    is_alike = isinstance(wanted, Leaf) and isinstance(given, Leaf) and bool(wanted.number and given.number)
    is_alike = is_alike or (isinstance(wanted, Parts) and isinstance(given, Parts) and wanted.kind == given.kind)
    if not is_alike:
        return None
    decided = equal.decide_quickly(prose.reference, bare)
    is_same = decided is not None and decided.equal is True
    return Extraction(bare) if is_same or not any(map(str.isdigit, sentence[: found.start()])) else None


def greater_one(prose: Prose) -> Extraction | None:
    """`9.9 is bigger than 9.11`, where the question asks which one is bigger."""
    if not prose.question or " than " not in prose.sentences[-1]:
        return None
    found = greater.said(prose.sentences[-1], prose.question)
    return Extraction(found) if found else None


def sum_of_parts(prose: Prose) -> Extraction | None:
    """`24 in the morning plus 18 in the afternoon makes 42`: what the parts of a sum come to."""
    if not prose.question or not structure.is_number(prose.reference):
        return None
    sentence = words.sentences(prose.in_digits)[-1]
    found = _SUM.fullmatch(sentence)
    if found is None or comparatives.may_say_a_number(found["noun"]):
        return None
    parts = [number.parse(part) for part in _DIGITS.findall(found["parts"])]
    known, asked = {*_DIGITS.findall(prose.question)}, {word.lower() for word in words.split(prose.question)}
    if asked.isdisjoint(_TOTALS) and not known.issuperset(_DIGITS.findall(found["parts"])):  # a part may be asked for
        return None
    total, value = sum(part.value for part in parts if part), number.parse(found["value"].replace(",", ""))
    return Extraction(found["value"]) if value and len(parts) > 1 and total == value.value else None


def row(prose: Prose) -> Extraction | None:
    """The result in the last row of a table that ends a text: `| 15 + 27 | 42 |` below `| Operation | Result |`."""
    lines = [line.strip().strip("|") for line in prose.tail.rstrip().split("\n")]
    if not structure.is_number(prose.reference) or not prose.tail.rstrip().endswith("|"):
        return None
    if not _ROWS.isdisjoint(word.lower() for word in words.split(prose.question or "")):
        return None
    at = next((at for at in range(len(lines) - 1, 0, -1) if lines[at] and set(lines[at]) <= set("|-: ")), 0)
    head, last = (cells.split("|")[-1].strip(" *$").lower() for cells in (lines[at - 1], lines[-1]))
    return Extraction(last) if at and head in _RESULTS and structure.is_number(last) else None


def next_one(prose: Prose) -> Extraction | None:
    """`2, 4, 8, 16, 32, 64`, where the question asks what follows 2, 4, 8, 16."""
    if not prose.question or " next " not in prose.question or not structure.is_number(prose.reference):
        return None
    known, said = _SEQUENCE.search(prose.question), _SEQUENCE.search(prose.sentences[-1])
    if known is None or said is None:
        return None
    given, told = known[0].replace(" ", "").split(","), said[0].replace(" ", "").split(",")
    return Extraction(told[len(given)]) if told[: len(given)] == given and len(told) > len(given) else None


def digit(prose: Prose) -> Extraction | None:
    """`2^10 = 1024, whose last digit is 4`, where the question asks for a digit of a number."""
    asked = _ASKS_DIGIT.search(prose.question) if prose.question and "digit" in prose.question else None
    if asked is None or not prose.reference.isdecimal() or nothing.asks_how_many(prose.question or ""):
        return None
    sentence = prose.sentences[-1].strip()
    said = _SAYS_DIGIT.search(sentence)
    if said is None or not _NOT_SAID.isdisjoint(word.lower() for word in words.split(sentence)):
        return None
    wanted, told = (_UNITS.get(one.lower(), one.lower()) for one in (asked["which"], said["which"] or "last"))
    return Extraction(said["value"]) if wanted == told else None


def led(prose: Prose) -> Extraction | None:
    """`9, it appears 3 times`: a short text that begins with its answer and goes on with a reason."""
    if not structure.is_number(prose.reference) or len(prose.sentences) > 1:
        return None
    found = _LED.fullmatch(prose.tail.strip())
    if found is None or _LESS.search(found["behind"]) or _RESULT.search(found["behind"]):
        return None
    return Extraction(found["value"])


def behind_colon(prose: Prose) -> Extraction | None:
    """`The outcomes 5 and 6 qualify: one third`, `so we round down: 3.14`: the number behind a last colon or "so"."""
    sentence = prose.sentences[-1].strip()
    mark = next((mark for mark in _LEADS_TO if mark in sentence), None)
    if mark is None or prose.cut or not structure.is_number(prose.reference):
        return None
    before, _, said = sentence.rstrip(" .!*").rpartition(mark)
    has_number = any(map(str.isdigit, before)) or any(map(words.number, before.lower().split()))
    before = before.rpartition(", but ")[2] if mark == ": " and _SUPPOSED.search(before) else before
    heard = [word.strip("*.,") for word in before.lower().split()]
    figure = said.strip("$* ")
    figure = normalize.normalized(figure) if "frac" in figure else figure
    value = figure if number.parse(figure) else str(words.number(figure.lower()) or "")
    signs = (":", "<", "?") if heard[:1] in (["since"], ["because"], ["as"]) else (":", "=", "<", "?")
    is_plain = len(heard) > (1 if "mak" in mark else _FEWEST) and not any(map(before.__contains__, signs))
    if not value or not is_plain or not has_number or not _OPEN_BEFORE_COLON.isdisjoint(heard):
        return None
    is_said_before = prose.reference in before.replace(",", " ").split() and value != prose.reference
    is_said_before = is_said_before and not (
        mark.rstrip().endswith(("leaves", "leaving")) and value in _DIGITS.findall(prose.question or "")
    )
    return UNDECIDED if is_said_before else Extraction(value)


def rounded(prose: Prose) -> Extraction | None:
    """`The program prints 0.33333333, so about 0.333`: what a decimal with many places is rounded to at the end."""
    if "." not in prose.reference or not structure.is_number(prose.reference):
        return None
    found = _ROUNDED.search(prose.sentences[-1])
    if found is None or found["long"] == prose.reference:
        return None
    exact, places = Fraction(found["long"]), len(found["short"].partition(".")[2])
    is_its = abs(exact - Fraction(found["short"])) * 10**places <= 1 and places < len(found["long"].partition(".")[2])
    return Extraction(found["short"]) if is_its else None


def multiplied(prose: Prose) -> Extraction | None:
    """`The area quadruples`, where the question asks by what factor it grows."""
    asked = (prose.question or "").lower()
    if prose.cut or ("factor" not in asked and "how many times" not in asked):
        return None
    sentence = prose.sentences[-1]
    if any(map(str.isdigit, sentence)) or not structure.is_number(prose.reference):
        return None
    heard = [word.lower() for word in words.split(sentence)]
    if "how many times" in asked and heard[-1:] and heard[-1] in _TIMES:  # It happens twice.
        return Extraction(_TIMES[heard[-1]]) if heard[-2:-1] not in (["at"], ["least"], ["most"], ["than"]) else None
    told = {_FACTORS[word] for word in heard if word in _FACTORS and word not in asked}
    if len(told) != 1 or not _OPEN_BEFORE_COLON.isdisjoint(heard) or any(map(words.number, heard)):
        return None
    return None if not _CONDITIONS.isdisjoint(heard) else Extraction(told.pop())


def spelled(prose: Prose) -> Extraction | None:
    """`Half the cake.`: a text that is nothing but a number in words and what the question counts."""
    text = _THERE_IS.sub("", prose.text.strip(" .!*\n").lower())
    if (
        not structure.is_number(prose.reference)
        or "\n" in text
        or len(text.split()) > phrases.MAX_NUMERAL
        or not text[:1].isalpha()
    ):
        return None
    heard = text.split()
    for length in range(len(heard), 0, -1):
        value = words.number(" ".join(heard[:length]))
        if value is not None:
            if heard[length - 1] in _COLLECTIVES and prose.question and heard[length - 1] in prose.question.lower():
                return None
            noun = {word for word in heard[length:] if word not in ("of", "the", "a")}
            is_asked = noun <= {word.lower() for word in words.split(prose.question or "")}
            if not is_asked or not (value.denominator == 1 or prose.asks_for_share or value > 1):
                return None
            whole, part = divmod(value, 1)
            return Extraction(f"{whole} {part}" if whole > 0 < part else str(value))
    return None


def one_of_named(prose: Prose) -> Extraction | None:
    """`slope = 2/5, y-intercept = -2`, `the radius is 5, so the diameter is 10`: the one that the question asks for."""
    if not prose.question or not structure.is_number(prose.reference):
        return None
    pairs = [_NAMED.fullmatch(part) for part in _PARTS.split(prose.sentences[-1].strip(" .*$"))]
    found = {pair["name"].lower(): pair["value"] for pair in pairs if pair}
    if len(found) < len(pairs):
        last = words.sentences(prose.in_digits)[-1]
        return _quantity(last, prose.question) or _quantity(" ".join(prose.sentences[-_SEVERAL:]), prose.question)
    asked = words.sentences(prose.question)[-1].lower()
    told = [name for name in found if len(name) > _SHORTEST and name in asked]
    return Extraction(found[told[0]]) if len(told) == 1 and len(found) > 1 else None


def _quantity(sentence: str, question: str) -> Extraction | None:
    """What a sentence that gives several quantities says of the one that a question asks for; None if unsure."""
    if sum(map(str.isdigit, sentence)) < _SHORTEST or not any(map(sentence.__contains__, _SAYS_QUANTITY)):
        return None
    asked, found = _ASKED_QUANTITY.findall(question), dict[str, str]()
    for match in _QUANTITY.finditer(sentence) if asked else ():
        name = match["name"] or match["of"]
        if found.setdefault(name.lower(), match["value"]) != match["value"] or match["behind"]:
            return None
    wanted = asked[-1].lower() if asked else ""
    others = {word for name in found if name != wanted for word in name.split()}
    is_open = not (_VAGUE | {wanted}).isdisjoint(others) or wanted in _VAGUE
    heard = {word.lower() for word in words.split(sentence)}
    if wanted not in found or len(found) < _SHORTEST or is_open or not _CONDITIONAL.isdisjoint(heard):
        return None
    return Extraction(found[wanted])


def among_given(prose: Prose) -> Extraction | None:
    """`He has 27 pencils left out of the original 36`: the only number that the question does not give."""
    if not prose.question or not structure.is_number(prose.reference):
        return None
    sentence = prose.sentences[-1]
    if sum(map(str.isdigit, sentence)) < _SHORTEST:
        return None
    found = among_given_numbers.answer(words.sentences(prose.in_digits)[-1], prose.question, prose.concluded.unclear)
    if found and prose.reference.startswith(_MONEY) and f"{found} cent" in sentence:
        return Extraction(f"{found}\\text{{ cents}}")
    return Extraction(found) if found else None


def compound(prose: Prose) -> Extraction | None:
    """`a 5-12-13 triangle`, where nothing else has a number."""
    return UNDECIDED if prose.reference and _NUMBERED.search(prose.sentences[-1]) else None
