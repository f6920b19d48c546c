"""Reads the terms of closed classes in ten languages: converges or diverges, even or odd, ellipse, saddle point.

A thing is only one member of a class, so that another member is another answer, in whatever language either is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from libra_cli.answers import words

MAX_CHARS = 600
"""Length of the longest sentence that is searched."""

# A word stands for itself, a stem- for every word that it begins, and a word$ only counts as the last one of a clause.
# Chinese, Japanese and Korean terms are searched in the text itself.
_TABLES: tuple[dict[str, str], ...] = (
    {
        "True": "true wahr richtig$ korrekt$ stimmt vrai vraie verdadero verdadera verdadeiro verdadeira cierto$ "
        "cierta$ "
        "vero$ vera$ верно$ верна$ правда истинно истинна истина "
        "correct$ holds zutrifft 正确 成立 真命题 正しい 真である 참이 참인 참입",
        "False": "false falsch unwahr faux fausse falso falsa неверно неверна ложь ложно ложна incorrect$ "
        "错误 不正确 不成立 假命题 正しくない 偽である 거짓",
    },
    {
        "converges": "converg- konverg- сходит- сходящ- 收敛 收斂 収束 수렴",
        "diverges": "diverg- расход- 发散 發散 発散 발산",
    },
    {
        "even": "even$ gerade$ par$ pares$ pari paire pair$ четн- чётн- 偶函数 偶関数 偶数 우함수 짝수",
        "odd": "odd$ ungerade$ impar impares dispari impaire impair нечетн- нечётн- 奇函数 奇関数 奇数 기함수 홀수",
    },
    {
        "increases": "increas- увелич- возраст- повыс- aumenta- augment- steigt zunehmend crece cresce "
        "增大 增加 升高 上升 递增 増加 増大 증가",
        "decreases": "decreas- уменьш- убыва- пониж- сниж- disminuy- diminu- decrece decresce décroît sinkt abnehmend "
        "减小 减少 降低 下降 递减 減少 감소",
        "unchanged": "unchanged неизменн- unverändert inchangé- 不变 不変",
    },
    {
        "saddle point": "saddle saddle-point sattelpunkt point-selle silla sella sela седлов- 鞍点 안장점",
        "minimum": "minimum minimo mínimo минимум 极小 極小 최소 극소",
        "maximum": "maximum massimo máximo максимум 极大 極大 최대 극대",
    },
    {
        "ellipse": "ellipse elipse ellisse эллипс- 椭圆 楕円 타원",
        "circle": "circle kreis cercle círculo circunferencia circunferência circonferenza окружност-",
        "parabola": "parabola parabel parabole parábola парабол- 抛物线 放物線 포물선",
        "hyperbola": "hyperbola hyperbel hyperbole hipérbola hipérbole iperbole гипербол- 双曲线 双曲線 쌍곡선",
    },
    {
        "equilateral": "equilateral- gleichseitig- équilatéral- equilátero equilatero равносторонн- "
        "等边三角形 正三角形 정삼각형",
        "isosceles": "isosceles gleichschenklig- isocèle isósceles isoscele равнобедренн- 等腰三角形 二等辺三角形 "
        "이등변삼각형",
        "scalene": "scalene ungleichseitig- escaleno scaleno scalène разносторонн- 不等边三角形",
        "right-angled": "right-angled rechtwinklig- rectángulo rettangolo прямоугольн- 直角三角形 직각삼각형",
        "isosceles right": "等腰直角三角形 直角二等辺三角形",
    },
    {
        "independent": "independent- independient- indépendant- unabhängig- indipendent- независим- 独立 독립",
        "dependent": "dependent dependiente- dépendant- abhängig- dipendent- зависим- 종속",
    },
    {
        "parallel": "parallel- paralel- parallèl- параллел- 平行 평행",
        "perpendicular": "perpendicul- perpendikul- orthogonal- senkrecht- перпендикуляр- 垂直 수직",
    },
    {
        "rational": "rational- rationnel- racional- razional- рациональн- 有理数 유리수",
        "irrational": "irrational- irrationnel- irracional- irrazional- иррациональн- 无理数 無理数 무리수",
    },
    {
        "exothermic": "exotherm- exoterm- экзотермич- 放热 放熱 発熱 발열",
        "endothermic": "endotherm- endoterm- эндотермич- 吸热 吸熱 흡열",
    },
    {
        "Monday": "monday montag lundi lunes lunedì понедельник понедельником 星期一 周一 月曜日 월요일",
        "Tuesday": "tuesday dienstag mardi martes martedì вторник вторником 星期二 周二 火曜日 화요일",
        "Wednesday": "wednesday mittwoch mercredi miércoles mercoledì среда средой 星期三 周三 水曜日 수요일",
        "Thursday": "thursday donnerstag jeudi jueves giovedì четверг четвергом 星期四 周四 木曜日 목요일",
        "Friday": "friday freitag vendredi viernes venerdì пятница пятницей 星期五 周五 金曜日 금요일",
        "Saturday": "saturday samstag samedi sábado sabato суббота субботой 星期六 周六 土曜日 토요일",
        "Sunday": "sunday sonntag dimanche domingo domenica воскресенье воскресеньем 星期日 星期天 周日 日曜日 일요일",
    },
)


_PAIRS = (("True", "False"), ("converges", "diverges"), ("rational", "irrational"), ("dependent", "independent"))
_COMPLEMENTS = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}

_NOUN_ENDINGS = ("ence", "enza", "encia", "ência", "enz", "ity", "ità", "idad", "idade", "ité", "ität", "ость", "ion")
"""Endings of nouns that only name a property: the test of convergence."""
_FILLERS = words.table(
    """
    it is are they the a an this function series sequence integral triangle lines point events number local conic curve
    es est ist sind sono son è é это sie die der das ein eine un une una ella elle la le el il dreieck triángulo
    triangolo треугольник kurve curva funktion función fonction funzione
    이다 입니다 です である だ する します 함수 的 点 值 值点 函数 関数 是 서로
    """
)
_LIMITS = words.table(
    """
    fails fail failed unlike opposite contrary instead would when wenn quand cuando quando когда
    neither nor ni né noch ни both beide except sometimes
    """
)
"""Words that limit what a sentence says, or deny it."""
_NO = ("不", "没", "非", "未", "ない", "ません", "않", "아니", "못", "如果", "若", "或", "또는", "たら")


@lru_cache(1)
def _signs() -> dict[str, tuple[int, str]]:
    """Class and member of each Chinese, Japanese or Korean term, the longest first."""
    found = {term: place for term, place in _terms() if term[0] >= "\u3000"}
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))


@lru_cache(1)
def _in_letters() -> dict[str, tuple[int, str]]:
    return {term: place for term, place in _terms() if term[0] < "\u3000"}


def _terms() -> list[tuple[str, tuple[int, str]]]:
    return [
        (term, (at, member))
        for at, table in enumerate(_TABLES)
        for member, terms in table.items()
        for term in terms.split()
    ]


def _of_word(word: str, known: Mapping[str, tuple[int, str]], is_last: bool) -> tuple[int, str] | None:
    if word in known:
        return known[word]
    if is_last and f"{word}$" in known:
        return known[f"{word}$"]
    if word.endswith(_NOUN_ENDINGS):
        return None
    return next((known[stem] for end in range(len(word), 3, -1) if (stem := f"{word[:end]}-") in known), None)


def _found(text: str) -> tuple[set[tuple[int, str]], list[str]]:
    """Class and member of each term in a text, and its other words."""
    places, rest = set[tuple[int, str]](), text.lower()
    if not text.isascii():
        for term, place in _signs().items():
            if term in rest:
                places.add(place)
                rest = rest.replace(term, " ")
    others: list[str] = []
    for match in words.places(rest):
        behind = rest[match.end() :].lstrip(' *"')
        found = _of_word(match[0], _in_letters(), not behind or behind[0] in ".,;:!")
        if found is None:
            others.append(match[0])
        else:
            places.add(found)
    return places, others


@lru_cache(1 << 10)
def term(text: str) -> tuple[int, str] | None:
    """Class and member of a text that is one term, but for words such as "it is" and "triangle"; None for others."""
    if len(text) > 60 or any(map(str.isdigit, text)):
        return None
    places, others = _found(text.replace("\\text{", "").replace("}", ""))
    return next(iter(places)) if len(places) == 1 and _FILLERS.issuperset(others) else None


def same(reference: str, answer: str) -> bool | None:
    """Whether two terms of one class mean the same; None for others."""
    wanted = term(reference)
    given = term(answer) if wanted else None
    return wanted[1] == given[1] if wanted and given and wanted[0] == given[0] else None


def complement(reference: str) -> str | None:
    """The other member of a class of two that exclude each other, and of which one always holds; None for others."""
    wanted = term(reference)
    return _COMPLEMENTS.get(wanted[1]) if wanted else None


def said(sentence: str, reference: str, doubts: frozenset[str]) -> str | None:
    """The only member of the class of the reference that a sentence says, in English; None if that is not certain.

    `doubts` are words that limit or deny what a sentence says.
    """
    wanted = term(reference)
    if wanted is None or len(sentence) > MAX_CHARS:
        return None
    places, others = _found(sentence)
    members = {member for at, member in places if at == wanted[0]}
    signs = "".join(others)
    if len(members) != 1 or not (doubts | _LIMITS).isdisjoint(others) or any(map(signs.__contains__, _NO)):
        return None
    return members.pop()
