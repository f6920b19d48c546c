"""Units in words of other languages, for the reader of numbers: prefixes and stems, rows of words, and signs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from libra_cli.answers.text import latex
from libra_cli.lazy_pattern import lazy_pattern

_RATE = lazy_pattern(
    r"(?P<per>[時时分秒][速]|[시분초]속) ?(?P<figure>\d[\d.,]*) ?"
    r"(?P<unit>km|m|キロメートル|キロ|メートル|킬로미터|미터|公里|千米|米)(?![A-Za-z/\u00b2\u00b3])"
)
_EACH = lazy_pattern(
    r"每(?P<per>小时|小時|分钟|分鐘|分|秒)(?:钟|鐘)?(?:行驶|行駛|行|走|跑|飞行)? ?(?P<figure>\d[\d.,]*) ?"
    r"(?P<unit>km|m|公里|千米|米)(?![A-Za-z/\u00b2\u00b3])"
)
_PER = dict(zip("時时小分秒시분초", ("h", "h", "h", "min", "s", "h", "min", "s"), strict=True))
_KILOMETRES = ("km", "キロメートル", "キロ", "킬로미터", "公里", "千米")
_PREFIXES = ("k", "c", "m", "d", "h", "M")
_OF_LANGUAGE = """
    kilo zenti milli dezi hekto mega: m meter metern meters | g gramm gramms | L liter litern liters | W watt
    kilo centi milli déci hecto méga: m mètre mètres metre metres | g gramme grammes | L litre litres | W watt watts
    kiló centí milí decí hectó megá: m metro metros
    kilo centi mili deci hecto mega: m metro metros | g gramo gramos | L litro litros | W vatio vatios
    quilô centí milí decí hectô megâ: m metro metros
    quiló centi mili deci hecto mega: m metro metros | g grama gramas | L litro litros | W watt watts
    quilo centi mili deci hecto mega: m metro metros | g grama gramas | L litro litros | W watt watts
    chilo centi milli deci etto mega: m metro metri | g grammo grammi | L litro litri | W watt
    kilo centi milli deci hecto mega: m meter meters | g gram grams gramme | L liter liters | W watt
    kilo centi milli deci hekto mega: m meter metrar metern | g gram | L liter | W watt
    kilo centy mili decy hekto mega: m metr metra metry metrów metrach | g gram grama gramy gramów | L litr litra litry
        litrów | W wat wata waty watów
    кило санти милли деци гекто мега: m метр метра метры метров метре | g грамм грамма граммы граммов | L литр литра
        литры литров | W ватт ватта ватт
"""
"""Prefixes of each language, in the order of `_PREFIXES`, and the stems of its units."""
_POWERS = {
    "2": "quadrat+ kvadrat+ _carrés _carré _cuadrados _cuadrado _quadrados _quadrado _quadrati _quadrato _quadri "
    "_kwadratowych _kwadratowe _kwadratowy квадратных+_ квадратный+_ vierkante+_",
    "3": "kubik+ _cubes _cube _cúbicos _cúbico _cubi _cubo _sześciennych _sześcienne кубических+_ кубический+_ "
    "kubieke+_",
}
"""Words for square and cubic, behind a unit, or before it where a + stands."""
_OTHERS = """
    kg: kilos kilo quilos quilo chili chilo kilogr
    hours: stunden stunde heures heure horas hora ore ora uur uren часов часа час часы godzin godziny godzinę godzina
        timmar timme timmen saat
    minutes: minuten minute minutes minutos minuto minuti минут минуты минута минуту minut minuty minuter dakika
    seconds: sekunden sekunde secondes seconde segundos segundo secondi secondo seconden секунд секунды секунда sekund
        sekundy sekunder
    days: tage tagen tag jours jour días día dias dia giorni giorno dagen дней дня день dni dzień dagar
    weeks: wochen woche semaines semaine semanas semana settimane settimana weken недель недели неделя tygodni tygodnie
        veckor
    months: monate monaten monat meses mes mês mesi mese maanden месяцев месяца месяц miesięcy miesiące månader
    years: jahre jahren jahr ans années an año años anos ano anni anno jaar лет года год lata lat år
    tonnes: tonnen tonnes toneladas tonelada tonnellate tonnellata ton тонн тонны тонна tony
    euros: euro euros евро
    reais: reais real
    złotych: złotych złote złoty
    kronor: kronor kroner
    rubles: рублей рубля рубль рубли
    dollars: dólares dollari долларов доллара
    km/h: kilometer_pro_stunde kilometern_pro_stunde kilomètres_par_heure kilomètres_à_l'heure kilómetros_por_hora
        quilômetros_por_hora quilómetros_por_hora chilometri_all'ora chilometri_orari chilometri_l'ora
        километров_в_час километра_в_час kilometrów_na_godzinę kilometer_per_uur kilometer_i_timmen
    m/s: meter_pro_sekunde metern_pro_sekunde mètres_par_seconde metros_por_segundo metri_al_secondo метров_в_секунду
        метра_в_секунду metrów_na_sekundę meter_per_seconde meter_per_sekund
    percent: prozent prozentpunkte procent procenten процентов процента процент por_ciento por_cento pour_cent
        per_cento procente proc percento pourcent pourcents
    degrees: grad degrés degré grados grado graus grau gradi graden градусов градуса градус stopni stopnie grader
    ha: hektar hectares hectáreas hectares ettari hectare гектаров гектара hektarów
    Newton: newtons
