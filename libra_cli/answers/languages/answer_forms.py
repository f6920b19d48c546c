"""Reads what other languages write around and inside an answer: phrases, numbers in words, counters, decimal commas.

Everything is a table of words of a language; a text that no table knows stays as it is.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from libra_cli.answers.languages import signs, times_in_signs, units_abroad
from libra_cli.answers.text import latex, number, words
from libra_cli.lazy_pattern import lazy_pattern

TAIL_CHARS = 2000
MAX_BETWEEN = 48
"""Characters between the noun "answer" and the verb that states it: "la respuesta correcta del problema es"."""

STATEMENTS = {
    "zh": ("答案 结果 答", "是 为 就是 ： : 】"),
    "ja": ("答え 正解 解答 解", "は、 は ： :"),
    "ko": ("정답 답", "은 는 ： :"),
    "es": ("respuesta resultado", "es :"),
    "fr": ("réponse résultat", "est :"),
    "de": ("antwort ergebnis lösung", "ist lautet :"),
    "pt": ("resposta resultado", "é :"),
    "it": ("risposta risultato", "è :"),
    "nl": ("antwoord", "is :"),
    "ru": ("ответ", "равен — - :"),
    "ar": ("الجواب الإجابة", "هو هي :"),
    "pl": ("odpowiedź wynik", "to jest :"),
    "sv": ("svar svaret", "är :"),
    "hi": ("उत्तर", ""),
    "bn": ("উত্তর", "হল হলো হলঃ :"),
    "sw": ("jibu", "ni :"),
    "th": ("คำตอบ", "คือ :"),
    "te": ("సమాధానం", ""),
    "tr": ("cevap yanıt", ":"),
    "id": ("jawabannya jawaban", "adalah ialah yaitu :"),
    "vi": ("đáp_án đáp_số", "là :"),
}
"""Nouns for an answer, and the verbs and signs that state it, of each language."""
_NOUNS = {noun.replace("_", " "): language for language, (nouns, _) in STATEMENTS.items() for noun in nouns.split()}
_SAID_IN_HINDI = lazy_pattern(r"(?<![\d.,])(-?\d[\d.,]*(?<=\d)),? (?:यही|यह) उत्तर है")
_OF_COUNTED = ("bn", "th", "te", "vi", "id", "sw")
"""Languages whose counters and nouns behind a number no table knows."""
_NUMBER_AND_NOUN = lazy_pattern(r"(-?\d[\d.,]*(?<=\d))(?! ?(?:[kcm]?[mgl]|m[2\u00b2]|km/h)\b| ?%) ?[^\W\d][^\d%]{0,40}")
_WITHOUT_SPACES = ("zh", "ja", "ko", "th")
_MONTHS_INENGLISH = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
_MONTHS_ABROAD = """
    janvier février mars avril mai juin juillet août septembre octobre novembre décembre
    januar februar märz april mai juni juli august september oktober november dezember
    enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
    gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
    janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro
    января февраля марта апреля мая июня июля августа сентября октября ноября декабря
