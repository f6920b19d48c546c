"""Numerals in words of languages that text2num does not read, in the cases in which sentences use them."""

from __future__ import annotations

from collections.abc import Iterator

_RUSSIAN = """
    0 ноль нуль нуля | 1 один одна одно одного одной одну | 2 два две двух двум двумя двое двоих
    3 три трех трем тремя трое троих | 4 четыре четырех четырем четырьмя четверо четверых
    5 пять пяти пятью пятеро пятерых | 6 шесть шести шестью шестеро шестерых | 7 семь семи семью семеро семерых
    8 восемь восьми восемью | 9 девять девяти девятью | 10 десять десяти десятью | 11 одиннадцать одиннадцати
    12 двенадцать двенадцати | 13 тринадцать тринадцати | 14 четырнадцать четырнадцати | 15 пятнадцать пятнадцати
    16 шестнадцать шестнадцати | 17 семнадцать семнадцати | 18 восемнадцать восемнадцати
    19 девятнадцать девятнадцати | 20 двадцать двадцати | 30 тридцать тридцати | 40 сорок сорока
    50 пятьдесят пятидесяти | 60 шестьдесят шестидесяти | 70 семьдесят семидесяти | 80 восемьдесят восьмидесяти
    90 девяносто девяноста | 100 сто ста | 200 двести двухсот | 300 триста трехсот | 400 четыреста четырехсот
    500 пятьсот пятисот | 600 шестьсот шестисот | 700 семьсот семисот | 800 восемьсот восьмисот
    900 девятьсот девятисот | 1000 тысяча тысячи тысяч тысяче | 1000000 миллион миллиона миллионов
"""
_POLISH = """
    0 zero | 1 jeden jedna jedno jednego jednej | 2 dwa dwie dwóch dwu dwoje dwojga | 3 trzy trzech troje trojga
    4 cztery czterech czworo czworga | 5 pięć pięciu pięcioro pięciorga | 6 sześć sześciu sześcioro sześciorga
    7 siedem siedmiu siedmioro siedmiorga | 8 osiem ośmiu ośmioro ośmiorga | 9 dziewięć dziewięciu dziewięcioro
    10 dziesięć dziesięciu dziesięcioro | 11 jedenaście jedenastu | 12 dwanaście dwunastu | 13 trzynaście trzynastu
    14 czternaście czternastu | 15 piętnaście piętnastu | 16 szesnaście szesnastu | 17 siedemnaście siedemnastu
    18 osiemnaście osiemnastu | 19 dziewiętnaście dziewiętnastu | 20 dwadzieścia dwudziestu
    30 trzydzieści trzydziestu | 40 czterdzieści czterdziestu | 50 pięćdziesiąt pięćdziesięciu
    60 sześćdziesiąt sześćdziesięciu | 70 siedemdziesiąt siedemdziesięciu | 80 osiemdziesiąt osiemdziesięciu
    90 dziewięćdziesiąt dziewięćdziesięciu | 100 sto stu | 200 dwieście dwustu | 300 trzysta trzystu
    400 czterysta czterystu | 500 pięćset pięciuset | 600 sześćset sześciuset | 700 siedemset siedmiuset
    800 osiemset ośmiuset | 900 dziewięćset dziewięciuset | 1000 tysiąc tysiące tysięcy tysiąca
    1000000 milion miliony milionów miliona
"""
_TURKISH = """
    0 sıfır | 1 bir | 2 iki | 3 üç | 4 dört | 5 beş | 6 altı | 7 yedi | 8 sekiz | 9 dokuz | 10 on | 20 yirmi | 30 otuz
    40 kırk | 50 elli | 60 altmış | 70 yetmiş | 80 seksen | 90 doksan | 100 yüz | 1000 bin | 1000000 milyon
"""
_SWEDISH = """
    0 noll | 1 en ett | 2 två | 3 tre | 4 fyra | 5 fem | 6 sex | 7 sju | 8 åtta | 9 nio | 10 tio | 11 elva | 12 tolv
    13 tretton | 14 fjorton | 15 femton | 16 sexton | 17 sjutton | 18 arton | 19 nitton | 20 tjugo | 30 trettio
    40 fyrtio | 50 femtio | 60 sextio | 70 sjuttio | 80 åttio | 90 nittio | 100 hundra | 1000 tusen
    1000000 miljon miljoner
"""
_INDONESIAN = """
    0 nol kosong | 1 satu | 2 dua | 3 tiga | 4 empat | 5 lima | 6 enam | 7 tujuh | 8 delapan | 9 sembilan | 10 sepuluh
    11 sebelas | 100 ratus seratus | 1000 ribu seribu | 1000000 juta sejuta
"""
_TENS = {"belas": (1, 10), "puluh": (10, 0)}
"""Words of Indonesian behind a digit, and what they make of it: dua belas, dua puluh."""
_JOINED = ("sv",)
"""Languages that write numerals together."""
LONGEST = 24
"""Characters of the longest word of a table, and no less."""


def _table(text: str) -> dict[str, int]:
    return {word: int(entry.split()[0]) for entry in text.replace("\n", " | ").split("|") for word in entry.split()[1:]}


TABLES = {
    **{"ru": _table(_RUSSIAN), "pl": _table(_POLISH), "tr": _table(_TURKISH), "sv": _table(_SWEDISH)},
    "id": _table(_INDONESIAN),
}
"""Value of each word of a language."""


def value(words: list[str], language: str) -> int | None:
    """The integer that words of a language of `TABLES` say; None if they say none."""
    table = TABLES[language]
    heard = [part for word in words for part in _parts(word.replace("ё", "е"), table, language in _JOINED)]
    total = group = 0
    scale, room = 10**9, 1000  # the next scale, and the next numeral of a group, must be less
    for said in _values(heard, table):
        if said is None:
            return None
        if said >= 1000:
            if said >= scale:
                return None
            total, group, scale, room = total + max(group, 1) * said, 0, said, 1000
        elif said == 100 and group < 10:
            group, room = max(group, 1) * 100, 100
        elif said < room:
            group += said
            has_ones = said < 20 and (said != 10 or language != "tr")
            room = 1 if has_ones else 10 if said < 100 else 100
        else:
            return None
    return total + group if heard else None


def _values(heard: list[str], table: dict[str, int]) -> Iterator[int | None]:
    """The value of each numeral, with the word behind it that makes ten or tens of it; None for another word."""
    for word, behind in zip(heard, [*heard[1:], ""], strict=True):
        factor, plus = _TENS.get(behind, (1, 0)) if table is TABLES["id"] else (1, 0)
        if word not in _TENS or table is not TABLES["id"]:
            said = table.get(word)
            yield said if said is None or (factor, plus) == (1, 0) else said * factor + plus


def _parts(word: str, table: dict[str, int], is_joined: bool) -> list[str]:
    """A word, or the numerals of which it is made: tvåhundrafemtiosex."""
    parts, start = list[str](), 0
    while is_joined and word not in table and start < len(word):
        ends = range(min(start + LONGEST, len(word)), start, -1)
        end = next((end for end in ends if word[start:end] in table), start)
        if end == start:
            return [word]
        parts.append(word[start:end])
        start = end
    return parts or [word]
