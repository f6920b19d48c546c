"""Reads what the last sentence of a response says in words, in any language, from the reference and the question.

What the question already names is given; a name that only the response has is its answer. Yes and no are told by the
first word, or by what becomes of the predicate of the question: "Is f injective?" "Die Funktion ist nicht injektiv."
"""

from __future__ import annotations

from libra_cli.answers.languages import answer_forms, names, terms
from libra_cli.answers.sentences import comparatives, main_claims, ordinals, phrases
from libra_cli.answers.sentences.negation import CLAUSES, DOUBTS, NEGATORS, OPEN, affirmed
from libra_cli.answers.text import vocabulary, words
from libra_cli.answers.values import science, structure
from libra_cli.lazy_pattern import lazy_pattern

_COMPOUND_UNIT = lazy_pattern(
    r"\b[A-Za-z\u03a9]{1,3}(?:[\u00b2\u00b3]|\^?-?\d)?(?:[\u00b7\u22c5/*][A-Za-z\u03a9]{1,3}(?:[\u00b2\u00b3]|\^?-?\d)?)+"
)
"""A product of units, none of which is named alone: kg\u00b7m/s\u00b2."""
_BRACKETS = lazy_pattern(r"[(\uff08][^()\uff08\uff09]*[)\uff09]", one_of=("(", "\uff08"))
_AGAINST = words.table("cannot rule ruled contradicts contradiction fails fail")
"""Words of a sentence that tells of integers which are none of the answer."""
_HEDGES = words.table("far hardly barely nearly almost assumption contradicts contradiction misconception")
"""Words with which "true" is no verdict."""
_FALLS = words.table(
    "decrease decreased decreases decreasing decline declined declines drop dropped drops fall fell falls reduction "
    "reduced reduces loss lost loses"
)
_GOES = words.table("is are was goes went go gone be moves moved")
"""Words before "down" that tell of a decrease."""
_WAYS_TO_CONVERGE = words.table("absolutely uniformly pointwise conditionally")
_CONCLUDES = ("所以", "因此", "故", "从而", "于是", "即", "得", "为", "是", "等于")
_LEAVES_OPEN = (
    *("不", "没", "非", "若", "如果", "当", "时", "其中", "因为", "由", "可能", "取", "或", "约", "检验", "设", "已知"),
)
_BEHIND_REASON = lazy_pattern(
    r"(?:なので|ので|だから|から|ると|せば|れば)、|(?:ると|せば|れば)(?=\d)|(?<=\d)で(?=\d)"
    r"|(?:이므로|므로|니까|(?:하|곱하|더하|빼|나누|풀|구하)(?:하|으)?면)[ ,]+"
)
"""Where a clause ends that tells a reason, or what is calculated."""
_CONDITION_IN_SIGNS = lazy_pattern(r"^\d+[^\d、。]{1,3}(?:では|なら|だと|の場合は?)、?(?=.*\d)")
_OPEN_IN_SIGNS = ("ない", "か", "また", "より", "아니", "않", "또는", "보다")
_OF_INTEGERS = (
    *("mod", "integer", "odd", "even", "ultiple", "divisible", "mid", "Z", "remainder"),
    *("\u6574\u6570", "\u4f59"),
)
"""Marks of references that are sets of integers or families."""
_OF_SEVERAL = ("<", ">", "\\leq", "\\geq", "\\le ", "\\ge ", "\\equiv", "\\cup", "\\infty)", "matrix", "≤", "≥", "≡")
_LIMITS = DOUBTS | {"but", "except", "only", "aber", "mais", "pero", "mas", "ma"}
_KNOWN = {
    "no solution": (
        *("no real solution", "no solution", "aucune solution", "pas de solution", "keine lösung", "keine reelle"),
        *("no tiene solu", "sin solución", "ninguna solución", "nessuna soluzione", "nenhuma solução", "não tem solu"),
        *("нет решений", "не имеет решений", "несовместн", "无解", "無解", "没有解", "解なし", "解はない", "해가 없"),
        *("no hay solu", "não há solu", "geen oplossing", "non ha soluzioni", "لا يوجد حل"),
    ),
    "infinitely many": (
        *("infinitely many", "бесконечно много", "unendlich viele", "une infinité", "infinitas", "infinite soluzioni"),
        *("无穷多", "无数个", "無数", "infinidad", "무수히", "oneindig veel"),
    ),
    "does not exist": (
        *("there is no limit", "has no limit", "limit fails to exist"),
        *("not exist", "doesn't exist", "don't exist", "n'existe", "existiert nicht", "existieren nicht"),
        *("no existe", "non esiste"),
        *(
            "não existe",
            "не существует",
            "не сущест",
            "不存在",
            "存在しない",
            "存在しません",
            "존재하지 않",
            "nie istnieje",
        ),
        *("is undefined", "is not defined", "nicht definiert", "pas défini", "no está definid", "не определен"),
    ),
    "one solution": (
        *("une seule solution", "une solution", "genau eine lösung", "una única solución", "una solución"),
        *("единственное решение", "одно решение", "唯一解", "一个解", "exactly one solution", "a unique solution"),
    ),
}
"""Answers that hold no number, as sentences of many languages say them."""
_NOTHING = {
    "nothing": (
        *("no real number", "no number", "no x ", "no such ", "no value", "no real value", "no real x", "no real root"),
        *("set is empty", "set is \u2205", "the empty set", "be satisfied", "is never satisfied"),
        *("is unsolvable", "is inconsistent", "does not exist"),
        *("has no real", "no roots", "no possible", "no integer", "no positive", "no y ", "no n ", "no k "),
    ),
    "undefined": (
        *("has no inverse", "there is no inverse", "no inverse exists", "not invertible", "is singular", "no limit"),
        *("no such ", "there is no ", "no derivative", "not differentiable", "has no "),
    ),
}
"""Further ways to say the same, which say it only where that is the reference."""
_SOLUTION = lazy_pattern(r"\b[a-z] ?= ?-?\d[\d./]*(?![\w^(])")
_AFFIRMS = words.table("doubt need problem reason wonder longer")
COUNTS = {"no solution": "0", "one solution": "1", "infinitely many": "\\infty"}
"""Those that are the number of something, which may be what is asked for."""
_KNOWN_PHRASES = ("nothing", "infinitely many", "one solution", "undefined")
_CLASS_NOUNS = words.table("number function integer set series sequence matrix statement")
_SHORT = 3
"""Letters of words that are too short to compare."""
_SCOPE = words.table(
    """
    for converse inverse contrapositive negation opposite für umkehrung gegenteil pour réciproque contraire para
    recíproco recíproca contrario contrário per contrario viceversa обратное отрицание для при
    """
)
"""Words by which a sentence speaks of another claim, or of a part of it."""


