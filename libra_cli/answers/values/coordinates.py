"""Reads points and vectors that are said in words: the origin, 2 along x and 6 along y."""

from __future__ import annotations

import re

from libra_cli.answers.text import latex, words
from libra_cli.answers.values import structure
from libra_cli.answers.values.structure import Matrix, Parts
from libra_cli.lazy_pattern import lazy_pattern

_MOST = 3
"""Coordinates of a point."""
_POINT = r"\$?\([^()]{1,40}\)\$?"
_IS_ORIGIN = lazy_pattern(
    r"(?:the )?(?:point )?origin|l['\u2019]origine|el origen|[oa] origem|(?:der )?(?:koordinaten)?ursprung"
    r"|начало координат|原点",
    re.IGNORECASE,
)
NAMES = ("origin", "origen", "origem", "ursprung", "Ursprung", "начало коорд", "原点")
"""What a text has that names the origin."""
_SEPARATORS = frozenset((",", ";", "and", "y", "e", "et", "und", "и"))
_IN_LIST = lazy_pattern(
    r"(?P<lead>(?:\b(?:is|are|at|points?|be|gives?|namely|find|get|obtain)|[:=])(?: just| only)? ?"
    rf"(?:(?:at )?{_POINT}(?:,? and|,) )*(?:at )?)the origin\b"
    rf"(?=[.!$]*$|,? and (?:at )?{_POINT}[.!]*$|, (?:at )?{_POINT})",
    re.IGNORECASE,
    one_of=("the origin",),
)
"""The origin as the only point that a sentence gives, or in its list of points."""
_SUBJECT = lazy_pattern(r"\b[Tt]he (?:only )?(?P<noun>[a-z]{4,20})\b[^,;]{0,40} (?:is|lies at|are) (?:at )?the origin")
_ANSWERS = words.table("point points answer answers solution intersection fixed curves lines graphs result")
_OTHER = lazy_pattern(
    r"\b(?i:not|no|never|cannot|than|between|distance|midpoint of|except|besides|or|if|whether|excluding|apart|through"
    r"|opposite|negative|backwards?|initial|half|cancels?|rises?|falls?|starts?|begins?|ends?"
    r"|from|cent(?:er|re)d|symmetr\w+|reflect\w*|rotat\w+|about)\b|n['\u2019]t\b"
)
"""Words of a sentence in which the origin is only a place from which something is seen."""
_ALONG = lazy_pattern(
    r"(?<![\w.,/^$\\-])\$?(?P<value>[-\u2212]?\d+(?:\.\d+)?(?:/\d+)?)\$?(?: (?P<unit>units?|N|m|cm|km|m/s))? "
    r"(?:along|in|on|parallel to) (?:the )?(?:positive )?(?:direction of )?(?:the )?\$?(?P<axis>[xyz])\$?"
    r"(?:[- ](?:axis|direction|component|coordinate))?(?![\w^/]|[-+*])"
)
_LEADS = lazy_pattern(
    r"(?:^|\b(?i:is|are|be|has|have|with|of|gives?|components?|displacement|vector|force|velocity)|[:=])\s*\$?$"
)
"""What stands before the first of the components that a vector has."""
_FIGURES = lazy_pattern(r"\d+(?:[./]\d+)?")
_AXES = "xyz"


def size(reference: str) -> int:
    """The number of coordinates of the points or vectors of a reference; 0 for anything else."""
    wanted = structure.parse(reference)
    if isinstance(wanted, structure.Equation):
        wanted = wanted.value
    if isinstance(wanted, Matrix) and len(wanted.rows[0]) == 1:
        return len(wanted.rows)
    if not isinstance(wanted, Parts) or wanted.interval:
        return 0
    if wanted.kind == "sequence" and wanted.brackets == "()":
        return len(wanted.parts)
    sizes = {
        len(part.parts) if isinstance(part, Parts) and part.kind == "sequence" and not part.interval else 0
        for part in wanted.parts
    }
    return sizes.pop() if len(sizes) == 1 and wanted.kind in ("list", "set") else 0


def with_origin(answer: str, other: str) -> str:
    """`answer` with (0, 0) for the origin, if it is that or a list of points with it, and `other` has points."""
    count = size(other)
    if not 1 < count <= _MOST:
        return answer
    bare = latex.without_setting(answer).strip(" $.")
    parts = [part.strip(" $.") for part in latex.split(bare, _SEPARATORS)]
    named = [part for part in parts if part[:1] != "("]
    if not named or not all(map(_IS_ORIGIN.fullmatch, named)):
        return answer
    return ", ".join(part if part[:1] == "(" else _origin(count) for part in parts)


def with_origin_said(text: str, sentence: str, reference: str, question: str) -> str:
    """`text` with (0, 0) for the origin in its last `sentence`, if that gives it as the point asked for."""
    count = size(reference)
    if not 1 < count <= _MOST or _OTHER.search(sentence) or not text.endswith(sentence):
        return text
    listed = _IN_LIST.search(sentence)
    if listed is None or "(" in sentence[: listed.start()]:  # it starts at (3, 4) and ends at the origin
        return text
    subject = _SUBJECT.search(sentence) if question else None
    if subject and subject["noun"] not in question.lower() and subject["noun"] not in _ANSWERS:
        return text  # the focus, where the vertex is asked for
    written = f"{sentence[: listed.end('lead')]}${_origin(count)}${sentence[listed.end() :]}"
    return text[: -len(sentence)] + written


def _origin(count: int) -> str:
    return f"({', '.join(['0'] * count)})"


def along_axes(sentence: str) -> str | None:
    """The vector whose components along the axes are all that a sentence says in numbers."""
    found = [*_ALONG.finditer(sentence)]
    axes = [one["axis"] for one in found]
    if len(found) < 2 or sorted(axes) != [*_AXES[: len(found)]] or _OTHER.search(sentence):
        return None
    if not _LEADS.search(sentence[: found[0].start()]) or len({one["unit"] for one in found}) > 1:
        return None
    if len(_FIGURES.findall(sentence)) != sum(len(_FIGURES.findall(one["value"])) for one in found):
        return None
    values = {one["axis"]: one["value"].replace("\u2212", "-") for one in found}
    return f"({', '.join(values[axis] for axis in sorted(axes))})"
