"""Leaves out the remarks behind an answer: notes, checks, confidence, sources, offers of more help.

A remark speaks of the solution, not of what is asked. What may change the answer is none, and a text keeps its last
sentence with a value.
"""

from __future__ import annotations

from libra_cli.answers.sentences import verifications
from libra_cli.answers.text import vocabulary, words
from libra_cli.lazy_pattern import lazy_pattern

MOST = 6
"""Remarks that a text may end with."""
_NEAR = 200
_FEW = 5
"""Words of the longest label."""
_LABEL_NAMES = """
    bonus; extra; note; notes; important note; side note; remark; remarks; confidence; confidence level;
    confidence score;
    my confidence; difficulty; difficulty level;
    level; time taken; time; elapsed time; time spent; references;
    reference;
    sources; source; tip; tips; hint; key concept; key concepts; key idea; key takeaway; takeaway; concepts used;
    concept;
    topic; topics; tags; keywords; subject; skills; disclaimer; common mistake; common mistakes; warning; caution;
    fun fact;
    did you know; follow-up; follow up; next steps; further reading; see also; related; word count; tokens; tokens used;
    rating; score; p.s; ps; n.b; nb; reasoning time; grade level; formula used; formulas used; method used; method;
    estimated difficulty; caveat; hinweis; anmerkung; bemerkung; schwierigkeit; remarque; nota; nota bene; observación;
    observação; observation; примечание; замечание; сложность; 注; 注意; 备注; 说明; 提示; 难度;
    置信度; 考点; 知识点; 点评;
    補足; 備考; 難易度; 参考; 참고; 난이도
"""
_LABELS = frozenset(map(str.strip, _LABEL_NAMES.replace("\n", " ").split(";")))
_OPENERS = (
    *("let me know", "i hope", "hope ", "feel free", "would you like", "do you want", "do you have", "want me to"),
    *("happy to", "thank", "please let", "this took", "it took me", "i solved", "i used", "we used", "i have used"),
    *("this used", "this uses", "this problem", "this question", "this example", "this exercise", "this method"),
    *(
        "this is problem",
        "see section",
        "this is a good",
        "this is a classic",
        "this is a common",
        "this approach",
        "this technique",
    ),
    *("that is all", "that's all", "that was", "see section", "see chapter", "see also", "see page", "for more"),
    *("for reference", "by the way", "fun fact", "interestingly", "in case you", "p.s", "disclaimer", "good luck"),
    *(
        "we can check",
        "we can verify",
        "we can double",
        "we can confirm",
        "you can check",
        "you can verify",
        "to check",
    ),
    *("to verify", "to double-check", "to double check", "to confirm", "as a check", "as a sanity", "as a quick check"),
    *(
        "a quick check",
        "quick check",
        "checking",
        "verifying",
        "double-checking",
        "sanity check",
        "be careful",
        "don't",
    ),
    *("remember to", "make sure", "always ", "a common mistake", "great question", "if you have"),
    *("if you need", "if you want", "if you'd like", "if you would like", "if anything", "the key ", "the trick"),
    *("the method", "the same method", "this works because", "another way to see", "source:", "generated in"),
    *("happy learning", "happy stud", "happy solving", "happy calculating", "keep up", "keep practi", "keep going"),
    *("have a great", "have a nice", "have a good", "you've got this", "you got this", "cheers", "enjoy ", "enjoy!"),
    *("well done", "great job", "good job", "nice work", "stay curious", "best of luck", "best wishes", "take care"),
    *("ich hoffe", "wenn du", "falls du", "j'espère", "n'hésite", "espero", "si tienes", "spero", "надеюсь", "希望"),
    *("如果你", "如有", "何か", "도움이"),
)
_NOTES = (
    "note ",
    "note,",
    "note that",
    "remember",
    "recall",
    "keep in mind",
    "notice",
    "observe",
    "it is worth",
    "it's worth",
)
"""Openers of sentences that may still state the answer."""
_COUNTERFACTUAL = (" were ", " was ", " had ", " instead")
_CHANGES = words.table(
    """
    answer answers wrong mistake mistaken error incorrect correct actually should final so therefore hence thus giving
    gives leaves leaving makes totals unless except revised corrected update updated sorry miscounted forgot
    brings counts counted remains remain excluded exclude add adding too also subtract subtracting removes
    """
)
_ADVICE = (
    *("don't", "always ", "the key ", "the trick", "this approach", "this technique", "this method", "the method"),
    *("remember to", "make sure", "be careful", "the same method", "if you"),
)
"""Openers of sentences that may do one more step, and then have a number that is new."""
_MEANT_BY = {
    "time": words.table("long when hour hours minute minutes"),
    "rating": words.table("points marks score"),
    "score": words.table("points marks rating"),
}
"""Words by which a question asks for what a label names."""
_NO_ROWS = words.table("answer solution result conclusion check")
_NUMBER = lazy_pattern(r"\d+(?:[.,]\d+)*")
_LAST_PART = lazy_pattern(r"[:,](?=\s)")
_ROW = lazy_pattern(r"[A-Za-z][A-Za-z ]*[:=]\s*\S.{0,40}")
_OTHER_CASE = lazy_pattern(
    r"(?:its|their) answer\b|(?:for|in|with) an? (?P<case>[^,.]{0,40}\d[^,.]{0,40}), (?:the|its) answer\b"
    r"|as (?:an?|another) (?:\w+ )?(?:extension|exercise|follow-up|challenge)\b",
    one_of=("answer", "exercise", "extension", "challenge", "follow-up"),
)
"""Beginning of a remark about another case."""
_OF_RESULT = ("its ", "the next ", "indeed", "it lies ", "this makes sense", "this is because")
"""Openers of sentences that say something else of a result."""
_SOUND = (
    *("the answer makes sense", "this makes sense", "that makes sense", "it makes sense", "the result makes sense"),
    *("the answer is reasonable", "this is reasonable", "that is reasonable", "the result is reasonable"),
)
"""Openers of sentences that find a result plausible."""
_PLEA = lazy_pattern(
    r"i (?:really |just )?hope (?:that )?(?:this|it|that|my|the|you|i did|i have|everything|these)\b"
    r"(?!.*\b(?:is|are) (?!correct|right|clear|helpful|useful|ok|fine|good|easy|understandable|what|of help))"
    r"|please (?:let|tell|check|correct|feel|ask|verify|rate|comment|vote|upvote|mark|like)\b|sorry (?:if|for)\b"
    r"|if (?:there (?:is|are) (?:an? |any )?(?:\w+ )?(?:mistake|error|problem|issue|question|thing)"
    r"|i (?:am wrong|made|was wrong)"
    r"|you (?:find|see|notice|spot) an?y? ?(?:mistake|error))|(?:let me know|correct me|feel free|any feedback)\b"
    r"|i (?:think|believe) (?:this|that|it|my answer) is (?:right|correct)[.! ]*$|i(?: am|'m) (?:only"
    r"|just) an?\b|thank",
    one_of=(
        *("hope", "please", "sorry", "if there", "if i", "if you", "let me know", "correct me"),
        *("feel free", "any feedback", "think", "believe", "i am", "i'm", "thank"),
    ),
)
"""A hope, a thanks or an excuse behind an answer."""
_OTHER_QUANTITY = lazy_pattern(
    r"(?:(?:note|notice) that |and |by contrast, |for comparison, )?(?:the|its"
    r"|their) (?P<name>[a-z][a-z-]{2,20}(?: [a-z-]{2,20})?)"
    r"(?: of [^.=]{1,30})? (?:is|are|would be|will be|equals|=) "
)
_ASKED_THING = lazy_pattern(
    r"\b(?i:what(?:['\u2019]s| is| was| are)|find|calculate|determine|compute|give|state)(?: the| its| all)? "
    r"\$?([A-Za-z][A-Za-z-]+(?: [a-z-]+)?|[A-Z] ?(?:\u222a|\u2229|\\|\\cup|\\cap) ?[A-Z])"
    r"(?=\$?(?: (?:of|in|for|when|if|on|at|to|between)\b|[?.,]|$))"
)
"""The quantity that a question asks for: the area, A \u222a B."""
_ANY_QUANTITY = words.table("answer result value number total solution sum rest one final")
_IN_BRACKETS = words.table("asked complement notation meaning means instead where with in is not equivalently equals")
_MAY_SAY_ANSWER = (
    "a common mistake",
    "common mistake",
    "we can",
    "you can",
    "to ",
    "as a",
    "if you",
    "please let",
    "let me",
)
_AGAINST = ("\u2260", "\\ne", "!=", "\u2717", "\u2718", " not ", "n't")
_OPENING = lazy_pattern(r"^[\s*_#>(\[\u2013\u2014-]+")
_LAST = lazy_pattern(
    r"[ \t\n](?:(?<=[.!?\u3002\uff01\uff1f*)\U0001f60a][ \t])[ \t]*(?=[A-Z(*\u00bf\u00a1]|[^\x00-\x7f])|(?<=\n)\n*)"
    r"(?=\S)"
)
_END_OF_PROOF = lazy_pattern(
    r"\s*(?:\$?\\(?:blacksquare|square|Box|qedsymbol|qed|hfill)\$?|[\u220e\u25a0\u25a1]|Q\.?E\.?D\.?)\s*$",
    one_of=("square", "\\box", "qed", "qe.d", "q.e", "\\hfill", "\u25a1", "\u25a0", "\u220e"),
)
_CONCLUDING = words.table(
    "so therefore hence thus consequently finally altogether answer total result conclusion get obtain yields gives"
)
_CONCLUDES = words.table("so therefore hence thus consequently finally altogether")
_STEM, _SHARED = 5, 2
_EMPTY = words.table(
    "how many much what which who is are was were the a an of to in on at for and does did do has have it"
)


