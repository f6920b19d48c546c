"""Compares formulas of which one has the domain of its variable beside it: n^2 + 1 for all n >= 1; 1/(x-1), x != 1."""

from __future__ import annotations

import re

from libra_cli.answers.text import function_forms, latex
from libra_cli.answers.values import structure
from libra_cli.answers.values.finding import Decide, Decision
from libra_cli.lazy_pattern import lazy_pattern

OTHER_DOMAIN = "other_domain"
"""The formulas are equal, but one of them holds for some arguments only."""
_WORDS = (
    r"(?:(?:for|where|with|when|if|valid for|provided(?: that)?) (?:all |any |every |each )?"
    r"(?:(?:positive|non-?negative|natural|real|whole|integers?|numbers?|values of) )*)"
)
_SIGN = (
    r"(?P<sign>\\geq?(?![A-Za-z])|\\gt(?![A-Za-z])|\\neq?(?![A-Za-z])|>=|!=|[\u2265\u2260>=<\u2264]|\\leq?(?![A-Za-z]))"
)
_DOMAIN = lazy_pattern(
    rf"(?:[\s,;(]|\\q?quad|\\[,;: ])+(?:\\text\s*\{{\s*,?\s*{_WORDS}\s*\}}|{_WORDS})?\s*\$?"
    rf"(?P<name>[a-z])\s*{_SIGN}\s*(?P<bound>[^()<>=]*?)\)?\$?\s*$"
)
_CONSTANTS = lazy_pattern(
    r"(?:\s*(?:[,;(]|\\q?quad|\\[,;: ]|\\text\s*\{[\s,(]*(?:where|with|for any|for all)?\s*\}))+\s*"
    r"(?P<names>[A-DKc](?:_\{?\d\}?)?(?:\s*,\s*[A-DKc](?:_\{?\d\}?)?){0,3})\s*"
    r"(?:(?:\\in(?![A-Za-z])|\u2208)\s*(?:\\mathbb\s*\{?\s*[RC]\s*\}?|[RC\u211d\u2102])"
    r"|\\text\s*\{\s*(?:is |are )?(?:an? |any )?(?:arbitrary |real )*"
    r"(?:constants?(?: of integration)?|arbitrary)\)?\s*\})\)?\s*$"
)
"""What says that letters of a formula are constants: , A, B \\in \\mathbb{R}."""
_BOUND = lazy_pattern(r"(?:\\pm ?)?-?\d{1,4}(?:/\d{1,3})?|\\pm ?\d|0|-?\\frac\{\d+\}\{\d+\}")
_COUNTED = lazy_pattern(r"[0-3] ?, ?[1-4](?: ?, ?[2-9])* ?, ?(?:\\[lc]?dots|\.\.\.|\u2026)\.?")
_LIMITS = lazy_pattern(r"[<>\u2264\u2265\u2208]|\\[lg]eq?(?![A-Za-z])|\\in(?![A-Za-z])|\\[lg]t(?![A-Za-z])")
_EXCLUDES = lazy_pattern(r"\u2260|!=|\\neq?(?![A-Za-z])")
_IN_CASES = lazy_pattern(r"\||\\[lr]?[vV]ert|\^\{?2\}?\}|\bsgn\b|\babs\b|\b(?:max|min)\b")
"""What a formula has that is another one on a part of its domain: |x|, \\sqrt{x^2}."""
_SIGNS = {
    **dict.fromkeys(("\\ge", "\\geq", ">=", "\u2265"), ">="),
    **dict.fromkeys(("\\le", "\\leq", "<=", "\u2264"), "<="),
    **dict.fromkeys(("\\ne", "\\neq", "!=", "\u2260"), "!="),
    **dict.fromkeys((">", "\\gt"), ">"),
}
_COUNTERS = frozenset("ijklmnp")
_FIRST = frozenset(("0", "1", "2"))
_MAX_CHARS = 300


