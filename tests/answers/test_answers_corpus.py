"""How often the rule is right: kinds of answers that verifiers are known to get wrong, and every reference rewritten.

The cases are this project's own. `weak-kinds.tsv` was written while the rules were mended, so what it shows is that
nothing falls behind, not how the rules do on cases that nobody has seen.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from libra_cli.answers.comparison.equal import Decision
from libra_cli.answers.extraction.extract import final_answer
from libra_cli.answers.process.pool import Pool
from libra_cli.tasks import thinking

DATA = Path(__file__).resolve().parents[1] / "data" / "verify"
KINDS = (
    "times",
    "unicode",
    "repeating",
    "intervals",
    "bases",
    "boxes",
    "choices",
    "mixed",
    "units",
    "thousands",
    "stray",
)


@pytest.fixture(scope="module")
def pool():
    with Pool(2) as shared:
        yield shared


def weak_kinds() -> list[tuple[str, bool, str, str]]:
    """(kind, label, reference, response)."""
    lines = (DATA / "weak-kinds.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [(kind, label == "1", reference, response) for kind, label, reference, response in rows]


def decided(pool: Pool, cases: list[tuple[str, str]]) -> list[Decision]:
    """What the rule says of each (reference, response)."""
    responses = [thinking.split_any(response).response for _, response in cases]
    answers = [final_answer(response) if response is not None else None for response in responses]
    asked = [(reference, answer) for (reference, _), answer in zip(cases, answers, strict=True) if answer is not None]
    found = iter(pool.decide_many(asked))
    return [Decision(False, "no_answer") if answer is None else next(found) for answer in answers]


def test_each_weak_kind_has_ten_cases_of_both_labels():
    counts = Counter((kind, label) for kind, label, *_ in weak_kinds())
    assert {kind for kind, _ in counts} == set(KINDS)
    assert min(counts.values()) >= 10


@pytest.mark.parametrize("kind", KINDS)
def test_weak_kinds(pool, kind):
    cases = [case for case in weak_kinds() if case[0] == kind]
    found = decided(pool, [(reference, response) for *_, reference, response in cases])
    assert [(case, one) for case, one in zip(cases, found, strict=True) if one.equal is not case[1]] == []


# -- references, rewritten and missed ---------------------------------------------------------------------------------

WHOLE, POSITIVE = re.compile(r"-?\d+"), re.compile(r"[1-9]\d*")
PAIR = re.compile(r"\(([^(),]*),([^(),]*)\)")
FRACTION = re.compile(r"\\frac\{([^{}]+)\}\{([^{}]+)\}")


def references() -> list[str]:
    return [json.loads(line)["reference"] for line in (DATA / "references.jsonl").read_text().splitlines()]


def exact_decimal(text: str) -> str:
    found = re.fullmatch(r"(-?)\\frac\{(\d+)\}\{(\d+)\}", text)
    return f"{found[1]}{int(found[2]) / int(found[3])}" if found and 10**6 % int(found[3]) == 0 else text


def has(text: str, *marks: str) -> bool:
    return any(mark in text for mark in marks)


def is_formula(text: str) -> bool:
    return not has(text, "=", ",", "<", "\\text", "\\begin", "^\\circ", "$", "\\cup")


REWRITES: dict[str, Callable[[str], str]] = {
    "tfrac": lambda text: text.replace(r"\frac", r"\tfrac"),
    "left and right": lambda text: text if "\\left" in text else text.replace("(", r"\left(").replace(")", r"\right)"),
    "slash": lambda text: re.sub(r"(?<!\d)\\frac\{(\w+)\}\{(\w+)\}", r"\1/\2", text),
    "short fraction": lambda text: re.sub(r"\\frac\{(\d)\}\{(\d)\}", r"\\frac\1\2", text),
    "decimal": exact_decimal,
    "other order": lambda text: ",".join(text.split(",")[::-1]) if re.fullmatch(r"-?\d+(,-?\d{1,2})+", text) else text,
    "braces": lambda text: f"{{{text}}}",
    "round brackets": lambda text: f"({text})" if is_formula(text) else text,
    "plus nothing": lambda text: f"{text}+0" if is_formula(text) else text,
    "one times": lambda text: rf"1\cdot({text})" if is_formula(text) else text,
    "minus sign": lambda text: text.replace("-", "\u2212"),
    "pi": lambda text: text.replace("\\pi", "\u03c0"),
    "display": lambda text: f"$$ {text} $$",
    "style": lambda text: rf"\displaystyle {text}",
    "bold": lambda text: rf"\mathbf{{{text}}}" if WHOLE.fullmatch(text) else text,
    "words": lambda text: rf"\text{{{text}}}" if WHOLE.fullmatch(text) else text,
    "point nothing": lambda text: f"{text}.0" if WHOLE.fullmatch(text) else text,
    "leading zeros": lambda text: f"00{text}" if POSITIVE.fullmatch(text) else text,
    "negative space": lambda text: text.replace(",", r",\!") if not re.fullmatch(r"[\d,]+", text) else text,
}


@pytest.mark.parametrize("rewrite", REWRITES)
def test_a_reference_in_another_form_is_right(pool, rewrite):
    cases = [(text, rf"We find that \[\boxed{{{REWRITES[rewrite](text)}}}\] holds.") for text in references()]
    wrong = [(case, one) for case, one in zip(cases, decided(pool, cases), strict=True) if one.equal is not True]
    assert wrong == []


def other_end(text: str, opening: bool) -> str | None:
    if not PAIR.fullmatch(text):
        return None
    return f"[{text[1:]}" if opening else f"{text[:-1]}]"


def inverted(text: str) -> str | None:
    found = FRACTION.fullmatch(text)
    return rf"\frac{{{found[2]}}}{{{found[1]}}}" if found and found[1] != found[2] else None


def swapped(text: str) -> str | None:
    found = PAIR.fullmatch(text)
    return f"({found[2]},{found[1]})" if found and found[1].strip() != found[2].strip() else None


NEAR_MISSES: dict[str, Callable[[str], str | None]] = {
    "one more": lambda text: str(int(text) + 1) if WHOLE.fullmatch(text) else None,
    "one less": lambda text: str(int(text) - 1) if WHOLE.fullmatch(text) else None,
    "plus one": lambda text: f"{text}+1" if is_formula(text) else None,
    "squared": lambda text: f"({text})^2" if is_formula(text) and text not in ("0", "1") else None,
    "sign": lambda text: f"-({text})" if is_formula(text) and text != "0" else None,
    "tenfold": lambda text: f"{text}0" if POSITIVE.fullmatch(text) else None,
    "a bit more": lambda text: f"{text}.01" if WHOLE.fullmatch(text) else None,
    "inverted": inverted,
    "closed on the left": lambda text: other_end(text, opening=True),
    "closed on the right": lambda text: other_end(text, opening=False),
    "swapped": swapped,
    "one missing": lambda text: text.rpartition(",")[0] if re.fullmatch(r"-?\d+(,-?\d{1,2})+", text) else None,
    "one too many": lambda text: f"{text}, 987" if not has(text, "(", "[", "\\begin", "\\text") else None,
    "half of it": lambda text: text.replace("\\pm", "+") if "\\pm" in text else None,
}  # fmt: skip


@pytest.mark.parametrize("miss", NEAR_MISSES)
def test_a_near_miss_is_wrong(pool, miss):
    missed = [(text, NEAR_MISSES[miss](text)) for text in references()]
    cases = [(text, rf"We find that \[\boxed{{{other}}}\] holds.") for text, other in missed if other is not None]
    assert cases
    accepted = [(case, one) for case, one in zip(cases, decided(pool, cases), strict=True) if one.equal is not False]
    assert accepted == []


def test_a_percentage_of_a_bare_number_is_undecided(pool):
    cases = [
        (text, rf"We find that \[\boxed{{{text}\%}}\] holds.") for text in references() if POSITIVE.fullmatch(text)
    ]
    assert cases
    assert {one.equal for one in decided(pool, cases)} == {None}
