"""Readers of texts without a box whose reference is words: a name, yes or no, true or false, a property."""

from __future__ import annotations

import re

from libra_cli.answers.comparison import equal, items
from libra_cli.answers.extraction import asked, conclusions, filled, name_answers
from libra_cli.answers.extraction.prose_text import Prose
from libra_cli.answers.languages import abroad, names, terms
from libra_cli.answers.sentences import (
    abbreviations,
    alternatives,
    assertions,
    circled,
    existence,
    main_claims,
    multiples,
    negation,
    phrases,
    statements,
    truth_values,
    undetermined,
    ways,
    word_lists,
    yes_or_no,
)
from libra_cli.answers.sentences.extracted import (
    AMBIGUOUS,
    NO_ANSWER,
    OTHER_ANSWER,
    UNDECIDED,
    Extraction,
    of_asserted,
)
from libra_cli.answers.text import vocabulary, words
from libra_cli.answers.values import structure
from libra_cli.lazy_pattern import lazy_pattern

_HEADS_OF_NAMES = words.table(
    "Republic Kingdom State States Commonwealth Union Isle Bay Gulf Cape Strait Straits City House University Treaty"
    " Battle Declaration Tower Statue Temple Duke King Queen Prince Princess Mount Church Book Peace Siege"
)
"""Nouns whose names go on behind "of"."""
_IN_YEAR = lazy_pattern(r",? (?:in|around|about) (?:the year )?\d{3,4}$")
"""When it was, behind a name: Albert Einstein in 1915."""
_FEW_WORDS, _MOST_WORDS = 4, 20
_FEW_SENTENCES = 4
_CALENDAR = words.table(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december"
)
_DENIED = lazy_pattern(
    r"\b(?P<said>(?:(?:does|do|did|is|are|was|were) not|(?:does|do|did|is|are|was|were)n['\u2019]t) [a-z]{4,20})[.!]?$",
    one_of=("not ", "n't ", "n\u2019t "),
)
_CONTRASTED = lazy_pattern(r";|\b(?:whereas|while|but|although|though)\b")
"""Between two things of which the last is denied."""
_SUBJECT = lazy_pattern(r"(?:(?:But|And|However|Still|Yet),? )?[Tt]he ([a-z]+) (?:is|are|does|do|has|have|[a-z]+s)\b")
"""The subject of a sentence with an article: The series converges."""
_PRONOUNS = words.table("it this that he she they")
_POINTING = ("the one", "the answer", "the correct one", "the right one", "the correct answer", "the right answer")
_SMALL_GLOSSES = frozenset(("the", "a", "to", "in", "at", "of", "from", "on"))


def filled_in(prose: Prose) -> Extraction | None:
    """`The blank should read "speed"`, `故填：根`: with what the last sentence fills a blank of the question."""
    if prose.cut or not prose.reference:
        return None
    found = filled.stated(prose.sentences[-1], prose.question or "")
    return Extraction(found) if found else None


def hedge(prose: Prose) -> Extraction | None:
    """`That is far from true`, for a reference in words."""
    if not prose.asks_for_words:
        return None
    last = prose.sentences[-1].lower().rstrip(" .!").split()
    is_short = prose.asks_for_verdict and 1 < len(last) < _FEW_WORDS
    is_denied = is_short and last[0] != "no,"  # It isn't.
    is_denied = is_denied and (last[-1].endswith(("n't", "n\u2019t")) or last[-1] == "not")
    is_denied = is_denied and yes_or_no.verdict(prose.sentences[-1], prose.question) is None
    return UNDECIDED if is_denied or asked.is_hedged(prose.tail, prose.reference) else None


def untold(prose: Prose) -> Extraction | None:
    """`There isn't enough information`, for a reference that says that nobody can tell, or a value, which is wrong."""
    if prose.cut or len(prose.reference) > undetermined.MAX_CHARS or not undetermined.is_said(prose.reference):
        return None
    is_untold = undetermined.verdict(prose.sentences)
    if is_untold is None:
        return UNDECIDED if undetermined.is_said(prose.tail) else None
    return Extraction(prose.reference) if is_untold else Extraction(None, OTHER_ANSWER)


