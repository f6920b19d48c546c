"""Compares chemical formulas, ions, isotopes, reactions and electron configurations; the case of letters counts."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from libra_cli.answers.comparison import isotopes
from libra_cli.answers.values import normalize
from libra_cli.answers.values.finding import Finding
from libra_cli.lazy_pattern import lazy_pattern

_SYMBOLS = """
    H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo
    Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl
    Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og
"""
_ELEMENTS = frozenset(_SYMBOLS.split())
_METALS = _ELEMENTS - frozenset("H He B C N O F Si P S Cl As Se Br Te I Hg".split())  # noqa: SIM905
_HYBRIDS = frozenset("sp sp2 sp3 sp3d sp3d2 dsp2 dsp3 d2sp3".split())  # noqa: SIM905
_BARE = str.maketrans("", "", "^{}_-")
_TYPESET = lazy_pattern(
    r"\\(?:ce|mathrm|text|rm|operatorname)\s*\{", one_of=("\\ce", "\\rm", "\\text", "\\mathrm", "\\operatorname")
)
_ARROW = lazy_pattern(
    r"\\(?:rightarrow|longrightarrow|to|xrightarrow|rightleftharpoons)(?![A-Za-z])(?:\{\})?|-+>|→|⇌|<=>"
)
_PLUS = lazy_pattern(r"\+(?=[\d^({\[A-Z])")
_DIATOMIC = lazy_pattern(r"(?:[HNOFI]|Cl|Br)_?\{?2\}?|O_?\{?3\}?")
_TOKEN = lazy_pattern(
    r"(?P<element>[A-Z][a-z]?)|(?P<open>[(\[])|(?P<close>[)\]])|_?\{?(?P<count>\d+)\}?"
    r"|\^\{?(?P<size>\d*)(?P<sign>[+-])\}?$|(?P<bare>[+-])$"
)
_MASS = lazy_pattern(r"\^\{?(?P<mass>\d+)\}?(?:_\{?\d+\}?)?(?=[A-Z])")
_STATE = lazy_pattern(r"\((?:aq|s|l|g)\)(?=$|[+→])")
_SIGN_FIRST = lazy_pattern(
    r"\^\{?(?:(?P<plus>\+)(?P<positive>\d)|(?P<minus>(?<=[a-z\d)\]]\^\{)-)(?P<negative>\d))\}?(?=$|[+\u2192])"
)
"""A charge with its sign before the number: Fe^{+3}."""
_CONFIGURATION = lazy_pattern(r"(?P<core>\[[A-Z][a-z]\])?(?P<shells>(?:\d[spdf]\^?\{?\d{1,2}\}?)+)")
_CONFIGURED = lazy_pattern(r"(?:\[[A-Z][a-z]\])?(?:\d[spdf]\^?\{?\d{1,2}?\}?(?=\d[spdf]|[^\d}]|$))+")
_SHELL = lazy_pattern(r"(\d[spdf])\^?\{?(\d{1,2}?)\}?(?=\d[spdf]|$)")
_POSSIBLE = lazy_pattern(
    r"[A-Z][a-z]?[)\]]?\}?\s*(?:[_^\d]|[⁺⁻⁰-⁹₀-₉])|\\ce(?![A-Za-z])|\d[spdf][\^\d]|->|→|\^\{?\d+\}?(?:\\(?:text|mathrm)\{)?[A-Z]"
)
_SHELLS = tuple("1s 2s 3s 4s 5s 6s 7s 2p 3p 4p 5p 6p 3d 4d 5d 4f 5f".split())  # noqa: SIM905
_IN_SIGNS = lazy_pattern(r"[\u3040-\u9fff\uac00-\ud7a3]")
_BETWEEN = lazy_pattern(r"[\s*,;:\uff0c\u3001\u3002\u3040-\u9fff\uac00-\ud7a3]+")
"""What stands between the formulas of a sentence: spaces, marks, and signs of Chinese, Japanese and Korean."""
_IN_BRACKETS = lazy_pattern(r"(?<=[a-z]) \((?P<formula>[A-Z][A-Za-z\d\u2080-\u2089]{1,15})\)[.!*]*$")
_DENIED = lazy_pattern(r"(?i:\b(?:not|never|no|unlike|except|without|instead of|rather than)\b|n['\u2019]t\b)")
_DENIED_IN_SIGNS = lazy_pattern(r"[\w+-]+(?:ではな|じゃな|でなく|(?:이|가) 아니)|(?:不是|并非|而非|并不是)[\w+-]+")
MAX_DEPTH = 4
_CORES = ("[He]", "[Ne]", "[Ar]", "[Kr]", "[Xe]", "[Rn]")
_FILLED = ("1s2", "2s22p6", "3s23p6", "3d104s24p6", "4d105s25p6", "4f145d106s26p6")
"""What each noble gas has beyond the one before it."""


class Species(NamedTuple):
    """A molecule, an atom or an ion."""

    number: int
    """How many there are in the reaction."""
    mass: str
    spelled: tuple[tuple[str, int], ...]
    """Elements and brackets in the order in which they are written, with their counts."""
    charge: int

    @property
    def atoms(self) -> Counter[str]:
        """How many atoms of each element there are in it."""
        stack: list[Counter[str]] = [Counter()]
        for name, count in self.spelled:
            if name == "(":
                stack.append(Counter())
            elif name == ")":
                inside = stack.pop()
                stack[-1].update({element: number * count for element, number in inside.items()})
            else:
                stack[-1][name] += count
        return stack[0]


def _is_possible(text: str) -> bool:
    """Whether a text has a sign of chemistry, most of which are capital letters."""
    has_signs = text != text.lower() or any(map(text.__contains__, ("\\ce", "^", "->", "\u2192", *_SHELLS)))
    return has_signs and _POSSIBLE.search(text) is not None


def same(reference: str, answer: str) -> Finding | None:
    """Compare two texts of which at least one is evidently of chemistry; None if they are not."""
    if reference.strip("$ ").startswith(("sp", "dsp", "d^2sp", "\\mathrm{sp")):
        orbitals = [_plain(text).translate(_BARE) for text in (reference, answer)]
        return Finding(orbitals[0] == orbitals[1]) if _HYBRIDS.issuperset(orbitals) else None
    if reference[-1:].isdigit() or reference.strip("$ {}").startswith(("^", "_")):  # carbon-14, {}^{14}C
        isotope = isotopes.same(reference, answer)
        if isotope is not None:
            return Finding(isotope)
    if not (_is_possible(reference) or (reference[:1].isupper() and _is_possible(answer))):
        return None
    texts = _plain(reference), _plain(answer)
    shells = [_shells(text) for text in texts]
    if shells[0] and shells[1]:
        return Finding(shells[0] == shells[1])
    wanted, given = map(_reaction, texts)
    if wanted is None or given is None:
        return None
    if wanted == given and _DIATOMIC.fullmatch(texts[0]) and _DIATOMIC.fullmatch(texts[1]):
        return Finding(True)  # H2, H_2
    evident = _is_evident(reference, wanted), _is_evident(answer, given)
    if not any(evident):
        return None
    if wanted == given:
        return Finding(True)
    is_ion_or_typeset = evident[0] and texts[1] in _ELEMENTS and len(texts[1]) > 1  # Zn for Cu^{2+}
    if is_ion_or_typeset or (evident[1] and _DIATOMIC.fullmatch(texts[0])):
        return Finding(False)
    if not (all(evident) or all(map(_has_two_elements, (wanted, given)))):
        return None
    if [_composition(part) for part in wanted] == [_composition(part) for part in given]:
        return Finding(None, "same_atoms")  # HCOOH and CH2O2, or another way to write it
    return Finding(False)


def atoms_of(raw: str) -> Counter[str] | None:
    """How many atoms of each element the formula of one compound has; None for anything else."""
    sides = _reaction(_plain(raw))
    species = list(sides[0].elements()) if sides and len(sides) == 1 else []
    is_molecule = len(species) == 1 and species[0].number == 1 and not (species[0].charge or species[0].mass)
    return species[0].atoms if is_molecule else None


def stated(tail: str, reference: str) -> str | None:
    """The only formula, reaction or configuration of the last sentence, if the reference is one of that kind."""
    is_in_signs = not tail.isascii() and _IN_SIGNS.search(tail) is not None
    glossed = _IN_BRACKETS.search(tail.rstrip()) if reference[:1].isupper() else None
    if glossed and _DENIED.search(tail[: glossed.start()].rpartition(". ")[2]):
        glossed = None
    if not _is_possible(reference) and not (is_in_signs and reference[:1].isupper()) and not glossed:
        return None
    wanted = _plain(reference)
    if _shells(wanted):
        return _configuration(tail)
    sides = _reaction(wanted)
    read = _reaction(_plain(glossed["formula"])) if glossed and sides and _has_two_elements(sides) else None
    if glossed and read and _has_several(read):  # Hydrochloric acid (HCl)
        return glossed["formula"]
    is_formula = sides and (_has_two_elements(sides) or _DIATOMIC.fullmatch(wanted))
    if not (sides and (_is_evident(reference, sides) or (is_in_signs and is_formula))):
        return None
    line = re.split(r"(?<=[.!?]) (?=[A-Z])", tail.strip().rpartition("\n")[2])[-1].strip(" .。*")
    if sides and len(sides) > 1:
        pieces = [*line.replace("$$", "$").split("$")[1::2], line, line.rpartition(": ")[2]]
        return next((one for one in pieces if (read := _reaction(_plain(one))) and len(read) > 1), None)
    line, found = _DENIED_IN_SIGNS.sub(" ", line) if is_in_signs else line, {}
    for piece in line.replace("$$", "$").split("$")[1::2] or _BETWEEN.split(line):
        text = _plain(piece)
        read = _reaction(text) if piece else None
        is_alone = is_in_signs or piece == line
        if read and (_is_evident(piece, read) or (is_alone and (_has_several(read) or _DIATOMIC.fullmatch(text)))):
            found[text] = piece
    return found.popitem()[1] if len(found) == 1 else None


def _configuration(tail: str) -> str | None:
    """The electron configuration of the last sentence with one, if it has no other."""
    line = next((line for line in reversed(tail.strip().split("\n")) if _CONFIGURED.search(_plain(line))), "")
    found = {_shells(one[0]): one[0] for one in _CONFIGURED.finditer(_plain(line))}
    return found.popitem()[1] if len(found) == 1 else None


def _plain(raw: str) -> str:
    """`raw` without what typesets it, with scripts in ASCII and without spaces."""
    text = normalize.unwrapped(raw).replace("\\rightarrow", "→").replace("\\to ", "→").replace("\\longrightarrow", "→")
    text = normalize.in_ascii(_ARROW.sub("→", text)).replace("\\to", "→")
    text = _TYPESET.sub("{", text)
    for mark in ("\\,", "\\ ", "\\;", "{}", " ", "$", "\\cdot"):
        text = text.replace(mark, "" if mark != "\\cdot" else ".")
    for _ in range(MAX_DEPTH):
        text = re.sub(r"(?<![_^])\{([^{}]*(?:[_^]\{[^{}]{1,8}\}[^{}]*)*)\}", r"\1", text)
    return _SIGN_FIRST.sub(r"^{\g<positive>\g<negative>\g<plus>\g<minus>}", text) if "^" in text else text


def _shells(text: str) -> frozenset[tuple[str, str]] | None:
    """The shells of an electron configuration, those of its core with them."""
    found = _CONFIGURATION.fullmatch(text)
    if found is None or (found["core"] or "[He]") not in _CORES:
        return None
    core = _CORES.index(found["core"]) + 1 if found["core"] else 0
    return frozenset(_SHELL.findall("".join(_FILLED[:core]) + found["shells"]))


def _reaction(text: str) -> tuple[Counter[Species], ...] | None:
    """Species on the sides of a reaction, or on the one side that there is."""
    sides, text = [], _STATE.sub("", text)
    for side in text.split("→"):
        found = [_species(part) for part in _PLUS.split(side)] if side else [None]
        if None in found:
            return None
        sides.append(Counter(one for one in found if one))
    return tuple(sides) if len(sides) <= 2 else None


def _species(text: str) -> Species | None:
    number = re.match(r"\d+(?=[\^A-Z(\[])", text)
    text = text[number.end() :] if number else text
    if len(text) < 5 and text[-1:] in ("+", "-") and text[-2:-1].isdecimal() and text[:-2] in _METALS:  # Fe3+
        text = f"{text[:-2]}^{text[-2:]}"
    mass = _MASS.match(text)
    position, charge, depth = mass.end() if mass else 0, 0, 0
    spelled: list[tuple[str, int]] = []
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            return None
        position = token.end()
        if token["element"]:
            name = token["element"]
            if name not in _ELEMENTS:
                return None
            spelled.append((name, 1))
        elif token["open"]:
            depth += 1
            spelled.append(("(", 1))
        elif token["close"]:
            depth -= 1
            spelled.append((")", 1))
        elif token["count"]:
            if not spelled or spelled[-1][0] == "(":
                return None
            spelled[-1] = (spelled[-1][0], int(token["count"]))
        else:
            sign = token["sign"] or token["bare"]
            charge = int(f"{sign}{token['size'] or 1}")
        if depth < 0:
            return None
    if not spelled or depth:
        return None
    return Species(int(number[0]) if number else 1, mass["mass"] if mass else "", tuple(spelled), charge)


def _composition(side: Counter[Species]) -> Counter[tuple[int, str, frozenset[tuple[str, int]], int]]:
    return Counter((one.number, one.mass, frozenset(one.atoms.items()), one.charge) for one in side.elements())


def _has_two_elements(sides: tuple[Counter[Species], ...]) -> bool:
    """Whether a formula has two elements, one of them with two letters: NaCl, which is no product beside Na2Cl."""
    names = {name for side in sides for one in side for name, _ in one.spelled if name.isalpha()}
    return len(names) > 1 and max(map(len, names)) > 1


def _has_several(sides: tuple[Counter[Species], ...]) -> bool:
    """Whether a formula has several elements: CO."""
    return len({name for side in sides for one in side for name, _ in one.spelled if name.isalpha()}) > 1


def _is_evident(raw: str, sides: tuple[Counter[Species], ...]) -> bool:
    """Whether a text that may be chemistry is nothing else: typeset as such, or with counts, charges or masses."""
    if "\\ce" in raw:
        return True
    species = [one for side in sides for one in side]
    if any(one.mass or (one.charge and len(one.spelled) < 4) for one in species):
        return True
    counted = any(count > 1 for one in species for _, count in one.spelled)
    names = [name for one in species for name, _ in one.spelled]
    return counted and (len(names) > 1 or len(names[0]) > 1)