def without_given(answer: str, reference: str, question: str) -> str:
    """What an answer in words says beside the words of the question, like the reference: the red ball, of which colour?

    The answer itself, where the reference is not told apart so.
    """
    if not phrases.are_asked_for(reference) or any(map(str.isdigit, answer)) or "\\" in answer:
        return answer
    given, wanted, told = (names.tokens(text) for text in (question, reference, answer))
    if "not" in told:
        return answer
    new = [word for word in told if word not in given]
    is_new = not any(word in given for word in wanted)
    return " ".join(new) if is_new and 0 < len(new) == len(wanted) and len(new) < len(told) else answer


def with_sign(answer: str, reference: str, text: str, question: str) -> str:
    """25% as -25%, if the last sentence tells of a decrease of 25%, or a 25% decrease, and a change is asked for.

    It is, if the reference is negative, or the question asks for a change and tells of no decrease.
    """
    is_change = reference.startswith("-") or (
        "change" in question and _FALLS.isdisjoint(words.split(comparatives.last_question(question).lower()))
    )
    if not is_change or answer.startswith("-") or not structure.is_number(answer):
        return answer
    said = last_sentence(text).lower().replace("\\boxed{", "").replace("\\fbox{", "").replace("**", "")
    figure = answer.lower().split("\\")[0].strip()  # without its unit
    before, _, behind = said.partition(figure if figure and answer.lower() not in said else answer.lower())
    *_, fall, preposition = ("", "", *words.split(before))
    goes_down = preposition == "down" and (not fall or fall in _GOES) and not any(map(str.isdigit, behind))
    falls = (fall in _FALLS and preposition in ("of", "by")) or not _FALLS.isdisjoint(words.split(behind)[:1])
    falls = falls or goes_down or (fall, preposition) == ("down", "by")
    return f"-{answer}" if falls else answer


def integers(tail: str, reference: str) -> str | None:
    """The set of integers or the family that the last sentence states; None for another reference, "" if unsure."""
    if not any(map(reference.__contains__, _OF_INTEGERS)):
        return None
    from libra_cli.answers.comparison import families

    found = families.stated(tail, reference)
    heard = {word.lower().replace("\u2019", "'") for word in words.split(last_sentence(tail))} if found else set()
    is_denied = any(word.endswith("n't") for word in heard)
    is_against = is_denied or not heard.isdisjoint(_AGAINST) or {"even", "odd"} <= heard or "divisible by n" in tail
    return "" if is_against else found


def is_of_several(reference: str) -> bool:
    """Whether a reference is an interval, a point, an inequality or a congruence, which no single number can be."""
    is_bracketed = reference.strip(" $")[:1] in ("(", "[") and "," in reference
    return is_bracketed or any(map(reference.__contains__, _OF_SEVERAL))