def way(prose: Prose) -> Extraction | None:
    """`It flows from the positive to the negative terminal`, for a reference that is a way: from plus to minus."""
    if prose.cut or not prose.reference.startswith(("from ", "From ")):
        return None
    is_way = ways.said(prose.sentences[-1], prose.reference)
    return None if is_way is None else Extraction(prose.reference) if is_way else Extraction(None, OTHER_ANSWER)


def multiple(prose: Prose) -> Extraction | None:
    """`The force is reduced to 1/4 of its former value`, for a reference that says so: it becomes one fourth."""
    if prose.cut:
        return None
    if prose.question and structure.is_number(prose.reference):
        factor = multiples.factor(prose.sentences[-1], prose.question)
        return Extraction(factor) if factor else None
    if " " not in prose.reference or not multiples.is_asked_for(prose.reference):
        return None
    is_said = multiples.said(prose.sentences[-1], prose.reference)
    return None if is_said is None else Extraction(prose.reference) if is_said else Extraction(None, OTHER_ANSWER)


def listed(prose: Prose) -> Extraction | None:
    """`They are blue, red and green`, for a reference that is a list of words."""
    if "," not in prose.reference and " and " not in prose.reference:
        return None
    last = word_lists.of_lines(prose.tail) or prose.sentences[-1]
    found = word_lists.stated(last, prose.reference)
    found = found or (word_lists.stated(prose.bold, prose.reference) if prose.bold else None)
    return Extraction(found) if found else None


def term(prose: Prose) -> Extraction | None:
    """`The series diverges`, `The system has no solution`: the reference or its opposite in words."""
    if not prose.asks_for_words:
        return None
    subjects = [_SUBJECT.match(sentence) for sentence in prose.sentences[-2:]] if prose.question else []
    asked_of = [one is not None and one[1] in (prose.question or "") for one in subjects]
    if asked_of == [True, False] and subjects[1]:  # The series converges. The sequence does not.
        return term(Prose(prose.tail[: -len(prose.sentences[-1])].rstrip(), prose.reference, prose.cut, prose.question))
    tail, reference = prose.tail, prose.reference
    denied = _only_denied(prose)
    said = (
        denied
        or asked.known(tail, reference)
        or asked.either(tail, reference)
        or asked.term(tail, reference, prose.question)
    )
    if said and prose.question and _affirms_denied(prose.sentences[-1], prose):
        return UNDECIDED
    return Extraction(said) if said else None


def _only_denied(prose: Prose) -> str | None:
    """`does not increase`, with which a last sentence ends that denies the reference, and nowhere affirms it."""
    last, reference = prose.sentences[-1], prose.reference.lower()
    denied = None if " " in reference or negation.denied_by(prose.question or "") else _DENIED.search(last)
    if (
        denied is None
        or _CONTRASTED.search(last[: denied.start()])
        or not negation.OPEN.isdisjoint(words.split(last[: denied.start()].lower()))
    ):
        return None
    is_affirmed = reference[:-2] in prose.tail[: -len(last)].lower() or reference[:-2] in last[: denied.start()].lower()
    decided = None if is_affirmed else equal.decide_quickly(reference, denied["said"])
    return denied["said"] if decided is not None and decided.equal is False else None


def _affirms_denied(sentence: str, prose: Prose) -> bool:
    """Whether a sentence says of something what the question denies: Helium is a noble gas."""
    question = prose.question or ""
    said, subject = phrases.complement(sentence), phrases.subject(sentence)
    is_predicate = bool(said) and asked.is_given(said or "", question) and subject.lower() not in _PRONOUNS
    return is_predicate and negation.lacks_denial(sentence, question)


def abbreviation(prose: Prose) -> Extraction | None:
    """`Deoxyribonucleic acid (DNA)`, for a reference that is either of the two."""
    is_asked = prose.asks_for_words and not prose.asks_for_verdict and not prose.cut
    said = abbreviations.said(prose.sentences[-1], prose.reference) if is_asked else None
    return Extraction(said) if said else None