"""
_MONTH_OF = {
    month: _MONTHS_INENGLISH[at]
    for line in _MONTHS_ABROAD.strip().splitlines()
    for at, month in enumerate(line.split())
}
_DATE_ABROAD = lazy_pattern(
    rf"\b(?:(?P<day>\d{{1,2}})(?:er|\.|º)? (?:de )?|(?=\w+ (?:de )?\d{{4}}\b))"
    rf"(?P<month>{'|'.join(sorted(_MONTH_OF, key=len, reverse=True))})\b"
    r"(?:,? (?:de )?(?P<year>\d{4}))?",
    re.IGNORECASE,
)
_DATE_IN_SIGNS = lazy_pattern(
    r"(?P<year>\d{4}) ?[年년](?:[(\uff08][^()\uff08\uff09]{1,12}[)\uff09])?[的の\uff0c, ]?"
    r"(?P<month>\d{1,2}) ?[月월](?: ?(?P<day>\d{1,2}) ?[日号일])?"
)
_DAY_ABROAD = lazy_pattern(r"(?<![\d年])(\d{1,2})月(\d{1,2})日")
_CORRECTIONS = (
    *("应该是", "应为", "应是", "应當是", "正しくは", "должно быть", "debe ser", "debería ser", "devrait être"),
    *("doit être", "dovrebbe essere", "deve ser", "deve essere", "richtig ist", "sollte sein"),
)
_ADVERBS = frozenset("donc alors ainsi dunque quindi entonces pues somit also daher então portanto".split())  # noqa: SIM905
_CONCLUSIONS = ("所以", "因此", "故", "综上", "よって", "したがって", "従って", "ゆえに", "따라서", "그러므로")
_AFTERWARDS = (
    *("です", "である", "だ", "になる", "となる", "になります", "となります", "입니다", "이다", "이에요", "है"),
    *"。．.।!！ ",
)
_OPEN = "不没非未或约"
"""Signs of a sentence that denies a number, or leaves it open."""
_NUMBERS = lazy_pattern(r"(?<![A-Za-z0-9_.,$^{])-?\d[\d,]*(?:\.\d+)?(?![\d^])")

_LETTERS_OF_COMMAS = {
    "de": "der das und ist antwort also ergibt daher lösung beträgt die somit damit wir ergebnis",
    "fr": "la le les est réponse donc et vaut une solution résultat des nous ainsi",
    "es": "la el es respuesta por lo tanto entonces resultado una los las del",
    "pt": "a o é resposta portanto então resultado uma os as do da",
    "it": "la il è risposta quindi risultato una dunque gli della",
    "nl": "het de is antwoord dus een we",
    "ru": "ответ равно значит поэтому следовательно и получаем решение итак",
    "pl": "odpowiedź jest wynosi więc zatem to",
}
COMMA_WORDS = {language: frozenset(words.split()) for language, words in _LETTERS_OF_COMMAS.items()}
_VERBS_AND_PRONOUNS = {
    "de": "er sie hat haben bleibt bleiben dauert wiegt zahlt bekommt verdient einer einem eines sich auch noch jeder",
    "fr": "il elle ils elles reste restent dure pèse mesure paie gagne chaque leur leurs avec sur ses",
    "es": "hay queda quedan le dura tarda pesa mide compró pagó gana cada sus fue fueron necesita",
    "pt": "ela ele eles elas resta restam sobraram comprou pagou ganha cada seu sua foram precisa",
    "it": "lui lei resta restano rimangono pesa ogni ciascuno suo comprato pagato guadagna servono viaggio",
    "nl": "je hij zij ze hebt heeft nodig blijft blijven duurt weegt ook nog elke krijgt",
    "sv": "hon han tar väger varje också behöver får kvar tillsammans",
    "pl": "trwa waży zostało zostały zostanie każdy każda się potrzeba potrzebuje miała miał",
}
TELLING = {language: frozenset(text.split()) for language, text in _VERBS_AND_PRONOUNS.items()}
"""More words that tell a language: those of sentences that conclude."""
FREQUENT = frozenset().union(*COMMA_WORDS.values()) - {"a", "as", "do", "to", "we", "o", "i"}
"""Words that tell a sentence in one of these languages."""
ENGLISH = frozenset(("the", "of", "and", "we", "so", "therefore", "answer", "thus", "hence", "is", "a"))

_WHOLE = {
    "yes": "是 是的 对 对的 正确 正确的 真 √ ✓ ✔ ✅ 当然 当然是"
    " はい 正しい 예 네 참 نعم صحيح हाँ सही sí sì si oui ja sim"
    " да верно правда certo certamente natürlich selbstverständlich bien_sûr claro claro_que_sí конечно zeker",
    "no": "否 不是 不对 不对的 不正确 不正确的 错误 错误的 错 错的 假 × ✗ ✘ ❌ ✖"
    " いいえ 아니요 아니오 거짓 لا خطأ नहीं गलत"
    " non nein não nao нет неверно ложь",
    "no solution": "无解 解なし 해가없다 keine_lösung keine_lösungen hat_keine_lösung keine_reelle_lösung sin_solución"
    " sin_soluciones no_tiene_solución no_tiene_soluciones aucune_solution pas_de_solution n'a_pas_de_solution"
    " nessuna_soluzione non_ha_soluzioni non_ha_soluzione sem_solução sem_soluções não_tem_solução não_há_solução"
    " нет_решений решений_нет не_имеет_решений нет_решения brak_rozwiązań nie_ma_rozwiązań geen_oplossing"
    " geen_oplossingen ingen_lösning",
    "no real solutions": "无实数解 无实根 无实数根 實数解なし 実数解なし aucune_solution_réelle keine_reellen_lösungen"
    " ninguna_solución_real sin_soluciones_reales nessuna_soluzione_reale nenhuma_solução_real"
    " нет_действительных_корней нет_действительных_решений",
    "parallel": "平行 互相平行 相互平行 平行である",
    "perpendicular": "垂直 互相垂直 相互垂直 垂直である",
    "undefined": "不存在 定義されない нет_предела",
    "infinitely many": "无数个 无穷多 无穷多个 無数 unendlich_viele unendlich_viele_lösungen infinitos бесконечно_много"
    " infinite_soluzioni infinitas_soluciones infinitas_soluções une_infinité_de_solutions бесконечно_много_решений"
    " nieskończenie_wiele_rozwiązań oneindig_veel_oplossingen",
}
_MEANINGS = {word.replace("_", " "): meaning for meaning, words in _WHOLE.items() for word in words.split()}
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()  # noqa: SIM905
_MEANINGS |= {
    f"{week}{number}": day
    for numbers, weeks in (("一二三四五六日", ("星期", "周", "礼拜")), ("一二三四五六天", ("星期", "周", "礼拜")))
    for number, day in zip(numbers, _DAYS, strict=True)
    for week in weeks
} | {f"{letter}曜日": day for letter, day in zip("月火水木金土日", _DAYS, strict=True)}
_AND = "et|und|y|e|и|en"
_JOIN = lazy_pattern(
    r"\s*(?P<alternative>或者|或|または|又は|또는|혹은|(?<=[\s{])(?:oder|ou|или)(?=[\s}])"
    r"|(?<=[\d}$] )o(?= +(?:[-$\\\d]|[A-Za-z]\w{0,3} ?=)))\s*"
    r"|(?<=[\d}\s$])\s*(?:和|及|與|と|와|과|且)\s*(?=[-\d\\${])"
    rf"| (?:{_AND}) (?=\$?[A-Za-z]\w{{0,3}} ?=)|(?<=[\d}}$]) (?:{_AND}) (?=[-$\\\d])"
    r"|(?<=[A-J])\s*(?:和|与|與|、|及|와|과|と)\s*(?=[A-J](?![A-Za-z]))"
    rf"|(?<=[A-JVX]) (?:{_AND}) (?=[A-JVX]{{1,4}}(?:[\s,.;}}]|$))"
)
_SET_JOIN = lazy_pattern(
    rf"\\text\s?\{{(?:\s+(?:{_AND}|(?P<alternative>o))\s+|\s*(?:et|und|(?P<or>oder|ou|или))\s*)\}}", one_of=("\\text",)
)
"""A joining word that is set as text between two formulas: \\text{ o }."""
_MARKED = lazy_pattern(
    r"(?<![\d.,}])(?P<whole>\d{1,3}(?:\.\d{3}){1,5}|\d+)(?:(?P<comma>\{,\}|,)(?P<places>\d+))?(?![\d{]|[.,]\d)"
)

UNIT_OF = {word: unit for unit, words in units_abroad.IN_SIGNS.items() for word in words.split()}
_LONGEST_UNIT = max(map(len, UNIT_OF))
_COUNTERS = (
    "个 個 种 種 人 名 位 只 隻 头 頭 匹 条 條 张 張 本 页 頁 枚 辆 輛 台 棵 "
    "朵 件 次 回 份 组 組 套 双 排 行 列 段 瓶 盒 箱 袋 块 颗 粒 支 把 艘 间 "
    "層 层 道 题 通り 通 つ 個の 개 명 가지 번 마리 권 장 대 살 쪽 자루 그루 송이 штук человек раз "
)
_NAMES = dict.fromkeys(_COUNTERS.split(), "") | UNIT_OF
_NAME = "|".join(map(re.escape, sorted(_NAMES, key=len, reverse=True)))
_COUNTED = lazy_pattern(
    r"(?<=[\d}\])$π\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d\u5341\u767e\u5343\u4e07\u4e24\u4ebf\u5104\uc5b5\ub9cc])"
    rf"(?P<open>\s*\$?\s*(?:\\(?:text\w*|mathrm|mbox)\s*\{{)?\s*)(?P<name>{_NAME})(?P<close>\s*\}}?[\s$.*]*)$"
)
_COUNTED_THING = lazy_pattern(
    rf"(?P<count>\d[\d,.]*)\s?(?:{'|'.join(map(re.escape, _COUNTERS.split()))})[\u4e00-\u9fff]{{1,6}}"
)
"""17个苹果: the thing that is counted stands behind its counter."""
_NO_THING = frozenset("半多余餘百千万亿分以上下左右几月")
_INTRODUCTION = lazy_pattern(
    r"(?:\\text\s*\{)?(?:一共|总共|總共|共计|合计|大约|约|共|有|是|为|等于|得|全部で|合わせて|모두|총)+\s?\}?(?=\s?[-\d$\\])"
)
_FOREIGN_NOUN = lazy_pattern(r"(\d[\d.,]*) ([^\s\d_a-zA-Z.,()]{3,}(?: [^\s\d_a-zA-Z.,()]+)?)")
_NO_NOUN = (
    *("процент", "тысяч", "тыс", "млн", "миллион", "миллиард", "час", "минут", "секунд", "метр", "грам", "литр"),
    *("ألف", "مليون", "بالمئة", "في المئة", "متر", "ساعة", "دقيقة"),
    *("लाख", "करोड़", "हज़ार", "प्रतिशत", "मीटर", "घंटे"),
)
"""Words behind a number that are no counted things: units, percent, multiples."""
_DATE = lazy_pattern(r"(\d{4})\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日号일]")
_CIRCLED = "①②③④⑤⑥⑦⑧⑨"
_APART = lazy_pattern(r"\d \d")
_ACCENTED_NOUN = lazy_pattern(r"(-?\d[\d.,]*(?<=\d)) (?=[^\W\d_]{0,30}[^\W\d_a-zA-Z])([^\W\d_]{3,30})")
_NO_COUNTED = (
    *("mil", "bil", "douz", "docen", "dútz", "demi", "hälft", "dritt", "fünft", "zwölft"),
    *("tér", "déc", "céntimo"),
)
"""Beginnings of words with accents that change the number before them."""
_MARKS = str.maketrans({"、": ", ", "；": ";", "٫": ".", "٬": ",", "،": ", "})


# -- responses --------------------------------------------------------------------------------------------------------


def stated_answer(tail: str) -> str | None:
    """Text after the last "answer is" of another language than English; None if there is none."""
    lowered = words.lowered(tail)
    if "उत्तर है" in tail and (said := _SAID_IN_HINDI.search(tail)):  # 26, यही उत्तर है
        return said[1]
    found = [(at, at + len(noun), noun) for noun in _NOUNS if (at := lowered.rfind(noun)) >= 0]
    for start, end, noun in sorted(found, reverse=True):
        behind = _behind_verb(lowered, end, _NOUNS[noun])
        between = tail[start:behind].rstrip()
        if behind is None or "\n" in between or "\u3002" in between or between.endswith("\u307e\u305f\u306f"):
            continue
        answer = _first_line(tail[behind:].lstrip(" \t\r\n:：*」】")).replace("**", "").rstrip()
        adverb, _, rest = answer.partition(" ")
        answer = rest.lstrip() if rest and adverb.lower() in _ADVERBS else answer
        if _NOUNS[noun] in _OF_COUNTED and (counted := _NUMBER_AND_NOUN.fullmatch(answer)):
            answer = counted[1]
        while answer.endswith(_AFTERWARDS):
            answer = answer.removesuffix(next(end for end in _AFTERWARDS if answer.endswith(end)))
        if answer:
            return answer
    return None


def _behind_verb(text: str, start: int, language: str) -> int | None:
    """Index after the first verb or sign that states an answer behind its noun; None if none does."""
    verbs = STATEMENTS[language][1].split()
    if not verbs:  # the verb stands behind the answer
        return start
    found: list[tuple[int, int]] = []
    for verb in verbs:
        at = text.find(verb, start, start + MAX_BETWEEN)
        is_word = language not in _WITHOUT_SPACES and verb.isalpha()
        while is_word and at >= 0 and (text[at - 1 : at].isalnum() or text[at + len(verb) :][:1].isalnum()):
            at = text.find(verb, at + 1, start + MAX_BETWEEN)
        found += [(at, -len(verb))] if at >= 0 else []
    return min(found)[0] - min(found)[1] if found else None


def _first_line(text: str) -> str:
    """The text before its first line break or full stop of Chinese."""
    return text.replace("\u3002", "\n").replace("\uff01", "\n").replace("\u0964", "\n").partition("\n")[0]


def with_english_dates(text: str) -> str:
    """`text` with the dates of other European languages and Chinese in English: 14 juillet 1789 as 14 July 1789."""
    if text.isascii() and not _DATE_ABROAD.search(text):
        return text
    if "年" in text or "년" in text:
        text = signs.with_dates_in_digits(text) if "月" in text else text
        text = _DATE_IN_SIGNS.sub(
            lambda date: f" {date['day'] or ''} {_MONTHS_INENGLISH[(int(date['month']) - 1) % 12]} {date['year']} ",
            text,
        )
    text = _DAY_ABROAD.sub(lambda date: f"{int(date[2])} {_MONTHS_INENGLISH[int(date[1]) - 1]}", text)
    return _DATE_ABROAD.sub(_in_english_order, text)


def _in_english_order(date: re.Match[str]) -> str:
    return " ".join(filter(None, (date["day"], _MONTH_OF[date["month"].lower()], date["year"])))


def restated(text: str) -> str | None:
    """What a text in another language than English puts in the place of what it takes back; None if nothing."""
    starts = [(at, phrase) for phrase in _CORRECTIONS if (at := text.lower().rfind(phrase)) >= 0]
    if not starts:
        return None
    at, phrase = max(starts)
    answer = _first_line(text[at + len(phrase) :].lstrip(" :：")).strip().rstrip(".")
    return answer if any(map(str.isdigit, answer)) else None


def unit_at(text: str, start: int) -> tuple[str, int]:
    """The unit, in Latin letters, whose name in another script stands behind a number, and where that ends."""
    begin = start + (text[start : start + 1] == " ")
    for end in range(min(begin + _LONGEST_UNIT, len(text)), begin, -1):
        unit = UNIT_OF.get(text[begin:end])
        if unit and not (text[begin] < "\u3000" and text[end : end + 1].isalpha()):
            return unit, end
    return "", start


def concluded_number(tail: str) -> str | None:
    """The only number of a last sentence in Chinese, Japanese or Korean that concludes, or has no digits."""
    sentence = "" if tail.isascii() else words.sentences(tail)[-1].strip()
    concludes = sentence.startswith(_CONCLUSIONS)
    if not concludes and (
        sentence.isascii() or any(map(str.isdigit, sentence)) or any(map(sentence.__contains__, _OPEN))
    ):
        return None
    bold = sentence.split("**")[1::2] if concludes else []
    return only_number(signs.with_digits(bold[0] if len(bold) == 1 else sentence, signs.language_of(sentence)))


def only_number(text: str) -> str | None:
    """The number in digits of a text; None if it has several, or none."""
    numbers = _NUMBERS.findall(text)
    return numbers[0] if len(numbers) == 1 else None


# -- answers ----------------------------------------------------------------------------------------------------------


@lru_cache(1 << 12)
def in_english(text: str) -> str:
    """`text` with the numerals, counters, units and joining words of other languages in their international form."""
    if (
        text[:1].isdigit() and text[-1:].isalnum() and any(map(str.isalpha, text)) and _DATE_ABROAD.fullmatch(text)
    ):  # 7. Oktober 1949
        text = with_english_dates(text)
    if "{,}" in text or text.count(".") > 1 or ("." in text and "," in text):
        text = _MARKED.sub(_with_point, text)
    if text.isascii() and not (" " in text and "olu" in text):
        return with_english_joins(text)
    bare = " ".join(latex.without_fonts(text).replace("$", "").lower().split()).strip("*。.．!！ ")
    if bare in _MEANINGS:
        return _MEANINGS[bare]
    if text.isascii():
        return with_english_joins(text)
    date = _DATE.fullmatch(bare)
    if date:
        return "-".join(part.zfill(2) for part in date.groups())
    if bare[:1] in _CIRCLED:  # ③번
        return bare[0] if bare[1:] in ("번", "番") else text
    if any(map(bare.__contains__, ("时", "時", "点", "點", "시"))) and (time := times_in_signs.in_figures(bare)):
        return time
    if bare[:2] in ("下午", "上午", "오후", "오전", "午後", "午前") and (time := times_in_signs.in_figures(bare)):
        return time
    text = units_abroad.with_rates(text.translate(_MARKS).rstrip("。．").strip())
    if any(unicodedata.category(char) == "Nd" and char > "z" for char in text):  # Arabic, Devanagari and other digits
        text = "".join(str(unicodedata.digit(char)) if unicodedata.category(char) == "Nd" else char for char in text)
    text = _INTRODUCTION.sub("", text, count=1) if _INTRODUCTION.match(text) else text
    thing = _COUNTED_THING.fullmatch(text)
    if thing and _NO_THING.isdisjoint(text[thing.end("count") + 1 :]):
        return thing["count"]
    text = _COUNTED.sub(_with_international_name, with_english_joins(text))
    figures = text.partition("\\text")[0].removesuffix("$")
    multiplied = signs.number_of(figures.strip()) if figures[:1].isdigit() or figures[:1] == "-" else None
    text = text if multiplied is None else number.written(multiplied) + text[len(figures) :]
    counted = _FOREIGN_NOUN.fullmatch(text.replace("*", "").strip())
    if counted and not any(map(counted[2].__contains__, _NO_NOUN)) and counted[2] not in UNIT_OF:
        return counted[1]
    counted = _ACCENTED_NOUN.fullmatch(text.replace("*", "").strip())
    noun = counted[2].lower() if counted else ""
    if counted and noun.isalpha() and not noun.startswith(_NO_COUNTED) and (noun,) not in units_abroad.units():
        return counted[1]
    bare = " ".join(latex.without_fonts(text).replace("$", "").split())
    value = in_latex(bare)
    if value is None and "\\text" in text and not _APART.search(bare):  # 3\\text{万}
        value = in_latex(bare.replace(" ", ""))
    return text if value is None else value


def with_english_joins(text: str) -> str:
    """`text` with "and" and "or" for the words of other languages between numbers, formulas and equations."""
    if text.isascii() and not any(map(text.__contains__, (" et ", " und ", " y ", " e ", " en ", " o ", "oder", "ou"))):
        return text
    text = _SET_JOIN.sub(lambda join: "\\text{ or }" if join["or"] or join["alternative"] else "\\text{ and }", text)
    return _JOIN.sub(lambda join: " and " if join["alternative"] is None else " or ", text)


def _with_point(number: re.Match[str]) -> str:
    """1.000.000 and 1{,}234 are grouped; 2{,}5, 0{,}125, 1.234,5 and 1.234{,}5 have a decimal comma."""
    whole, comma, places = number.group("whole", "comma", "places")
    if comma is None:
        return whole.replace(".", "") if whole.count(".") > 1 else whole
    if "." not in whole and (comma == "," or (len(places) == 3 and whole != "0")):
        return f"{whole},{places}"
    return f"{whole.replace('.', '')}.{places}"


def _with_international_name(counted: re.Match[str]) -> str:
    name = _NAMES[counted["name"]]
    if name and "{" in counted["open"]:
        return f"{counted['open']}{name}{counted['close']}"
    if name:
        return f"{counted['open'].rstrip()}\\text{{ {name}}}{counted['close']}"
    return "$" if "$" in counted["open"] + counted["close"] and counted.string.count("$") % 2 == 0 else ""


def in_latex(text: str) -> str | None:
    """An amount in Chinese, Japanese or Korean words in digits: 三十六, 3万, 百分之五十, 三分之一; None for others."""
    value = signs.number_of(text)
    told = str(value) if value is not None and value.denominator == 1 else value and number.written(value)
    told = told or signs.amount_of(text)
    top, over, bottom = (told or "").partition("/")
    return f"\\frac{{{top}}}{{{bottom}}}" if over else told.replace("%", "\\%") if told else None
