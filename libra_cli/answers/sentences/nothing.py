"""Reads zero that a sentence says by denial: "She has no apples left", "None of them are left"."""

from __future__ import annotations

from itertools import pairwise

from libra_cli.answers.languages import numerals
from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

_VERBS = words.table("has have had is are was were be remain remains remained gets get got leaves leaving left")
_LIMITS = words.table(
    """
    but except only unless if or maybe perhaps possibly probably other than less fewer longer when until while yet
    one two three half some doubt way idea reason need problem matter sense change difference effect
    """
)
"""Words by which a sentence denies something else, or not all of it."""
_NOBODY = words.table("nobody none nothing zero")
_FINDS = words.table("found sold made bought lost won saw ate gave kept spent")
_THEN = words.table("so thus hence therefore then and")
_ENGLISH = words.table("the he she they we you it of his her their this that")
_AUXILIARIES = ("is", "are", "was", "were", "do", "does", "did")
_OF_NOW = words.table("isn't aren't wasn't weren't")
_NOT_ANY = words.table("isn't aren't wasn't weren't doesn't don't didn't hasn't haven't hadn't not never cannot can't")
_COUNTING = (
    *(" many ", " much ", "number of", "how many", "how much", "count "),
    *(
        "wie viel",
        "wieviel",
        "combien",
        "cuánt",
        "quant",
        "сколько",
        "ile ",
        "ilu ",
        "hoeveel",
        "hur många",
        "hur mycket",
    ),
    *(
        "kaç",
        "anzahl",
        "nombre de",
        "número de",
        "numero di",
        "多少",
        "几",
        "幾",
        "いくつ",
        "いくら",
        "何",
        "몇",
        "얼마",
    ),
)
_REASONED = lazy_pattern(
    r"(?:(?i:since|because|as) [^,]{1,120},(?P<behind>[^,]{1,80})"
    r"|(?P<before>[^,]{1,80}?)(?:,? (?:because|since|as) .{1,200})?)[.!]?"
)
_SO_NONE = lazy_pattern(
    r"(?:^|[,;:] (?:and )?|\u2192 ?)(?i:so|hence|thus|therefore|meaning),? (?:that )?"
    r"(?:the answer is |we have |we get )?"
    r"(?:(?:there (?:are|is) )?(?:none|not (?:even )?(?:a single )?(?:one|any))(?: (?:are|is) left| at all| of them)?"
    r"|there (?:aren['\u2019]t|isn['\u2019]t) (?:any|one)"
    r"|(?:it|this|he|she|they|we|you|the [a-z]{3,12}) (?:ha(?:s|ve|d)|gets?|got|finds?|found|keeps?) none(?: left)?"
    r")[.!]?$",
    one_of=("none", "not ", "there aren", "there isn"),
)
"""A last clause that concludes that there is none: so none."""
_DENIALS = words.table(
    """
    kein keine keinen keiner keines keinem nichts niemand aucun aucune rien personne ningún ninguna ninguno nada nadie
    nessun nessuna nessuno niente nulla nenhum nenhuma ninguém нет ничего никто żaden żadna żadne żadnej żadnego nic
    nikt geen niets niemand ingen inga inget ingenting yok
    """
)
"""Words for none in other languages; a second one in a sentence only says it again, but for two in German."""
_NEGATORS = words.table("ne n no non não nao не ni ни nie nicht")
_REMAIN = words.table(
    """
    reste restent queda quedan quedó quedaron hay resta restano rimane rimangono sobra sobram sobrou sobraram осталось
    остается остаётся остался остались было zostało zostaje ma został pozostało
    """
)
_LIMITS_ABROAD = words.table(
    """
    aber sondern außer nur wenn oder fast kaum weniger mindestens höchstens mais sauf seulement ou moins que
    presque pero sino salvo solo sólo menos casi si ma tranne soltanto meno quasi se mas exceto apenas но кроме только
    или почти если меньше ale oprócz tylko lub prawie jeśli mniej maar behalve alleen of bijna als men utom bara eller
    nästan ama ancak sadece molti molte muchos muchas muitos
    muitas viele vielen beaucoup много wiele veel många tutti tutte todos todas tous toutes все alle alla zweifel
    problem doute duda dubbio dúvida
    """
)
_IN_SIGNS = (
    "没有剩",
    "没剩",
    "都没有了",
    "没有了",
    "不剩",
    "无人",
    "没有人",
    "残っていません",
    "残っていない",
    "ありません",
    "いません",
    "없습니다",
    "없다",
    "없어요",
    "남지 않았",
)
_LIMITS_IN_SIGNS = (
    "但",
    "除",
    "只",
    "以外",
    "しか",
    "が、",
    "けど",
    "지만",
    "외에",
    "만 ",
    "問題",
    "问题",
    "以上",
    "より",
    "比",
    "보다",
)


