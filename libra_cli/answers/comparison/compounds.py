"""Reads the names of chemical compounds: `sodium chloride` is NaCl, `propan-1-ol` is `1-propanol`.

Salts and molecules of two elements follow from the charges and the Greek numbers in their names; other names are in a
table. Two systematic names of organic chemistry differ if their parent, an ending or a locant does.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import pairwise
from math import lcm

from libra_cli.answers.text import latex, vocabulary
from libra_cli.answers.values import normalize
from libra_cli.lazy_pattern import lazy_pattern

MAX_CHARS, MAX_PARTS = 80, 9
_CATIONS = {
    "hydrogen": ("H", 1), "lithium": ("Li", 1), "sodium": ("Na", 1), "potassium": ("K", 1), "silver": ("Ag", 1),
    "ammonium": ("NH4", 1), "magnesium": ("Mg", 2), "calcium": ("Ca", 2), "strontium": ("Sr", 2), "barium": ("Ba", 2),
    "zinc": ("Zn", 2), "aluminium": ("Al", 3), "aluminum": ("Al", 3), "iron": ("Fe", 0), "copper": ("Cu", 0),
    "lead": ("Pb", 0), "tin": ("Sn", 0), "mercury": ("Hg", 0), "chromium": ("Cr", 0), "manganese": ("Mn", 0),
    "cobalt": ("Co", 0), "nickel": ("Ni", 0), "titanium": ("Ti", 0), "vanadium": ("V", 0), "gold": ("Au", 0),
}  # fmt: skip
"""Symbols and charges; 0 where the name says the charge: iron(III)."""
_ANIONS = {
    "fluoride": ("F", 1), "chloride": ("Cl", 1), "bromide": ("Br", 1), "iodide": ("I", 1), "hydride": ("H", 1),
    "hydroxide": ("OH", 1), "nitrate": ("NO3", 1), "nitrite": ("NO2", 1), "cyanide": ("CN", 1),
    "permanganate": ("MnO4", 1), "chlorate": ("ClO3", 1), "perchlorate": ("ClO4", 1), "hypochlorite": ("ClO", 1),
    "acetate": ("CH3COO", 1), "bicarbonate": ("HCO3", 1), "bisulfate": ("HSO4", 1), "bisulfite": ("HSO3", 1),
    "oxide": ("O", 2), "sulfide": ("S", 2), "sulfate": ("SO4", 2),
    "sulfite": ("SO3", 2), "carbonate": ("CO3", 2), "chromate": ("CrO4", 2), "dichromate": ("Cr2O7", 2),
    "thiosulfate": ("S2O3", 2), "oxalate": ("C2O4", 2), "phosphate": ("PO4", 3), "nitride": ("N", 3),
}  # fmt: skip
_NONMETALS = {"carbon": "C", "nitrogen": "N", "sulfur": "S", "phosphorus": "P", "silicon": "Si", "chlorine": "Cl"}
_ENDINGS = {"oxide": "O", "fluoride": "F", "chloride": "Cl", "bromide": "Br", "sulfide": "S", "iodide": "I"}
_GREEK = {"mon": 1, "mono": 1, "di": 2, "tri": 3, "tetr": 4, "tetra": 4, "pent": 5, "penta": 5, "hex": 6, "hexa": 6}
_OTHERS = {
    "water": "H2O", "ammonia": "NH3", "methane": "CH4", "ethane": "C2H6", "propane": "C3H8", "butane": "C4H10",
    "ethene": "C2H4", "ethylene": "C2H4", "ethyne": "C2H2", "acetylene": "C2H2", "benzene": "C6H6", "methanol": "CH3OH",
    "ethanol": "C2H5OH", "glucose": "C6H12O6", "hydrogen peroxide": "H2O2", "ozone": "O3", "hydrochloric acid": "HCl",
    "sulfuric acid": "H2SO4", "sulfurous acid": "H2SO3", "nitric acid": "HNO3", "nitrous acid": "HNO2",
    "phosphoric acid": "H3PO4", "carbonic acid": "H2CO3", "acetic acid": "CH3COOH", "formic acid": "HCOOH",
    "perchloric acid": "HClO4", "hydrofluoric acid": "HF", "hydrobromic acid": "HBr", "table salt": "NaCl",
    "nitric oxide": "NO", "nitrous oxide": "N2O",
    "chloroform": "CHCl3", "formaldehyde": "HCHO", "methanal": "HCHO",
    "hydrogen": "H2", "oxygen": "O2", "nitrogen": "N2", "chlorine": "Cl2", "fluorine": "F2", "bromine": "Br2",
}  # fmt: skip
ENDS = (
    *("ide", "ate", "ite", "acid", "ane", "ene", "yne", "ol", "one", "al", "amine", "gen", "ine", "ose", "ozone"),
    *("aldehyde", "water", "ammonia", "ylene", "salt"),
)
"""Ends of the names of compounds."""
_SHORT_FORMULA = lazy_pattern(r"[CNHKI][OFIN]")
"""A formula without digits and small letters, which may be other letters as well: CO."""
_TRIVIAL = {
    "ethanoic acid": "acetic acid", "methanoic acid": "formic acid", "isopropyl alcohol": "propan-2-ol",
    "isopropanol": "propan-2-ol", "ethyl alcohol": "ethanol", "methyl alcohol": "methanol", "propanone": "acetone",
    "propan-2-one": "acetone", "2-propanone": "acetone", "methylbenzene": "toluene", "ethanal": "acetaldehyde",
    "methanal": "formaldehyde", "trichloromethane": "chloroform", "propene": "propylene",
    "isobutane": "2-methylpropane",
    "isobutylene": "2-methylpropene", "tert-butyl alcohol": "2-methylpropan-2-ol",
    "tert-butanol": "2-methylpropan-2-ol",
}  # fmt: skip
"""Two names of one compound."""
_CONFIGURATION = lazy_pattern(r"\((?P<mark>[rsez]|\d[a-z]?[rsez](?:,\d[a-z]?[rsez])*)\)-(?P<rest>.+)")
"""How the groups of a compound lie, before its name: (R)-2-butanol."""
_CIS_OR_TRANS = lazy_pattern(r"^(cis|trans)-(?=(?:2-butene|but-2-ene|[23]-(?:pentene|hexene)|(?:pent|hex)-[23]-ene)$)")
_MARKS = {"cis": "(z)-", "trans": "(e)-"}
"""Of plain chains, each end of whose double bond has one hydrogen, cis is Z and trans is E."""
_STEMS = ("meth", "eth", "prop", "but", "pent", "hex", "hept", "oct", "non", "dec")
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7}


def same(reference: str, answer: str) -> bool | None:
    """Whether two texts, one of them the name of a compound, mean the same one; None if that is not certain."""
    wanted, given = (_CIS_OR_TRANS.sub(lambda side: _MARKS[side[1]], _name(text)) for text in (reference, answer))
    laid = [_CONFIGURATION.fullmatch(name) for name in (wanted, given)]
    if laid[0] or laid[1]:
        bare = same(*(found["rest"] if found else name for found, name in zip(laid, (wanted, given), strict=True)))
        marks = {found["mark"] for found in laid if found}
        return bare if bare is not True else len(marks) == 1 if all(laid) else None
    if wanted in _TRIVIAL.values() and wanted == given:
        return True
    chains = _chain(wanted), _chain(given)
    if chains[0] and chains[1]:
        letters, others = chains[0][0], chains[1][0]
        is_reordered = letters != others and sorted(letters) == sorted(others)
        return None if is_reordered else chains[0] == chains[1]
    is_named = _of_name(wanted) is not None, _of_name(given) is not None
    if not any(is_named):
        return None
    atoms = [_of_name(name) or _of_formula(raw) for name, raw in ((wanted, reference), (given, answer))]
    if atoms[0] is None or atoms[1] is None:
        return None
    is_element = len(atoms[0]) == len(atoms[1]) == 1 and set(atoms[0]) == set(atoms[1])  # nitrogen may be N or N2
    return None if is_element and atoms[0] != atoms[1] else atoms[0] == atoms[1]


def stated(sentence: str, reference: str, question: str = "") -> str | None:
    """The only compound that a sentence names, or its formula, if the reference is one; None if that is not certain."""
    name = _name(reference)
    is_short = _SHORT_FORMULA.fullmatch(reference.strip(" $")) is not None and _of_formula(reference) is not None
    if not (_chain(name) or _of_name(name) or _is_formula(reference) or is_short):
        return None
    text = normalize.in_ascii(sentence).replace("(", " (").replace("**", " ").replace("$", " ")
    heard = [word.strip(".,:;()") for word in text.replace(" (I", "(I").replace(" (V", "(V").split()]
    heard = [f"{word})" if "(" in word else word for word in heard]
    if not (vocabulary.DENIES | {"or", "maybe", "except"}).isdisjoint(map(str.lower, heard)):
        return None
    pairs = [" ".join(pair) for pair in pairwise(heard)]
    found = [pair for pair in pairs if _of_name(_name(pair)) or _chain(_name(pair))]
    told = set(" ".join(found).split())
    found = [name for name in found if name.lower() not in question.lower()] if question else found
    found += [word for word in heard if word not in told and (_of_name(_name(word)) or _chain(_name(word)))]
    written = normalize.in_ascii(sentence).replace("**", " ").replace("$", " ").split()
    whole = [word for word in (one.strip(".,:;") for one in written) if _is_formula(word)]
    found += [*whole, *(word for word in heard if _is_formula(word) and not any(word in one for one in whole))]
    return found[0] if found and all(same(found[0], other) or _is_same(found[0], other) for other in found) else None


def _is_formula(text: str) -> bool:
    """Whether a text is the formula of a compound and no other word: NaCl, H2O."""
    is_evident = any(map(str.isdigit, text)) or (sum(map(str.isupper, text)) > 1 and any(map(str.islower, text)))
    return is_evident and text.strip(" $\\")[:1].isupper() and _of_formula(text) is not None


def _is_same(formula: str, other: str) -> bool:
    return _is_formula(formula) and _of_formula(formula) == _of_formula(other)


@lru_cache(1 << 10)
def _name(raw: str) -> str:
    """A name in lower case, with plain hyphens and in American spelling."""
    if len(raw) > 4 * MAX_CHARS:
        return ""
    text = latex.without_setting(raw if raw.isascii() else normalize.in_ascii(raw)).lower().strip(" .*")
    text = text.replace("sulph", "sulf").removeprefix("the ").replace(" -", "-")
    for oxygen in ("carbonate", "sulfate", "sulfite"):  # sodium hydrogen carbonate, hydrogensulfate
        text = text.replace(f"hydrogen {oxygen}", f"bi{oxygen}").replace(f"hydrogen{oxygen}", f"bi{oxygen}")
    return _TRIVIAL.get(text, text)


@lru_cache(1 << 10)
def _of_name(name: str) -> Counter[str] | None:
    """How many atoms of each element a compound has."""
    if len(name) > MAX_CHARS:
        return None
    if name in _OTHERS:
        return _of_formula(_OTHERS[name])
    first, _, second = name.partition(" ")
    metal, bracket, charge = first.partition("(")
    if metal in _CATIONS and second in _ANIONS:
        (cation, size), (anion, negative) = _CATIONS[metal], _ANIONS[second]
        size = _ROMAN.get(charge.rstrip(")"), 0) if bracket else size
        common = lcm(size, negative) if size else 0
        return _of_formula(f"({cation}){common // size}({anion}){common // negative}") if common else None
    counted, left = _counted(first, _NONMETALS), _counted(second, _ENDINGS)
    return _of_formula(f"{counted[0]}{counted[1] or 1}{left[0]}{left[1]}") if counted and left and left[1] else None


def _counted(word: str, names: dict[str, str]) -> tuple[str, int] | None:
    """The symbol and the Greek number of a part of a name: dioxide, dinitrogen; 0 if it has no number."""
    if word in names:
        return names[word], 0
    found = ((names.get(word.removeprefix(greek)), size) for greek, size in _GREEK.items())
    return next(((symbol, size) for symbol, size in found if symbol), None)


def _of_formula(raw: str) -> Counter[str] | None:
    from libra_cli.answers.comparison import chemistry

    return chemistry.atoms_of(raw) if len(raw) <= MAX_CHARS else None


@lru_cache(1 << 10)
def _chain(name: str) -> tuple[str, str] | None:
    """The letters and the locants of a systematic name: propanol and 1 of propan-1-ol; None for other names."""
    parts = name.split("-")
    if not 2 <= len(parts) <= MAX_PARTS or " " in name or not any(stem in name for stem in _STEMS):
        return None
    locants = [part for part in parts if all(place.isdecimal() and place.isascii() for place in part.split(","))]
    letters = "".join(part for part in parts if part not in locants)
    return (letters, "-".join(locants)) if locants and letters.isalpha() and letters.endswith(ENDS) else None
