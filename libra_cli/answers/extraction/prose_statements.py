"""Readers of what a text without a box states to be its answer, and of what is of the kind of its reference."""

from __future__ import annotations

import re

from libra_cli.answers.comparison import bearings, chemistry, isotopes
from libra_cli.answers.extraction import (
    answer_first,
    asked,
    asked_dates,
    bare,
    bases,
    chains,
    conclusions,
    moments,
    typed,
)
from libra_cli.answers.extraction.prose_text import Prose
from libra_cli.answers.extraction.retractions import changed
from libra_cli.answers.languages import amounts, answer_forms, commas, durations_in_signs, signs, times_in_signs
from libra_cli.answers.sentences import (
    asked_names,
    assertions,
    contradictions,
    denials,
    labelled,
    objects,
    phrases,
    predicates_in_signs,
    remarks,
    statements,
    symbols,
    verifications,
)
from libra_cli.answers.sentences.assertions import Asserted
from libra_cli.answers.sentences.extracted import (
    NO_ANSWER,
    TRUNCATED,
    UNDECIDED,
    Extraction,
    extraction,
    of_asserted,
)
from libra_cli.answers.text import cases, words
from libra_cli.answers.values import dates, named, normalize, notation, part_labels, structure
from libra_cli.lazy_pattern import lazy_pattern

_LED_COMPOUND = lazy_pattern(
    r"\b(?:leaves|gives|yields|to|get|obtain|formula)(?: is| of|:)? (?=[A-Z(]\w{0,20}(?:\.|$))", re.MULTILINE
)
"""What leads to the formula that ends a sentence: C6H12O6 reduces to CH2O."""
_FEW_WORDS, _YEAR = 8, 4
_LONGEST_NAME = 20
"""Signs of a name, or of a few words."""
_COUNTED = lazy_pattern(r"\d[\d,.]* ?[\u3040-\u9fff\uac00-\ud7a3]{1,3}")
"""A number and what it counts, in signs: 6小时."""
_MULTIPLES = tuple("十百千万亿億兆만억")
_REFUSAL = lazy_pattern(
    r"(?i:\bI (?:really |just )?(?:don['\u2019]t|do not) know\b|\bI(?:['\u2019]m| am) not sure\b|\b(?:no idea"
    r"|sorry)\b|\bI (?:can['\u2019]t|cannot|can not) (?:say|answer|tell|help)\b)",
    one_of=("know", "not sure", "no idea", "sorry", " say", " answer", " tell", " help"),
)
_AUXILIARIES = lazy_pattern(r"\b(?:it|they|has|have|had|does|do|did|is|are|was|were)\b")
_UNDECIDED_BETWEEN = lazy_pattern(
    r"(?i:\b(?:one|either) of (?:those|these|them|the two)\s*[.!]?\s*\Z|\bboth (?:answers )?are possible\b"
    r"|\b(?:don't|don\u2019t|do not|can't|can\u2019t|cannot) (?:know|tell|say|decide) which\b"
    r"|\b(?:either|any) of these may be\b)",
    one_of=("one of", "either", "any of", "possible", "which"),
)
_SENTENCE_END = lazy_pattern(r"[.!](?!\d)|[。！\n]")
_BRACKETS = lazy_pattern(r"\s?\([^()]*\)")


def last_line(prose: Prose) -> Extraction | None:
    """`#### 42`, `A: 42` as the last line of a text."""
    word = None if prose.cut else statements.word_of_last_line(prose.text)
    return None if word is None else extraction((word, None))


def predicate_in_signs(prose: Prose) -> Extraction | None:
    """`所以最小值为3，此时x=2`, where the question asks for 最小值: what a sentence says of what is asked for."""
    sentence = prose.sentences[-1]
    if sentence.isascii() or prose.cut or not prose.reference or prose.asks_for_verdict:
        return None
    if not _is_in_signs(prose.question or sentence):
        return None
    if predicates_in_signs.is_open(sentence):
        return UNDECIDED
    solved = predicates_in_signs.ranged(sentence) or predicates_in_signs.solved(sentence)
    said = predicates_in_signs.said(sentence, prose.question) if prose.question else None
    if said is None and prose.question and prose.asks_for_words:
        said = predicates_in_signs.said_before(prose.sentences, prose.question)
    is_formula = not prose.is_several and not prose.asks_for_words and "=" not in prose.reference
    calculated = predicates_in_signs.calculated(sentence) if is_formula else None
    if calculated is None and is_formula and said is None:
        calculated = predicates_in_signs.told_behind(sentence)
    said = None if said and calculated and not any(map(str.isdecimal, said)) else said  # πr²
    found = said or solved or calculated
    if not found:
        return None
    if prose.asks_for_words:
        is_more = prose.reference in found and found != prose.reference
        return Extraction(found) if len(found) <= _LONGEST_NAME and not is_more else None
    if prose.is_several and found != solved and found[0].isalnum():  # x = 2 + 3k, y = 1 - 2k
        return None
    is_number = structure.is_number(prose.reference)
    given = structure.parse(answer_forms.in_english(found))
    given = given.value if isinstance(given, structure.Equation) else given
    is_alike = isinstance(given, structure.Leaf) and given.number is not None
    return Extraction(found) if is_alike or not is_number else None