def concluding_clause(tail: str) -> str | None:
    """The last clause of a Chinese last sentence, if it draws a conclusion and leaves nothing open; else None."""
    if tail.isascii():
        return None
    clauses = _BEHIND_REASON.split(words.sentences(tail)[-1].strip())
    if len(clauses) > 1:
        clauses[-1] = _CONDITION_IN_SIGNS.sub("", clauses[-1])  # 4匹では32本
    if (
        len(clauses) > 1
        and any(map(str.isdigit, clauses[-1]))
        and not any(map(clauses[-1].__contains__, _OPEN_IN_SIGNS))
    ):
        return clauses[-1].replace("\uff0c", ", ")
    last = words.sentences(tail)[-1].strip().rstrip("\u3002\uff01")
    remark = last[last.rfind("\uff08") :] if last.endswith("\uff09") else ""
    last = last if remark.strip("\uff08\uff09") in answer_forms.UNIT_OF else last.removesuffix(remark)
    *before, clause = last.replace("\uff1b", "\uff0c").split("\uff0c")
    is_open = any(map(clause.__contains__, _LEAVES_OPEN)) or not any(map(clause.__contains__, _CONCLUDES))
    return clause.strip() if before and not is_open else None


def last_sentence(text: str, with_brackets: bool = False) -> str:
    """The last sentence of a text, without its brackets unless they are asked for."""
    last = words.sentences(text)[-1]
    return last.strip() if with_brackets else _BRACKETS.sub("", last).strip()


def is_doubted(text: str) -> bool:
    """Whether the last sentence leaves its answer open."""
    return not DOUBTS.isdisjoint(word.lower() for word in words.split(last_sentence(text)))


def known(text: str, reference: str) -> str | None:
    """What the last sentence says of the number of solutions, if the reference does: no solution, infinitely many."""
    meaning = words.phrase(_BRACKETS.sub("", answer_forms.in_english(reference)).strip())
    found = counted(text) if meaning in _KNOWN_PHRASES else None
    if found is None and meaning in _NOTHING and not is_doubted(text):
        sentence = f"{phrases.main_clause(last_sentence(text, with_brackets=True)).lower().rstrip('.! ')} "
        heard = words.split(sentence)
        is_said = any(_begins_word(sentence, one) for one in _NOTHING[meaning])
        is_denied = "be satisfied" in sentence and NEGATORS.isdisjoint(heard)
        return reference if is_said and not is_denied and _AFFIRMS.isdisjoint(heard) else None
    return reference if found and words.phrase(found) == meaning else found


def counted(text: str) -> str | None:
    """What the last sentence says of the number of solutions, or that something does not exist; None if neither."""
    sentence = last_sentence(text).lower()
    if words.phrase(sentence.rstrip(". ")) == "nothing":
        return "no solution"
    found = {meaning for meaning, phrases in _KNOWN.items() if any(_begins_word(sentence, one) for one in phrases)}
    return found.pop() if len(found) == 1 and DOUBTS.isdisjoint(words.split(sentence)) else None


def solutions(sentence: str) -> str | None:
    """The values of a letter that a sentence gives and neither denies nor doubts: x = 1 and x = -1; None if none."""
    heard = {word.lower() for word in words.split(sentence)}
    if not (OPEN | _AGAINST | {"but", "extraneous", "impossible", "however"}).isdisjoint(heard):
        return None
    found = _SOLUTION.findall(sentence)
    return " and ".join(found) if len(found) > 1 else None


def _begins_word(sentence: str, phrase: str) -> bool:
    at = sentence.find(phrase)
    return at >= 0 and not (phrase[0] < "\u0400" and sentence[at - 1 : at].isalpha())


def term(text: str, reference: str, question: str | None = None) -> str | None:
    """The term of the class of the reference that the last sentence says for certain: diverges, odd, an ellipse."""
    sentence = affirmed(phrases.without_reason(phrases.main_clause(last_sentence(text, with_brackets=True))))
    named = science.said(_COMPOUND_UNIT.sub("", sentence), reference, question, OPEN)
    if named == "" and question and (claim := main_claims.of_sentence(sentence, question)) != sentence:
        named = science.said(claim, reference, question, OPEN)  # metaphase, just before anaphase
    if named is not None:
        return named or None
    if terms.complement(reference) in ("True", "False"):  # a claim, of which `either` reads more
        return None
    parts = phrases.main_clause(last_sentence(text)).split(";")
    if len(parts) > 1 and question:  # what has most words of the question comes first: June is winter
        given = set(names.tokens(question))
        parts.sort(key=lambda part: len(given.intersection(names.tokens(part))))
    for part in reversed(parts):
        sentence = affirmed(phrases.without_reason(part))
        found = terms.said(sentence, reference, OPEN)
        if found is not None:
            return found
        if not is_doubted(sentence) and NEGATORS.isdisjoint(map(str.lower, words.split(sentence))):
            found = ordinals.stated(sentence, reference)
        if found is not None:
            return found
    return None