def without_remarks(tail: str, question: str | None = None, reference: str = "") -> str:
    """`tail` without the remarks with which it ends; what may be `reference` is none."""
    kept = _END_OF_PROOF.sub("", tail).rstrip()
    for _ in range(MOST):
        starts = [match.end() for match in _LAST.finditer(kept)]
        given, start = question or "", starts[-1] if starts else 0
        unchecked = verifications.in_words(kept, start, given, reference) if given and reference else ""
        unchecked = unchecked or verifications.by_equation(kept, given)
        if unchecked:
            kept = unchecked
            continue
        if not starts:
            return kept
        last, before = kept[starts[-1] :], kept[: starts[-1]].rstrip()
        if not any(char.isalnum() or char in "$\\[]{}" for char in last):  # a smiling face, a rule
            kept = before
            continue
        line = kept[kept.rfind("\n") + 1 :]
        is_whole = line != last and "\n" in kept and _says_value(kept[: -len(line)])
        if is_whole and _is_labelled(line) and not _is_asked_label(line, kept[: -len(line)], question):
            kept = kept[: -len(line)].rstrip()  # Note: ... of several sentences
        elif (
            (_is_remark(last, before, question) and _says_value(before))
            or (not reference.isdecimal() and verifications.confirms(last, last_sentence(before)))
            or (question and (_is_beside(last, before, question) or verifications.is_identity(last, before, question)))
        ):
            kept = before
        elif (start := _start_of_brackets(kept)) and _says_value(kept[:start]):
            kept = kept[:start].rstrip()
        else:
            return kept
    return kept