def counted_in_signs(prose: Prose) -> Extraction | None:
    """`两人合作需要6天`, where the question asks 需要几天: the number in the unit that is asked for."""
    sentence = prose.sentences[-1]
    if prose.cut or not prose.question or not _is_in_signs(sentence):
        return None
    if not structure.is_number(prose.reference) and not _COUNTED.fullmatch(prose.reference):
        return None
    found = predicates_in_signs.counted(sentence, prose.question)
    unit = prose.reference.lstrip("0123456789., ")
    is_asked = unit in prose.question and unit[:1] not in _MULTIPLES
    return Extraction(found + unit if is_asked else found) if found else None


def _is_in_signs(sentence: str) -> bool:
    return not sentence.isascii() and any(map(signs.is_letter, sentence))


def whole_value(prose: Prose) -> Extraction | None:
    """`5 ft 3 in`, `-oo < x < 3`: a text that is one value, and nothing else."""
    if prose.cut:
        return None
    divided = bare.remainder(prose.sentences[-1], prose.question, prose.reference) if prose.question else None
    is_chain = "=" in prose.tail and len(prose.sentences) == 1 and len(words.sentences(prose.text)) == 1
    is_chain = is_chain and not verifications.goes_beyond(prose.tail, prose.question)
    calculated = chains.result(prose.tail, prose.reference, prose.question) if is_chain else None
    paragraph = prose.text.rstrip().rpartition("\n\n")[2].strip()
    found = divided or calculated or bare.value(prose.text, prose.reference) or bare.value(paragraph, prose.reference)
    return Extraction(found) if found else None


def tag(prose: Prose) -> Extraction | None:
    """`<answer>42</answer>`, `{"answer": 42}`."""
    told = objects.answer(prose.text) if "}" in prose.tail[-_FEW_WORDS:] and not prose.cut else None
    if told:
        return of_asserted(statements.tidy(told), prose.reference)
    tagged = statements.tagged(prose.tail)
    return None if tagged is None else of_asserted(statements.tidy(tagged.given), prose.reference)


def contradiction(prose: Prose) -> Extraction | None:
    """`By method 1 the answer is 640.` above `By method 2 the answer is 604.`"""
    return UNDECIDED if contradictions.are_stated(prose.tail) else None


def _of_part(text: str) -> str | None:
    """What the text about one part of a question states or asserts."""
    stated = next(statements.explicit(text), None)
    found = statements.tidy(stated.given) if stated else conclusions.concluded(text)
    return (found.measured or found.answer or "").rpartition("=")[2].strip() or None


def labelled_parts(prose: Prose) -> Extraction | None:
    """`(a) 3` above `(b) 5`, for a reference with labelled parts."""
    if ") " not in prose.reference and not (prose.is_several and ")" in prose.tail):
        return None
    of_names = named.read(prose.tail, prose.reference)
    if of_names:
        return Extraction(of_names)
    found = part_labels.stated(prose.tail, prose.reference, _of_part)
    return Extraction(found) if found else UNDECIDED if found is not None else None


def statement(prose: Prose) -> Extraction | None:
    """`The answer is 42`, `**Final answer:** 42`, unless it is cut off or taken back."""
    tail, reference = prose.tail, prose.reference
    stated = next(statements.explicit(tail), None)
    if stated is not None and prose.cut and prose.text.rstrip().endswith(tail.rstrip()):
        stated = statements.finished(stated, tail)
    is_number = any(map(str.isdigit, reference))
    if stated is None or (is_number and statements.points_elsewhere(stated.given)):
        return None
    if is_number and not any(map(str.isdigit, stated.given)):  # thirteen days
        stated = stated._replace(given=conclusions.with_digits(stated.given))
    change = changed(tail[stated.start :], False, prose.cut)
    said = phrases.verdict([_BRACKETS.sub(".", stated.given)], "Yes") if prose.asks_for_verdict and not change else None
    if said:
        return Extraction(said)
    listed = named.read(stated.given, reference) if reference else None
    given = stated.given.partition(", which ")[0] if prose.asks_for_words else stated.given
    given = given.partition(" who ")[0] if prose.asks_for_words and " who " not in reference else given
    asserted = Asserted(listed) if listed else statements.tidy(given)
    if not change and assertions.denies((asserted.answer or "").partition(" ")[0]):  # "not 7. It is 5."
        asserted = conclusions.concluded(tail[stated.start :])
    return change or of_asserted(asserted, reference)


