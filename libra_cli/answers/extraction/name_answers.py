"""Reads with which name the last sentence of a response answers: who, which, where.

What the question already names is given; a name that only the response has is its answer. Of two whom the question
names, a comparison says which one it is: "Ben has more than Ann".
"""

from __future__ import annotations

import re

from libra_cli.answers.extraction import asked
from libra_cli.answers.languages import names
from libra_cli.answers.sentences import alternatives, comparatives, main_claims, negation, phrases
from libra_cli.answers.sentences.negation import CLAUSES, DOUBTS, NEGATORS, OPEN
from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

_COPULAS = lazy_pattern(r"\b(?:is|are|was|were|be|est|sont|ist|sind|es|son|è|sono|é|são|это|является)\s")

_OPENERS = words.table(
    """
    so therefore hence thus then the a an it he she they this that these those in on at by for among of and but as
    i we while whereas although though when if unlike despite not only both many most some
    consequently finally after before since because with from to its his her their there la le les el los las
    il lo der die das donc also daher por portanto quindi dunque damit somit итак значит поэтому ближайшая
    """
)
_DENIALS = ("不", "没", "非", "未", "无", "ではない", "じゃない", "ではありません", "아니")
_DOUBTS_IN_SIGNS = ("或", "还是", "可能", "如果", "若", "または", "もし", "かもしれ")
_DEMONYM = ("ish", "ese", "ian", "can", "man", "nch", "tch")
_COMPARATIVES = """
    more less fewer; taller shorter; older younger; larger smaller; bigger smaller; greater smaller less; higher lower;
    faster slower; heavier lighter; longer shorter; richer poorer; earlier later; sooner later; closer farther further;
    nearer farther further; better worse; hotter colder cooler; warmer colder cooler; stronger weaker; wider narrower;
    deeper shallower; cheaper dearer; brighter dimmer; thicker thinner
"""
_RELATIONS = {
    pair: word == one
    for one, *others in map(str.split, _COMPARATIVES.split(";"))
    for word in (one, *others)
    for pair in ((one, word), (word, one), (word, word))
}
"""Whether two comparatives say the same or the opposite."""
_EMPTY = words.table("is are was it this that they he she by as so use uses used called named known thus henc theref")
"""Words of a sentence, or their first letters, that name nothing."""
_JOINS = words.table(
    "and with than but before after both opposite above below beside opposes opposed rejects unlike as"
)
_STEM, _FEW = 5, 2
_STEM_OF_VERB = 3
_PLAIN_VERBS = words.table("is are was were has had have")
_SUPERLATIVES = words.table("most least fewest best worst")
_CONDITION = lazy_pattern(r",? (?:if|when|given|because|since)\b")
_ARTICLE = lazy_pattern(
    r"^(?i:(?:le|la|les|un|une|du|der|die|das|ein|eine|el|los|las|una|il|lo|gli|o|os|um|uma) |l['\u2019])"
)
_AND = lazy_pattern(r",? (?:et|und|y|e|en|и|i|and) ")
_PARTICLES = ("", "da", "de", "do", "dos", "di", "del", "della", "von", "van", "der", "van der", "la", "le")
"""What may stand between the parts of a name: Vasco da Gama."""
_PLACES = words.table("in at on of near from during under")
_FAR = 4
"""Words between a comparative and its "than"."""
_SUBJECT = lazy_pattern(r"([^\sはがをにの、]{1,12})が[^、。はが]{2,24}(?:です|である|だ)[。.]?$")
"""京都が首都です."""
_LONGEST_NAME = 8
_WHO = lazy_pattern(
    r"\u8c01|\u8ab0\u304c|\u54ea(?:\u4f4d|\u4e2a\u4eba|\u4e00\u4f4d|\u4e2a\u56fd\u5bb6|\u4e2a\u57ce\u5e02|\u79cd|\u4e2a)"
)
_ACTING = lazy_pattern(
    r"(?:^|[\uff0c,\uff1b])(?P<name>[^\uff0c,\uff1b\u662f]{1,8})(?:\u662f|\u5c31\u662f)(?P<rest>[^\uff0c,\uff1b]{2,24})$"
)
_BY = lazy_pattern(
    r"\u7531(?P<name>[^\u7531\uff0c,]{2,8}?)(?P<rest>)(?:\u9996\u5148|\u7387\u5148|\u6240)?"
    r"(?:\u63d0\u51fa|\u53d1\u660e|\u53d1\u73b0|\u521b\u4f5c|\u521b\u7acb|\u5efa\u7acb|\u8bbe\u8ba1|\u5199|\u753b|\u5efa)"
)
_PARTICLE = lazy_pattern(
    r"(?:특별시|광역시|시)?(?:이다|입니다|이에요|예요|이라고|라고|으로|다|을|를|이|가)?(?![\uac00-\ud7a3])"
)
_LAST_IN_HANGUL = lazy_pattern(r"(?:은|는) (?P<word>[\uac00-\ud7a3]{1,10}?)(?:이다|입니다|이에요|예요)[.!]?$")
_COPULA = lazy_pattern(
    r"(?:\u662f|\u4e3a|\u70ba|\u306f)([\u3040-\u9fff]{1,12}?)"
    r"(?:\u3067\u3059|\u3067\u3042\u308b|\u3060|\u3067\u3042\u308a\u307e\u3059)?(?=[\uff0c,\uff1b\u3002.(\uff08]|$)"
)