def _start_of_brackets(text: str) -> int:
    """Where a paragraph in brackets begins that ends a text and says nothing of the answer; 0 if there is none."""
    start = text.rfind("\n(") + 1 or (text.rfind(". (") + 2 if ". (" in text else 0)
    inner = text[start:]
    is_whole = text.endswith(")") and start > 0 and inner.count("(") == inner.count(")")
    heard = {word.lower() for word in words.split(inner)} if is_whole else set()
    return start if len(heard) > _FEW and heard.isdisjoint(_CHANGES | _IN_BRACKETS) else 0


def _says_value(text: str) -> bool:
    """Whether the last lines of a text may hold an answer."""
    end = text[-400:]
    return any(map(str.isdigit, end)) or "**" in end or "$" in end or len(end.split()) > 2


def _is_labelled(sentence: str) -> bool:
    """Whether a line begins with the label of a remark: `Confidence: 95%`."""
    bare = _OPENING.sub("", sentence)
    label, colon, _ = bare.replace("\uff1a", ":").partition(":")
    label = label.strip(" *_").lower()
    return bool(colon) and len(label.split()) <= _FEW and (label in _LABELS or label.endswith((" check", " note")))


def _is_asked_label(line: str, before: str, question: str | None) -> bool:
    """Whether a line with the label of a remark may be the answer: it names what is asked, or is a row as others."""
    above = before.rstrip().rpartition("\n")[2]
    if "**" in above or not _NO_ROWS.isdisjoint(word.lower() for word in words.split(above)):
        return False
    label = _OPENING.sub("", line).replace("\uff1a", ":").partition(":")[0].strip(" *_").lower()
    meant = set(words.split(label)).union(*(_MEANT_BY.get(word, ()) for word in words.split(label)))
    asked = {_stem(word) for word in words.split(question or "")} - _EMPTY
    if question and ((not label.isascii() and label in question) or asked & {_stem(word) for word in meant}):
        return True
    return _ROW.fullmatch(above) is not None and not _is_labelled(above) and _NUMBER.search(line) is not None


def _has_new_number(sentence: str, before: str, question: str | None) -> bool:
    """Whether a sentence ends, behind a colon or comma, in a number that neither text before nor question has."""
    end = _LAST_PART.split(sentence)[1:][-1:]
    known = set(_NUMBER.findall(f"{before} {question or ''}"))
    return bool(end) and not set(_NUMBER.findall(end[0])) <= known


