"""Reads a list of items, each on a line of its own, that ends a text: with bullets or numbers, or plain."""

from __future__ import annotations

from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

_ARROW = "\u2192"
MAX_ITEMS, MAX_CHARS = 24, 80
_EQUATION = lazy_pattern(r"\$?([A-Za-z]) ?(?:=|\\approx) ?([^=$,]{1,40})\$?")
_ROW = lazy_pattern(r"([A-Za-z]) ?= ?(-?[\d.]+(?:/\d+)?)")
_BULLET = lazy_pattern(r"\s*(?:[-*\u2022\u2013]|\(?\d{1,2}[.)]|\([a-z]\))\s+(?=\S)")
_PAIR = lazy_pattern(r"\(?(?<!\d)(\d{1,6}) ?(?:[*x\u00b7\u00d7,]|and|\\times|\\cdot) ?(\d{1,6})(?!\d)\)?")
_JOINS = lazy_pattern(r", (?:and |und |et |y |e |\u0438 |or )?| (?:and|und|et|y|e|\u0438|or) ")
_ITEM = lazy_pattern(r"\$?(?:[A-Za-z] ?= ?)?-?(?:\\(?:frac|sqrt|pi|pm)|[\d./{}()^\u221a\u03c0\u2212\u00b0%])+\$?")
_OPEN_HEAD = words.table("not except some check than without wrong false incorrect other but if first two only options")


def items(tail: str) -> list[str]:
    """The items of the list that ends a text, under a line that ends with a colon; empty if no list does."""
    if "\n" not in tail:
        return []
    found: list[str] = []
    bullets = 0
    for line in reversed(tail.strip().split("\n")):
        line = line.strip()
        if not line:
            continue
        if line.rstrip("* ").endswith(":"):
            is_list = len(found) > 1 and bullets in (0, len(found))
            return found[::-1] if is_list else []
        bullet = _BULLET.match(line)
        bullets += bullet is not None
        item = line[bullet.end() :] if bullet else line
        item = item.replace("**", "").rstrip(" .,;")
        if len(found) == MAX_ITEMS or len(item) > MAX_CHARS or item.startswith(("#", "|", "```")):
            return []
        found.append(item)
    return []


def equations(tail: str) -> list[str]:
    """The equations for one name that end a text, each on a line or behind an arrow: x = 2, x = 5; empty if none do."""
    last = tail.strip().rpartition("\n")[2]
    is_row = last.count(";") > 0 and all(_ARROW in part for part in last.split(";"))
    rows = [part.rpartition(_ARROW)[2] for part in last.split(";")] if is_row else tail.strip().split("\n")
    found: list[str] = []
    name = ""
    for row in reversed(rows):
        if not row.strip():
            continue
        bullet = _BULLET.match(row)
        bare = (row[bullet.end() :] if bullet else row).replace("**", "").strip(" .,;")
        equation = _EQUATION.fullmatch(bare)
        if equation is None or (name and equation[1] != name) or len(found) == MAX_ITEMS:
            break
        name = equation[1]
        found.append(bare.strip("$"))
    return found[::-1] if len(found) > 1 else []


def listed(tail: str) -> str | None:
    """The items of such a list as one list, if each is a formula, a number or an equation, and no sentence."""
    found = items(tail) or equations(tail)
    if not found or any(words.in_row(item.replace("\\text", "")) for item in found):
        return None
    rows = [_ROW.findall(item) for item in found]
    names = [[name for name, _ in row] for row in rows]
    if len(names[0]) > 1 and all(row == names[0] for row in names):  # a = 1, b = 6 above a = 2, b = 3
        return ", ".join(f"({', '.join(value.strip() for _, value in row)})" for row in rows)
    return ", ".join(item.strip("$").strip() for item in found)


def pairs(sentence: str) -> str | None:
    """The numbers of the pairs of factors that a sentence lists: the factor pairs are 1 \u00d7 6 and 2 \u00d7 3."""
    said = sentence.rpartition(" are ")[2].rpartition(": ")[2] if "pair" in sentence.lower() else ""
    found = _PAIR.findall(said)
    are_all = len(found) > 1 and not any(map(str.isdigit, _PAIR.sub("", said)))
    return ", ".join(dict.fromkeys(number for pair in found for number in pair)) if are_all else None


def behind_colon(sentence: str) -> str | None:
    """The numbers that a sentence lists behind the words for them: The divisors of 12: 12, 6, 4, 3, 2 and 1."""
    head, _, rest = sentence.strip().rpartition(": ")
    heard = {word.lower() for word in words.split(head)}
    is_named = any(len(word) > 2 for word in heard) and heard.isdisjoint(_OPEN_HEAD)  # three letters
    found = _JOINS.split(rest.rstrip(" .*")) if is_named else []
    are_items = len(found) > 1 and all(len(one) < MAX_CHARS and _ITEM.fullmatch(one.strip("* ")) for one in found)
    return ", ".join(one.strip("*$ ") for one in found) if are_items else None