def name(text: str, reference: str, question: str | None) -> str | None:
    """The name with which the last sentence answers: the reference or another one; None if that is not certain."""
    sentence = phrases.in_full(phrases.main_clause(asked.last_sentence(text)))
    if names.is_in_signs(reference):
        return _in_signs(sentence, reference, question or "")
    if "\uac00" <= reference[0] <= "\ud7a3":
        return _in_hangul(sentence, reference, question or "")
    if not names.is_name(reference) or len(sentence) > 400:
        return None
    sentence = sentence.partition(" than any other")[0]
    if question and " than " in sentence:
        return _compared(sentence, question)
    if question and "," not in reference and (claim := main_claims.of_sentence(sentence, question)) != sentence:
        text, sentence = text.replace(asked.last_sentence(text), claim), claim
    wanted, given = names.tokens(reference), set(names.tokens(question or ""))
    clauses = [clause for clause in CLAUSES.split(sentence) if clause and clause.strip()]
    heard = [word.lower() for word in words.split(sentence)]
    if not DOUBTS.isdisjoint(heard) or "one of" in sentence:
        return None
    kept = [clause for clause in clauses if NEGATORS.isdisjoint(word.lower() for word in words.split(clause))]
    if ", " in reference and any(reference.replace(", ", " in ") in clause for clause in kept):
        return reference
    cut = [_COPULAS.split(clause) for clause in kept]
    said = [(parts[-1].strip(' .*_"'), len(parts) == 2) for parts in cut if len(parts) < 3]
    new_subjects = [
        parts[0] for parts in cut if names.is_name(parts[0]) and not given.issuperset(names.tokens(parts[0]))
    ]
    whole = [
        part
        for part, is_said in said
        if names.tokens(part) == wanted
        or (is_said and names.is_name(part) and not (new_subjects and given.issuperset(names.tokens(part))))
    ]
    if len(whole) == 1:
        return whole[0]
    groups = [group for clause in kept for group in _groups(clause) if words.number(group.lower()) is None]
    new = [group for group in groups if not given.issuperset(names.tokens(group))] if question else groups
    found = [group for group in groups if words.stand_in(wanted, names.tokens(group))]
    others = [group for group in new if group not in found]
    if found or others:
        acting = [group for group in others if not _is_circumstance(group, sentence)]
        is_acting = found and (sentence.startswith(found[-1]) or f"by {found[-1]}" in sentence)
        others = acting if is_acting or (acting and sentence.startswith(acting[0])) else others
    if found and not others:
        return reference if names.is_name_in_any_case(reference) else found[-1]
    is_one = not found and given.issuperset(wanted) and len(set(groups)) == 1 and not new
    if is_one and sentence.startswith(groups[0]):  # of those whom the question names
        return None if alternatives.is_turned(sentence, question or "") else groups[0]
    if not found and question and len(others) == 1 and not words.stand_in(wanted, names.tokens(text)):
        return others[0]
    return None


