"""Reads what is said about a function beside its formula: f(t) = t + 1 for all t in Q, the identity function."""

from __future__ import annotations

import re

from libra_cli.lazy_pattern import lazy_pattern

_FUNCTION = lazy_pattern(r"\s*\$?\s*(?:[A-Za-z]\s*\(\s*[a-z]\s*\)|[a-z]_\{?[a-z]\}?)\s*=")
_SET = r"(?:\\mathbb\s*\{?\s*[A-Z]\s*\}?|[A-Z\u2102-\u2124])\s*(?:[\^_]\s*\{?[+*\d]\}?)?"
_DOMAIN = lazy_pattern(
    r"(?:,|;|\\q?quad|\\[,;: ]|\(|\s)\s*"
    r"(?:(?:\\text\s*\{\s*)?"
    r"(?:\\forall(?![A-Za-z])|\u2200|for (?:all|every|any|each)(?: (?:real|rational|integer|number)s?){0,2})"
    r"\s*\}?\s*\$?\s*[a-z]"
    rf"(?:\s*(?:\\in(?![A-Za-z])|\u2208|in)\s*{_SET})?|[a-z]\s*(?:\\in(?![A-Za-z])|\u2208)\s*{_SET})\s*\)?\s*\$?[. ]*$"
)
_CALL = lazy_pattern(r"\s*\$?\s*(?P<name>[A-Za-z])\s*\(\s*(?P<argument>[a-z])\s*\)\s*=(?!=)")
_ASSIGNED = lazy_pattern(r"\s*\$?\s*([A-Za-z])\s*=(?!=)")
_COMMAND = lazy_pattern(r"\\[A-Za-z]+")
_LONGEST = 400
"""Characters of the longest text that is searched for a name."""
_NAMED = {"identity": "x", "zero": "0"}
_IN_WORDS = lazy_pattern(r"(?:^|.*[^\w-])(?:the )?(identity|zero) (?:function|map|mapping)\W*$")


def without_domain(text: str) -> str:
    """The equation of a function or a sequence without the set of its arguments, which ends it."""
    if not _FUNCTION.match(text) or text.count("=") > 1:
        return text
    domain = _DOMAIN.search(text)
    return text[: domain.start()].rstrip(" ,;\\") if domain else text


def named(text: str, reference: str) -> str | None:
    """f(x) = x of a text that ends in "the identity function", if the reference is the equation of a function."""
    function = _FUNCTION.match(reference)
    if function is None or len(text) > _LONGEST:
        return None
    found = _IN_WORDS.match(text.replace("\\text{", "").replace("}", "").strip())
    return f"f(x)={_NAMED[found[1]]}" if found else None


def like(text: str, other: str) -> str:
    """y(t) = 2t as y = 2t, if the other equation names y without its argument, which occurs in it."""
    function, name = _CALL.match(text), _ASSIGNED.match(other)
    if function is None or name is None or function["name"] != name[1]:
        return text
    occurs = re.search(rf"(?<![A-Za-z\\]){function['argument']}(?![A-Za-z])", _COMMAND.sub(" ", other[name.end() :]))
    return f"{name[1]} = {text[function.end() :]}" if occurs else text