def cut_off(prose: Prose) -> Extraction | None:
    """Nothing after this counts in a text that was cut off."""
    return Extraction(None, TRUNCATED) if prose.cut else None


def refusal(prose: Prose) -> Extraction | None:
    """`I don't know.`: a short text that gives no answer, where one is asked for."""
    clause = prose.sentences[-1].rpartition(", but ")[2]
    refused = _REFUSAL.search(clause) if clause != prose.sentences[-1] and not prose.cut and prose.question else None
    is_of_question = refused is not None and asked.is_given(
        _AUXILIARIES.sub("", clause[refused.end() :]), prose.question or ""
    )
    is_short = len(prose.text.split()) <= _FEW_WORDS and prose.reference and "?" not in prose.text
    is_whole = is_short and _REFUSAL.search(prose.text) is not None and not any(map(str.isdigit, prose.text))
    if not (is_whole or is_of_question):
        return None
    return None if phrases.refuses(prose.reference) else Extraction(None, NO_ANSWER)


def undecided_between(prose: Prose) -> Extraction | None:
    """`54 or 56, one of those`: several answers, between which the text does not decide."""
    return UNDECIDED if _UNDECIDED_BETWEEN.search(" ".join(prose.sentences[-2:])) else None


def statement_abroad(prose: Prose) -> Extraction | None:
    """`Die Antwort ist 42`, `答案是42`, unless it is taken back."""
    tail = commas.with_decimal_points(prose.tail, prose.question)
    stated = answer_forms.stated_answer(tail)
    if not stated:
        return None
    if prose.asks_for_verdict and (said := phrases.verdict([stated], prose.reference)):
        return Extraction(said)
    behind = tail[tail.rfind(stated) :]
    end = _SENTENCE_END.search(behind)
    change = changed(behind[end.start() :], False, prose.cut) if end else None
    found = change or of_asserted(labelled.told(stated, prose.tail, prose.question), prose.reference)
    is_open = found.answer and structure.is_number(prose.reference) and amounts.may_be_numeral(found.answer)
    return UNDECIDED if is_open else found


def calculation(prose: Prose) -> Extraction | None:
    """`F = qE = (1.0e-6)(2.0e4) = 2.0e-2 N`: the result of a calculation, for a reference that is a number."""
    if not any(map(str.isdigit, prose.reference)):
        return None
    found = chains.result(prose.sentences[-1], prose.reference, prose.question)
    if not found or verifications.goes_beyond(prose.sentences[-1], prose.question):
        return None
    before = " ".join(prose.sentences[:-1]).replace("=", " ").replace("$", " ").replace(",", " ").split()
    is_check = prose.reference in (word.strip(".;:*") for word in before) and found != prose.reference
    return None if is_check else Extraction(found)  # x = 4, and then 5*4 + 3 = 23


def first(prose: Prose) -> Extraction | None:
    """`Three.` before the reasons, unless these conclude with something else."""
    if prose.cut or not prose.reference:
        return None
    said = answer_first.said_first(prose.text, prose.reference, prose.question or "")
    if not said:
        return UNDECIDED if said == "" and not denials.may_take_back(prose.text) else None
    behind = prose.text.partition(said)[2]  # "No." is no doubt of the answer No
    is_certain = said.isdecimal() and behind.lstrip(" .*_").startswith("\n\n")
    is_other = prose.concluded.answer not in (None, said) and (
        (structure.is_number(prose.reference) and not is_certain) or remarks.begins_conclusion(prose.sentences[-1])
    )
    is_known = said.lower() == prose.reference.strip(" .$").lower() or said.lower() in (prose.question or "").lower()
    if is_known and not answer_first.goes_on(behind):
        term = asked.either(prose.tail, prose.reference) or asked.term(prose.tail, prose.reference, prose.question)
        is_other = is_other or (term or said).lower() != said.lower()
    doubt = None if structure.is_number(prose.reference) else denials.DOUBTED.search(behind)
    is_other = is_other or (doubt is not None and said not in behind)  # Canberra. Actually, I think it's Sydney.
    return UNDECIDED if is_other else changed(behind, False, False) or Extraction(said)


def time_in_signs(prose: Prose) -> Extraction | None:
    """`考试在上午10时30分结束`, `途中用了4.5小时`, for a reference that is a time of day or a duration."""
    sentence, reference = prose.sentences[-1], answer_forms.in_english(prose.reference)
    if prose.cut or not _is_in_signs(sentence) or not any(map(str.isdigit, sentence)):
        return None
    is_duration = reference.endswith((" h", " min")) and reference[:1].isdigit()
    if is_duration:
        found = times_in_signs.duration_of(sentence)
    else:
        is_clock = notation.clock(reference) is not None and ":" in reference
        clause = predicates_in_signs.about(sentence, prose.question) if is_clock and prose.question else sentence
        if clause is None:  # 下午3点结束，下午1点开始
            return UNDECIDED
        found = times_in_signs.clock_of(clause) if is_clock else None
    return Extraction(found) if found else None