def _is_circumstance(name: str, sentence: str) -> bool:
    """Whether a name only tells where something is, or in what: in London, of the Royal Society."""
    at = sentence.find(name)
    before = [word.lower() for word in words.split(sentence[:at])[-2:]]
    return (before[-1:] != ["the"] and not _PLACES.isdisjoint(before[-1:])) or (
        before[-1:] == ["the"] and not _PLACES.isdisjoint(before[:1])
    )


def in_sentence(text: str, reference: str, question: str) -> str | None:
    """A reference in small letters as the last sentence names it: "It is unwound by helicase"; None if unsure.

    Beside it, the sentence has hardly a word that the question does not have.
    """
    sentence = negation.affirmed(phrases.without_reason(phrases.main_clause(asked.last_sentence(text))))
    heard, wanted, given = (names.tokens(one) for one in (sentence, reference, question))
    is_doubted = not (OPEN | _JOINS).isdisjoint(word.lower() for word in words.split(sentence))
    if is_doubted or not words.stand_in(wanted, heard) or set(wanted) <= set(given):
        return None
    at = next(at for at in range(len(heard)) if heard[at : at + len(wanted)] == wanted)
    stems = {word[:_STEM] for word in given} | _EMPTY
    new_before = [word for word in heard[:at] if word[:_STEM] not in stems]
    new_behind = [word for word in heard[at + len(wanted) :] if word[:_STEM] not in stems]
    begins = not new_before and len(new_behind) <= _FEW
    ends = not new_behind and len(new_before) < _FEW and at > 0
    return reference if begins or ends else None


def among_given(sentence: str, reference: str, question: str) -> str | None:
    """The reference, if all other words of a clause of a sentence are those of the question, two of them at least."""
    given = {word[:_STEM] for word in names.tokens(question)}
    wanted = names.tokens(_ARTICLE.sub("", reference))
    for clause in _AND.split(sentence):
        heard = names.tokens(clause)
        if not wanted or not words.stand_in(wanted, heard) or set(wanted) <= set(names.tokens(question)):
            continue
        rest = {word[:_STEM] for word in heard if word not in wanted and len(word) > _FEW}
        is_denied = negation.is_open(clause)
        if len(rest & given) > 1 and rest <= given and not is_denied:
            return reference
    return None


def like_reference(said: str, reference: str) -> str | None:
    """The reference, if it is what a copula says, or another single name; None if that is not certain."""
    bare = _ARTICLE.sub("", reference)
    wanted, told = names.tokens(bare), names.tokens(_ARTICLE.sub("", said))
    if not wanted or not told:
        return None
    rest = [word for word in told if word not in wanted]
    is_carried = len(rest) == 1 and len(told) == len(wanted) + 1 and not said.split()[0][:1].isupper()
    missing = [word for word in wanted if word not in told]
    is_short = not rest and len(missing) == 1 and wanted[0] in missing and names.is_name(said)
    if told == wanted or is_carried or is_short:
        return reference
    if len(told) == len(wanted) == _FEW and names.is_water(told[0]) and told[0] == wanted[0]:  # l'oc\u00e9an Atlantique
        return said
    return said if len(told) == 1 == len(wanted) and told[0][:_STEM] != wanted[0][:_STEM] else None


def _compared(sentence: str, question: str) -> str | None:
    """Who has more, as the question asks, by "Ben has more than Ann" or "Ann has less than Ben"; else None."""
    before, _, behind = sentence.partition(" than ")
    near = [word.lower() for word in words.split(before)[-_FAR:]]
    last = comparatives.last_question(question)
    asked_for = [word.lower() for word in words.split(_CONDITION.split(last)[0])]
    if not _SUPERLATIVES.isdisjoint(asked_for) or not _has_verb_of(near, before, asked_for):
        return None
    found = {_RELATIONS[one, two] for one in near for two in asked_for if (one, two) in _RELATIONS}
    groups = [_groups(part) for part in (before, behind)]
    if len(found) != 1 or any(len(set(group)) != 1 for group in groups):
        return None
    if not {*names.tokens(groups[0][0]), *names.tokens(groups[1][0])} <= set(names.tokens(question)):
        return None
    is_denied = not NEGATORS.isdisjoint(word.lower() for word in words.split(sentence))
    return None if is_denied else groups[0][0] if found.pop() else groups[1][0]


