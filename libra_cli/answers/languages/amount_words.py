"""Words of European languages that make a number more or less than its numeral: halves, sevenths, millions, dozens."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

_AND_A_HALF = {
    "de": "und_eine_halbe und_einen_halben und_ein_halber und_ein_halbes und_ein_halb einhalb",
    "fr": "et_demi et_demie",
    "es": "y_medio y_media",
    "it": "e_mezzo e_mezza",
    "pt": "e_meio e_meia",
    "nl": "en_een_half en_een_halve",
    "sv": "och_en_halv och_ett_halvt",
    "pl": "i_pół",
    "ru": "с_половиной",
    "tr": "buçuk",
}
"""What adds one half to the number before it, or to what it counts: zwei und eine halbe Stunde, tres kilos y medio."""
_ONE_AND_A_HALF = {
    "de": "anderthalb anderthalbe anderthalben eineinhalb",
    "nl": "anderhalf anderhalve",
    "pl": "półtora półtorej",
    "ru": "полтора полторы полутора",
}
_HALF = {
    "de": "ein_halb ein_halbes eine_halbe einen_halben einer_halben ein_halber",
    "fr": "un_demi une_demi une_demie",
    "es": "medio media",
    "it": "mezzo mezza mezz",
    "pt": "meio meia",
    "nl": "een_half een_halve half",
    "sv": "en_halv ett_halvt",
    "pl": "pół",
    "ru": "половина пол",
}
"""Half of the unit that follows."""
_DENOMINATORS = {
    "de": """2 halbe | 3 drittel dritteln | 4 viertel vierteln | 5 fünftel fünfteln | 6 sechstel sechsteln
        7 siebtel siebteln siebentel | 8 achtel achteln | 9 neuntel neunteln | 10 zehntel zehnteln | 11 elftel
        12 zwölftel | 13 dreizehntel | 14 vierzehntel | 15 fünfzehntel | 16 sechzehntel | 18 achtzehntel
        20 zwanzigstel | 24 vierundzwanzigstel | 25 fünfundzwanzigstel | 30 dreißigstel | 36 sechsunddreißigstel
        100 hundertstel | 1000 tausendstel""",
    "fr": """2 demi demis | 3 tiers | 4 quart quarts | 5 cinquième cinquièmes | 6 sixième sixièmes
        7 septième septièmes | 8 huitième huitièmes | 9 neuvième neuvièmes | 10 dixième dixièmes
        11 onzième onzièmes | 12 douzième douzièmes | 15 quinzième quinzièmes | 16 seizième seizièmes
        20 vingtième vingtièmes | 30 trentième trentièmes | 100 centième centièmes | 1000 millième millièmes""",
    "es": """2 medio medios | 3 tercio tercios tercera terceras | 4 cuarto cuartos cuarta cuartas
        5 quinto quintos quinta quintas | 6 sexto sextos sexta sextas | 7 séptimo séptimos séptima séptimas
        8 octavo octavos octava octavas | 9 noveno novenos novena novenas | 10 décimo décimos décima décimas
        11 onceavo onceavos | 12 doceavo doceavos | 15 quinceavos | 16 dieciseisavos | 20 veinteavos
        100 centésimo centésimos centésimas | 1000 milésimo milésimos""",
    "it": """2 mezzo mezzi | 3 terzo terzi | 4 quarto quarti | 5 quinto quinti | 6 sesto sesti | 7 settimo settimi
        8 ottavo ottavi | 9 nono noni | 10 decimo decimi | 11 undicesimo undicesimi | 12 dodicesimo dodicesimi
        15 quindicesimi | 16 sedicesimi | 20 ventesimo ventesimi | 100 centesimo | 1000 millesimi""",
    "pt": """2 meio meios | 3 terço terços | 4 quarto quartos | 5 quinto quintos | 6 sexto sextos
        7 sétimo sétimos | 8 oitavo oitavos | 9 nono nonos | 10 décimo décimos | 20 vigésimos
        100 centésimo centésimos | 1000 milésimo milésimos""",
    "nl": """2 halve | 3 derde | 4 vierde kwart | 5 vijfde | 6 zesde | 7 zevende | 8 achtste | 9 negende
        10 tiende | 11 elfde | 12 twaalfde | 20 twintigste | 100 honderdste | 1000 duizendste""",
    "sv": """2 halva | 3 tredjedel tredjedelar | 4 fjärdedel fjärdedelar kvart | 5 femtedel femtedelar
        6 sjättedel sjättedelar | 7 sjundedel sjundedelar | 8 åttondel åttondelar åttondedel åttondedelar
        9 niondel niondelar niondedelar | 10 tiondel tiondelar tiondedelar | 12 tolftedel tolftedelar
        100 hundradel hundradelar hundradels | 1000 tusendel tusendelar""",
    "pl": """2 druga drugie drugich | 3 trzecia trzecie trzecich | 4 czwarta czwarte czwartych ćwierci
        5 piąta piąte piątych | 6 szósta szóste szóstych | 7 siódma siódme siódmych | 8 ósma ósme ósmych
        9 dziewiąta dziewiąte dziewiątych | 10 dziesiąta dziesiąte dziesiątych | 11 jedenasta jedenaste jedenastych
        12 dwunasta dwunaste dwunastych | 20 dwudziesta dwudzieste dwudziestych
        100 setna setne setnych | 1000 tysięczna tysięczne tysięcznych""",
    "ru": """2 вторая вторые вторых половина | 3 третья третьи третьих треть трети третей третям
        4 четвертая четвертые четвертых четверть четверти четвертей четвертям | 5 пятая пятые пятых
        6 шестая шестые шестых | 7 седьмая седьмые седьмых | 8 восьмая восьмые восьмых | 9 девятая девятые девятых
        10 десятая десятые десятых | 11 одиннадцатая одиннадцатых | 12 двенадцатая двенадцатых
        20 двадцатая двадцатых | 100 сотая сотые сотых | 1000 тысячная тысячных""",
}
_SCALES = """
    1000 tausend mille mil тысяч тысячи тысяча тыс tys tysięcy tysiące duizend tusen bin
    1000000 million millionen mio millions millones millón milhões milhão milioni milione миллиона миллионов миллион
        млн mln milionów miliony miliona milion miljoen miljoner miljon milyon
    1000000000 milliarden milliarde mrd milliards milliard miliardi miliardo миллиардов миллиарда миллиард млрд mld
        miliardów miliardy miliarda miliard miljard miljarder bilhões bilhão