"""
"""Units that have no prefix, and rates."""
IN_SIGNS = {
    "km": "千米 公里 キロメートル 킬로미터 км",
    "m": "米 メートル 미터 м",
    "cm": "厘米 公分 センチメートル センチ 센티미터 см",
    "mm": "毫米 ミリメートル ミリ 밀리미터 мм",
    "kg": "千克 公斤 キログラム 킬로그램 кг",
    "g": "克 グラム 그램 г",
    "hours": "小时 小時 時間 시간 ч часов часа час",
    "minutes": "分钟 分鐘 分 분 мин минут минуты минута",
    "seconds": "秒 초 с сек секунд секунды",
    "days": "天 日 일 дней дня день",
    "years": "年 岁 歳 세 лет года год",
    "weeks": "周 週間 주 недель недели",
    "months": "个月 月 ヶ月 か月 개월 месяцев",
    "dollars": "美元 ドル 달러 долларов",
    "yuan": "元 人民币 块 块钱 위안 юаней",
    "yen": "円 日元 엔",
    "euros": "欧元 ユーロ 유로 евро",
    "won": "원",
    "rubles": "руб рублей рубля рублей",
    "degrees": "度 도 градусов градуса",
    "L": "升 リットル 리터 л",
    "mL": "毫升 ミリリットル 밀리리터 мл",
    "m/s": "米/秒 米每秒 メートル毎秒 м/с",
    "km/h": "千米/时 千米/小时 公里/小时 千米每小时 キロメートル毎時 км/ч",
    "m^2": "平方米 平方メートル 제곱미터",
    "cm^2": "平方厘米 平方センチメートル 平方センチ 제곱센티미터",
    "mm^2": "平方毫米 平方ミリメートル 제곱밀리미터",
    "km^2": "平方千米 平方公里 平方キロメートル 平方キロ 제곱킬로미터",
    "m^3": "立方米 立方メートル 세제곱미터",
    "cm^3": "立方厘米 立方センチメートル 立方センチ 세제곱센티미터",
    "ha": "公顷 ヘクタール 헥타르 гектаров гектара",
    "dm": "分米",
    "dm^2": "平方分米",
    "dm^3": "立方分米",
    "t": "吨 トン 톤",
    "mg": "毫克 ミリグラム 밀리그램",
    "kJ": "千焦 キロジュール 킬로줄 кДж",
    "J": "焦耳 ジュール Дж",
    "MJ": "МДж",
    "N": "牛顿 ニュートン 뉴턴 Н",
    "kN": "кН",
    "W": "瓦特 ワット 와트 Вт",
    "kW": "кВт",
    "MW": "МВт",
    "kWh": "кВт·ч",
    "V": "伏特 ボルト 볼트 В",
    "kV": "кВ",
    "mV": "мВ",
    "A": "安培 アンペア 암페어 А",
    "mA": "мА",
    "\\Omega": "欧姆 オーム 옴 Ом",
    "k\\Omega": "кОм",
    "Pa": "帕斯卡 パスカル 파스칼 Па",
    "kPa": "кПа",
    "MPa": "МПа",
    "Hz": "赫兹 ヘルツ 헤르츠 Гц",
    "kHz": "кГц",
    "MHz": "МГц",
    "mol": "摩尔 モル 몰 моль",
    "coulomb": "Кл",
}  # fmt: skip
"""Names of units in Chinese, Japanese, Korean and Russian, by symbol or name in English."""
_SQUARE = lazy_pattern(
    r"(?<=\d) ?(?P<kind>кв|куб|квадратн\w{2}|кубическ\w{2})\.? ?"
    r"(?P<size>[смдк]?)м(?:етр\w{0,3})?\b\.?(?P<end>[\s.]*$)?"
)
"""A unit of area or volume in Russian: кв. м, кубических метров."""


_MEASURED = lazy_pattern(
    r"(?P<hedge>(?i:environ|approximativement|ungefähr|etwa|rund|zirka|circa|ca\.|aproximadamente|unos|unas|cerca de"
    r"|около|примерно|приблизительно) )?(?P<number>-?\d[\d.,]{0,12}(?<=\d)) ?"
    r"(?P<unit>[^\W\d_]{0,24}(?: [^\W\d_]{1,24}){0,3})"
)
_JOINED = lazy_pattern(r"(?<=[^\W\d_]),? (?:(?:e|y|und|et|и|en|och|i) )?(?=\d)")
"""Between the parts of a quantity in several units: 2 ore e 15 minuti."""
_GROUP = 3
"""Digits of a group, behind a comma that may be no decimal one."""


def _spelled() -> Iterator[tuple[tuple[str, ...], str]]:
    """Each unit in words of a language, and its symbol."""
    for line in _OF_LANGUAGE.replace("\n        ", " ").strip().splitlines():
        prefixes, _, stems = line.partition(":")
        for entry in stems.split("|"):
            symbol, *names = entry.split()
            for sign, prefix in zip(("", *_PREFIXES), ("", *prefixes.split()), strict=True):
                for name in names:
                    yield (prefix + name,), sign + symbol
                    yield from _powers(prefix + name, sign) if symbol == "m" and sign not in ("h", "M") else ()
    unit = ""
    for word in _OTHERS.split():
        unit = word.removesuffix(":") if word.endswith(":") else unit
        if not word.endswith(":"):
            yield tuple(word.split("_")), unit


def _powers(name: str, sign: str) -> Iterator[tuple[tuple[str, ...], str]]:
    for power, words in _POWERS.items():
        for word in words.split():
            before, joined, _ = word.partition("+")
            row = (before + name,) if word.endswith("+") else (before, name) if joined else (name, word[1:])
            yield row, f"{sign}m^{power}"


@lru_cache
def units() -> dict[tuple[str, ...], str]:
    """The symbol, or the name in English, of each row of words; behind a number only."""
    return dict(_spelled())


@lru_cache
def _in_letters() -> dict[str, str]:
    """The symbol, or the name in English, of each unit that is written in other letters or signs."""
    return {name: unit for unit, names in IN_SIGNS.items() for name in names.split()}


def measured(answer: str) -> str:
    """A quantity in words of another language with its symbol: environ 3,2 mètres as 3.2 m; else `answer`.

    One that is said in several units as well: 2 ore e 15 minuti as 2 hours 15 minutes.
    """
    plain = latex.without_setting(answer).replace("{,}", ",").strip()
    pieces = _JOINED.split(plain) if plain[:1].isdigit() else [plain]
    found = [amount for piece in pieces if (amount := _of_one_unit(piece))]
    if not found or len(found) < len(pieces):
        return answer
    number, unit = found[0]
    if len(found) > 1:
        return " ".join(f"{number} {unit}" for number, unit in found)
    return f"{number}\\text{{ {unit}}}" if unit else number


def _of_one_unit(plain: str) -> tuple[str, str] | None:
    """The number of a quantity with a point before decimals, and the symbol of its unit."""
    found = _MEASURED.fullmatch(plain)
    if found is None:
        return None
    number, unit = found["number"], found["unit"]
    if "," in number and ("." in number or number.count(",") > 1 or len(number.rpartition(",")[2]) == _GROUP):
        return None
    symbol = units().get(tuple(unit.lower().split())) or _in_letters().get(unit)
    if symbol is None and not (found["hedge"] and unit.isascii()):
        return None
    return number.replace(",", "."), symbol or unit


def with_squares(text: str) -> str:
    """`text` with a raised digit for square and cubic in Russian, as in м²."""
    return _SQUARE.sub(_raised, text)


def _raised(unit: re.Match[str]) -> str:
    return f" {unit['size']}м{'³' if unit['kind'].startswith('куб') else '²'}{unit['end'] or ''}"


def with_rates_per_time(text: str) -> str:
    """`text` with its Chinese speeds as units: 每小时60千米 as 60 km/h."""
    return _EACH.sub(
        lambda rate: f"{rate['figure']} {'km' if rate['unit'] in _KILOMETRES else 'm'}/{_PER[rate['per'][0]]}", text
    )


def with_rates(text: str) -> str:
    """`text` with its speeds as units: 時速60km as 60 km/h."""
    if "\u901f" not in text and "\uc18d" not in text:  # which all of them have
        return text
    return _RATE.sub(
        lambda rate: f"{rate['figure']} {'km' if rate['unit'] in _KILOMETRES else 'm'}/{_PER[rate['per'][0]]}", text
    )
