"""Compares answers of kinds with a notation and a rule of their own: formulas of chemistry, codes, families, durations.

Each module of a kind returns None for answers of other kinds; the first that returns anything else decides.
"""

from __future__ import annotations

from libra_cli.answers.comparison import (
    bearings,
    boolean,
    changes,
    chemistry,
    codes,
    compounds,
    cycles,
    durations,
    items,
    linear,
)
from libra_cli.answers.sentences import ordinals
from libra_cli.answers.values import named, normalize, part_labels, structure
from libra_cli.answers.values.finding import OTHER_PARTS, Decide, Decision
from libra_cli.lazy_pattern import lazy_pattern

_PARAMETERS = frozenset("tskmnrulad")
"""Letters of parameters, or of their names."""
_OF_ARGUMENT = lazy_pattern(r"[A-Za-z]\s*\(\s*[a-z]\s*\)\s*=", one_of=("(",))
_MAY_GO_ON = lazy_pattern(
    r"\.\.\.|\u2026|\\[lc]?dots|\d,\s*-?\d+\s*,|[<\u2264]|\\le|\b(?:integers|numbers|multiples)\b|\{.*n",
    one_of=("...", "\u2026", "dots", ",", "<", "\u2264", "\\le", "integers", "numbers", "multiples", "{"),
)
_SIGNS_OF_FAMILIES = ("\\in", "mod", "k", "integer", "odd", "even", "ultiple", "divis", "mid", "∣", "∤", "余")


def compare(reference: str, answer: str, decide: Decide) -> Decision | None:
    """Compare points, formulas of chemistry, codes, propositions, ordered products, families and durations; else None.

    `decide` compares what they are made of.
    """
    points = _compare_points(reference, answer)
    if points is not None:
        return points
    formula = chemistry.same(reference, answer)
    if formula is not None:
        return Decision(formula.equal, "structure", formula.reason)
    if any(text.rstrip(" .$}").lower().endswith(compounds.ENDS) for text in (reference, answer)):
        compound = compounds.same(reference, answer)
        if compound is not None:
            return Decision(compound, "structure")
    if ") " in reference or ") " in answer:
        by_parts = part_labels.same(reference, answer, decide)
        if by_parts is not None:
            return Decision(by_parts[0], "structure", None if by_parts[0] is not None else OTHER_PARTS)
    if reference[-1:].isalpha() or reference[-1:] == "}":
        order = ordinals.same(reference, answer)
        if order is not None:
            return Decision(order, "text")
    is_share = "%" in reference or "cent" in reference
    for compare in (*((changes.same,) if is_share else ()), bearings.same, named.same):
        listed = compare(reference, answer, decide)
        if listed is not None:
            return Decision(listed, "structure")
    for compare_whole in (_compare_unlimited, cycles.same):
        whole = compare_whole(reference, answer)
        if whole is not None:
            return Decision(whole, "structure")
    code = codes.same(reference, answer)
    if code is not None:
        return Decision(code.equal, "text", code.reason)
    selected = items.same(reference, answer)
    if selected is not None:
        return Decision(selected, "choice")
    is_difference = ("-" in reference or "+" in reference) and reference != reference.lower()  # AB - BA
    if is_difference or "\\" in reference or "\\" in answer or "^" in reference + answer:
        verdict = boolean.same(reference, answer)
        if verdict is not None:
            return Decision(verdict, "structure")
        product = linear.same(reference, answer)
        if product is not None:
            return Decision(product.equal, "numeric", product.reason)
    if any(sign in text for text in (reference, answer) for sign in _SIGNS_OF_FAMILIES):
        if normalize.normalized(reference) == normalize.normalized(answer):
            return None
        from libra_cli.answers.comparison import families, residues

        is_congruence = reference.isdecimal() and ("\\equiv" in answer or "≡" in answer)
        remainder = residues.remainder(reference, answer) if is_congruence else None
        if remainder is not None:
            return Decision(remainder.equal, "number", remainder.reason)
        family = residues.same(reference, answer) or families.same(reference, answer)
        if family is not None:
            return Decision(family.equal, "structure", family.reason)
    if ":" in answer or ":" in reference or (reference[:1].isdigit() and ("h" in reference or "h" in answer)):
        verdict = durations.same(reference, answer)
        if verdict is not None:
            return Decision(verdict, "number")
    return None


def _compare_unlimited(reference: str, answer: str) -> bool | None:
    """Compare sets that go on for ever, runs of integers, and functions with arbitrary constants; None for others."""
    if _MAY_GO_ON.search(reference):
        from libra_cli.answers.comparison import endless

        found = endless.same(reference, answer)
        found = endless.same_runs(reference, answer) if found is None else found
        if found is not None:
            return found
    if not (_OF_ARGUMENT.search(reference) and _OF_ARGUMENT.search(answer)):
        return None
    from libra_cli.answers.comparison import arbitrary

    return arbitrary.same_functions(reference, answer)


def _compare_points(reference: str, answer: str) -> Decision | None:
    """Compare two points that depend on a parameter: (t, 2t); None for others."""
    if "," not in reference or "," not in answer or _PARAMETERS.isdisjoint(reference):
        return None
    parsed = structure.parse(structure.term_of(reference)), structure.parse(structure.term_of(answer))
    if not all(isinstance(one, structure.Parts) for one in parsed):
        return None
    from libra_cli.answers.comparison import arbitrary

    found = arbitrary.same_points(*parsed, of_integers=arbitrary.of_integers(reference, answer))
    return None if found is None else Decision(found.equal, "structure", found.reason)
