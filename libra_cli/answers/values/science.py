"""Reads the terms of closed classes of science: blood cells, lenses, directions, elements by name or symbol.

A class holds things that exclude each other, each with the names that it goes by: whoever says erythrocytes says red
blood cells, and no white ones. Where a sentence names one member of the class of the reference, that is its answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from libra_cli.answers.text import latex, words
from libra_cli.answers.values import normalize
from libra_cli.lazy_pattern import lazy_pattern

MAX_CHARS = 400
"""Length of the longest sentence that is searched."""
_MOST_WORDS, _FEW_WORDS = 5, 3
_CLASSES: tuple[dict[str, str], ...] = (
    {
        "red blood cells": "red blood cell, erythrocyte, red cell, red corpuscle, rbc",
        "white blood cells": "white blood cell, leukocyte, leucocyte, white cell, wbc",
        "platelets": "platelet, thrombocyte, blood platelet",
    },
    {
        "mitochondria": "mitochondria, mitochondrion",
        "nucleus": "nucleus, nuclei, cell nucleus",
        "ribosomes": "ribosome",
        "chloroplasts": "chloroplast",
        "Golgi apparatus": "golgi apparatus, golgi body, golgi complex",
        "lysosomes": "lysosome",
        "vacuole": "vacuole",
        "endoplasmic reticulum": "endoplasmic reticulum",
    },
    {
        "increases": "speeds up, speed up, "
        "increases, increase, increased, increasing, rises, rise, rose, goes up, go up, gets larger, "
        "gets higher, gets bigger, grows, becomes larger, becomes greater, becomes higher, is raised, climbs",
        "decreases": "slows down, slow down, "
        "decreases, decrease, decreased, decreasing, falls, fall, fell, drops, drop, goes down, go down, "
        "gets smaller, gets lower, becomes smaller, becomes lower, shrinks, is reduced, is lowered, declines",
        "unchanged": "unchanged, stays the same, remains the same, stays constant, remains constant, stay the same, "
        "remain the same, does not change, doesn't change, no change, remain unchanged, is not affected, is unaffected",
    },
    {
        "doubles": "doubles, double, doubled, twice as large, twice as great, twice as much, twice as big, "
        "twice as high, twice as long, increases by a factor of two",
        "halves": "halves, half of its original value, half its original value, decreases to half, half the original, "
        "drops to half, reduced to half, becomes half, halved, is half as large, half as large, "
        "half as great, half as much, "
        "half as big, cut in half",
        "triples": "triples, tripled, three times as large, three times as great",
        "quadruples": "quadruples, quadrupled, four times as large, four times as great, four times as much",
        "unchanged": "unchanged, stays the same, remains the same, stays constant, remains constant, does not change, "
        "doesn't change, no change",
    },
    {
        "left": "left, leftward, leftwards", "right": "right, rightward, rightwards",
        "up": "up, upward, upwards", "down": "down, downward, downwards",
        "into the page": "into the page, into the plane, into the paper, into the screen, away from the viewer",
        "out of the page": "out of the page, out of the plane, out of the paper, out of the screen, toward the viewer, "
        "towards the viewer, towards you, toward you",
    },
    {
        "north": "north, northward, northwards", "south": "south, southward, southwards",
        "east": "east, eastward, eastwards", "west": "west, westward, westwards",
        "northeast": "northeast, north-east", "northwest": "northwest, north-west",
        "southeast": "southeast, south-east", "southwest": "southwest, south-west",
    },
    {
        "solid": "solid", "liquid": "liquid", "gas": "gas, gaseous", "plasma": "plasma",
    },
    {
        "newton": "newton, N", "joule": "joule, J", "watt": "watt, W", "pascal": "pascal, Pa", "volt": "volt, V",
        "ampere": "ampere, amp, A", "ohm": "ohm, Ω", "coulomb": "coulomb, C", "farad": "farad, F", "tesla": "tesla, T",
        "weber": "weber, Wb", "henry": "henry, H", "hertz": "hertz, Hz", "kelvin": "kelvin, K", "mole": "mole, mol",
        "candela": "candela, cd", "becquerel": "becquerel, Bq", "kilogram": "kilogram, kg", "metre": "metre, meter, m",
        "second": "second, s",
    },
    {
        "SN1": "sn1, unimolecular nucleophilic substitution", "SN2": "sn2, bimolecular nucleophilic substitution",
        "E1": "e1, unimolecular elimination", "E2": "e2, bimolecular elimination",
    },
    {
        "linear": "linear", "bent": "bent, v-shaped", "trigonal planar": "trigonal planar",
        "trigonal pyramidal": "trigonal pyramidal", "tetrahedral": "tetrahedral", "octahedral": "octahedral",
        "square planar": "square planar", "trigonal bipyramidal": "trigonal bipyramidal", "t-shaped": "t-shaped",
    },
    {"arteries": "artery, arteries", "veins": "vein", "capillaries": "capillary, capillaries"},
    {
        "mitosis": "mitosis", "meiosis I": "meiosis i, meiosis 1, first meiotic division",
        "meiosis II": "meiosis ii, meiosis 2, second meiotic division", "binary fission": "binary fission",
    },
    {"mitosis": "mitosis", "meiosis": "meiosis", "binary fission": "binary fission"},
    {
        "left ventricle": "left ventricle", "right ventricle": "right ventricle",
        "left atrium": "left atrium", "right atrium": "right atrium",
    },
    {
        "Pythagorean theorem": "pythagorean theorem, pythagoras theorem, pythagoras' theorem, theorem of pythagoras",
        "binomial theorem": "binomial theorem", "mean value theorem": "mean value theorem",
        "intermediate value theorem": "intermediate value theorem",
        "squeeze theorem": "squeeze theorem, sandwich theorem",
        "fundamental theorem of calculus": "fundamental theorem of calculus",
        "fundamental theorem of algebra": "fundamental theorem of algebra", "factor theorem": "factor theorem",
        "remainder theorem": "remainder theorem", "Chinese remainder theorem": "chinese remainder theorem",
        "divergence theorem": "divergence theorem", "central limit theorem": "central limit theorem",
        "chain rule": "chain rule", "product rule": "product rule", "quotient rule": "quotient rule",
        "power rule": "power rule", "law of sines": "law of sines, sine rule",
        "law of cosines": "law of cosines, cosine rule", "pigeonhole principle": "pigeonhole principle",
    },
    {
        "prophase": "prophase", "prometaphase": "prometaphase", "metaphase": "metaphase", "anaphase": "anaphase",
        "telophase": "telophase", "interphase": "interphase", "cytokinesis": "cytokinesis",
    },
    {
        "photosynthesis": "photosynthesis", "cellular respiration": "cellular respiration, respiration, aerobic "
        "respiration", "fermentation": "fermentation", "transpiration": "transpiration", "digestion": "digestion",
    },
    {
        "evaporation": "evaporation", "condensation": "condensation", "sublimation": "sublimation",
        "deposition": "deposition", "melting": "melting", "freezing": "freezing, solidification",
    },
    {"transcription": "transcription", "translation": "translation", "replication": "replication, dna replication"},
    {"igneous": "igneous", "sedimentary": "sedimentary", "metamorphic": "metamorphic"},
    {"oxidation": "oxidation, oxidized, oxidised", "reduction": "reduction"},
    {"anode": "anode", "cathode": "cathode"},
    {"conduction": "conduction", "convection": "convection", "radiation": "radiation"},
    {"reflection": "reflection", "refraction": "refraction", "diffraction": "diffraction", "dispersion": "dispersion"},
    {"proton": "proton", "neutron": "neutron", "electron": "electron", "positron": "positron"},
    {"dominant": "dominant", "recessive": "recessive", "codominant": "codominant, co-dominant"},
    {"producer": "producer", "consumer": "consumer", "decomposer": "decomposer"},
    {
        "Mercury": "mercury", "Venus": "venus", "Earth": "earth", "Mars": "mars", "Jupiter": "jupiter",
        "Saturn": "saturn", "Uranus": "uranus", "Neptune": "neptune",
    },
    {
        "gravity": "gravity, gravitational force, force of gravity, gravitation, gravitational pull, gravitational "
        "attraction, pull of gravity, gravitational",
        "friction": "friction, frictional force, force of friction, frictional",
        "magnetism": "magnetism, magnetic force, magnetic",
        "electromagnetism": "electromagnetism, electromagnetic force", "centrifugal force": "centrifugal force",
    },
)  # fmt: skip
_ONLY_WHOLE = len(_CLASSES) - 1
"""Forces, of which a sentence about one may name others."""
_LENS = {"concave lens": "concave, diverging, biconcave", "convex lens": "convex, converging, biconvex"}
"""Of mirrors it is the other way round."""
_ELEMENTS = """
    hydrogen H helium He lithium Li beryllium Be boron B carbon C nitrogen N oxygen O fluorine F neon Ne
    sodium Na magnesium Mg aluminium Al silicon Si phosphorus P sulfur S chlorine Cl argon Ar potassium K
    calcium Ca scandium Sc titanium Ti vanadium V chromium Cr manganese Mn iron Fe cobalt Co nickel Ni copper
    Cu zinc Zn gallium Ga germanium Ge arsenic As selenium Se bromine Br krypton Kr rubidium Rb strontium Sr
    zirconium Zr silver Ag cadmium Cd tin Sn antimony Sb iodine I xenon Xe cesium Cs barium Ba tungsten W
    platinum Pt gold Au mercury Hg lead Pb bismuth Bi polonium Po radon Rn radium Ra thorium Th uranium U
    plutonium Pu lanthanum La cerium Ce tantalum Ta osmium Os iridium Ir palladium Pd rhodium Rh ruthenium Ru
    technetium Tc molybdenum Mo niobium Nb yttrium Y indium In tellurium Te astatine At francium Fr actinium
    Ac americium Am curium Cm hafnium Hf rhenium Re thallium Tl neptunium Np neodymium Nd samarium Sm europium Eu
    gadolinium Gd ytterbium Yb lutetium Lu californium Cf
