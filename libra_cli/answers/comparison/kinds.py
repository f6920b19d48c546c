"""Compares answers of kinds with a notation and a rule of their own: formulas of chemistry, codes, families, durations.

A rule returns None for answers of other kinds; the first that returns anything else decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from libra_cli.answers.comparison import (
    bearings,
    boolean,
    changes,
    chemistry,
    codes,
    compounds,
    cycles,
    division,
    domains,
    durations,
    items,
    linear,
)
from libra_cli.answers.sentences import options, ordinals
from libra_cli.answers.text import latex
from libra_cli.answers.values import named, normalize, part_labels, structure
from libra_cli.answers.values.finding import OTHER_PARTS, OTHER_TEXT, Decide, Decision, Finding
from libra_cli.lazy_pattern import lazy_pattern

_TERM_OF_RATIO = lazy_pattern(
    r"(?:\d{0,4}(?:\\sqrt ?(?:\{\d{1,4}\}|\d)|\\pi|\d)|\d{1,4}\^\{?\d{1,2}(?:/\d)?\}?)(?:/\d{1,4})?"
)
_REMARK = lazy_pattern(
    r"(?<=[A-Za-z}]) \((?P<word>[a-z]{4,14}(?: [a-z]{2,14})?)\)$| at \$?[a-z] ?= ?[^,;]{1,12}(?=,|;|$)",
    one_of=("(", " at "),
)
"""What a reference says of a quantity or of a value in brackets, or where it has that value."""
_DEFINED = lazy_pattern(
    r"(?:,|;|\\q?quad|\\text\{[ ,]*(?:where|with) *\}|\bwhere\b|\bwith\b)(?:\\q?quad|[\s,$])*(?P<letter>[A-Za-z])\s?="
)
"""A letter to which an answer gives a value behind its formula."""
_PARAMETERS = frozenset("tskmnrulad")
"""Letters of parameters, or of their names."""
_OF_ARGUMENT = lazy_pattern(r"[A-Za-z]\s*\(\s*[a-z]\s*\)\s*=", one_of=("(",))
_MAY_GO_ON = lazy_pattern(
    r"\.\.\.|\u2026|\\[lc]?dots|\d,\s*-?\d+\s*,|[<\u2264]|\\le|\b(?:integers|numbers|multiples)\b|\{.*n",
    one_of=("...", "\u2026", "dots", ",", "<", "\u2264", "\\le", "integers", "numbers", "multiples", "{"),
)
_ZERO_VECTOR = lazy_pattern(
    r"\$?\\(?:vec|mathbf|boldsymbol|bm|overrightarrow)(?:\s*\{\s*0\s*\}|\s*0)\$?", one_of=("0",)
)
_SIGNS_OF_FAMILIES = ("\\in", "mod", "k", "integer", "odd", "even", "ultiple", "divis", "mid", "∣", "∤", "余")


def compare(reference: str, answer: str, decide: Decide) -> Decision | None:
    """Compare two answers of a kind with a rule of its own; None for others. `decide` compares what they consist of."""
    for rule in _RULES:
        found = rule(reference, answer, decide)
        if found is not None:
            return found
    return None


def _decision(verdict: bool | None, by: str) -> Decision | None:
    return None if verdict is None else Decision(verdict, by)


def _of_finding(finding: Finding | None, by: str) -> Decision | None:
    return None if finding is None else Decision(finding.equal, by, finding.reason)


def points(reference: str, answer: str, _: Decide) -> Decision | None:
    """Points that depend on a parameter: (t, 2t)."""
    if "," not in reference or "," not in answer or _PARAMETERS.isdisjoint(reference):
        return None
    parsed = structure.parse(structure.term_of(reference)), structure.parse(structure.term_of(answer))
    if not all(isinstance(one, structure.Parts) for one in parsed):
        return None
    from libra_cli.answers.comparison import arbitrary

    return _of_finding(
        arbitrary.same_points(*parsed, of_integers=arbitrary.of_integers(reference, answer)), "structure"
    )


def chemical_formula(reference: str, answer: str, _: Decide) -> Decision | None:
    """H_2O and H₂O, Na+ and Na."""
    return _of_finding(chemistry.same(reference, answer), "structure")


def compound(reference: str, answer: str, _: Decide) -> Decision | None:
    """Sodium chloride and NaCl."""
    is_named = any(text.rstrip(" .$}").lower().endswith(compounds.ENDS) for text in (reference, answer))
    return _decision(compounds.same(reference, answer), "structure") if is_named else None


def labelled_parts(reference: str, answer: str, decide: Decide) -> Decision | None:
    """(a) 3 (b) 5, part by part."""
    found = part_labels.same(reference, answer, decide) if ") " in reference or ") " in answer else None
    if found is None:
        return None
    return Decision(found[0], "structure", None if found[0] is not None else OTHER_PARTS)


def ordinal(reference: str, answer: str, _: Decide) -> Decision | None:
    """Third and 3rd."""
    may_be_one = reference[-1:].isalpha() or reference[-1:] == "}"
    return _decision(ordinals.same(reference, answer), "text") if may_be_one else None


def change_in_percent(reference: str, answer: str, decide: Decide) -> Decision | None:
    """A decrease of 25% and -25%."""
    is_share = "%" in reference or "cent" in reference
    return _decision(changes.same(reference, answer, decide), "structure") if is_share else None


def bearing(reference: str, answer: str, decide: Decide) -> Decision | None:
    """N 30° E and 030°."""
    return _decision(bearings.same(reference, answer, decide), "structure")


def named_values(reference: str, answer: str, decide: Decide) -> Decision | None:
    """x = 2, y = 3 and y = 3, x = 2."""
    return _decision(named.same(reference, answer, decide), "structure")


def finite_set(reference: str, answer: str, decide: Decide) -> Decision | None:
    """{n^2 : n = 2, 3, 4} and {4, 9, 16}."""
    has_condition = any(map(f"{reference} {answer}".__contains__, (":", "|", "\\mid")))
    if not has_condition or "\\{" not in reference or "\\{" not in answer:
        return None
    from libra_cli.answers.comparison import finite_sets

    wanted, given = (finite_sets.listed(text) for text in (reference, answer))
    return decide(wanted or reference, given or answer) if wanted or given else None


def without_end(reference: str, answer: str, _: Decide) -> Decision | None:
    """Sets that go on for ever, runs of integers, and functions with arbitrary constants."""
    if _MAY_GO_ON.search(reference):
        from libra_cli.answers.comparison import endless

        found = endless.same(reference, answer)
        found = endless.same_runs(reference, answer) if found is None else found
        if found is not None:
            return Decision(found, "structure")
    if not (_OF_ARGUMENT.search(reference) and _OF_ARGUMENT.search(answer)):
        return None
    from libra_cli.answers.comparison import arbitrary

    return _decision(arbitrary.same_functions(reference, answer), "structure")


def named_matrix(reference: str, answer: str, decide: Decide) -> Decision | None:
    """I_2 and a matrix in full, the zero vector and (0, 0, 0)."""
    if all(map(_ZERO_VECTOR.fullmatch, (reference, answer))):
        return Decision(True, "normal")
    first, second = (
        "\\begin{" in text or text.startswith(("(", "[", "\\left", "\\langle")) for text in (reference, answer)
    )
    if first is second:  # neither has entries, or both have
        return None
    from libra_cli.answers.comparison import named_matrices

    return named_matrices.same(reference, answer, decide)


def cycle(reference: str, answer: str, _: Decide) -> Decision | None:
    """(1 2 3)(4 5) and (4 5)(1 2 3)."""
    return _decision(cycles.same(reference, answer), "structure")


def code(reference: str, answer: str, _: Decide) -> Decision | None:
    """HTH and hth, which are two codes."""
    return _of_finding(codes.same(reference, answer), "text")


def selected_items(reference: str, answer: str, _: Decide) -> Decision | None:
    """I and III, and statements I, III; A and B, but neither of them without the other."""
    wanted = options.parse(reference) if " or " in answer and "A" <= reference.lstrip("(")[:1] <= "J" else None
    if wanted and len(wanted.letters) > 1 and options.is_either(answer):
        return Decision(False, "choice")
    if " and " in answer and options.is_either(reference) and options.parse(answer):
        return Decision(None, "choice", OTHER_PARTS)
    return _decision(items.same(reference, answer), "choice")


def product_in_order(reference: str, answer: str, _: Decide) -> Decision | None:
    """Propositions, and products whose factors keep their order: AB - BA."""
    is_difference = ("-" in reference or "+" in reference) and reference != reference.lower()
    is_typed = not reference.isascii() and any(map(reference.__contains__, boolean.TYPED))
    if not (is_difference or is_typed or "\\" in reference or "\\" in answer or "^" in reference + answer):
        return None
    found = _decision(boolean.same(reference, answer), "structure")
    return _of_finding(linear.same(reference, answer), "numeric") if found is None else found


def ratio_of_roots(reference: str, answer: str, decide: Decide) -> Decision | None:
    """1 : \\sqrt{2} and \\sqrt{2} : 2, of which `notation.ratio` reads only whole numbers and decimals."""
    has_root = any(map(f"{reference} {answer}".__contains__, ("\\sqrt", "\\pi", "^")))
    if ":" not in reference or ":" not in answer or not has_root:
        return None
    wanted, given = ([term.strip(" $") for term in text.strip(" $.()").split(":")] for text in (reference, answer))
    if len(wanted) != len(given) or not all(map(_TERM_OF_RATIO.fullmatch, [*wanted, *given])):
        return None
    for (one, another), (first, second) in zip(pairwise(wanted), pairwise(given), strict=True):
        decided = decide(rf"\frac{{{one}}}{{{another}}}", rf"\frac{{{first}}}{{{second}}}")
        if decided is None or not decided.equal:
            return decided
    return Decision(True, "structure")


def set_of_integers(reference: str, answer: str, _: Decide) -> Decision | None:
    """Remainders and families: 3 mod 7, all odd n, \\pi/2 + k\\pi."""
    if not any(sign in text for text in (reference, answer) for sign in _SIGNS_OF_FAMILIES):
        return None
    if normalize.normalized(reference) == normalize.normalized(answer):
        return None
    from libra_cli.answers.comparison import families, residues

    is_congruence = reference.isdecimal() and ("\\equiv" in answer or "≡" in answer)
    remainder = _of_finding(residues.remainder(reference, answer), "number") if is_congruence else None
    if remainder is not None:
        return remainder
    return _of_finding(residues.same(reference, answer) or families.same(reference, answer), "structure")


def family_of_functions(reference: str, answer: str, _: Decide) -> Decision | None:
    """C_1 \\cos x + C_2 \\sin x and A \\cos(x + \\phi), whose constants nobody compares."""
    if not any(map(reference.__contains__, "CcK")) or not any(map(str.islower, answer)):
        return None
    from libra_cli.answers.comparison import arbitrary

    is_open = arbitrary.may_be_same(reference, answer)
    return Decision(None, "numeric", "parameter") if is_open else None


def with_remark(reference: str, answer: str, decide: Decide) -> Decision | None:
    """0.60 N (repulsive) and local max 10 at x = -1, of which an answer may leave out the remark."""
    remark = _REMARK.search(reference)
    has_word = remark is not None and any(word in answer for word in (remark["word"] or " at ").split())
    if remark is None or has_word or not any(map(str.isdigit, reference)):
        return None
    decided = decide(_REMARK.sub("", reference).strip(), answer)
    is_same = decided is not None and decided.equal is True
    return Decision(None, "text", OTHER_TEXT) if is_same else decided


def other_symbols(reference: str, answer: str, _: Decide) -> Decision | None:
    """E = 2k\\lambda/r, k = ..., whose letter k the reference does not have."""
    defined = _DEFINED.search(answer) if answer.count("=") > 1 and answer.count("=") > reference.count("=") else None
    left, _equals, right = answer[: defined.start()].partition("=") if defined else ("", "", "")
    if defined is None or _names_letter(left, defined["letter"]) or not _names_letter(right, defined["letter"]):
        return None
    return None if _names_letter(reference, defined["letter"]) else Decision(None, "structure", OTHER_PARTS)


def _names_letter(text: str, letter: str) -> bool:
    return re.search(rf"(?<![A-Za-z\\_]){letter}(?![A-Za-z])", latex.without_commands(text)) is not None


def duration(reference: str, answer: str, _: Decide) -> Decision | None:
    """4 h 25 min and 4:25."""
    has_hours = reference[:1].isdigit() and ("h" in reference or "h" in answer)
    may_be_time = ":" in answer or ":" in reference or has_hours
    return _decision(durations.same(reference, answer), "number") if may_be_time else None


_RULES: tuple[Callable[[str, str, Decide], Decision | None], ...] = (
    *(
        with_remark,
        other_symbols,
        division.same,
        domains.same,
        points,
        chemical_formula,
        compound,
        labelled_parts,
        ordinal,
        change_in_percent,
        bearing,
    ),
    *(
        named_matrix,
        named_values,
        finite_set,
        without_end,
        cycle,
        code,
        selected_items,
        product_in_order,
        ratio_of_roots,
        set_of_integers,
        family_of_functions,
        duration,
    ),
)