def asks_how_many(question: str) -> bool:
    """Whether a question asks for a count or an amount."""
    return any(map(question.lower().replace("infinitely many", "").__contains__, _COUNTING))


def is_said(sentence: str) -> bool:
    """Whether a sentence says that there is none of something, and nothing else."""
    if any(map(str.isdigit, sentence)):
        return False
    lowered = sentence.lower().replace("\u2019", "'").replace("no one", "nobody").replace("n't any more", "n't any")
    for verb in _AUXILIARIES:
        lowered = lowered.replace(f"{verb} not ", f"{verb}n't ") if " not " in lowered else lowered
    heard = words.split(lowered)
    while heard[:1] and heard[0] in _THEN:
        del heard[0]
    if not heard:
        return False
    if not sentence.isascii() and any("\u3040" <= char < "\ud7b0" for char in sentence):
        return _is_said_in_signs(sentence)
    may_deny = not _DENIALS.isdisjoint(heard) or not (_NEGATORS - {"no"}).isdisjoint(heard) or heard[0] == "no"
    if may_deny and _is_said_abroad(heard):
        return True
    if not _LIMITS.isdisjoint(heard) or ("more" in heard and "any" not in heard):
        return False
    denied = [at for at, word in enumerate(heard) if word in _NOT_ANY or word.endswith("n't")]
    if denied:
        if heard[denied[0]] not in _OF_NOW and not heard[denied[0]].startswith(("do", "di")):  # he has not read any
            return False
        is_none = "any" in heard[denied[0] :] or "anything" in heard or "anyone" in heard or "anybody" in heard
        return is_none and len(denied) == 1 and _NOBODY.isdisjoint(heard) and "no" not in heard and "many" not in heard
    if heard.count("no") + heard.count("none") + heard.count("nothing") + heard.count("nobody") != 1:
        return False
    if heard[0] in ("none", "nobody", "nothing"):
        return len(heard) > 1
    if heard[0] == "no":
        return len(heard) > 2
    is_english = not _ENGLISH.isdisjoint(heard)
    return any(
        (verb in _VERBS or (is_english and verb.endswith(("s", "ed"))) or word == "nothing" or verb in _FINDS)
        and (word == "no" or word in _NOBODY)
        for verb, word in pairwise(heard)
    )


def is_concluded(sentence: str) -> bool:
    """Whether a sentence says beside a reason that there is none of something: There are none, since ..."""
    if _SO_NONE.search(sentence):
        return True
    match = _REASONED.fullmatch(sentence.strip())
    if match is None:
        return False
    said = (match["behind"] or match["before"]).strip(" ,.!")
    return said.lower() in ("none", "there isn't one", "there is none") or is_said(said)


def _is_said_abroad(heard: list[str]) -> bool:
    """The same of a sentence in another European language: Es sind keine Kekse übrig, Не осталось печенья."""
    if not _LIMITS_ABROAD.isdisjoint(heard):
        return False
    others = (word for word in heard if word not in _NEGATORS and word not in _DENIALS)
    if heard[0] == "нет" or any((numerals.spelled_number(word) or 0) > 1 for word in others):
        return False
    denials = [word for word in heard if word in _DENIALS]
    negators = [word for word in heard if word in _NEGATORS]
    if "nicht" in negators or len(denials) > 1 or len(negators) > 1 + ("ни" in negators):
        return False
    if denials:
        return True
    follows = [word for one, word in pairwise(heard) if one in _NEGATORS]
    is_no_more = ("ne" in heard or "n" in heard) and "plus" in heard
    return is_no_more or any(word in _REMAIN for word in follows)


def _is_said_in_signs(sentence: str) -> bool:
    """The same of a sentence in Chinese, Japanese or Korean: 没有剩下饼干, 残っていません."""
    if any(map(sentence.__contains__, _LIMITS_IN_SIGNS)):
        return False
    return any(map(sentence.__contains__, _IN_SIGNS)) or ("也没" in sentence and "一" in sentence)
