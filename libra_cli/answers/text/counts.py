"""Reads counts of combinatorics in the tokens of a formula: C_{10}^3, C(10, 3), A_5^3 and P(5, 3)."""

from __future__ import annotations

_COUNTS = ("C", "A", "P")
_FORMS_OF_COUNTS = ("_n^k", "_{n}^k", "_n^{k}", "_{n}^{k}", "(n,k)")
MAX_COUNT = 1000


def written_out(tokens: list[str]) -> list[str]:
    """C_{10}^3 and C(10, 3) as a binomial, A_5^3, P_5^3 and P(5, 3) as a quotient of factorials."""
    counted, position = list[str](), 0
    while position < len(tokens):
        bounds = _bounds(tokens[position + 1 : position + 9]) if tokens[position] in _COUNTS else None
        if bounds is None:
            counted.append(tokens[position])
            position += 1
            continue
        n, k, length = bounds
        if tokens[position] == "C":
            counted += ["\\binom", "{", n, "}", "{", k, "}"]
        else:
            counted += ["(", n, "!", "/", "(", n, "-", k, ")", "!", ")"]
        position += 1 + length
    return counted


def _bounds(tokens: list[str]) -> tuple[str, str, int] | None:
    """n, k and the number of tokens of `_{n}^{k}` or `(n, k)`."""
    for form in _FORMS_OF_COUNTS:
        if len(tokens) < len(form):
            continue
        found = {mark: token for mark, token in zip(form, tokens, strict=False) if mark in "nk"}
        others = all(mark in "nk" or mark == token for mark, token in zip(form, tokens, strict=False))
        n, k = found["n"], found["k"]
        if others and n.isdecimal() and k.isdecimal():
            return (n, k, len(form)) if int(k) <= int(n) <= MAX_COUNT else None
        if others and n in ("n", "m") and (k.isdecimal() or k in ("k", "r", "m")):
            return n, k, len(form)
    return None