def _is_remark(sentence: str, before: str, question: str | None) -> bool:
    bare = _OPENING.sub("", sentence).lower().replace("\u2019", "'")
    heard = {word.lower() for word in words.split(bare)}
    if _PLEA.match(bare) and not any(map(str.isdigit, bare)):
        return True
    if _is_labelled(sentence):
        return not _is_asked_label(sentence, before, question)
    if bare.partition(":")[0] in vocabulary.CHECKS and ":" in bare:
        return _CHANGES.isdisjoint(heard) and not any(map(bare.__contains__, _AGAINST))
    if other := _OTHER_CASE.match(bare):
        return not other["case"] or _is_other_case(other["case"], question or "")
    if bare.startswith("if ") and any(map(bare.__contains__, _COUNTERFACTUAL)) and "would" in heard:
        return " would " not in (question or "")
    if bare.startswith(_SOUND):
        return (_CHANGES - {"answer", "makes"}).isdisjoint(heard)
    if not _CHANGES.isdisjoint(heard) and not bare.startswith(_MAY_SAY_ANSWER):
        return False
    if bare.startswith((*_ADVICE, *_NOTES)) and _has_new_number(sentence, before, question):
        return False
    if bare.startswith(_OPENERS):
        return True
    return bare.startswith(_NOTES) and "=" not in bare and concludes(last_sentence(before), question)


def _is_other_case(case: str, question: str) -> bool:
    """Whether a case is like that of a question and has other numbers: a 4x4 grid for a 3x3 grid."""
    asked, told = set(_NUMBER.findall(question)), set(_NUMBER.findall(case))
    shared = {word.lower() for word in words.split(case) if len(word) > 1} & set(map(str.lower, words.split(question)))
    return bool(asked) and asked.isdisjoint(told) and not shared <= _EMPTY


def _is_beside(sentence: str, before: str, question: str) -> bool:
    """Whether a sentence says something else of what the one before it concludes of the question: Its square is 9."""
    bare, earlier = _OPENING.sub("", sentence).lower(), last_sentence(before)
    if _is_of_another_quantity(bare, earlier, question):
        return True
    if not bare.startswith(_OF_RESULT) or not begins_conclusion(earlier) or not any(map(str.isdigit, earlier)):
        return False
    is_new = not (_CHANGES - {"too"}).isdisjoint(map(str.lower, words.split(sentence)))
    is_next = bare.startswith("the next ") and " next " not in question and len(_NUMBER.findall(bare)) < _SHARED
    return not is_new and is_about(earlier, question) and (is_next or not is_about(sentence, question))


def _is_of_another_quantity(bare: str, earlier: str, question: str) -> bool:
    """Whether a sentence gives a quantity that a question does not ask for, behind one that gives the asked one."""
    named = _OTHER_QUANTITY.match(bare)
    asked = [thing.lower() for thing in _ASKED_THING.findall(question)] if named else []
    if named is None or not asked or not _CONCLUDING.isdisjoint(words.split(bare)):
        return False
    head, name = asked[-1].replace("\\cup", "\u222a").replace("\\cap", "\u2229"), named["name"].split()[-1]
    if name in question.lower() or name in _ANY_QUANTITY or head in bare:
        return False
    told = earlier.lower().replace("\\cup ", "\u222a").replace("\\cup", "\u222a").replace("\\cap", "\u2229")
    is_told = f" {head} " in f" {told}" if head[0].isalpha() and len(head) > _SHARED else False
    is_told = is_told or head.replace(" ", "") in told.replace(" ", "").replace("$", "")
    return is_told and any(mark in told.partition(head.split()[0])[2] for mark in (" is ", " are ", "=", ":"))


def before_last_sentence(text: str) -> str:
    """A text without its last sentence, if what is left may hold an answer; else empty."""
    starts = [match.end() for match in _LAST.finditer(text.rstrip())]
    before = text[: starts[-1]].rstrip() if starts else ""
    return before if any(map(str.isdigit, before[-_NEAR:])) else ""


def last_sentence(text: str) -> str:
    """The last sentence of a text, or its last line."""
    return _LAST.split(text.rstrip())[-1]


def concludes(sentence: str, question: str | None = None) -> bool:
    """Whether a sentence says that it concludes, by its words or in bold, or has words of what the question asks."""
    heard = [word.lower() for word in words.split(sentence)]
    if "**" in sentence or not _CONCLUDING.isdisjoint(heard):
        return True
    return bool(question) and any(map(str.isdigit, sentence)) and is_about(sentence, question, _SHARED)


def begins_conclusion(sentence: str) -> bool:
    """Whether a sentence begins with a word that concludes: so, therefore."""
    return not _CONCLUDES.isdisjoint(word.lower() for word in words.split(_OPENING.sub("", sentence))[:1])


def is_about(sentence: str, question: str | None, fewest: int = 1) -> bool:
    """Whether a sentence shares some words with the last sentence of a question."""
    asked = {_stem(word) for word in words.split(words.sentences(question or "")[-1])} - _EMPTY
    return len(asked & {_stem(word) for word in words.split(sentence)}) >= fewest


def _stem(word: str) -> str:
    return word.lower()[:_STEM]