def duration_in_signs(prose: Prose) -> Extraction | None:
    """`2小时30分钟`, where the question asks how many minutes."""
    is_asked = prose.question and not prose.question.isascii() and structure.is_number(prose.reference)
    found = durations_in_signs.read(prose.tail, prose.question) if is_asked and prose.question else None
    return Extraction(found) if found else None


def moment(prose: Prose) -> Extraction | None:
    """`Two days after Wednesday comes Friday`, for a reference that is a time of day, a date, a month or a weekday."""
    is_alike = ":" in prose.reference or prose.reference[:1].isupper() or " " in prose.reference
    if not is_alike and len(prose.reference) == _YEAR and prose.question and prose.reference.isdecimal():
        year = moments.year(prose.sentences[-1], prose.question)
        return Extraction(year) if year and not prose.cut else None
    if prose.cut or not is_alike:
        return None
    found = moments.last(prose.sentences[-1], prose.reference, prose.question)
    if found and prose.question and any(date.year for date in dates.dates(prose.reference)):
        found = dates.with_year_of(found, prose.question)
    return Extraction(found) if found else None


def pieces(prose: Prose) -> Extraction | None:
    """`It is 1 if n is even and 0 if n is odd`, for a reference by cases."""
    reference = prose.reference
    if not reference or reference.isdecimal():
        return None
    found = cases.stated(prose.tail, normalize.normalized(reference))
    return Extraction(found) if found else None


def of_type(prose: Prose) -> Extraction | None:
    """`We get f(x) = 2x + 1`, `all odd integers`: what is of the type of the reference."""
    found = typed.stated(prose.tail, prose.reference, prose.question) if prose.reference else None
    return Extraction(found) if found else UNDECIDED if found is not None else None


def named_values(prose: Prose) -> Extraction | None:
    """`The mean is 12 and the median 11`, for a reference that names its values."""
    if not prose.reference:
        return None
    wanted = prose.reference
    if prose.question and " and " in prose.question and not named.values(wanted):
        wanted = asked_names.with_names(wanted, prose.question) or wanted
    found = named.read(prose.bold, wanted) or named.read(prose.tail, wanted)
    return Extraction(found) if found else None


def measured_values(prose: Prose) -> Extraction | None:
    """`It takes 2 s and rises 20 m`, for a reference with several quantities in different units."""
    if prose.cut or not (prose.is_several or ")" in prose.reference):
        return None
    found = typed.as_listed(prose.sentences[-1], prose.reference)
    return Extraction(found) if found else None


def in_base(prose: Prose) -> Extraction | None:
    """`so 45 is 0b101101`, for a reference that is a number with its base."""
    reference = prose.reference
    if (
        reference.isalnum()
        and prose.question
        and (told := bases.in_hexadecimal(prose.sentences[-1], reference, prose.question))
    ):
        return Extraction(told)
    if not reference or reference.isdecimal() or not any(map(str.isdigit, reference)):
        return None
    found = bases.stated(prose.bold, reference) or bases.stated(prose.tail, reference)
    return Extraction(found) if found else None


def compound(prose: Prose) -> Extraction | None:
    """`The product is CO2 (carbon dioxide)`, for a reference that is a formula of chemistry."""
    if not prose.reference:
        return None
    direction = bearings.read(prose.reference) and bearings.read(prose.sentences[-1])
    if direction:
        return Extraction(prose.sentences[-1])
    isotope = isotopes.stated(prose.sentences[-1], prose.reference, prose.question)
    if isotope:
        return Extraction(isotope)
    last = words.sentences(prose.tail)[-1]
    led = _LED_COMPOUND.split(last)[-1]
    behind = last.rpartition(": ")[2] if led == last else led
    found = chemistry.stated(behind, prose.reference) or chemistry.stated(prose.tail, prose.reference)
    return Extraction(found) if found else None


def symbol(prose: Prose) -> Extraction | None:
    """`It is Na, from natrium`, `Aa is heterozygous`: a symbol of an element or a genotype."""
    is_short = len(prose.reference) <= symbols.MAX_CHARS
    found = symbols.said(prose.sentences[-1], prose.reference, prose.question) if is_short else None
    return Extraction(found) if found else None


def date(prose: Prose) -> Extraction | None:
    """`It ended on 11 November 1918`, for a reference that is a date or a year."""
    found = asked_dates.stated(prose.tail, prose.reference, prose.question) if prose.reference else None
    return Extraction(found) if found else UNDECIDED if found is not None else None
