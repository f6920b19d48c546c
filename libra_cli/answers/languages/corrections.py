"""Reads how other languages take an answer back: Non, erreur de calcul : c'est 10; いや、計算ミスでした。10です."""

from __future__ import annotations

from libra_cli.answers.languages import answer_forms
from libra_cli.lazy_pattern import lazy_pattern

_START = (
    r"(?:^[\s$.*)\]\u2014\u2013,;:-]{0,6}|[.!?。！？\n][\s$.*)\]]{0,6})(?:(?:oh|ah|mais|aber|pero|ma|mas|но|maar),? )?"
)
_NO = (
    "non|nein|no|não|нет|nee|nie|nej|anzi|doch nicht|stop|halt|attends|espera|aspetta|стоп|moment|pardon|désolé|désolée"
    "|perdon|perdón|perdona|lo siento|scusa|scusate|desculpa|desculpe|entschuldigung|sorry|извините|простите"
)
_NO_IN_SIGNS = "不对|不對|不，|等等|等一下|いや|いえ|違う|違います|待って|아니|잠깐|아,"
_ERROR = r"(?:petite |simple |un |um |pequeño |pequeno |ein )?(?:erreur|faute|error|erro|errore|fehler|ошибка|błąd|fel)"
_MISTAKE = (
    rf"(?:{_ERROR} (?:de|di|im|bei|dans|en|no|na|nel|w|в|i) (?:[a-z]{{2,5}} )?(?:calc|c[áa]lc|sign|signo|segno|sinal"
    r"|вычисл|знак|расч|obliczen|rechn)[^.:!?,;\s]{0,12}|(?:rechen|vorzeichen|tipp)fehler|rekenfout|foutje|опечатка"
    r"|pomyłka|räknefel)"
)
_I_ERRED = (
    r"(?:je me suis tromp|j['\u2019]ai fait une (?:erreur|faute)|me he equivocado|me equivoqu|cometí un error"
    r"|mi sono sbagliat|ho sbagliato|ho fatto un errore|errei|me enganei|cometi um erro|ich habe mich (?:verrechnet"
    r"|geirrt|vertan)|я ошиб|ik heb me (?:vergist|verrekend))[^.:!?,;\n]{0,30}"
)
_WRONG = (
    r"(?:(?:das|dies) (?:stimmt|war) (?:so )?nicht(?: richtig)?|das (?:ist|war) (?:falsch|ein fehler)"
    r"|c['\u2019]est faux|ce n['\u2019]est pas (?:juste|correct|exact)|(?:eso|esto) (?:no es correcto|está mal)"
    r"|(?:è|questo è) sbagliato|non è (?:corretto|giusto)|(?:isso )?(?:está|é) errado|(?:isso )?não está certo"
    r"|dat klopt niet|это (?:неверно|неправильно)|to nieprawda|det stämmer inte)"
)
_MISTAKE_IN_SIGNS = (
    r"(?:(?:我|刚才|刚刚|剛才|上面|前面|之前){0,2}(?:[算弄搞看写]错了?|(?:计算|符号)?(?:错误|有误|出错了?|失误))"
    r"|(?:計算|符号)?(?:ミス|間違い|間違え|誤り)(?:でした|です|ました|ていました|をしました|がありました)?"
    r"|(?:계산 ?)?(?:에서|을|이)? ?(?:실수|착오|잘못|틀렸)\w{0,6}(?: ?있었\w{0,3}| ?했\w{0,3})?)"
)
_TAKEN_BACK = lazy_pattern(
    rf"(?i:{_START}(?:(?:{_NO})[,.:;!\u2014\u2013-]{{1,2}} ?(?:{_ERROR}|{_MISTAKE}|{_I_ERRED}|{_WRONG})"
    rf"|{_MISTAKE}|{_I_ERRED}|{_WRONG}))(?=\s?[.:!,;\u2014\u2013]|\s*$)"
    rf"|{_START}(?:(?:{_NO_IN_SIGNS})[，、,. ]{{0,2}})?{_MISTAKE_IN_SIGNS}(?=[，,。、.:：！!;；\s]|$)",
    one_of=(
        *("faute", "erreur", "erro", "fehler", "ошибка", "błąd", "fel", "fout", "опечатка", "pomyłka", "tromp"),
        *("equivo", "sbagli", "errei", "engan", "ich habe mich", "я ошиб", "ik heb me", "nicht", "falsch", "faux"),
        *("est pas ", "no es correcto", "está mal", "non è ", "errado", "está certo", "klopt niet", "это не"),
        *("nieprawda", "stämmer", "错", "有误", "失误", "ミス", "間違", "誤り", "실수", "착오", "잘못", "틀렸"),
    ),
)
_LABEL = (
    "korrektur|berichtigung|correction|rectification|correccion|corrección|correzione|correção|correctie|исправление"
    "|поправка|точнее|вернее|korekta|rättelse"
)
_LABEL_IN_SIGNS = "更正|订正|訂正|修正|纠正|정정"
_DOUBT = lazy_pattern(
    rf"(?i:{_START}(?:{_LABEL})\s?[:,\u2014\u2013-] ?)|{_START}(?:{_LABEL_IN_SIGNS})[:：,，、은는] ?"
    rf"|(?i:{_START}(?:{_NO})[,:;!\u2014\u2013-]{{1,2}} ?)|{_START}(?:{_NO_IN_SIGNS})[，、,. ]{{0,2}}",
    one_of=(
        *"|".join((_LABEL, _LABEL_IN_SIGNS, _NO, _NO_IN_SIGNS)).replace("|no|", "|").split("|"),
        *(f"no{mark}" for mark in ",:;!\u2014\u2013-"),
    ),
)
_STATED = lazy_pattern(
    r"(?i:(?:c['\u2019]est|ce sont|en fait|plutôt|eigentlich|vielmehr|en realidad|in realtà|na verdade|es (?:ist|sind)"
    r"|es|son|è|sono|é|são|это|het is|to|det är|(?:la )?(?:bonne )?réponse est"
    r"|richtig (?:ist|sind|wäre)|la bonne valeur est|правильно|верно|lo correcto es),? )?"
    r"\$?(?P<value>[-\u2212]?\d[\d.,/]*(?<=\d)|[^$]{1,40}(?=\$))\$?[.!]?\s*$"
    r"|(?:应该是|應該是|应为|是|正しくは|答えは)?\s?\$?(?P<signs>-?\d[\d.,/]*(?<=\d))\$?\s?"
    r"(?:です|입니다|이다|이에요)?[。.！!]?\s*$"
)
_CORRECT = lazy_pattern(
    r"(?<!\w)(?<!nicht )(?<!pas )(?<!no )(?<!non )(?<!не )"
    r"(?:(?i:(?:richtig|korrekt) (?:ist|sind|wäre)|die (?:richtige|korrekte) (?:antwort|lösung|zahl) (?:ist|lautet)"
    r"|(?:le )?(?:bon résultat|résultat correct) est|la bonne (?:valeur|réponse) est"
    r"|lo correcto es|(?:la respuesta|el valor) correct[ao] es|il (?:valore|risultato) (?:corretto|giusto) è"
    r"|la (?:risposta|soluzione) (?:corretta|giusta) è|[oa] (?:valor|resultado|resposta) corret[oa] é"
    r"|правильный ответ|правильно)(?:,? (?:also|daher|damit|donc|entonces|quindi|portanto|значит))?:?"
    r"|(?:正确|正確)(?:的)?答案(?:应该|應該)?[是为為]|正しい(?:答え|値)?は|정답은)"
    r" ?\$?(?P<value>[-\u2212]?\d[\d.,/]*(?<=\d)|[A-J](?=[.!。]?\s*$)|[^$]{1,40}(?=\$))\$?[.!。]?\s*"
    r"(?:です|입니다)?[.。]?$"
)
"""The sentence that ends a text and says which value is the right one."""
_VALUES = lazy_pattern(r"\$[^$]{1,60}\$|(?<![A-Za-z0-9.,])[-\u2212]?\d[\d.,/]*(?<=\d)")


def replaced(after: str) -> str | None:
    """The value that a text behind an answer puts in its place; "" if it only takes it back, None if it does not."""
    taken_back = [*_TAKEN_BACK.finditer(after)]
    if taken_back:
        rest = after[taken_back[-1].end() :]
        stated = answer_forms.stated_answer(rest) or answer_forms.restated(rest)
        found = {value.strip("$ ") for value in _VALUES.findall(rest)}
        return found.pop() if len(found) == 1 else stated or ""
    for doubt in _DOUBT.finditer(after):
        said = _STATED.match(after, doubt.end())
        if said:
            return (said["value"] or said["signs"]).strip()
        if correct := _CORRECT.search(after, doubt.end()):
            return correct["value"].strip()
    return None
