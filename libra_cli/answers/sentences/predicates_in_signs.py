"""Reads what a sentence in Chinese, Japanese or Korean says of the subject, or in the unit, that its question asks for.

"最小值是多少" asks for a subject: "所以最小值为3，此时x=2" says 3 of it.
"需要几天" asks for days: "两人合作需要6天" says 6.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from libra_cli.answers.languages import signs
from libra_cli.answers.text import vocabulary, words
from libra_cli.lazy_pattern import lazy_pattern

_SHORTEST, _LONGEST = 2, 10
"""Letters of a subject that a sentence repeats."""
_MAX_CHARS = 400
_COPULA = "(?:是|为|為|等于|等於|就是|应为|应是|=|:|：|は|는|은|이|가)"
_ASKED = lazy_pattern(
    "多少|几|幾|什么|什麼|谁|誰|哪|何|どこ|いくつ|いくら|どれ|무엇|누구|어디|몇|얼마|언제"
    "|__+|\uff08 {0,9}\uff09|\\( {0,9}\\)"
)
_MARKS = "，。；？！,;?!\n"
_COPULAS = ("等于", "等於", "就是", "是", "为", "為", "=", "は", "는", "은", "이", "가")
_SOUGHT = lazy_pattern(
    r"(?:求|计算|計算|写出|求出)(?P<zh>[^：:，。；？！,;?!\n][^，。；？！,;?!\n]{1,60})[。？.?]?$"
    r"|(?P<other>[^，。；？！,;?!\n]{2,60}?)(?:を求め|を計算|[을를] 구하|[을를] 계산)"
)
_FORMULA = lazy_pattern(r"[^\u3040-\u9fff\uac00-\ud7a3]+\Z")
_COUNTER = lazy_pattern(r"(?:多少|几|幾|何|몇) ?(?P<counter>[^\W\d_]{1,2})")
_NO_COUNTER = ("时", "時候", "何时", "か")
_CLAUSES = lazy_pattern(
    r"[，；。！;]|,(?!\s*[-\d{(])\s*|、(?![\d{(])"
    r"|(?:이므로|므로|なので|ので|だから|から|より|에서|したがって|따라서|よって)[、,]?\s*"
)
_SAYS = lazy_pattern(rf"\s*(?:(?P<copula>{_COPULA})|取得?|有|达到|得到?)?[ :：]{{0,2}}")
_ENDINGS = lazy_pattern(
    r"(?:です|である|だ|になります|となります|になる|となる|입니다|이다|이에요|예요|이고|이며|了|的|。|\.|！|!"
    r"|を(?:とる|取る|もつ|持つ|とります|もちます)|[을를] ?(?:갖는다|가진다|갖습니다|가집니다|취한다))+$"
)
_SUPPOSED = ("可能", "若", "如果", "假设", "或", "比", "なら", "もし", "より", "만약", "보다", "또는")
"""Signs of a clause that supposes or compares something."""
_OPEN = (
    *("不", "没", "非", "约", "以上", "以下", "超过", "至少", "至多", *_SUPPOSED),
    *("ない", "約", "または", "아니", "않", "약 ", "이상", "이하"),
)
"""Signs behind a subject, or in a clause with a number, that deny its value or leave it open as well."""
_ASIDES = ("当", "當", "此时", "此時", "这时", "其中", "这里", "即当", "このとき", "ただし", "이때", "단,")
_ENDED_ASIDE = lazy_pattern(r"(?:时|時|时に|時に)[^\d=]{0,12}$")
"""The end of a clause that says when, and what follows it: 当 x=2 时函数有."""
_TOLD = lazy_pattern(
    r"(?:一共|总共|共|需要?|还?剩下?|得到?|花了?|付|能|可以|平均|每|有|要|用|走|分)[^\d，]{0,6}(?P<amount>\d[\d.]*[^\W\d_]{0,3})$"
)
_FIGURE = lazy_pattern(r"\d+(?:\.\d+)?")
_QUOTES = '“”「」『』"‘’《》*$ '
_REMARK = lazy_pattern(r"\s*[（(][^（）()]*[）)]\s*$")
_BRACKETS = {"$": "$", "{": "}", "(": ")]", "[": "])", "｛": "｝"}
_LIST = lazy_pattern(r"(?<=\d)[，、](?=-?\d)")
_TURNS = (
    *("不", "非", "错", "但", "可是", "其实", "等等", "更正", "订正", "应", "抱歉", "改"),
    *("ない", "しかし", "間違", "実は", "ではなく", "訂正", "失礼", "いや", "すみません"),
    *("아니", "하지만", "그러나", "사실", "정정", "죄송"),
)
"""Signs of a text that takes something back, or goes on against it."""
_MAYBE = ("可能是", "可能为", "也许", "かもしれ", "아마")
_IN_BRACKETS = lazy_pattern(r"[(（]([A-Za-z²³^/0-9]{1,8})[)）]$")
_LINKS = (
    *("解得", "即", "所以", "因此", "故", "得", "则", "∴", "因而", "于是"),
    *("よって", "したがって", "따라서", "그러므로"),
)
_RESTS = ("剩", "余", "餘", "残", "남")
_BEFORE = ("原", "最初", "开始", "開始", "起初", "初め", "はじめ", "もともと", "처음", "원래", "全部で")
"""Signs of a question that asks what there was at first."""
_LEFT = (*vocabulary.LEADS_IN_SIGNS, "还有", "還有")
_PREDICATE = lazy_pattern(
    r" ?[^\W\d]{1,2}?[がはも이가]? ?(?:残|余|남|です|である|だ|[にと]な|입니다|이다|된다|됩니다|이 됩니다)"
)
_LAST_NUMBER = lazy_pattern(r"(?<![\d.])(?P<number>\d+(?:,\d{3})*(?:\.\d+)?) ?$")
_OF_LETTER = lazy_pattern(r"^([A-Za-z])(?:의 값은|는|은|は|为|等于|的值为|的值是) ?(?=[-\d])")
_SOLVED = lazy_pattern(
    r"\s*(?P<equation>[A-Za-z]\w? ?(?:=|<|>|≤|≥|\\leq?|\\geq?) ?"
    r"[-\d\\√(\[{][^\u3040-\u9fff\uac00-\ud7a3=]*(?:(?:または|或|또는)[^\u3040-\u9fff\uac00-\ud7a3]*)?)"
)
_RELATION = (
    r"\$?[^\u3040-\u9fff\uac00-\ud7a3$，。=]{1,40}?(?:[<>≤≥≠]|\\(?:le|ge|ne)(?:q|qslant)?(?![a-z]))"
    r"[^\u3040-\u9fff\uac00-\ud7a3$，。=]{1,40}\$?"
)
_RANGE = lazy_pattern(
    r"(?:范围|範囲|解集|定义域|定義域|值域|値域|범위)(?:应该|应)?[是为為은는이가はが]?[:\uff1a]? ?"
    rf"(?P<range>{_RELATION}(?: ?(?:或者?|且|または|かつ|또는) ?{_RELATION})?"
    r"|\$?[(\[][^\u3040-\u9fff\uac00-\ud7a3$，。=]{1,40}[)\]]\$?)"
    r" ?(?:である|です|だ|이다|입니다)?[。.]?$"
)
"""The bounds that end a sentence behind the word for a range: x的取值范围是 x<2."""

_SOLUTION = lazy_pattern(r"(?:解|根|答え|해|근)[はがは为是為는은이가] ?([A-Za-z] ?= ?[^=\u3040-\u9fff\uac00-\ud7a3]+)$")
"""The first of the solutions that a sentence lists: \u89e3\u306f x=2, x=3."""


def said(sentence: str, question: str) -> str | None:
    """What a sentence says of the subject of its question, in its own words; None if it says nothing for certain."""
    subject = _subject(question)
    if not subject or len(sentence) > _MAX_CHARS:
        return None
    found = dict[str, None]()
    for name in _names(subject):
        at = sentence.find(name)
        while at >= 0:
            is_part = not signs.is_letter(name[0]) and sentence[at - 1 : at].isalnum() and sentence[at - 1] < "\u3040"
            value = None if at and is_part else _value(sentence, at, at + len(name))
            if value is not None:
                found[value] = None
            at = sentence.find(name, at + 1)
        if found:
            break
    only = next(iter(found)) if len(found) == 1 else ""
    return only or None


def said_before(sentences: Sequence[str], question: str) -> str | None:
    """What a sentence says of the subject of the question, before a last one that only gives a figure of it."""
    behind = "".join(sentences[1:])
    if not any(map(str.isdigit, behind)) or any(map(behind.__contains__, _TURNS)):
        return None
    found = {value for sentence in sentences[:-1] if (value := said(sentence, question)) and not is_open(sentence)}
    return found.pop() if len(found) == 1 else None


def is_open(sentence: str) -> bool:
    """Whether a sentence says what may be: 可能是3."""
    return any(map(sentence.__contains__, _MAYBE))


def about(sentence: str, question: str) -> str | None:
    """The clause of a sentence that has most pairs of signs of its question; None if two have as many."""
    clauses = [clause for clause in re.split("[，。；、]", sentence) if any(map(str.isdigit, clause))]
    asked = _asking(question)
    shared = [sum(clause[at : at + 2] in asked for at in range(len(clause) - 1)) for clause in clauses]
    is_one = len(clauses) < 2 or sorted(shared)[-1] > sorted(shared)[-2]
    return clauses[max(range(len(clauses)), key=shared.__getitem__)] if clauses and is_one else None


def _names(subject: str) -> list[str]:
    """How a sentence may name a subject again: by its formula, or by its last signs, the longest first."""
    formula = _FORMULA.search(subject)
    if formula and formula[0].strip():
        return [formula[0].strip()]
    return [subject[-length:] for length in range(min(len(subject), _LONGEST), _SHORTEST - 1, -1)]


def _asking(question: str) -> str:
    """The last sentence of a question that asks something; its last one if none does."""
    found = [sentence.strip() for sentence in words.sentences(question.strip())]
    return next((one for one in reversed(found) if _ASKED.search(one) or _SOUGHT.search(one)), found[-1])


@lru_cache(1 << 8)
def _subject(question: str) -> str:
    """What a question asks for: 函数的最小值, A∩B; empty if that is not told."""
    last = _asking(question)
    asked = [*_ASKED.finditer(last)]
    if asked:
        before = last[: asked[-1].start()].rstrip()
        subject = before[max(map(before.rfind, _MARKS)) + 1 :]
        copula = next(filter(subject.endswith, _COPULAS), "")
        return subject.removesuffix(copula).strip(" 的") if len(asked) == 1 else ""
    sought = _SOUGHT.search(last)
    return (sought["zh"] or sought["other"]).strip() if sought else ""


def _value(sentence: str, start: int, end: int) -> str | None:
    """What follows a subject that stands in a sentence, behind a verb that says its value or as a number; else None."""
    verb = _SAYS.match(sentence, end)
    begin = verb.end() if verb else end
    rest = sentence[begin:]
    is_number = rest[:1].isdigit() or (rest[:1] in "-\u2212\\√$" and rest[1:2] != "")
    if not rest or not (is_number or (verb and verb["copula"])):
        return None
    before = _CLAUSES.split(sentence[:start])[-1]
    close = _BRACKETS.get(rest[0], "")
    stop = 1 + min((at for sign in close if (at := rest.find(sign, 1)) > 0), default=-1)
    value = rest[:stop] if stop else _CLAUSES.split(rest)[0]
    if before.lstrip().startswith(_ASIDES) and not _ENDED_ASIDE.search(before.rstrip()):
        return None
    if any(map(before.__contains__, _SUPPOSED)) or any(map(value.__contains__, _OPEN)):
        return None
    if stop and rest[stop : stop + 1] not in (*"，。；,;.！ )）」", ""):
        return None
    value = _ENDINGS.sub("", value.strip())
    value = (value if stop else _ENDINGS.sub("", _REMARK.sub("", value))).strip(_QUOTES)
    return value or None


def counted(sentence: str, question: str) -> str | None:
    """The only number in the unit that a question asks for, of the last clause with one; None if it is not certain."""
    asked = [found["counter"] for found in _COUNTER.finditer(_asking(question))]
    if len(asked) != 1 or asked[0].startswith(_NO_COUNTER) or len(sentence) > _MAX_CHARS:
        return None
    if any(map(sentence.__contains__, ("比", "より", "보다"))):
        return None
    plain = signs.with_digits(sentence, signs.language_of(sentence))
    clauses = [clause for clause in _CLAUSES.split(plain) if any(map(str.isdigit, clause))]
    if len(clauses) > 1 and any(map(_asking(question).__contains__, _BEFORE)):  # not what is left: 共60支，剩下43支
        clauses = [clause for clause in clauses if not any(map(clause.__contains__, _RESTS))]
    for clause in reversed(clauses):
        numbers = _numbers_before(clause, asked[0]) or _numbers_before(clause, asked[0][0])
        if not numbers:
            if not clause.strip().startswith(_ASIDES):
                return None
            continue
        given = _numbers_before(signs.with_digits(question, signs.language_of(question)), asked[0][0])
        new = [number for number in numbers if number not in given] or numbers
        is_open = any(map(clause.__contains__, _OPEN)) or clause.strip().startswith(_ASIDES)
        new = [new[-1]] if len(new) > 1 and _is_result(clause, new[-1]) else new
        return new[0] if len(new) == 1 and not is_open else None
    return None


def _is_result(clause: str, number: str) -> bool:
    """Whether the last number of a clause is its predicate or behind a verb of results: 剩余37千克, 37개 남았다."""
    before, _, behind = clause.rpartition(number)
    return before.rstrip().endswith(_LEFT) or _PREDICATE.match(behind) is not None


def _numbers_before(clause: str, counter: str) -> list[str]:
    pieces = clause.split(counter)[:-1]
    ends = (_LAST_NUMBER.search(piece) for piece in pieces)
    return [end["number"] for end in ends if end]


def calculated(sentence: str) -> str | None:
    """The result of the calculation that is the last clause of a sentence: 所以S=πr²=9π(cm²); None for others."""
    clauses = [clause for clause in _CLAUSES.split(sentence) if clause and clause.strip(" 。.")]
    before, equals, result = _bare(clauses[-1]).rpartition("=") if clauses else ("", "", "")
    is_calculated = equals and any(map(str.isdigit, before)) and not any(map(before.__contains__, "<>≠"))
    result = _IN_BRACKETS.sub(r" \1", _ENDINGS.sub("", result.strip())).strip(_QUOTES)
    is_formula = any(map(str.isdigit, result)) and not any(map(signs.is_letter, result))
    return result if is_calculated and is_formula and len(sentence) <= _MAX_CHARS else None


def told_behind(sentence: str) -> str | None:
    """The amount that the last clause of a sentence says behind a calculation: 3×4=12，一共需要十三元; else None."""
    *before, last = _CLAUSES.split(sentence.rstrip("。！ ")) if "=" in sentence else [""]
    is_calculated = bool(before) and "=" in before[-1] and "=" not in last and len(sentence) <= _MAX_CHARS
    if not is_calculated or any(map(last.__contains__, _OPEN)) or last.startswith(_ASIDES):
        return None
    plain = signs.with_digits(last, signs.language_of(sentence))
    found = _TOLD.search(plain)
    return found["amount"] if found and sum(1 for _ in _FIGURE.finditer(plain)) == 1 else None


def solved(sentence: str) -> str | None:
    """The relation that is all of the last clause of a sentence: 3x=15，x=5; None for any other sentence."""
    if len(sentence) > _MAX_CHARS or sentence.isascii():
        return None
    sentence = _LIST.sub(", ", sentence)
    clauses = [clause for clause in _CLAUSES.split(sentence) if clause and clause.strip(" 。.")]
    relations = [_SOLVED.fullmatch(_OF_LETTER.sub(r"\1=", _bare(clause))) for clause in clauses]
    found = relations.pop() if len(clauses) > 1 else None  # x=3，y=2 says two values
    if not found or "=" not in "".join(clauses[:-1]) or any(relations):
        return None
    equation = found["equation"].strip()
    before = _SOLUTION.search(clauses[-2])
    return f"{before[1]}, {equation}" if before and before[1][0] == equation[0] else equation


def ranged(sentence: str) -> str | None:
    """The bounds with which a sentence says a range: 所以x的取值范围是x<2; None for any other sentence."""
    found = _RANGE.search(sentence) if len(sentence) <= _MAX_CHARS else None
    return found["range"].strip(" $") if found else None


def _bare(clause: str) -> str:
    """A clause without the words that lead to its relation, and those that end it."""
    for link in _LINKS:
        clause = clause.strip(" $").removeprefix(link).lstrip("，, ")
    return _ENDINGS.sub("", clause)
