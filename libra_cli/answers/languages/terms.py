"""Reads the terms of closed classes in ten languages: converges or diverges, even or odd, ellipse, saddle point.

A thing is only one member of a class, so that another member is another answer, in whatever language either is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from libra_cli.answers.text import words

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
        "converges": "converg- konverg- zbieżn- сходит- сходящ- 收敛 收斂 収束 수렴",
        "diverges": "diverg- rozbieżn- расход- 发散 發散 発散 발산",
    },
    {
        "even": "even$ gerade$ par$ pares$ pari paire pair$ parzyst- jämn$ jämnt$ çift$ четн- чётн- "
        "偶函数 偶関数 偶数 우함수 짝수",
        "odd": "odd$ ungerade$ impar ímpar impares ímpares dispari impaire impair nieparzyst- oneven$ "
        "udda$ нечетн- нечётн- 奇函数 奇関数 奇数 기함수 홀수",
    },
    {
        "increases": "increas- увелич- возраст- повыс- aumenta- augment- steigt zunehmend crece cresce "
        "steigend$ wachsend$ rosnąc- växande$ creciente$ croissant$ croissante$ crescente$ "
        "增大 增加 升高 上升 递增 变大 变高 变强 増加 増大 증가",
        "decreases": "decreas- уменьш- убыва- пониж- сниж- disminuy- diminu- decrece decresce décroît sinkt abnehmend "
        "fallend$ malejąc- avtagande$ decreciente$ décroissant$ décroissante$ decrescente$ "
        "减小 减少 降低 下降 递减 变小 变低 变弱 減少 감소",
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
        "acute": "acute acute-angled spitzwinklig- acutángulo acutangolo acutangle остроугольн- 锐角三角形 鋭角三角形",
        "obtuse": "obtuse obtuse-angled stumpfwinklig- obtusángulo ottusangolo obtusangle тупоугольн- "
        "钝角三角形 鈍角三角形",
        "isosceles right": "isosceles-right 等腰直角三角形 直角二等辺三角形",
    },
    {
        "sufficient": "充分不必要条件 充分不必要 充分而不必要条件 充分非必要条件",
        "necessary": "必要不充分条件 必要不充分 必要而不充分条件 必要非充分条件",
        "both": "充要条件 充要 充分必要条件",
        "neither": "既不充分也不必要条件 既不充分也不必要 既不充分又不必要条件 既非充分也非必要条件",
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
    {
        "prime": "prime primzahl premier primo простым простое 质数 素数 소수",
        "composite": "composite zusammengesetzt composé compuesto composto составным составное 合数 合成数 합성수",
    },
    {
        "carboxylic acid": "carboxyl carboxylic carbonsäure carbonsäuren 羧酸 カルボン酸",
        "alcohol": "alcohol alcohols hydroxyl alkohol アルコール",
        "aldehyde": "aldehyd- アルデヒド",
        "ketone": "ketone ketones keton ケトン",
        "ester": "ester esters エステル",
        "ether": "ether ethers エーテル",
        "amine": "amine amines amino アミン",
        "amide": "amide amides amid 酰胺 アミド",
    },
    {
        "ionic": "ionic ionisch ionique iónico ionico ионн- 离子 イオン結合 이온",
        "covalent": "covalent kovalent covalente ковалентн- 共价 共有結合 공유",
        "metallic": "metallic metallisch métallique metálico металлическ- 金属键 金属結合 금속",
    },
    {
        "acidic": "acidic sauer acide кисл- 酸性 산성",
        "basic": "basic$ alkaline basisch basique щелочн- 碱性 塩基性 アルカリ性 염기성",
        "neutral": "neutral neutre нейтральн- 中性 중성",
    },
    {
        "stack": "stack stacks stapel stapelspeicher pile pila стек スタック 스택",
        "queue": "queue queues warteschlange cola очередь 队列 キュー",
        "heap": "heap heaps ヒープ",
        "linked list": "linked-list linked 链表 連結リスト",
        "array": "array arrays 数组 配列 배열",
        "hash table": "hash hashtable hashmap 哈希表 ハッシュ表",
    },
    {
        "rhombus": "rhombus raute losange rombo ромб ромбом 菱形 ひし形 마름모",
        "square": "square quadrat carré cuadrado quadrato quadrado квадрат квадратом 正方形 정사각형",
        "rectangle": "rectangle rechteck rettangolo retângulo прямоугольник прямоугольником 长方形 矩形 長方形 "
        "직사각형",
        "kite": "kite drachenviereck 筝形 凧形",
        "trapezoid": "trapezoid trapezium trapez trapèze trapecio trapezio трапеция трапецией 梯形 台形 사다리꼴",
        "parallelogram": "parallelogram parallelogramm parallélogramme paralelogramo parallelogramma "
        "параллелограмм параллелограммом 平行四边形 平行四辺形 평행사변형",
    },
    {
        "red": "red rot rouge rojo rosso vermelho красный 红色 빨간",
        "blue": "blue blau bleu azul blu синий 蓝色 파란",
        "green": "green grün vert verde зелёный зеленый 绿色 초록",
        "yellow": "yellow gelb jaune amarillo giallo amarelo жёлтый желтый 黄色 노란",
        "black": "black schwarz noir negro nero preto чёрный черный 黑色 검은",
        "white": "white weiß blanc blanco bianco branco белый 白色 흰",
        "brown": "brown braun brun marrón marrone коричневый 棕色",
        "purple": "purple violet lila morado viola roxo фиолетовый 紫色",
        "pink": "pink rosa rose розовый 粉色",
    },
    {
        "clockwise": "clockwise uhrzeigersinn 顺时针 時計回り 시계방향",
        "counterclockwise": "counterclockwise counter-clockwise anticlockwise anti-clockwise 逆时针 反時計回り",
    },
    {
        "convex": "convex konvex convexe convexo выпукл-",
        "concave": "concave konkav cóncavo concavo вогнут-",
    },
    {
        "stable": "stable$ stabil$ estable$ stabile estável$ устойчив- 稳定 安定 안정",
        "unstable": "unstable$ instabil instable inestable instabile instável неустойчив- 不稳定 不安定 불안정",
    },
    {
        "consistent": "consistent$",
        "inconsistent": "inconsistent$",
    },
    {
        "finite": "finite$ endlich$ fini$ finito$ 有限 유한",
        "infinite": "infinite$ unendlich$ infini$ infinito$ 无限 無限 무한",
    },
    {
        "countable": "countable countably abzählbar 可数",
        "uncountable": "uncountable uncountably überabzählbar 不可数",
    },
    {
        "positive": "positive$ positiv$ positif$ positivo$ positiva$ положительн-",
        "negative": "negative$ negativ$ négatif$ negativo$ negativa$ отрицательн- 负数",
    },
    {
        "transverse": "transverse transversal transversale 横波",
        "longitudinal": "longitudinal longitudinale 纵波 縦波",
    },
    {
        "elastic": "elastic elastisch élastique",
        "inelastic": "inelastic inelastisch unelastisch",
    },
    {
        "clubs": "clubs", "diamonds": "diamonds", "hearts": "hearts", "spades": "spades",
    },
    {
        "January": "january januar janvier enero gennaio janeiro январь 一月",
        "February": "february februar février febrero febbraio fevereiro февраль 二月",
        "April": "april avril abril aprile апрель 四月",
        "June": "june juni juin junio giugno junho июнь 六月",
        "July": "july juli juillet julio luglio julho июль 七月",
        "August": "august août agosto август 八月",
        "September": "september septembre septiembre settembre setembro сентябрь 九月",
        "October": "october oktober octobre octubre ottobre outubro октябрь 十月",
        "November": "november novembre noviembre novembro ноябрь 十一月",
        "December": "december dezember décembre diciembre dicembre dezembro декабрь 十二月",
    },
)  # fmt: skip
_SPECIAL = {
    "square": ("rectangle", "rhombus", "kite", "trapezoid", "parallelogram"),
    "rectangle": ("parallelogram", "trapezoid"),
    "rhombus": ("parallelogram", "kite", "trapezoid"),
    "parallelogram": ("trapezoid",),
    "isosceles right": ("isosceles", "right-angled"),
}
"""Terms that are special cases of others, which are then no other answers for certain."""


_BESIDE = frozenset(
    frozenset((angle, sides)) for angle in ("acute", "obtuse") for sides in ("equilateral", "isosceles", "scalene")
)
"""Kinds of triangles by their angles and by their sides, which may hold beside each other."""
_PAIRS = (("True", "False"), ("converges", "diverges"), ("rational", "irrational"), ("dependent", "independent"))
_COMPLEMENTS = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}

_NOUN_ENDINGS = ("ence", "enza", "encia", "ência", "enz", "ity", "ità", "idad", "idade", "ité", "ität", "ость", "ion")
"""Endings of nouns that only name a property: the test of convergence."""
_FILLERS = words.table(
    """
    it is are they the a an this function series sequence integral triangle lines point events number local conic curve
    group acid reaction bond list structure quadrilateral wave collision ball color colour section statement
    es est ist sind sono son è é это sie die der das ein eine un une una ella elle la le el il dreieck triángulo
    triangolo треугольник kurve curva funktion función fonction funzione
    이다 입니다 です である だ する します 함수 的 点 值 值点 函数 関数 是 서로
    """
)
_ONE_WORD = {
    "isosceles right": "isosceles-right",
    "right isosceles": "isosceles-right",
    "right scalene": "right-angled scalene",
    "triangle isocèle rectangle": "isosceles-right",
    "triangle rectangle isocèle": "isosceles-right",
    "triangle rectangle": "right-angled triangle",
    "right triangle": "right-angled triangle",
}
"""Kinds of triangles in two words, and in one."""
_INTENSIVE = words.table(
    "strictly monotonically streng monoton strictement strettamente estrictamente estritamente строго"
)
"""Words that make a term say more: strictly increasing."""
_NOUNS = ("function.", "function ", "number.", "number ", "integer.", "integer ", "set.", "statement.")
"""Nouns behind an adjective that ends a clause: an odd function."""
_LAST_NOUNS = frozenset(noun[:-1] for noun in _NOUNS)
_NOUN_CLASSES = frozenset(("carboxylic acid", "stack", "rhombus", "red", "January", "clubs"))
"""Members of the classes whose nouns may stand beside an answer: implemented by an array."""
_COPULAS = words.table("is are was it's its ist est es è é это")
_FEW = 6
"""Words of a sentence that says nothing beside its answer."""
_LIMITS = words.table(
    """
    fails fail failed unlike opposite contrary instead would when wenn quand cuando quando когда
    neither nor ni né noch ни both beide except sometimes other
    """
)
"""Words that limit what a sentence says, or deny it."""
_NARROWS = words.table("whose with and")
"""Words behind a general term that make it a special one."""
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
    for words_of_two, one in _ONE_WORD.items():
        rest = rest.replace(words_of_two, one)
    if not text.isascii():
        for term, place in _signs().items():
            if term in rest:
                places.add(place)
                rest = rest.replace(term, " ")
    others: list[str] = []
    for match in words.places(rest):
        behind = rest[match.end() :].lstrip(' *"')
        if behind.startswith(_NOUNS) or behind in _LAST_NOUNS:
            behind = behind.partition(" ")[2]
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
    plain = text.replace("\\text{", "").replace("}", "")
    places, others = _found(plain)
    if "neither" in others:
        denied = _neither(plain)
        return (denied[0][0], "neither") if len(denied) == 2 and denied[0][0] == denied[1][0] else None
    return next(iter(places)) if len(places) == 1 and _FILLERS.issuperset({*others} - _INTENSIVE) else None


def same(reference: str, answer: str) -> bool | None:
    """Whether two terms of one class mean the same; None for others."""
    wanted = term(reference)
    given = term(answer) if wanted else None
    if not (wanted and given and wanted[0] == given[0]) or may_both_hold(reference, answer):
        return None
    is_related = given[1] in _SPECIAL.get(wanted[1], ()) or wanted[1] in _SPECIAL.get(given[1], ())
    return None if is_related else wanted[1] == given[1]


def may_both_hold(reference: str, answer: str) -> bool:
    """Whether a term may hold beside another one, or says less: acute and isosceles, increasing and strictly so."""
    wanted = term(reference)
    given = term(answer) if wanted else None
    if not (wanted and given and wanted[0] == given[0]):
        return False
    says_more = not _INTENSIVE.isdisjoint(words.split(reference.lower()))
    says_less = says_more and _INTENSIVE.isdisjoint(words.split(answer.lower()))
    return says_less or frozenset((wanted[1], given[1])) in _BESIDE


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
    if "neither" in sentence or "Neither" in sentence:
        denied = [member for at, member in _neither(sentence) if at == wanted[0]]
        return f"neither {denied[0]} nor {denied[1]}" if len(denied) == 2 else None
    places, others = _found(sentence)
    members = {member for at, member in places if at == wanted[0]}
    signs = "".join(others)
    if len(members) != 1 or not (doubts | _LIMITS).isdisjoint(others) or any(map(signs.__contains__, _NO)):
        return None
    member = members.pop()
    if member in _SPECIAL.get(wanted[1], ()) and not _NARROWS.isdisjoint(others):  # a rectangle whose sides are equal
        return None
    is_noun = not _NOUN_CLASSES.isdisjoint(_TABLES[wanted[0]])
    may_be_beside = is_noun and member != wanted[1] and len(others) > _FEW and _COPULAS.isdisjoint(others)
    return None if may_be_beside else member


def _neither(text: str) -> list[tuple[int, str]]:
    """Class and member of the terms behind "neither", if "nor" is among them."""
    heard = [word.lower() for word in words.split(text)]
    denied = heard[heard.index("neither") :]
    found = [_of_word(word, _in_letters(), is_last=True) for word in denied]
    return [one for one in found if one] if "nor" in denied else []