def name(prose: Prose) -> Extraction | None:
    """`It was painted by Vermeer`: a name that the question does not have."""
    if not prose.asks_for_words or prose.asks_for_verdict:
        return None
    said = name_answers.name(prose.bold or prose.tail, prose.reference, prose.question)
    if said and said.split()[-1] in _HEADS_OF_NAMES:  # the Republic of Korea
        whole = re.search(rf"{re.escape(said)} of (?:the )?[A-Z][\w'-]*(?: [A-Z][\w'-]*)*", prose.bold or prose.tail)
        said = whole[0] if whole else said
    if said and said[-1].isdigit() and not any(map(str.isdigit, prose.reference)):
        said = _IN_YEAR.sub("", said)
    return Extraction(said) if said else None


def named(prose: Prose) -> Extraction | None:
    """`Plants make their food by photosynthesis`: the reference beside what the question has."""
    if not (prose.question and prose.asks_for_words) or prose.asks_for_verdict or prose.bold:
        return None
    said = name_answers.in_sentence(prose.tail, prose.reference, prose.question)
    return Extraction(said) if said else None


def new_word(prose: Prose) -> Extraction | None:
    """`It pairs with cytosine`: the only word of a text of one sentence that the question does not have."""
    is_asked = prose.question and prose.asks_for_words and not prose.asks_for_verdict and not prose.bold
    if not is_asked or prose.cut or len(prose.sentences) > 1 or not prose.question:
        return None
    sentence = main_claims.of_sentence(filled.in_glosses(prose.sentences[-1]), prose.question)
    found = filled.only_new(sentence, prose.reference, prose.question)
    return Extraction(found) if found else None


def alternative(prose: Prose) -> Extraction | None:
    """`The silver bar is heavier`, where the question asks whether it is the gold bar or the silver bar."""
    if not (prose.question and " or " in prose.question and prose.asks_for_words) or prose.asks_for_verdict:
        return None
    said = filled.alternative(prose.bold or prose.tail, prose.reference, prose.question)
    if not said and not prose.bold and alternatives.is_unsure(prose.sentences[-1], prose.reference, prose.question):
        return UNDECIDED  # The silver bar is lighter.
    return Extraction(said) if said else None


def said_abroad(prose: Prose) -> Extraction | None:
    """`Die Hauptstadt heißt Wien`, `C'est le Pacifique`, `Это Венера`: what a copula of another language says."""
    if not prose.asks_for_words or prose.asks_for_verdict or prose.bold:
        return None
    sentence = asked.last_sentence(prose.tail)
    language = abroad.language_of(sentence) or abroad.language_of(prose.question or "")
    if not language or language in abroad.WITHOUT_SPACES or len(sentence.split()) > _MOST_WORDS:
        return None
    if prose.question and (found := name_answers.among_given(sentence, prose.reference, prose.question)):
        return Extraction(found)
    glossed = abroad.in_digits(sentence, language)
    _, copula, behind = f" {glossed[:1].lower()}{glossed[1:]}".partition(" is ")
    said = behind.partition(",")[0].strip(" .!*")
    is_open = " is " in behind or assertions.denies(glossed) or " or " in glossed or " if " in glossed
    if not copula or not said or is_open:
        return None
    meant, wanted = terms.term(said), terms.term(prose.reference)
    if meant and wanted and meant != wanted:  # un triangle rectangle is no rectangle
        return UNDECIDED
    kept = [word for word in said.split() if word not in _SMALL_GLOSSES]
    if prose.question and kept and asked.is_given(" ".join(kept), prose.question):
        subject = " ".join(sentence.split()[: len(glossed.partition(" is ")[0].split())])
        is_new = names.is_name(subject) and not asked.is_given(subject, prose.question)
        return Extraction(subject) if is_new else None
    told = name_answers.like_reference(" ".join(kept), prose.reference)
    return Extraction(told) if told else None


def circled_option(prose: Prose) -> Extraction | None:
    """`정답은 ③ 황입니다`, where the reference is the sign of an option."""
    if prose.cut or len(prose.reference.strip()) != 1 or prose.reference.strip() not in circled.SIGNS:
        return None
    sign = circled.chosen(prose.tail, prose.question or "")
    return Extraction(sign) if sign else None


def selected_items(prose: Prose) -> Extraction | None:
    """`The others, I and III, hold`, for a reference that selects numbered statements."""
    said = None if prose.cut else items.stated(prose.sentences[-1], prose.reference, prose.question or "")
    return Extraction(said) if said else None