def is_given(text: str, question: str) -> bool:
    """Whether a question has all the words of a text: the process."""
    return set(names.tokens(text)) <= set(names.tokens(question))


def is_hedged(text: str, reference: str) -> bool:
    """Whether the last sentence tells of something true, or denies one way to converge, and is no verdict by that."""
    heard = {word.lower() for word in words.split(last_sentence(text))}
    denies_a_way = not heard.isdisjoint(_WAYS_TO_CONVERGE) and not heard.isdisjoint(vocabulary.DENIES)
    return denies_a_way or (phrases.is_verdict(reference) and not heard.isdisjoint(_HEDGES))


def either(text: str, reference: str) -> str | None:
    """Which of two terms that exclude each other all clauses of the last sentence say: true or false, with "not"."""
    other = terms.complement(reference)
    if other is None or is_doubted(text):
        return None
    found = set[str]()
    for clause in CLAUSES.split(phrases.main_clause(last_sentence(text))):
        said = terms.said(clause, reference, _LIMITS | _SCOPE) if clause else None
        negated = sum(word.lower() in NEGATORS and word.lower() != "ne" for word in words.split(clause or ""))
        if negated > 1:
            return None
        if said is not None:
            found.add(said if not negated else terms.complement(said) or said)
    return found.pop() if len(found) == 1 else None


def verdict(text: str, question: str | None) -> str | None:
    """Yes or No, as the first word of the text says, or its last sentence of the predicate of the question."""
    text = text.replace("\uff0c", ", ").replace("\u3002", ". ")
    heard = [word for word in text.replace("**", "").split()[:2] if word not in ("-", "\u2013")]
    first = heard[0].strip(".,:;!\u2013\u2014\u3002\uff0c*") if heard else ""
    is_apart = len(heard) < 2 or heard[0] != first or text[len(first) :].lstrip().startswith(("\u2013", "\u2014", "-"))
    meaning = answer_forms.in_english(first) if is_apart else ""
    if words.phrase(meaning) in ("yes", "no") and _LIMITS.isdisjoint(_start(text)):
        return "Yes" if words.phrase(meaning) == "yes" else "No"
    if not question or not question.rstrip().endswith(("?", "\uff1f")):
        return None
    asked = [word.lower() for word in words.split(_BRACKETS.sub("", question))]
    concluded = phrases.main_clause(last_sentence(text))
    if asked[-1:] and asked[-1] in _CLASS_NOUNS:
        asked = asked[:-1]
    of_class = term(text, asked[-1]) if asked and DOUBTS.isdisjoint(asked) and NEGATORS.isdisjoint(asked) else None
    agrees = terms.same(asked[-1], of_class) if of_class else None
    if agrees is not None:  # Is 91 prime? It is composite.
        return "Yes" if agrees else "No"
    sentence = CLAUSES.split(concluded)[0]
    if not asked or not DOUBTS.isdisjoint(asked):
        return None
    spoken = [word.lower() for word in words.split(concluded)]
    if not DOUBTS.isdisjoint(spoken) or not all(_agree(word, spoken) for word in _predicate(question, asked[-1])):
        return None
    negated = [word for word in spoken if word in NEGATORS or word.endswith("n't")]
    is_near = bool(negated) and _agree(asked[-1], [word.lower() for word in words.split(sentence)])
    return "Yes" if not negated else "No" if is_near and len(negated) == 1 else None


def _predicate(question: str, last: str) -> list[str]:
    """The last word of a question; of a noun with an article all its words: a leap year."""
    asked = question.lower().split()
    at = max((index for index, word in enumerate(asked) if word in ("a", "an")), default=0)
    noun = [word for word in words.split(" ".join(asked[at + 1 :])) if len(word) > _SHORT] if at > 1 else []
    return noun or [last]


def _start(text: str) -> list[str]:
    """The words of the first two clauses of a text."""
    clauses = [clause for clause in CLAUSES.split(text.lower()) if clause.strip()]
    return words.split(" ".join(clauses[:2]))


def _agree(predicate: str, spoken: list[str]) -> bool:
    """Whether the predicate of a question stands in a sentence, in whatever ending or neighbouring language."""
    stem = predicate[: max(5, len(predicate) - 3)]
    kept = 4 if len(predicate) > 6 else len(stem)
    near = (word for word in spoken if abs(len(word) - len(predicate)) < 4)
    return len(predicate) > 3 and any(word[:kept] == stem[:kept] for word in near)