"""
_SPELLED = {"aluminum": "aluminium", "sulphur": "sulfur", "caesium": "cesium"}
_ALSO_WORDS = frozenset("I He In As At Be No Am Os Re Eu".split())  # noqa: SIM905
"""Symbols that are words as well."""
_FILLERS = words.table(
    """
    it is are they the a an this that to toward towards in on of called element symbol its it's kind type direction
    pressure energy cells cell state metal unit si mechanism reaction and by because due points directed pointing points
    flows moves acts lens would be will becomes becoming vertically horizontally straight must
    """
)
"""Words beside a term that say nothing else."""
_PUNCTUATION = frozenset(" .,;:!'()-*\"")
_MOLECULES = frozenset("H N O F Cl Br I".split())  # noqa: SIM905
"""Elements whose names may mean their molecules, too."""
_OF_ELEMENTS = lazy_pattern(r"element|metal|atom|periodic|chemi|symbol|liquid|toxic|thermomet", re.IGNORECASE)
_TOKEN = lazy_pattern(r"[^\W\d_][\w'\u2019-]*")


@lru_cache(1)
def _known() -> dict[str, tuple[tuple[int, str], ...]]:
    """The classes and members of each name."""
    found: dict[str, list[tuple[int, str]]] = {}
    for at, members in enumerate((*_CLASSES, _LENS)):
        for member, named in members.items():
            for name in named.split(", "):
                for form in {name, f"{name}s", name.replace(" ", "-")}:
                    found.setdefault(form, []).append((at, member))
    element = len(_CLASSES) + 1
    pairs = _ELEMENTS.split()
    for name, symbol in zip(pairs[::2], pairs[1::2], strict=True):
        found.setdefault(name, []).append((element, name))
        found.setdefault(symbol, []).append((element, name))
    for other, name in _SPELLED.items():
        found[other] = [(element, name)]
    return {name: tuple(places) for name, places in found.items()}


def same(reference: str, answer: str) -> bool | None:
    """Whether two terms, which are all that the texts say, are one; None for others."""
    wanted, given = _whole(reference), _whole(answer)
    both = [(one, other) for one in wanted for other in given if one[0] == other[0]]
    if not both:
        return None
    is_same = any(one == other for one, other in both)
    are_elements = both[0][0][0] == len(_CLASSES) + 1
    symbols = [text for text in map(_plain, (reference, answer)) if are_elements and text in _symbols()]
    if is_same and len(symbols) == 1 and (_plain(reference) == symbols[0] or symbols[0] in _MOLECULES):
        return None  # the symbol may be asked for
    if symbols and _may_be_no_element(reference, wanted):
        return None
    return is_same


def is_term(text: str) -> bool:
    """Whether a text is a term of a class, and nothing else."""
    return bool(_whole(text))


_REVERSES = frozenset(("reverse", "reversed", "reverses", "opposite", "flip", "flipped", "inverted"))
"""Words that turn a direction before or behind them."""


def said(sentence: str, reference: str, question: str | None, doubts: frozenset[str]) -> str | None:
    """The only member of the class of the reference that a sentence names; empty if it names several; else None.

    `doubts` are words that limit or deny what a sentence says.
    """
    wanted = [one for one in _whole(reference) if one[0] != _ONLY_WHOLE]
    if not wanted or len(sentence) > MAX_CHARS:
        return None
    places, others = _found(_plain(sentence), _known(), is_whole=False)
    named = {at: {one for place in places for number, one in place if number == at} for at, _ in wanted}
    if any(len(members) > 1 for members in named.values()):  # Mercury is a planet beside Venus
        return ""
    for at, member in sorted(wanted):
        if not named[at]:
            continue
        if not doubts.isdisjoint(others) or not _REVERSES.isdisjoint(others):
            return ""
        said_member = named[at].pop()
        is_written = _plain(reference) not in _symbols() or _plain(reference) in _TOKEN.findall(_plain(sentence))
        if not is_written and (question is None or "symbol" in question):
            return None  # the symbol may be asked for
        is_named = _plain(reference).lower() in _plain(sentence).lower()
        if (
            not is_named
            and _may_be_no_element(reference, _whole(reference))
            and not _OF_ELEMENTS.search(question or "")
        ):
            return None
        is_other = question is not None and said_member != member and len(others) > _FEW_WORDS
        given = _found(_plain(question or ""), _known(), is_whole=False)[0] if is_other else []
        is_given = any((at, said_member) in place for place in given)
        return "" if is_given else reference if said_member == member else said_member
    return None


def _may_be_no_element(reference: str, meant: frozenset[tuple[int, str]]) -> bool:
    """Whether a reference names an element and something else: the planet Mercury."""
    return len(meant) > 1 and reference.strip()[:1].isupper()


def element(name: str) -> str | None:
    """The name of an element by its name in any case, or its symbol."""
    found = _known().get(name if name in _symbols() else name.lower() if len(name) > 2 else "", ())
    return next((member for at, member in found if at == len(_CLASSES) + 1), None)


@lru_cache(1 << 10)
def symbol(name: str) -> str | None:
    """The symbol of an element by its name: Co of cobalt."""
    meant = element(name)
    return next((one for one in _symbols() if element(one) == meant), None) if meant else None


def with_symbols(text: str, terms: str) -> str:
    """`text` with the symbols of the elements that it names, where `terms` are nothing but symbols: C, Na, Fe."""
    wanted = _TOKEN.findall(terms)
    if not wanted or not _symbols().issuperset(wanted):
        return text
    symbols = {element(symbol): symbol for symbol in wanted}
    return _TOKEN.sub(lambda word: symbols.get(element(word[0]) or "", word[0]) if len(word[0]) > 2 else word[0], text)


@lru_cache(1)
def _symbols() -> frozenset[str]:
    return frozenset(_ELEMENTS.split()[1::2])


@lru_cache(1 << 10)
def _whole(text: str) -> frozenset[tuple[int, str]]:
    """The classes and members of a text that says nothing but one term."""
    if len(text) > 80:
        return frozenset()
    plain = _plain(text)
    if not _PUNCTUATION.issuperset(_TOKEN.sub("", plain)):
        return frozenset()
    places, others = _found(plain, _known(), is_whole=True)
    is_lens = "lens" in plain.lower()
    found = frozenset(places[0]) if len(places) == 1 and _FILLERS.issuperset(others) else frozenset[tuple[int, str]]()
    lens = len(_CLASSES)
    return frozenset(one for one in found if one[0] != lens or is_lens or plain.lower() in ("concave", "convex"))


def _plain(text: str) -> str:
    plain = latex.without_setting(text if text.isascii() else normalize.in_ascii(text).replace("\\Omega", "Ω"))
    return plain.replace("_", "").replace("{", "").replace("}", "").replace("\u2019", "'").replace("S N", "SN")


def _found(
    text: str, known: Mapping[str, tuple[tuple[int, str], ...]], is_whole: bool
) -> tuple[list[tuple[tuple[int, str], ...]], list[str]]:
    """The terms of a text, the longest first at each place, and its other words in lower case."""
    heard = _TOKEN.findall(text)
    places, others, at = list[tuple[tuple[int, str], ...]](), list[str](), 0
    while at < len(heard):
        for size in range(min(_MOST_WORDS, len(heard) - at), 0, -1):
            term = " ".join(heard[at : at + size])
            found = known.get(term) if size == 1 and _is_symbol(term, is_whole, heard, at) else None
            found = found or (known.get(term.lower()) if len(term) > 1 and term not in _symbols() else None)
            if found:
                places.append(found)
                at += size
                break
        else:
            others.append(heard[at].lower())
            at += 1
    distinct = list(dict.fromkeys(places))
    return distinct, others


def _is_symbol(term: str, is_whole: bool, heard: list[str], at: int) -> bool:
    """Whether a word is meant as a symbol: alone, or with two letters that are no word, or behind "is"."""
    if term in _ALSO_WORDS:
        return is_whole and len(heard) == 1
    before = heard[at - 1].lower() if at else ""
    return (len(term) == 2 and term[0].isupper()) or (is_whole and len(heard) == 1) or before in ("is", "symbol")