"""
_DOZENS = """
    12 dutzend douzaine douzaines docena docenas dúzia dúzias dozzina dozzine dozijn dussin tuzin tuzina tuziny tuzinów
        дюжина дюжины дюжин
    100 сотен сотни
"""
_VAGUE = """
    halb half dizaine dizaines quinzaine vingtaine trentaine cinquantaine centaine centaines millier milliers decena
    decenas centena centenas decina decine centinaio centinaia dezena dezenas dutzende десяток десятка десятков сотню
    kilkanaście kilkadziesiąt tiental tientallen tiotal tiotals
"""
"""Numbers that are none for certain: une dizaine is about ten."""
WHOLES = frozenset("целых целая целые целую całych całe cała".split())  # noqa: SIM905
"""Behind the integer before a fraction: две целых пять десятых."""
PARTS = frozenset("parte partes partie parties del delen".split())  # noqa: SIM905
"""Behind a fraction: tres cuartas partes."""
OF = frozenset("de di d do da van av".split())  # noqa: SIM905
AVOS = ("avo", "avos")
JOINED_HALVES = {"de": ("einhalb",), "nl": ("ënhalf", "ëneenhalf", "enhalf", "ënhalve", "enhalve")}
"""Ends of numerals that add one half: zweieinhalb, drieënhalf."""
JOINED_QUARTERS = {"driekwart": (3, 4), "dreiviertel": (3, 4), "dreiviertelstunde": (3, 4)}
ONES = frozenset(
    "un une una uno um uma ein eine einen einem einer een один одна одно одного jeden jedna jedno bir en ett".split()  # noqa: SIM905
)
"""One, which is an article as well."""
MINUS = frozenset(("minus", "menos", "moins", "meno", "минус", "min"))
VAGUE = frozenset(_VAGUE.split())


class Words(NamedTuple):
    """The words of a language that change a number."""

    and_a_half: tuple[tuple[str, ...], ...]
    half: tuple[tuple[str, ...], ...]
    one_and_a_half: frozenset[str]
    denominators: dict[str, int]


def _values(table: str) -> dict[str, int]:
    """Value of each word: entries of a number and its words, apart by | or line breaks; words of no number are of
    the one before."""
    found, value = dict[str, int](), 0
    for word in table.replace("|", " ").split():
        if word.isdecimal():
            value = int(word)
        else:
            found[word] = value
    return found


SCALES, DOZENS = _values(_SCALES), _values(_DOZENS)


def _rows(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(sorted((tuple(row.split("_")) for row in text.split()), key=len, reverse=True))


@lru_cache
def of(language: str) -> Words:
    """The words of a language."""
    return Words(
        _rows(_AND_A_HALF.get(language, "")),
        _rows(_HALF.get(language, "")),
        frozenset(_ONE_AND_A_HALF.get(language, "").split()),
        _values(_DENOMINATORS.get(language, "")),
    )


@lru_cache
def languages_with_fractions() -> tuple[str, ...]:
    """The languages whose denominators are known."""
    return tuple(_DENOMINATORS)