def _has_verb_of(near: list[str], before: str, asked_for: list[str]) -> bool:
    """Whether the verb before a comparative is "is" or "has", or one of the question."""
    stems = {word[:_STEM_OF_VERB] for word in asked_for}
    verbs = [word.lower() for word in words.split(before) if not word[0].isupper()]
    verb = next((word for word in verbs if word not in _OPENERS), "")
    return verb in _PLAIN_VERBS or verb[:_STEM_OF_VERB] in stems


def _groups(clause: str) -> list[str]:
    """The names in a clause: capitalised words in a row, but for the word that only begins the sentence."""
    found: list[list[str]] = []
    end = -2
    heard = words.places(clause)
    for index, word in enumerate(heard):
        following = heard[index + 1][0] if index + 1 < len(heard) else ""
        is_opening = index == 0 and word[0].lower() in _OPENERS
        adjective = word[0].lower().endswith(_DEMONYM) and following[:1].islower()
        if not word[0][0].isupper() or is_opening or adjective:
            continue
        between = clause[heard[end].end() : word.start()] if end >= 0 else ""
        if between.strip(" .") in _PARTICLES and between.startswith((" ", ".")):
            found[-1].append(word[0])
        else:
            found.append([word[0]])
        end = index
    return [" ".join(group) for group in found]


def _in_signs(sentence: str, reference: str, question: str) -> str | None:
    """The same for Chinese and Japanese: the reference as the last clause has it, or what stands behind \u662f.

    Where the question has that already, its subject is the name: \u957f\u6c5f\u662f\u6700\u957f\u7684\u6cb3\u6d41.
    """
    if any(map(sentence.__contains__, _DOUBTS_IN_SIGNS)):
        return None
    at = sentence.rfind(reference)
    if at >= 0:
        before, after = sentence[:at], sentence[at + len(reference) :]
        if before.endswith(("不", "非", "没", "未")):
            return f"\u4e0d{reference}"
        last = re.split("[，,；。]", before)[-1]
        if any(map((last + after[:8]).__contains__, _DENIALS)):
            return None
        return None if before[-1:] in ("\u7b49", "\u534a") else reference
    subject = _SUBJECT.match(sentence) if "が" in sentence else None
    if subject and names.is_in_signs(subject[1]):
        return subject[1]
    plain = sentence.strip("\u3002.!\uff01 ")
    acting = _BY.search(plain) or _ACTING.search(plain)
    asked = _WHO.split(question.strip("?\uff1f\u3002 "))[-1] if _WHO.search(question) else ""
    doer = plain.removesuffix(asked) if asked else plain
    if doer != plain and names.is_in_signs(doer) and len(doer) <= _LONGEST_NAME:
        return doer
    if acting and names.is_in_signs(acting["name"]) and not set(acting["name"]) <= set(question):
        is_given = acting["rest"] is None or set(acting["rest"]) <= {*question, "\u7684", "\u4e86"}
        if is_given:
            return acting["name"]
    found = _COPULA.findall(plain)
    return found[-1].removesuffix("\u7684") if found and names.is_in_signs(found[-1]) else None


def _in_hangul(sentence: str, reference: str, question: str) -> str | None:
    """The reference as a Korean sentence says it of what the question asks, or the single word that it says instead."""
    doubts = (*_DENIALS, *_DOUBTS_IN_SIGNS, "보다", "또는", "않", "으나", "지만")
    if any(map(sentence.__contains__, doubts)) or reference in question:
        return None
    at = sentence.find(reference)
    if at >= 0 and not (at and "\uac00" <= sentence[at - 1] <= "\ud7a3"):
        return reference if _PARTICLE.match(sentence, at + len(reference)) else None
    last = _LAST_IN_HANGUL.search(sentence)
    return last["word"] if last and " " not in reference and reference not in sentence else None
