"""Reads the quantities of a text, for a reference of several in different units: 30 L/min; 3 min."""

from __future__ import annotations

from libra_cli.answers.comparison import equal
from libra_cli.answers.extraction.prose_text import Prose
from libra_cli.answers.sentences import negation, phrases
from libra_cli.answers.sentences.extracted import OTHER_ANSWER, Extraction
from libra_cli.answers.values import conversions, structure
from libra_cli.answers.values.structure import Leaf
from libra_cli.lazy_pattern import lazy_pattern

_QUANTITY = lazy_pattern(
    r"(?<![\w.,/^-])(?P<value>[-\u2212]?\d[\d.,]*(?<=\d)) ?"
    r"(?P<unit>[A-Za-z\u00b0\u00b5\u03a9][A-Za-z\u00b2\u00b3/\u00b7]{0,20})"
    r"(?: (?:per|each|every|an?) (?P<per>[a-z]{2,12}))?"
)
_UNIT = lazy_pattern(r"(?<=\d) ?([A-Za-z]{1,3})$")
_SEPARATORS = lazy_pattern(r"; | and |, ")
_MOST = 4


def stated(prose: Prose) -> Extraction | None:
    """`It delivers 30 litres each minute; 90 litres need three minutes`: the reference, or that it is another answer.

    Each part must have one quantity of its unit in the last sentences.
    """
    if prose.cut or not prose.is_several or not any(map(str.isdigit, prose.reference)):
        return None
    wanted = _SEPARATORS.split(prose.reference.strip(" .$"))
    leaves = map(structure.parse, wanted)
    units = [
        part.unit or "".join(_UNIT.findall(text))
        for text, part in zip(wanted, leaves, strict=True)
        if isinstance(part, Leaf) and (part.number or part.unit is None)
    ]
    if not 1 < len(units) == len(wanted) <= _MOST or len(set(units)) < len(units) or not all(units):
        return None
    text = " ".join(map(phrases.with_digits, prose.sentences[-2:]))
    if negation.is_open(text):
        return None
    given = [
        f"{said['value']}\\text{{ {said['unit']}{'/' + said['per'] if said['per'] else ''} }}"
        for said in _QUANTITY.finditer(text)
    ]
    verdicts = [_verdict(part, unit, given) for part, unit in zip(wanted, units, strict=True)]
    if None in verdicts:
        return None
    return Extraction(prose.reference) if all(verdicts) else Extraction(None, OTHER_ANSWER)


def _verdict(part: str, unit: str, given: list[str]) -> bool | None:
    """Whether the only quantity of the unit of a part is that part; None if there is not one."""
    leaves = ((one, structure.parse(one)) for one in given)
    known = ((one, leaf.unit) for one, leaf in leaves if isinstance(leaf, Leaf) and leaf.unit)
    alike = [
        one
        for one, own in known
        if own == unit or any(factor.factor for factor in conversions.between(own, unit) or ())
    ]
    decisions = {decided.equal for one in alike if (decided := equal.decide_quickly(part, one))}
    return decisions.pop() if len(decisions) == len(alike) == 1 else None
