"""Numerals in words of languages that text2num does not read, in the cases in which sentences use them."""

from __future__ import annotations

_RUSSIAN = """
    0 ноль нуль нуля | 1 один одна одно одного одной одну | 2 два две двух двум двумя | 3 три трех трем тремя
    4 четыре четырех четырем четырьмя | 5 пять пяти пятью | 6 шесть шести шестью | 7 семь семи семью
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
    0 zero | 1 jeden jedna jedno | 2 dwa dwie dwóch dwu | 3 trzy trzech | 4 cztery czterech | 5 pięć pięciu
    6 sześć sześciu | 7 siedem siedmiu | 8 osiem ośmiu | 9 dziewięć dziewięciu | 10 dziesięć dziesięciu
    11 jedenaście | 12 dwanaście dwunastu | 13 trzynaście | 14 czternaście | 15 piętnaście | 16 szesnaście
    17 siedemnaście | 18 osiemnaście | 19 dziewiętnaście | 20 dwadzieścia dwudziestu | 30 trzydzieści
    40 czterdzieści | 50 pięćdziesiąt | 60 sześćdziesiąt | 70 siedemdziesiąt | 80 osiemdziesiąt
    90 dziewięćdziesiąt | 100 sto | 200 dwieście | 300 trzysta | 400 czterysta | 500 pięćset | 600 sześćset
    700 siedemset | 800 osiemset | 900 dziewięćset | 1000 tysiąc tysiące tysięcy | 1000000 milion miliony milionów
"""
_TURKISH = """
    0 sıfır | 1 bir | 2 iki | 3 üç | 4 dört | 5 beş | 6 altı | 7 yedi | 8 sekiz | 9 dokuz | 10 on | 20 yirmi | 30 otuz
    40 kırk | 50 elli | 60 altmış | 70 yetmiş | 80 seksen | 90 doksan | 100 yüz | 1000 bin | 1000000 milyon
"""
_SWEDISH = """
    0 noll | 2 två | 3 tre | 4 fyra | 5 fem | 6 sex | 7 sju | 8 åtta | 9 nio | 10 tio | 11 elva | 12 tolv | 13 tretton
    14 fjorton | 15 femton | 16 sexton | 17 sjutton | 18 arton | 19 nitton | 20 tjugo | 30 trettio | 40 fyrtio
    50 femtio | 60 sextio | 70 sjuttio | 80 åttio | 90 nittio | 100 hundra | 1000 tusen
"""


def _table(text: str) -> dict[str, int]:
    return {word: int(entry.split()[0]) for entry in text.replace("\n", " | ").split("|") for word in entry.split()[1:]}


TABLES = {"ru": _table(_RUSSIAN), "pl": _table(_POLISH), "tr": _table(_TURKISH), "sv": _table(_SWEDISH)}
"""Value of each word of a language."""


def value(words: list[str], language: str) -> int | None:
    """The integer that words of a language of `TABLES` say; None if they say none."""
    table = TABLES[language]
    heard = [part for word in words for part in _parts(word.replace("ё", "е"), table)]
    total = group = 0
    scale, room = 10**9, 1000  # the next scale, and the next numeral of a group, must be less
    for word in heard:
        said = table.get(word)
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


def _parts(word: str, table: dict[str, int]) -> list[str]:
    """A word, or the two numerals of which it is made: tjugosju."""
    if word in table:
        return [word]
    cut = next((end for end in range(len(word) - 2, 3, -1) if word[:end] in table and word[end:] in table), 0)
    return [word[:cut], word[cut:]] if cut else [word]