def truths(prose: Prose) -> Extraction | None:
    """`Statement 1 is false and statement 2 is true`, where the reference says which of several are true."""
    return None if prose.cut else truth_values.stated(prose.sentences[-1], prose.reference)


def verdict(prose: Prose) -> Extraction | None:
    """`Yes, because ...`, `The statement does not hold`: yes or no, true or false."""
    if not prose.asks_for_verdict:
        return None
    last = prose.sentences[-1]
    said = phrases.verdict(prose.sentences, prose.reference)
    if not said and not yes_or_no.has_opposite(last, prose.question):
        said = asked.verdict(prose.tail, prose.question)
    said = said or existence.verdict(last, prose.question) or yes_or_no.verdict(last, prose.question)
    if not said and 1 < len(prose.sentences) < _FEW_SENTENCES:  # It is not. 91 = 7 × 13.
        said = yes_or_no.verdict(prose.sentences[0], prose.question)
    if not said and prose.text.strip(" .*") in ("T", "F"):
        said = "True" if "T" in prose.text else "False"
    if said:
        return Extraction(said)
    names_verdicts = any(phrases.is_verdict(word) for word in words.split(prose.tail))
    found = _in_words(prose)
    if found.answer and phrases.is_verdict(found.answer):
        return found
    return Extraction(None, AMBIGUOUS if names_verdicts or phrases.says_something(prose.text) else NO_ANSWER)


def in_words(prose: Prose) -> Extraction | None:
    """`The triangle must be equilateral`: what follows the only "is"; a text that says anything else is not wrong."""
    if not prose.asks_for_words:
        return None
    last = prose.sentences[-1]
    claim = main_claims.of_sentence(last, prose.question) if prose.question and "," not in prose.reference else last
    if claim != last and len(claim.split()) < _FEW_WORDS and not prose.bold and _is_phrase(claim):
        return Extraction(claim.rstrip(" .!"))  # Graphite, which like diamond consists of carbon.
    complement = phrases.complement(claim)
    if complement and complement in prose.reference.replace(",", " and ").split(" and "):
        return UNDECIDED if complement != prose.reference else Extraction(complement)  # virtual, of virtual and upright
    if complement and phrases.is_participle(complement) and not phrases.is_participle(prose.reference.lower()):
        return UNDECIDED  # hydrogen is produced
    if complement and prose.reference.lower() in _CALENDAR and complement.lower() not in _CALENDAR:
        return UNDECIDED  # it is Monday again
    is_pointing = complement is not None and complement.lower() in _POINTING
    if complement and prose.question and (is_pointing or asked.is_given(complement, prose.question)):
        subject = None if _affirms_denied(claim, prose) else phrases.subject(claim)
        return Extraction(subject) if subject and not asked.is_given(subject, prose.question) else UNDECIDED
    if complement and not prose.bold:
        return Extraction(complement)
    if phrases.is_count(prose.reference):
        solved = asked.solutions(claim)
        if solved:
            return Extraction(solved)
    found = _in_words(prose)
    is_count = phrases.is_count(prose.reference) and not asked.is_doubted(prose.tail)
    is_open = " or " in (found.answer or "") and " or " not in prose.reference
    if found.answer and is_open and asked.is_given(prose.reference, found.answer):
        return UNDECIDED  # Milan, or rather Ajax
    if found.answer and (is_count or not any(map(str.isdigit, found.answer))):
        return found
    return Extraction(None, AMBIGUOUS if phrases.says_something(prose.text) else NO_ANSWER)


def _is_phrase(text: str) -> bool:
    """Whether a text is a noun with its article, and no clause: a hexagon."""
    heard = {word.lower() for word in words.split(text)}
    return bool(heard) and (vocabulary.VERBS | vocabulary.PEOPLE | negation.NEGATORS).isdisjoint(heard)


def _in_words(prose: Prose) -> Extraction:
    """The bold text, what the last sentence asserts, or the whole of a short text."""
    concluded = conclusions.concluded(prose.tail)
    if not (concluded.answer or concluded.unclear or prose.bold):
        return conclusions.whole(prose.text, prose.reference)
    is_word = (concluded.answer or "").isalpha()
    return of_asserted(statements.tidy(prose.bold) if prose.bold and not is_word else concluded)
