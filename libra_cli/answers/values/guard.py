"""Keeps from computer algebra text that is no formula, and formulas that would take forever.

Row text is never evaluated. A grammar of LaTeX (latex2sympy2_extended) parses text that passes these checks, in a
worker process with no environment, limited memory and a deadline; the checks only save the time until that deadline.
"""

from __future__ import annotations

from libra_cli.answers.text import latex
from libra_cli.answers.values import normalize
from libra_cli.lazy_pattern import lazy_pattern

MAX_PRIME_MARKS = 8
MAX_NESTING = 24
MAX_DIGITS = 100
MAX_CELLS = 64
MAX_EXPONENT_DIGITS = 4
MAX_FACTORIAL_DIGITS = 3

_ALLOWED = lazy_pattern(r"[A-Za-z0-9\s\\{}()\[\]^_+\-*/=<>|.,:;!'&%$]*")
_KNOWN = """
    frac sqrt cdot times div pm mp pi infty circ cup cap setminus in notin subset subseteq emptyset leq geq lt gt neq
    equiv approx sin cos tan cot sec csc arcsin arccos arctan arccot sinh cosh tanh log ln lg exp binom choose sum prod
    int lim to det min max gcd lcm bmod lfloor rfloor lceil rceil lvert rvert vert mid overline bar hat vec
    tilde alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho sigma tau
    upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega begin end prime
    cis mathbb mathcal text mathrm operatorname angle triangle land lor wedge vee ell Re Im partial hbar dot
    ddot widehat
"""
_COMMANDS = frozenset(_KNOWN.split())
_DIGITS = lazy_pattern(rf"\d{{{MAX_DIGITS + 1},}}")
_BRACED = lazy_pattern(r"\{(\d+)\}\s*\^")
_TOWER = lazy_pattern(r"\^\s*\d+\s*\^|\^\s*[{(][^{}()^]*\d\s*\^[\s{(]*\d|\d\s*\^[\s{(]*\d{2,}[\s})]+\^")
_LARGE_EXPONENT = lazy_pattern(rf"\^[\s{{(\-]*\d{{{MAX_EXPONENT_DIGITS + 1},}}")
_LARGE_FACTORIAL = lazy_pattern(
    rf"\d{{{MAX_FACTORIAL_DIGITS + 1},}}[\s)}}]*!|!\s*[)}}]*\s*!|\d\s*\^[^!()]{{0,40}}\)\s*!"
)
_LARGE_BINOMIAL = lazy_pattern(r"\\binom\s*\{[^{}]*\d{5,}|\\(?:sum|prod|int)[^a-z].*\d{5,}")
_LAYOUT = lazy_pattern(r"\\(?:begin|end)\{(?:[pbBvV]?matrix|array|cases)\}|\\\\")
# The grammar adds up 12 34, divides 4:30, drops the base of 101_2, multiplies 6 ft 2 in and subtracts the range 10-12.
_MISREAD = lazy_pattern(r"(?<!_)\d\s+\d|\d:\d|\d_|(?<!_)[0-9A-F]{2}_\{?\d|^\d+-\d+$|(?<![A-Za-z\\])[a-z]+ \d")
# The grammar multiplies the letters of a word, which makes HTH equal to HHT.
_PROSE = lazy_pattern(r"(?<![A-Za-z\\])(?:[A-Za-z]{4,}|[A-Z]{3})")

BOMBS = (_DIGITS, _TOWER, _LARGE_EXPONENT, _LARGE_FACTORIAL, _LARGE_BINOMIAL)


def refusal(reference: str, answer: str) -> str | None:
    """Why computer algebra must not see a pair; None if it may."""
    for name, text in (("reference", reference), ("answer", answer)):
        text = _BRACED.sub(r"\1^", normalize.normalized(text))
        if latex.depth_of(text) > MAX_NESTING or text.count("&") + text.count("\\\\") > MAX_CELLS:
            return f"{name}_too_complex"
        if text.count("'") > MAX_PRIME_MARKS or any(bomb.search(text) for bomb in BOMBS):
            return f"{name}_too_complex"
        if not is_formula(text):
            return f"unparsable_{name}"
    return None


def is_formula(text: str) -> bool:
    """Whether the normalized `text` holds only characters, commands and letters that occur in formulas."""
    text = _LAYOUT.sub(" & ", text)
    if not text or not _ALLOWED.fullmatch(text) or _MISREAD.search(text):
        return False
    return not _PROSE.search(text) and _COMMANDS.issuperset(latex.commands(text))