def without(reference: str, answer: str) -> tuple[str, str]:
    """Both without a domain that both have, or that only the answer has, unless it leaves out some arguments."""
    reference, answer = (function_forms.without_domain(_undeclared(text)) for text in (reference, answer))
    wanted, given = _parts(reference), _parts(answer)
    if wanted and given:
        return (wanted[0], given[0]) if _bare(wanted[1]) == _bare(given[1]) else (reference, answer)
    if given and _is_natural(given[1]) and not _IN_CASES.search(reference) and not _LIMITS.search(reference):
        return reference, given[0]
    return reference, answer


def _undeclared(text: str) -> str:
    """A formula without what says behind it that some of its letters are constants."""
    found = _CONSTANTS.search(text) if len(text) <= _MAX_CHARS else None
    head = text[: found.start()] if found else ""
    letters = latex.without_commands(head)
    names = found["names"].replace(" ", "").split(",") if found else []
    return head.rstrip(" ,;(\\") if names and all(name[0] in letters for name in names) else text


def same(reference: str, answer: str, decide: Decide) -> Decision | None:
    """Undecided if the formulas are or may be equal where one of them holds, which is not everywhere; else None."""
    wanted, given = _parts(reference), _parts(answer)
    if not (wanted or given) or (wanted and given and not _begin_otherwise(wanted[1], given[1])):
        return None
    if not (wanted and given) and _LIMITS.search(answer if wanted else reference):
        return None
    formulas = wanted[0] if wanted else reference, given[0] if given else answer
    decision = decide(*formulas)
    may_be_equal = decision is not None and (decision.equal is True or any(map(_IN_CASES.search, formulas)))
    return Decision(None, decision.by, OTHER_DOMAIN) if decision and may_be_equal else None


def _parts(text: str) -> tuple[str, re.Match[str]] | None:
    """A formula and the domain behind it, which is one of a variable of the formula; None if it has none."""
    found = _DOMAIN.search(text) if len(text) <= _MAX_CHARS and "cases" not in text else None
    if found is None or not (_BOUND.fullmatch(found["bound"].strip()) or _COUNTED.fullmatch(found["bound"].strip())):
        return None
    if found["sign"] == "=" and not _COUNTED.fullmatch(found["bound"].strip()):
        return None
    head = text[: found.start()].rstrip(" ,;(\\$")
    sides = latex.split(head, latex.EQUALS)
    if _LIMITS.search(head) or _EXCLUDES.search(head):  # x > -2, x != 1 are two conditions
        return None
    is_formula = len(sides) <= 2 and len(latex.split(head, structure.COMMAS)) == 1 and not _DOMAIN.search(head)
    occurs = re.search(rf"(?<![A-Za-z\\]){found['name']}(?![A-Za-z])", latex.without_commands(sides[-1]))
    return (head, found) if is_formula and occurs else None


def _bare(domain: re.Match[str]) -> tuple[str, str, str]:
    """The variable of a domain, its sign in one spelling, and its bound without spaces."""
    sign = domain["sign"]
    return domain["name"], _SIGNS.get(sign, sign), domain["bound"].replace(" ", "")


def _begin_otherwise(*domains: re.Match[str]) -> bool:
    """Whether two domains begin to count at another number, which may be a slip or not: n >= 0 and n >= 1."""
    (name, *wanted), (other_name, *given) = map(_bare, domains)
    are_natural = all(map(_is_natural, domains)) and not any("!=" in one for one in (wanted, given))
    return name == other_name and name in _COUNTERS and wanted != given and are_natural


def _is_natural(domain: re.Match[str]) -> bool:
    """Whether a domain only says for which arguments the formula is meant: counting numbers, no division by zero."""
    name, sign, bound = _bare(domain)
    if sign == "!=" or _COUNTED.fullmatch(bound):
        return True
    return sign in (">=", ">") and (bound == "0" or (name in _COUNTERS and bound in _FIRST))
