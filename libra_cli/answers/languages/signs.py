"""Reads amounts in Chinese, Japanese and Korean: 一百二十, 3万5千, 百分之二十, 二割五分, 두 시간 반."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from libra_cli.answers.text.number import written
from libra_cli.lazy_pattern import lazy_pattern

_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_PLACES = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8, "兆": 10**12}
_SIZES = _PLACES | _MYRIADS
_POINTS = "点點"
_MINUS = "负負"
_ORDINAL = "第"
_YEAR = lazy_pattern(r"[零〇一二三四五六七八九]{4}(?=年)")
_DAY = lazy_pattern(r"[一二三四五六七八九十]{1,3}(?=[月日号])(?!月[份底初])")
_METRIC = frozenset("米克瓦焦伏")
"""Units before which the sign of thousand is a prefix: 3千米."""
_KOREAN = str.maketrans("일이삼사오육칠팔구십백천만억조영공", "一二三四五六七八九十百千万亿兆零零")
_KOREAN_SIGNS = frozenset("일이삼사오육칠팔구십백천만억조영공")
_KOREAN_PLACES = frozenset("십백천만억조")
_KOREAN_NATIVE = {
    word: value
    for value, words in {
        1: "하나 한", 2: "둘 두", 3: "셋 세", 4: "넷 네", 5: "다섯", 6: "여섯", 7: "일곱", 8: "여덟", 9: "아홉",
        10: "열", 20: "스물 스무", 30: "서른", 40: "마흔", 50: "쉰", 60: "예순", 70: "일흔", 80: "여든", 90: "아흔",
    }.items()
    for word in words.split()
}  # fmt: skip
_KOREAN_COUNTERS = tuple(
    "개 명 가지 번 마리 권 장 대 살 쪽 자루 그루 송이 원 시간 달 배 사람 봉지 상자 조각 병 잔 컵 통 묶음 켤레 주 해 곳 "  # noqa: SIM905
    "줄 층 판 분 년 점 일 킬로 미터 센티 그램 리터 달러 제곱 세트".split()
)
_COPULA = ("다", "며", "고", "므로", "라")
_ENDINGS = ("입니다", "이에요", "예요", "")
_COUNTED_BY = frozenset(
    "个個种種人名位只隻头頭匹条條张張本页頁枚辆輛台棵朵件次回份组組套双排行列段瓶盒箱袋块颗粒支把艘间間层層道题題"
    "度元円岁歳天年米倍通つ羽冊足軒着杯皿束秒周週里斤吨升克站场場圈户家门門棟"
)
_UNITS = tuple(
    "平方千米 平方厘米 平方米 立方米 立方厘米 千米 公里 厘米 毫米 千克 公斤 毫升 小时 小時 分钟 分鐘 时间 時間 "  # noqa: SIM905
    "キロメートル センチメートル ミリメートル メートル キログラム グラム キロ リットル ドル カ月 ヶ月 か月 个月 個月 "
    "美元 日元".split()
)
_HALVED = tuple(
    "个小时 個小時 个钟头 小时 小時 時間 시간 分钟 分間 分 年 个月 個月 か月 ヶ月 カ月 개월 달 년 週間 "  # noqa: SIM905
    "周 天 日 千米 公里 キロメートル メートル キログラム キロ 米 千克 公斤 斤 克 吨 升 リットル 倍 圈 打 元 块 "
    "킬로그램 킬로미터 킬로 미터 리터 배 바퀴 秒".split()
)
"""Units of which a half may follow: 2小时半."""
_HALVES_ALONE = (
    "个小时",
    "個小時",
    "个钟头",
    "小时",
    "小時",
    "時間",
    "시간",
    "年",
    "千克",
    "公斤",
    "斤",
    "吨",
    "升",
    "キロ",
)
_HALF = "半반"
_NO_HALF = "径徑圆圓球轴軸线線直数數分額额价價지원구직"
"""Signs behind 半 in names: radius, semicircle."""
VAGUE = frozenset("多余餘几數数來来強弱")
"""Signs behind a number that is only about that."""
_FRACTIONS = ("分之", "分の", "분의")
_PERCENT = ("个百分点", "百分比", "パーセント", "퍼센트", "프로", "％", "%")
_TENTHS = {"割": ("分", "厘"), "할": ("푼", "리")}
_NO_TENTHS = frozenset("るりっれらろ")
_BEFORE_VALUE = ("等于", "等於", "是", "为", "為", "共", "有", "得", "は", "＝", "=")
_BEHIND_COUNTER = ("目", "째")
"""Signs that make a number an ordinal."""


class NumberInSigns(NamedTuple):
    """A number in signs, and where it ends."""

    end: int
    value: Fraction | None
    """None where the signs say none for certain: 三四个."""
    is_plain: bool
    """It consists of digits only."""
    has_places: bool
    """It has signs of places, or several digits."""


def number_at(text: str, start: int, language: str = "zh") -> NumberInSigns:
    """The number in digits and signs that begins at `start`."""
    total = section = Fraction(0)
    current: Fraction | None = None
    room, scale, at = 10**4, 10**20, start
    is_plain, is_certain, sign_of_digit = True, True, False
    while at < len(text):
        char = text[at]
        if char.isdecimal() and char.isascii() and current is None:
            end = _digits_end(text, at)
            current, at, sign_of_digit = Fraction(text[at:end].replace(",", "")), end, False
        elif char in _DIGITS and current is None:
            end = next((end for end in range(at, len(text)) if text[end] not in _DIGITS), len(text))
            figures = "".join(str(_DIGITS[sign]) for sign in text[at:end])
            is_certain &= len(figures) == 1 or len(figures) > 3 or "0" in figures
            current, at, is_plain, sign_of_digit = Fraction(int(figures[:40])), end, False, figures[0] != "0"
            if text[at : at + 1] and text[at] in _POINTS and text[at + 1 : at + 2] and text[at + 1] in _DIGITS:
                end = next((end for end in range(at + 1, len(text)) if text[end] not in _DIGITS), len(text))
                places = "".join(str(_DIGITS[sign]) for sign in text[at + 1 : end])[:40]
                current, at = current + Fraction(int(places), 10 ** len(places)), end
        elif char in _PLACES and _PLACES[char] < room and not (char == "千" and text[at + 1 : at + 2] in _METRIC):
            section, room = section + (1 if current is None else current) * _PLACES[char], _PLACES[char]
            current, at, is_plain = None, at + 1, False
        elif char in _MYRIADS and _MYRIADS[char] < scale and (current or section):
            total, scale = total + (section + (current or 0)) * _MYRIADS[char], _MYRIADS[char]
            section, current, room, at, is_plain = Fraction(0), None, 10**4, at + 1, False
        elif char == " " and text[at - 1 : at] in _SIZES and _is_number_sign(text[at + 1 : at + 2]) and current is None:
            at += 1
        else:
            break
    unit = _SIZES.get(text[at - 2 : at - 1], 0) if sign_of_digit and at - start > 1 else 0
    if unit > 10 and language == "zh" and current is not None and text[at - 1] in _DIGITS:  # 一百二 is 120
        current = current * unit / 10
    value = total + section + (current or 0) if at > start and is_certain else None
    return NumberInSigns(at, value, is_plain, at - start > 1 or text[start:at] == "十")


def _digits_end(text: str, start: int) -> int:
    """Where digits with a point or commas end."""
    end = start
    while end < len(text) and (
        (text[end].isdecimal() and text[end].isascii())
        or (text[end] == "." and text[end + 1 : end + 2].isdecimal() and "." not in text[start:end][-24:])
        or (text[end] == "," and _is_group(text[end + 1 : end + 5]))
    ):
        end += 1
    return end


def _is_group(behind: str) -> bool:
    """Whether three digits and no more begin a text."""
    return behind[:3].isdecimal() and len(behind) > 2 and not behind[3:4].isdecimal()


def _is_number_sign(char: str) -> bool:
    return char != "" and ((char.isdecimal() and char.isascii()) or char in _DIGITS or char in _PLACES)


def with_digits(line: str, language: str) -> str:
    """`line` with its amounts in digits: those with places, a counter or a verb of value before, and fractions."""
    line = _with_han_signs(line) if language == "ko" else line
    found, done, at = list[str](), 0, 0
    while at < len(line):
        if not (_is_number_sign(line[at]) or line[at] in _HALF):
            at += 1
            continue
        end, text = _amount_at(line, at, language)
        if text is not None:
            before = line[done:at].removesuffix(_ORDINAL) if line[at - 1 : at] == _ORDINAL else line[done:at]
            is_negative = text[0] != "-" and before[-1:] and before[-1] in _MINUS
            found += [before[:-1] + "-" if is_negative else before, text]
            done = end
        at = max(end, at + 1)
    return "".join((*found, line[done:]))


def _amount_at(line: str, at: int, language: str) -> tuple[int, str | None]:
    """Where the amount at `at` ends, and its text in digits; None instead if it stays as it is."""
    if line[at] in _HALF:
        is_unit = line.startswith(_HALVES_ALONE, at + 1) or (
            line[at] == "반" and line.startswith(_HALVES_ALONE, at + 2)
        )
        is_free = line[max(at - 1, 0) : at] not in (*"个個一大多过過", *"일") or at == 0
        return (at + 1, "0.5") if is_unit and is_free else (at + 1, None)
    number = number_at(line, at, language)
    value, end = number.value, number.end
    if value is None:
        return end, None
    if line.startswith(_FRACTIONS, end):
        return _fraction_at(line, number, language)
    if line.startswith("又", end) and (part := _amount_at(line, end + 1, language))[1] and "/" in part[1]:
        top, _, bottom = part[1].partition("/")
        return part[0], written(value + Fraction(int(top), int(bottom)))
    behind = line[end : end + 1]
    tenths = _TENTHS.get(behind)
    if tenths and line[end + 1 : end + 2] not in _NO_TENTHS and value <= 10:
        return _tenths_at(line, end, value, tenths, language)
    start = end + (behind == " ")
    percent = next((sign for sign in _PERCENT if line.startswith(sign, start)), "")
    if percent:
        return start + len(percent), f"{written(value)}%"
    if behind in VAGUE:
        return end, None
    if (money := _money_at(line, end, value, language)) is not None:
        return money
    if (half := _with_half(line, end, value)) is not None:
        return half
    return _whole_at(line, at, number)


def _whole_at(line: str, at: int, number: NumberInSigns) -> tuple[int, str | None]:
    """The end and the digits of a number that is no more than that, if it is one here and not a part of a word."""
    end, value = number.end, number.value or Fraction(0)
    behind = line[end : end + 2]
    counter = next((unit for unit in _UNITS if line.startswith(unit, end)), behind[:1])
    is_counted = behind[:1] in _COUNTED_BY or len(counter) > 1 or behind.strip()[:1] >= "가"
    is_ordinal = line[at - 1 : at] == _ORDINAL
    if line.startswith(_BEHIND_COUNTER, end + len(counter)):
        return end + len(counter) + 1, written(value) + counter
    if number.is_plain:
        return end, written(value) if is_ordinal else None
    follows = line.endswith(_BEFORE_VALUE, 0, at)
    is_number = number.has_places or is_ordinal or (line[at] != "一" and (is_counted or follows))
    return end, written(value) if is_number else None


def _fraction_at(line: str, bottom: NumberInSigns, language: str) -> tuple[int, str | None]:
    """The end and the text of a fraction whose denominator stands first: 七分之五, 4分の3, 百分之二十."""
    start = bottom.end + 2
    start += line[start : start + 1] == " "
    top = number_at(line, start, language)
    if top.value is None or not bottom.value:
        return bottom.end, None
    if bottom.value == 100:
        return top.end, f"{written(top.value)}%"
    is_ratio = top.value.denominator == 1
    return top.end, f"{top.value}/{bottom.value}" if is_ratio else written(top.value / bottom.value)


def _tenths_at(line: str, end: int, value: Fraction, names: tuple[str, str], language: str) -> tuple[int, str]:
    """The end and the text of a rate in tenths: 二割五分 is 25%."""
    rate, at, part = value * 10, end + 1, Fraction(1)
    for name in names:
        start = at + (line[at : at + 1] == " ")
        following = number_at(line, start, language)
        if following.value is not None and line.startswith(name, following.end):
            rate, at = rate + following.value * part, following.end + 1
        part /= 10
    return at, f"{written(rate)}%"


def _money_at(line: str, end: int, value: Fraction, language: str) -> tuple[int, str] | None:
    """The end and the text of an amount of yuan with its tenths: 十元五角; None if no tenths follow."""
    if line[end : end + 1] not in ("元", "块"):
        return None
    tenths = number_at(line, end + 1, language)
    if tenths.value is None or line[tenths.end : tenths.end + 1] not in ("角", "毛"):
        return None
    value, at = value + tenths.value / 10, tenths.end + 1
    cents = number_at(line, at, language)
    if cents.value is not None and line[cents.end : cents.end + 1] == "分":
        value, at = value + cents.value / 100, cents.end + 1
    return at, f"{written(value)}元"


def _with_half(line: str, end: int, value: Fraction) -> tuple[int, str] | None:
    """The end and the text of a number with a half behind it, or behind its unit: 两个半小时, 2小时半."""
    if line.startswith(("个半", "個半"), end) and line.startswith(_HALVED, end + 2):
        return end + 2, written(value + Fraction(1, 2))
    start = end + (line[end : end + 1] == " ")
    unit = next((unit for unit in _HALVED if line.startswith(unit, start)), "")
    at = start + len(unit)
    at += bool(unit) and line[at : at + 1] == " "
    if unit and line[at : at + 1] in ("半", "반") and line[at + 1 : at + 2] not in (*_NO_HALF,):
        return at + 1, written(value + Fraction(1, 2)) + unit
    return None


def _with_han_signs(line: str) -> str:
    """A line in Korean with Chinese signs for its numerals: those before a counter or with places, and fractions."""
    heard = line.split(" ")
    for at, word in enumerate(heard):
        following = heard[at + 1] if at + 1 < len(heard) else ""
        if (native := _native(word)) is not None and following.startswith(_KOREAN_COUNTERS):
            heard[at] = str(native)
            continue
        said = _korean_numeral(word)
        rest = word[len(said) :]
        if not said or _KOREAN_SIGNS.isdisjoint(said):
            continue
        is_top = at > 0 and heard[at - 1].endswith("분의")
        is_part = (rest or following).startswith(("분의", "퍼센트", "프로"))
        counts = (rest or following).startswith(_KOREAN_COUNTERS) or (
            rest in _ENDINGS and rest not in ("이다", "이며", "이고")
        )
        has_places = len(said) > 1 and not _KOREAN_PLACES.isdisjoint(said)
        if (
            is_top
            or is_part
            or (has_places and (counts or (following[:1].isdecimal() and any(map(str.isdecimal, said)))))
        ):
            heard[at] = said.translate(_KOREAN) + rest
    return " ".join(heard)


def _korean_numeral(word: str) -> str:
    """The digits and signs of numerals that begin a word, without the 이 of 이다 behind them."""
    end = 0
    while end < len(word) and (word[end] in _KOREAN_SIGNS or word[end].isdecimal() or word[end] in ",."):
        if word[end] in _KOREAN_SIGNS - _KOREAN_PLACES and word[max(end - 1, 0)].isdecimal():
            break
        end += 1
    return word[: end - 1] if end > 1 and word[end - 1] == "이" and word.startswith(_COPULA, end) else word[:end]


def _native(word: str) -> int | None:
    """A Korean numeral below 100: 서른여섯; None for any other word."""
    tens = next((ten for ten, value in _KOREAN_NATIVE.items() if value >= 10 and word.startswith(ten)), "")
    rest = word[len(tens) :]
    ones = _KOREAN_NATIVE.get(rest, 10) if rest else 0
    return _KOREAN_NATIVE.get(tens, 0) + ones if word and ones < 10 else None


def language_of(text: str) -> str:
    """Which of the three languages the signs of a text are: ja by its syllables, ko by its blocks, or zh."""
    if any("\uac00" <= char < "\ud7b0" for char in text):
        return "ko"
    return "ja" if any("\u3040" <= char < "\u3100" for char in text) else "zh"


def with_dates_in_digits(text: str) -> str:
    """`text` with the numerals of its dates in digits: 一九四九年十月一日 as 1949年10月1日."""
    text = _YEAR.sub(lambda year: "".join(str(_DIGITS[sign]) for sign in year[0]), text)
    return _DAY.sub(lambda day: str(number_at(day[0], 0).value or day[0]), text)


def is_letter(char: str) -> bool:
    """Whether a character is a letter of Chinese, Japanese or Korean."""
    return char >= "\u3040" and char.isalpha()


def amount_of(text: str) -> str | None:
    """The digits of a text that is one amount in signs, with its percent sign or as a/b; None for any other text."""
    text = _with_han_signs(text) if language_of(text) == "ko" else text
    end, told = _amount_at(text, 0, language_of(text)) if text and _is_number_sign(text[0]) else (0, None)
    return told if end == len(text) else None


@lru_cache(1 << 10)
def number_of(text: str) -> Fraction | None:
    """The value of a text that is one number in signs, or one in Korean words; None for any other text."""
    if (native := _native(text)) is not None:
        return Fraction(native)
    text = text.translate(_KOREAN) if text and _KOREAN_SIGNS.issuperset(text.rstrip("0123456789")[:1]) else text
    sign = -1 if text[:1] and text[0] in _MINUS else 1
    number = number_at(text, int(sign < 0))
    return sign * number.value if number.end == len(text) and number.value is not None and not number.is_plain else None
