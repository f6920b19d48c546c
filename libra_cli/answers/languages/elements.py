"""Names of the chemical elements in eight languages, with or without an article: el oro, l'or, das Gold, золото."""

from __future__ import annotations

from functools import lru_cache

from libra_cli.answers.text import latex
from libra_cli.lazy_pattern import lazy_pattern

_NAMES = """
    gold: oro or ouro золото złoto goud guld | silver: plata argent silber argento prata серебро srebro zilver
    iron: hierro fer eisen ferro железо żelazo ijzer | copper: cobre cuivre kupfer rame медь miedź koper
    lead: plomo plomb blei piombo chumbo свинец ołów lood | tin: estaño étain zinn stagno estanho олово cyna
    zinc: zink cinc zinco цинк cynk | nickel: níquel nichel никель nikiel
    platinum: platino platine platin platina платина
    mercury: mercurio mercure quecksilber mercúrio ртуть rtęć kwik | aluminium: aluminio alluminio alumínio алюминий
    oxygen: oxígeno oxygène sauerstoff ossigeno oxigênio oxigénio кислород tlen zuurstof
    hydrogen: hidrógeno hydrogène wasserstoff idrogeno hidrogênio hidrogénio водород wodór waterstof
    nitrogen: nitrógeno azote stickstoff azoto nitrogênio азот azot stikstof
    carbon: carbono carbone kohlenstoff carbonio углерод węgiel koolstof
    sodium: sodio natrium sódio натрий sód | potassium: potasio kalium potassio potássio калий potas
    calcium: calcio kalzium cálcio кальций wapń | magnesium: magnesio magnésium magnésio магний magnez
    sulfur: azufre soufre schwefel zolfo enxofre сера siarka zwavel | chlorine: cloro chlore chlor хлор chloor
    helium: helio hélium elio hélio гелий hel | neon: neón néon неон
    silicon: silicio silicium silizium silício кремний
    phosphorus: fósforo phosphore phosphor fosforo фосфор | iodine: yodo iode jod iodio iodo йод
    bromine: bromo brome brom бром | fluorine: flúor fluoro фтор | chromium: cromo chrome chrom хром
    uranium: uranio uran urânio уран
"""
_IN_ENGLISH = {
    name: english.strip()
    for line in _NAMES.replace("\n", "|").split("|")
    for english, _, names in [line.partition(":")]
    for name in names.split()
}
_PLANET = frozenset("merkur mercure mercurio mercúrio mercurius меркурий merkury".split())  # noqa: SIM905
"""Names of the planet Mercury, which in some languages is that of the element as well."""
_ARTICLE = lazy_pattern(
    r"(?:(?:el|los|las?|les?|il|lo|der|die|das|o|a|os|as|het|de|un|una|une|ein|eine) |[ld]['\u2019])"
)
_LONGEST = 40


@lru_cache(1 << 8)
def in_english(answer: str) -> str | None:
    """The English name of the element that an answer names in another language; None if it is anything else."""
    if len(answer) > _LONGEST:
        return None
    bare = latex.without_setting(answer).strip(" .$").lower()
    article = _ARTICLE.match(bare)
    return _IN_ENGLISH.get(bare[article.end() :] if article else bare)


def names_other_mercury(answer: str) -> bool | None:
    """Whether an answer, where the planet is asked for, names only the element: Quecksilber; None for other words."""
    bare = latex.without_setting(answer).strip(" .$").lower()
    return False if bare in _PLANET else True if _IN_ENGLISH.get(bare) == "mercury" else None
