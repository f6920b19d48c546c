"""The 194 references of the three sets against themselves, against other ways to write them, and against near misses.

Every rule turns a reference into responses, from which the answer is taken as it is from a model's; into none where
it does not apply.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from libra_cli.answers.comparison.equal import Decision
from libra_cli.answers.extraction import references
from libra_cli.answers.extraction.extract import final_answer
from libra_cli.answers.process.pool import Pool

DATA = Path(__file__).resolve().parents[1] / "data" / "verify" / "references.jsonl"
REFERENCES = sorted({json.loads(line)["reference"] for line in DATA.read_text(encoding="utf-8").splitlines()})
FEWEST_REWRITES, FEWEST_MISSES = 10, 4
FALSE_NEGATIVES = 0.005

Rule = Callable[[str], Iterator[str]]

_FRACTION = re.compile(r"\\d?frac\{(\d+)\}\{?(\d+)\}?")
_DECIMAL = re.compile(r"-?\d+(?:\.\d+)?")
_NUMBER = re.compile(r"\d+")
_WHOLE_FRACTION = re.compile(r"(-?)\\d?frac\{(\d+)\}\{(\d+)\}")
_TEXT_UNIT = re.compile(r"\\text\{ (?:degrees|cents)\}|\^\\circ|\\\$")


def is_integer(text: str) -> bool:
    return re.fullmatch(r"-?\d+", text) is not None


def is_pair(text: str) -> bool:
    """Whether its brackets may be those of an interval."""
    return re.fullmatch(r"(?:\\left)?[(\[][^,]*,[^,]*[)\]]", text) is not None


def is_single(text: str) -> bool:
    """Whether it is one number or formula, without a unit."""
    several = (",", r"\pm", r"\begin", r"\cup", "=", "[", r"\text", r"^\circ", r"\$")
    return not any(mark in text for mark in several)


def parts(text: str) -> list[str]:
    """The members of a list, set or tuple; one where it is none."""
    bare = text.removeprefix(r"\{").removesuffix(r"\}").replace(r"\left", "").replace(r"\right", "").strip("()[]")
    return bare.split(",") if "!" not in text else [text]


def wrapped(pattern: str) -> Rule:
    """A rule that puts every reference into a response."""

    def rule(text: str) -> Iterator[str]:
        yield pattern.replace("@", text)

    return rule


def replaced(*pairs: tuple[str, str]) -> Rule:
    """A rule that spells some of it another way."""

    def rule(text: str) -> Iterator[str]:
        for old, new in pairs:
            text = text.replace(old, new)
        yield text

    return rule


# -- ways to write the same -------------------------------------------------------------------------------------------


def without_spaces(text: str) -> Iterator[str]:
    if r"\text" not in text:
        yield re.sub(r"(?<![a-z]) +| +(?![a-z])", "", text)


def with_spaces(text: str) -> Iterator[str]:
    if "!" not in text:
        yield re.sub(r"(?<=[\w)}])([+\-=,])", r" \1 ", text)


def thin_spaces(text: str) -> Iterator[str]:
    if r"\text" not in text and r"\\" not in text:
        yield text.replace(" ", r"\,")


def assigned(text: str) -> Iterator[str]:
    if "=" not in text and r"\cup" not in text and r"\{" not in text:
        name = "(x,y,z) =" if text.count(",") == 2 else r"x \in" if is_pair(text) else "x ="
        yield rf"\boxed{{{name} {text}}}"


def slashed(text: str) -> Iterator[str]:
    if _WHOLE_FRACTION.fullmatch(text) or r"\begin" in text:
        yield _FRACTION.sub(r"\1/\2", text)
    elif "1\\frac" not in text:
        yield _FRACTION.sub(r"(\1/\2)", text)


def expanded_fraction(text: str) -> Iterator[str]:
    found = _WHOLE_FRACTION.fullmatch(text)
    if found:
        top, bottom = int(found[2]), int(found[3])
        yield rf"{found[1]}\frac{{{3 * top}}}{{{3 * bottom}}}"
        yield rf"\frac{{{found[1]}{top}}}{{{bottom}}}"
        if top > bottom:
            yield rf"{found[1]}{top // bottom}\frac{{{top % bottom}}}{{{bottom}}}"


def exact_decimal(text: str) -> Iterator[str]:
    found = _WHOLE_FRACTION.fullmatch(text)
    if found and 10**12 % int(found[3]) == 0:
        value = Fraction(int(found[2]), int(found[3]))
        yield f"{found[1]}{float(value):.12f}".rstrip("0")
    elif is_integer(text):
        yield f"{text}.0"
        yield rf"\frac{{{2 * int(text)}}}{{2}}"
    elif _DECIMAL.fullmatch(text):
        value = Fraction(text)
        yield rf"\frac{{{value.numerator}}}{{{value.denominator}}}"


def decorated_integer(text: str) -> Iterator[str]:
    if is_integer(text):
        yield rf"\boxed{{\mathbf{{{text}}}}}"
        yield f"n = {text}"
    if text.isdecimal():
        yield text.zfill(len(text) + 1)
        yield f"{int(text):,}" if int(text) > 999 else f"+{text}"


def sized_brackets(text: str) -> Iterator[str]:
    bare = text.replace(r"\left", "").replace(r"\right", "")
    if r"\begin" not in bare and re.match(r"[(\[]|\\\{", bare):
        yield re.sub(r"(\(|\[|\\\{)", r"\\left\1", re.sub(r"(\)|\]|\\\})", r"\\right\1", bare))
        yield bare


def reordered(text: str) -> Iterator[str]:
    if r"\cup" in text:
        yield r" \cup ".join(reversed(text.split(r"\cup")))
    elif text.startswith(r"\{"):
        yield rf"\{{{','.join(reversed(parts(text)))}\}}"
    elif len(parts(text)) > 1 and not re.match(r"[(\[\\]", text):
        yield ", ".join(reversed(parts(text)))
        yield " and ".join(parts(text))


def both_signs(text: str) -> Iterator[str]:
    if text.count(r"\pm") == 1:
        yield ", ".join(
            part.replace(r"\pm", sign) for part in parts(text) for sign in (("+", "-") if r"\pm" in part else ("",))
        )


def in_unicode(text: str) -> Iterator[str]:
    spelled = {r"\pi": "π", r"\infty": "∞", r"\cup": "∪", r"^\circ": "°", "-": "−", r"\pm": "±", "^2": "²"}
    for old, new in spelled.items():
        text = text.replace(old, new)
    yield re.sub(r"\\sqrt\{(\d+)\}", r"√\1", text)


def with_times_signs(text: str) -> Iterator[str]:
    yield re.sub(r"(?<=\d) ?(?=\\(?:sqrt|pi))", r" \\cdot ", text)


def other_units(text: str) -> Iterator[str]:
    bare = _TEXT_UNIT.sub("", text)
    if bare != text:
        yield bare
    if r"\$" in text:
        yield f"{bare} dollars"
        yield f"${bare}"
    if "degrees" in text or "circ" in text:
        yield rf"{bare}\text{{ degrees}}"
        yield rf"{bare}^{{\circ}}"


def doubled(text: str) -> Iterator[str]:
    """As a program writes it that escapes backslashes twice."""
    if "\\" in text:
        yield text.replace("\\", "\\\\")
        yield rf"The answer is $\boxed{{{text}}}$.".replace("\\", "\\\\")


def read_as_escapes(text: str) -> Iterator[str]:
    """As a program reads it that takes \\f for a form feed and \\t for a tab."""
    misread = text.replace("\\f", "\f").replace("\\t", "\t").replace("\\b", "\b")
    if misread != text:
        yield rf"So it is $\boxed{{{misread}}}$."


REWRITES: dict[str, Rule] = {
    "itself": wrapped("@"),
    "dollars": wrapped("$@$"),
    "round": wrapped(r"\(@\)"),
    "full stop": wrapped("$@$."),
    "box": wrapped(r"Therefore, the answer is $\boxed{@}$."),
    "display": wrapped("So we find\n\\[\n\\boxed{ @ }\n\\]\nwhich is what was asked."),
    "corrected": wrapped(r"I had \boxed{987}. That is wrong, as a check shows; it must be $\boxed{@}$."),
    "heading": wrapped("Work.\n\n**Final Answer:** $@$"),
    "said": wrapped("Work.\nThe final answer is $@$. I hope it is correct."),
    "hashes": wrapped("Work.\n#### $@$"),
    "typed": wrapped(r"\boxed{\displaystyle @}"),
    "without spaces": without_spaces,
    "with spaces": with_spaces,
    "thin spaces": thin_spaces,
    "assigned": assigned,
    "dfrac": replaced((r"\frac", r"\dfrac")),
    "tfrac": replaced((r"\dfrac", r"\frac"), (r"\frac", r"\tfrac")),
    "slashed": slashed,
    "expanded": expanded_fraction,
    "decimal": exact_decimal,
    "integer": decorated_integer,
    "brackets": sized_brackets,
    "order": reordered,
    "both signs": both_signs,
    "unicode": in_unicode,
    "times": with_times_signs,
    "units": other_units,
    "doubled": doubled,
    "read as escapes": read_as_escapes,
    "bmatrix": replaced(("pmatrix", "bmatrix")),
}

# -- near misses ------------------------------------------------------------------------------------------------------


def another_number(text: str) -> Iterator[str]:
    """One of its numbers is one more, or one less."""
    for found in _NUMBER.finditer(text):
        for step in (1, -1):
            changed = int(found.group()) + step
            if changed > 0:
                yield f"{text[: found.start()]}{changed:0{len(found.group())}d}{text[found.end() :]}"


def another_sign(text: str) -> Iterator[str]:
    if text == "0":
        return
    if is_single(text):
        yield f"-({text})"
    if "-" in text:
        yield text.replace("-", "", 1) if text.startswith("-") else text.replace("-", "+", 1)
    elif "+" in text:
        yield text.replace("+", "-", 1)


def inverted(text: str) -> Iterator[str]:
    for found in _FRACTION.finditer(text):
        if found[1] != found[2]:
            yield rf"{text[: found.start()]}\frac{{{found[2]}}}{{{found[1]}}}{text[found.end() :]}"


def other_ends(text: str) -> Iterator[str]:
    if is_pair(text) or r"\cup" in text:
        for found in re.finditer(r"[()\[\]]", text):
            yield text[: found.start()] + "[(])"["([)]".index(found.group())] + text[found.end() :]


def swapped(text: str) -> Iterator[str]:
    if text.startswith(("(", r"\left")) and r"\cup" not in text:
        yield "(" + ",".join(reversed(parts(text))) + ")"


def one_missing(text: str) -> Iterator[str]:
    if r"\cup" in text:
        yield from text.split(r"\cup")
    elif len(parts(text)) > 1:
        yield from (",".join(part for part in parts(text) if part != missing) for missing in parts(text))
    if r"\pm" in text:
        yield text.replace(r"\pm", "+")
        yield text.replace(r"\pm", "-")


def one_too_many(text: str) -> Iterator[str]:
    if is_single(text) or not text.startswith(("(", "[", r"\left", "y", r"\begin")):
        yield rf"$\boxed{{{text}}}$ or $\boxed{{987}}$"
        yield rf"\boxed{{{', '.join([*parts(text), '987'])}}}"


def left_out(text: str) -> Iterator[str]:
    """Without its root, its pi, its variable."""
    yield re.sub(r"\\sqrt\{(\d+)\}", r"(\1)", text)
    yield text.replace(r"{\pi}", "{1}").replace(r"\pi", "")
    yield re.sub(r"(?<![a-z\\])[nR](?:\^2)?", "", text)


def other_names(text: str) -> Iterator[str]:
    if is_single(text):
        yield re.sub(r"(?<![a-z\\])[npR](?![a-z])", "t", text)


def other_kind(text: str) -> Iterator[str]:
    if is_integer(text) and text != "0":
        yield f"{text}0"
        yield f"0.{text.lstrip('-')}"
    if is_single(text):
        yield rf"({text}, {text})"
        yield f"{text}+1"
        yield f"{text} x" if text != "0" else "x"
    yield r"\text{no solution}"
    if r"\$" in text:
        yield text.replace(r"\$", "") + " cents"
    if r"^\circ" in text:
        yield text.replace(r"^\circ", r"\text{ cm}")


MISSES: dict[str, Rule] = {
    "number": another_number,
    "sign": another_sign,
    "inverted": inverted,
    "ends": other_ends,
    "swapped": swapped,
    "missing": one_missing,
    "too many": one_too_many,
    "left out": left_out,
    "names": other_names,
    "kind": other_kind,
}


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(2) as shared:
        yield shared


def made(rules: dict[str, Rule]) -> dict[tuple[str, str], str]:
    """The rule that made each (reference, response) which is not the reference as it stands."""
    return {
        (reference, response): name
        for reference in REFERENCES
        for name, rule in rules.items()
        for response in rule(reference)
        if response != reference or name == "itself"
    }


def decided(pool: Pool, pairs: list[tuple[str, str]]) -> list[Decision]:
    answers = [(reference, answer_of(response)) for reference, response in pairs]
    return pool.decide_many([(reference, answer or "") for reference, answer in answers])


def answer_of(response: str) -> str | None:
    """The final answer of a response; what is nothing but an answer stands for itself."""
    said = ("\\boxed", "**", "####", "answer is")
    return final_answer(response) if any(mark in response for mark in said) else response


def shown(failed: list[tuple[tuple[str, str], Decision]], rules: dict[tuple[str, str], str]) -> str:
    return "".join(f"\n{rules[pair]}: {pair[0]!r} against {pair[1]!r}: {found}" for pair, found in failed)


def test_every_reference_equals_itself_however_it_is_written(pool):
    rules = made(REWRITES)
    assert min(Counter(reference for reference, _ in rules).values()) >= FEWEST_REWRITES
    pairs = list(rules)
    failed = [each for each in zip(pairs, decided(pool, pairs), strict=True) if each[1].equal is not True]
    print(shown(failed, rules))
    assert len(failed) / len(pairs) < FALSE_NEGATIVES, shown(failed, rules)
    assert [pair for pair, _ in failed if rules[pair] == "itself"] == []


def test_no_reference_equals_a_near_miss(pool):
    rules = made(MISSES)
    assert min(Counter(reference for reference, _ in rules).values()) >= FEWEST_MISSES
    pairs = list(rules)
    found = list(zip(pairs, decided(pool, pairs), strict=True))
    print(len(pairs), shown([each for each in found if each[1].equal is None], rules))
    accepted = [each for each in found if each[1].equal]
    assert accepted == [], shown(accepted, rules)
    assert sum(each[1].equal is False for each in found) / len(found) > 1 - FALSE_NEGATIVES


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"We add: 3+2 so \boxed{5}.", "5"),
        (r"Since $\frac{1}{2}x=3$, we get \(x=\boxed{6}\).", "6"),
        (r"The roots are \boxed{3} and \boxed{4}.", "3, 4"),
        ("Both count:\n\\boxed{3} and \\boxed{4}", "3, 4"),
        ("3+2=5 #### 5", "5"),
    ],
)
def test_the_final_answer_of_a_solution_is_the_reference(text, answer):
    assert references.final(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"\boxed{5}", "5"),
        (r"\text{odd}", "odd"),
        ("$5$", "5"),
        ("no solution.", "no solution"),
        ("5 p.m.", "5 p.m."),
        ("1, 2, ...", "1, 2, ..."),
    ],
)
def test_what_encloses_a_reference_is_no_part_of_it(text, answer):
    assert references.final(text) == answer


@pytest.mark.parametrize(
    "text",
    [
        r"x = \boxed{5}",
        r"\sqrt{\pi} + \boxed{3}",
        r"\boxed{5} square meters",
        r"(\boxed{3}, \infty)",
        "#### 5",
    ],
)
def test_a_box_that_no_words_lead_to_is_part_of_the_reference(text):
    assert references.final(text) == text
