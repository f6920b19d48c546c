"""Says where an answer that only the end of a text in prose gives may have been misread.

A box, "the answer is" or bold text says what the answer is. A last sentence only asserts something: of several numbers
the wrong one may be read, or one value of several. Such an answer is right if it equals the reference; if it does not,
it is wrong only where nothing speaks against it.
"""

from __future__ import annotations

from libra_cli.answers.sentences import comparatives, phrases
from libra_cli.answers.text import vocabulary, words
from libra_cli.answers.values import conversions, normalize, quantities, structure, units
from libra_cli.lazy_pattern import lazy_pattern

_CALCULATION = lazy_pattern(r"(?<![\d.,])\d[\d.,]*(?:[^\w=.,]{1,12}\d[\d.,]*)*[^\w=.,]{0,12}=(?=[^=])")
"""What leads to the result of a calculation: 20 - 5 =."""
_NUMBER = lazy_pattern(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?(?:/\d+)?(?!\d|[abknpqrtxyz](?![A-Za-z]))")
"""A number that is no factor of a variable."""
_COMPOUND = lazy_pattern(r"\d+(?:-\d+){2,3}", one_of=("-",))
_DECIMAL_COMMA = lazy_pattern(r"\d+,\d{1,2}", one_of=(",",))
_LETTER = lazy_pattern(r"(?<![A-Za-z\\])[a-df-hj-z](?![A-Za-z])")
"""A variable."""
_BARE_NUMBER = lazy_pattern(r"-?[\d.,]+")
_ABOUT = words.table("about approximately approx roughly around nearly")
_TRIED = lazy_pattern(
    r"^(?:[A-Z][a-z]{1,15}(?: [a-z]{1,15}){0,2}, )?[^,;]{0,120}"
    r"\b(?:fails?|fail to|not (?:work|satisfy|hold|fit|prime|possible|divide|enough)"
    r"|n['\u2019]t (?:work|satisfy|hold|fit|divide)"
    r"|too (?:small|large|big|few|many|high|low|much|little)|impossible|(?:not|isn['\u2019]t) (?:a|an|in|on"
    r"|the) [a-z ]{3,20})\b[^,;]{0,60}[,;] (?:and )?so "
)
"""A value that a sentence excludes before it concludes: for n = 9 the inequality fails, so."""
_FAILED = lazy_pattern(
    r"(?:^|[.!?] )(?:[Ss]ince|[Bb]ecause|[Aa]s) [^,;]{0,80}\b(?:fails?|is too (?:small|large|big)"
    r"|(?:does|do) not (?:work|fit|satisfy))\b[^,;]{0,60}, "
)
"""A reason that only excludes a value: Since 44^2 = 1936 fails the last condition."""
_ATTAINED = lazy_pattern(
    r"(?:,? which is|,)? (?:attained|achieved|reached|assumed)(?: only| exactly)? (?:at|when|for|if|by) [^,;]*[.!]?$"
)
"""Where a value is attained, behind it: attained at x = -2."""
_OUT_OF = lazy_pattern(r"\bout of (?:all )?(?:the |his |her |their |its )?(?:original |initial |total |whole )?\S+")
"""The whole, of which the answer is a part."""
_SETS_ASIDE = (", but ", "because ", "since ", " as ", " is ")
_SUPPOSES = lazy_pattern(
    r"\b(?i:would|were|had|might|tempt\w+|th(?:ink|ought)|seems?|looks?|guess\w*|expect\w*|first)\b|['\u2019]d\b"
)
_CORRECTS = lazy_pattern(
    r"\b(?:should|must|ha(?:s|ve) to|ought|needs? to|ask(?:s|ed)|wants?|in fact|actually|really)\b"
)
_REASON = lazy_pattern(
    r",? \b(?:because|since|as) (?!(?i:many|much|well)\b)(?![^.]*\b(?:so|thus|hence|therefore)\b)",
    one_of=("as", "since", "because"),
)
_DECLARED = lazy_pattern(
    r"(?:^|, (?:and|so) |\b(?:so|thus|hence|therefore),? )\$?(?P<figure>-?\d[\d,.]*(?<=\d)|-?\d+/\d+)\$? is "
    r"(?:our|the|my)(?: final| required| desired| correct| sought| asked)? (?:answer|value|result|number|one)"
    r"(?: (?:we|that|which|asked|required|sought|to)\b[^,;\d]*)?[.!]?$"
    r"|, (?:and|so) \$?(?P<said>-?\d[\d,.]*(?<=\d))\$? is what [^,;\d]*$",
    one_of=(" is the", " is my", " is our", " is what "),
)
"""A figure that a last clause calls the answer: and 54 is our answer."""
_FEW = 4
"""Words of a text that is its answer as a whole."""
_MOST_PLACES = 12
_LAST_CHARS = 400
_ENDS = (".", "!", ")", "\u3002", "\uff09", "\uff01")


def may_be_misread(answer: str, tail: str, reference: str) -> bool:
    """Whether `answer`, read from the last sentence of `tail`, may not be what the text gives, unless it is right."""
    if answer == reference:
        return False
    given, wanted = structure.parse(answer), structure.parse(quantities.measured(reference) or reference)
    value = _number(wanted)
    if value is None:
        return _number(given) is not None and _is_one_of_several(given, wanted, reference, tail)
    if _number(given) == value:  # the same number has another unit
        return False
    if _is_of_another_kind(given, wanted):
        return True
    return _also_says(tail, answer, value) or _is_about(given, wanted, tail)


def _is_of_another_kind(given: structure.Answer, wanted: structure.Answer) -> bool:
    """Whether two values have units of different quantities: 2.5 dioptres, for a focal length."""
    one, other = (leaf.unit if isinstance(leaf, structure.Leaf) else None for leaf in (_value(given), _value(wanted)))
    return bool(one and other) and not conversions.between(one, other)


def _is_about(given: structure.Answer, wanted: structure.Answer, tail: str) -> bool:
    """Whether the last sentence gives about the number of the reference, which rounds to it: about 0.33 for 1/3."""
    leaves = [leaf for leaf in map(_value, (given, wanted)) if isinstance(leaf, structure.Leaf)]
    values = [leaf.number.value for leaf in leaves if leaf.number]
    heard = words.split(words.sentences(tail)[-1].lower()) if len(values) == 2 else []
    if _ABOUT.isdisjoint(heard):
        return False
    places = len(given.text.partition(".")[2])
    return 0 < places < _MOST_PLACES and abs(values[0] - values[1]) * 2 * 10**places <= 1


def is_changed(answer: str, tail: str, reference: str) -> bool:
    """Whether words of the last sentence of `tail` may make another number of `answer` than the one of the reference.

    Numerals in words are digits in `tail`.
    """
    value = _number(structure.parse(quantities.measured(reference) or reference)) if answer != reference else None
    if value is None or _number(structure.parse(answer)) == value:
        return False
    number = structure.parse(value)
    is_no_share = isinstance(number, structure.Leaf) and number.number is not None and abs(number.number.value) >= 1
    last = without_set_aside(words.sentences(tail)[-1], answer)
    return comparatives.is_changed(answer, last, is_no_share)


def is_statement(text: str, reference: str) -> bool:
    """Whether a text ends with a statement that may be the answer, though nothing of it was read.

    A bare number is stated with that number, in words at least, or in another script.
    """
    is_short = len(text.split()) <= _FEW and any(map(str.isalpha, text)) and "\\box" not in text
    if is_short and not structure.is_number(reference):
        return not phrases.refuses(text)
    sentence = words.sentences(text.rstrip())[-1]
    if not sentence.endswith(_ENDS) or "<<" in sentence or not phrases.says_something(sentence):
        return False
    number = _NUMBER.match(reference)
    is_bare = _BARE_NUMBER.fullmatch(reference) is not None
    if number and not is_bare and quantities.is_quantity(reference) and "\\" not in reference:  # 15 km/h
        is_bare, reference = True, number[0]
    return (
        not is_bare
        or not sentence.isascii()
        or _also_says(sentence, "", reference)
        or comparatives.may_say_a_number(sentence)
    )


def _is_one_of_several(given: structure.Answer, wanted: structure.Answer, reference: str, tail: str) -> bool:
    """Whether the reference has several values, or is a formula with a variable, where the answer is one number."""
    is_solution = isinstance(given, structure.Equation)
    if isinstance(wanted, structure.Parts):
        is_only = isinstance(given, structure.Equation) and tail.replace(" ", "").strip("$.\n") == given.text.replace(
            " ", ""
        )
        return not (is_solution and (is_only or wanted.alternatives or wanted.kind == "set"))
    if not isinstance(_value(wanted), structure.Leaf):
        return True
    has_variable = units.in_text(reference)[1] is None and _LETTER.search(normalize.normalized(reference)) is not None
    return has_variable and not is_solution


def _value(answer: structure.Answer) -> structure.Answer:
    return answer.value if isinstance(answer, structure.Equation) else answer


def _number(answer: structure.Answer) -> str | None:
    """The text of a number, a quantity or an equation with one; None if it is none."""
    leaf = _value(answer)
    if not isinstance(leaf, structure.Leaf):
        return None
    return normalize.normalized(leaf.text) if leaf.number is not None else None


def _also_says(tail: str, answer: str, value: str) -> bool:
    """Whether the last sentence has the number `value` beside `answer`: not denied, nor on the way to a result."""
    fractions = (_numbers(word) for word in answer.split())
    own = next((found for found in fractions if len(found) > 2), None)  # 1/3, which is said twice
    last = words.sentences(tail)[-1][-_LAST_CHARS:]
    if "so " in last and (tried := _TRIED.search(last)):
        last = last[tried.end() :]
    if "fail" in last or "too " in last or "not " in last:
        last = _FAILED.sub("", last)
    last = _ATTAINED.sub("", last) if answer and "at" in last else last
    if answer and "out of " in last:
        last = _OUT_OF.sub("", last)
    last = without_set_aside(last, answer) if answer else last
    said = _CALCULATION.sub("", last).split()
    told = sum(
        _numbers(word).count(value)
        for before, word in zip(["", *said], said, strict=False)
        if vocabulary.DENIES.isdisjoint((before.lower().lstrip("("),)) and _numbers(word) != own
    )
    is_twice = own is not None and any(_numbers(word) == own for word in said)
    given = [number for word in answer.split() if not is_twice for number in _numbers(word)]
    is_spelled = "negative" in last or "minus" in last  # negative seven
    return told > given.count(value) + (given.count(f"-{value}") if is_spelled else 0)


def without_set_aside(sentence: str, answer: str) -> str:
    """A sentence without what it only supposes before "but", and without the reason behind its `answer`.

    It stays as it is where the rest has not the figure of the answer, or has no other sign of what it sets aside.
    """
    figures = _NUMBER.findall(answer)
    if not figures or not any(map(sentence.__contains__, _SETS_ASIDE)):
        return sentence
    declared = _DECLARED.search(sentence)
    named = (declared["figure"] or declared["said"]).replace(",", "") if declared else ""
    if named and named == figures[-1]:
        return named
    before, but, behind = sentence.rpartition(", but ")
    if but and figures[-1] in _NUMBER.findall(behind) and (_SUPPOSES.search(before) or _CORRECTS.search(behind)):
        sentence = behind
    reason = _REASON.search(sentence)
    is_said = reason is not None and figures[-1] in _NUMBER.findall(sentence[: reason.start()])
    return sentence[: reason.start()] if reason is not None and is_said else sentence


def _numbers(word: str) -> list[str]:
    """The numbers that a word has, in digits or in letters."""
    if _COMPOUND.fullmatch(word):  # a 5-12-13 triangle
        return []
    if _DECIMAL_COMMA.fullmatch(word.strip(".;:!?()")):  # 48,50 Euro
        return []
    found = [number[0].replace(",", "") for number in _NUMBER.finditer(word)]
    found += [part for number in found if "/" in number for part in number.split("/")]
    spelled = None if found else words.number(word.strip("*$.,;:!?()").lower())
    return found if spelled is None else [str(spelled)]
