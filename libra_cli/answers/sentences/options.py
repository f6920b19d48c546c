"""Options of multiple-choice questions: in references, in answers, in sentences that choose one, and in questions.

An option is a letter from A to J with or without its text: `B`, `(B)`, `B. 7 m`, `\\text{(B)}`, `Option B`; several are
`A, B and D` or `ABD`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from libra_cli.answers.languages import names
from libra_cli.answers.sentences import assertions
from libra_cli.answers.text import latex, words
from libra_cli.lazy_pattern import lazy_pattern

FEWEST = 2
"""Options that a question must list."""
_SHORT = 200
_ENDS = "?.:!)_\n\u3002\uff1f\uff1a\uff09"
"""What may end a question before its first option."""
_LETTERS = r"[A-J](?:(?:\)?\s*[,;&\u3001/]\s*(?:and\s+)?\(?|\)?\s+and\s+\(?|(?=[A-J]))[A-J])*"
_OPTION = lazy_pattern(
    rf"(?i:(?:the )?(?:correct |right |best |final )*(?:options?|choices?|answers?)(?: is| are)?[ :]*)?"
    rf"(?P<open>[(\uff08\[]?)(?P<letters>{_LETTERS})(?P<close>[)\uff09\]]?)"
    r"(?:(?P<mark>[.):\uff1a\uff0e\u3001]|(?<=[)\uff09\]])| - )(?P<text>.*))?",
    re.DOTALL,
)
_LETTER = lazy_pattern(
    rf"(?<![A-Za-z0-9\\'\u2019{{])[(\uff08\[]?(?P<letters>{_LETTERS})[)\uff09\]]?(?![A-Za-z0-9'\u2019=+^_*/<>])"
)
_SMALL = lazy_pattern(r"(?:(?i:option|choice) )?\(?([a-dfghj])(?:[).:].{0,100})?", re.DOTALL)
_SMALL_LETTERS = frozenset("abcdefghij")
_REASON = lazy_pattern(
    r"\b(?:because|since|as|while|whereas|for|due to|given)\b|\u56e0\u4e3a|\u56e0\u6b64\u6392\u9664", re.IGNORECASE
)
_REJECTING = """
    not rules rule ruled eliminating eliminate eliminates eliminated excluding exclude except rather instead over unlike
    than rejecting reject neither nor discarding discard
"""
_NOT_CHOSEN = frozenset(_REJECTING.split())
_BEFORE_CHOSEN = """
    leaving leaves left so therefore thus hence is choose chose select pick with answer option choice are
    favour favours favor favors
"""
_CHOSEN = frozenset(_BEFORE_CHOSEN.split())
_WRONG = frozenset("wrong incorrect false fail fails invalid if otherwise unless".split())  # noqa: SIM905
_CHOOSING = frozenset(
    "answer answers option options choice choices choose select pick leaving leaves".split()  # noqa: SIM905
)
_CALLED_RIGHT = [[word] for word in ("correct", "right", "best", "true", "answer", "one")]
_FIGURE = lazy_pattern(r"-?\\?[$\u20ac\u00a3]?\d.*")
_RESULT = lazy_pattern(r"(?:^|[,;:]|\b(?:so|and|gives|thus|hence))\s*\$?[A-Za-z]\w? = [^=,;a-z]{1,60} = [^=,;\s]+$")
"""A calculation with a name that ends a sentence: P = 100 - 2 * 20 = 60."""
_UNLIKE = lazy_pattern(r"^(?:Unlike|In contrast to|As opposed to) [^.]*?, (?=[^,]*$)")
_IN_BRACKETS = lazy_pattern(r" \([^()]*\)")
_CLAUSES = (", whereas ", " whereas ", ", while ", " while ")
_CONTRASTS = (", but not ", ", and not ", " and not ", ", not ", " not ", " rather than ", " instead of ")
_AND_IN_SIGNS = str.maketrans("\u548c\u4e0e\u53ca", "\u3001\u3001\u3001")
_NEARNESS = 20
"""A number that differs from an option by less than one part in so many may be it, rounded."""
_HEAD = 30
"""Length of the longest label before options: Correct statements."""
_RIGHT_LABELS, _WRONG_LABELS = ("correct", "true", "right"), ("incorrect", "false", "wrong", "not")
_PHRASES = """
    故选 故選 【答案】 答案是 答案为 答案為 答案选 答案
    选择 選擇 选项 選項 选 選 正确选项是 正确选项为
    正确答案是 正确答案为 正解は 正解: 答えは 정답은 정답 답은
"""
"""What stands before an option in Chinese, Japanese and Korean."""
_CHOSEN_ABROAD = lazy_pattern(
    rf"(?:{'|'.join(sorted(_PHRASES.split(), key=len, reverse=True))})"
    rf"[:\uff1a\s]*[*(\uff08]*(?P<letters>{_LETTERS})(?![A-Za-z])"
)
_LISTED = lazy_pattern(r"(?<![A-Za-z0-9])[(\uff08]?([A-J])(?:[)\uff09]\.?|[.:\uff1a\uff0e\u3001](?!\d|\w\.))\s*(?=\S)")


_JUDGED = lazy_pattern(
    r"(?<![A-Za-z])(?P<letter>[A-J])(?:项|选项)?\)?\s*"
    r"(?:(?P<right>正确|对|is (?:correct|true|right)\b)|错|不正确|is (?:wrong|false|incorrect|not)\b)"
)
_ANSWER_ABROAD = "réponse respuesta resposta risposta antwort antwoord ответ opción opzione opção".split()  # noqa: SIM905
_ROMAN = lazy_pattern(r"(?<![A-Za-z])(?:IV|I{1,3}|VI{0,3})(?![A-Za-z'\u2019])")
_FILLING = frozenset(("it", "is", "are", "they", "be"))


class Option(NamedTuple):
    """One option or several, and the text of one."""

    letters: frozenset[str]
    text: str = ""


@lru_cache(1 << 12)
def parse(text: str) -> Option | None:
    """Parse a reference or an answer as an option; None if it is none."""
    if not text or len(text) > _SHORT:
        return None
    plain = latex.without_setting(text) if "\\" in text or "*" in text or "$" in text else text.strip()
    match = _OPTION.fullmatch(plain)
    if match is None or not _is_list(match["letters"]):
        return None
    content = (match["text"] or "").strip(" .,;:")
    letters = frozenset(re.findall("[A-J]", match["letters"]))
    if content and (len(letters) > 1 or (match["mark"] == " - " and len(content) == 1)):  # A - B is a difference
        return None
    return Option(letters, content) if match["open"] == "" or match["close"] else None


def _is_list(letters: str) -> bool:
    """Whether letters without marks between them are in order: ABD, but neither BAD nor I, III."""
    runs = "".join(char if char.isalpha() else " " for char in letters.replace("and", " ")).split()
    return all(list(run) == sorted(set(run)) for run in runs)  # III is no list


def are_unsorted(text: str) -> bool:
    """Whether single capital letters with commas stand in another order than that of the alphabet: an order."""
    letters = [letter.strip() for letter in text.strip(" ()$").split(",")]
    return all(len(letter) == 1 and letter.isupper() for letter in letters) and letters != sorted(letters)


def parse_small(text: str) -> Option | None:
    """Parse small letters, as people write who need not tell them from variables: c, (a) and (c); but no e or i."""
    plain = latex.without_setting(text)
    letters = [part.strip("().") for part in plain.replace(",", " ").replace("&", " ").split() if part != "and"]
    several = len(letters) > 1 and all(len(letter) == 1 and letter in "abcdfghj" for letter in letters)
    if several:
        return Option(frozenset(letter.upper() for letter in letters))
    match = _SMALL.fullmatch(plain)
    return Option(frozenset(match[1].upper())) if match else None


@lru_cache(1 << 12)
def is_letter(reference: str) -> bool:
    """Whether a reference names an option, so that a letter is asked for."""
    return parse(reference.strip()) is not None


@lru_cache(1 << 10)
def of_question(question: str) -> dict[str, str]:
    """Texts of the options that a question lists, by letter; empty if it lists none."""
    plain = "\n".join(map(latex.without_setting, question.split("\n")))
    marks: list[re.Match[str]] = []
    wanted = ord("A")
    for mark in _LISTED.finditer(plain):
        before = plain[: mark.start()].strip(" ")[-1:]
        begins = marks or ")" in mark[0] or "\uff09" in mark[0] or before in _ENDS
        if mark[1] == chr(wanted) and begins:
            marks.append(mark)
            wanted += 1
    if len(marks) < FEWEST:
        return {}
    ends = [*(mark.start() for mark in marks[1:]), len(plain)]
    texts = {
        mark[1]: plain[mark.end() : end].split("\n")[0].strip(" ,;.\\") for mark, end in zip(marks, ends, strict=True)
    }
    return texts if all(texts.values()) and len(set(texts.values())) == len(texts) else {}


def is_none_of(option: str, listed: Mapping[str, str]) -> bool:
    """Whether letters name no option of the question: I of the statements I, II and III."""
    named = parse(option)
    return named is not None and named.letters.isdisjoint(listed)


def said(text: str, listed: Mapping[str, str]) -> str | None:
    """The letter of the only option whose text the last sentences of a response hold; None if that is not certain."""
    wanted = {
        letter: [word for word in names.tokens(content) if word not in _FILLING] for letter, content in listed.items()
    }
    for sentence in _last_sentences(text):
        sentence = _IN_BRACKETS.sub("", _UNLIKE.sub("", sentence))
        for contrast in _CONTRASTS:
            sentence = sentence.partition(contrast)[0]
        main = min((sentence.partition(contrast)[0] for contrast in _CLAUSES), key=len)
        found = _held(main, listed, wanted)
        if not found and main != sentence:
            found = _held(sentence, listed, wanted)
        if found:
            is_denied = assertions.denies(sentence) or any(map(sentence.__contains__, ("\u4e0d\u662f", "\u5e76\u975e")))
            return found[0] if len(found) == 1 and not is_denied else None
    return None


def _held(sentence: str, listed: Mapping[str, str], wanted: Mapping[str, list[str]]) -> list[str]:
    """Letters of the options whose text a sentence holds; all of them if that is not certain of figures."""
    numerals = _ROMAN.findall(sentence)
    if numerals:
        return [one for one, content in listed.items() if sorted(_ROMAN.findall(content)) == sorted(set(numerals))]
    if all(map(_FIGURE.match, listed.values())):
        end = latex.without_setting(sentence).rstrip(" .*!")
        held = [letter for letter, content in listed.items() if _has_figure(end, content)]
        ended = [letter for letter in held if end.endswith(listed[letter])]
        is_certain = len(ended) == 1 and (len(held) == 1 or _RESULT.search(end))
        return ended if is_certain else [*listed] if held else []
    if names.is_in_signs("".join(listed.values())):
        return [letter for letter, content in listed.items() if content in sentence]
    heard = names.tokens(sentence)
    return [letter for letter, sought in wanted.items() if sought and words.stand_in(sought, heard)]


def _has_figure(sentence: str, content: str) -> bool:
    """Whether a sentence has the figure of an option, and not only as part of a longer one."""
    return re.search(rf"(?<![\w.,\-/^]){re.escape(content)}(?![.,/^]?[-\w])", sentence) is not None


def _judged(sentence: str) -> list[str]:
    """Letters that a sentence calls right, if it judges several: A\u6b63\u786e\uff0cB\u9519\u8bef."""
    verdicts = {match["letter"]: match["right"] is not None for match in _JUDGED.finditer(sentence)}
    return [letter for letter, right in verdicts.items() if right] if len(verdicts) > 2 else []


def with_texts(reference: str, answer: str, question: str) -> tuple[str, str]:
    """The two answers; if just one of them is the letter of an option that the question lists, its text instead."""
    if reference.isdecimal() and answer.isdecimal():  # most are numbers, and need no question
        return reference, answer
    wanted, given = parse(reference), parse(answer)
    if wanted and not given and (small := answer.strip(" ().")) in _SMALL_LETTERS and of_question(question):
        return reference, small.upper()
    if (wanted is None) == (given is None):
        return reference, answer
    option = wanted or given
    listed = of_question(question)
    text = listed.get(next(iter(option.letters))) if option and len(option.letters) == 1 else None
    if text is None or (option and option.text):
        return reference, answer
    other = answer if wanted else reference
    meant = [
        letter
        for letter, content in listed.items()
        if names.same(*(latex.without_setting(one).strip(" .") for one in (content, other)))
    ]
    if len(meant) == 1 and option and meant[0] not in option.letters:  # the text of another option
        return (reference, meant[0]) if wanted else (meant[0], answer)
    return (text, answer) if wanted else (reference, text)


def is_rounded(answer: str, listed: Mapping[str, str]) -> bool:
    """Whether a number is near that of an option and none of them: 2.48 where 2.5 eV is listed."""
    from libra_cli.answers.values import structure

    found = [structure.parse(one) for one in (answer, *listed.values())]
    leaves = [one.value if isinstance(one, structure.Equation) else one for one in found]
    values = [one.number.value for one in leaves if isinstance(one, structure.Leaf) and one.number]
    if len(values) < len(found):
        return False
    given, *others = values
    return given not in others and any(abs(given - other) * _NEARNESS < abs(other) for other in others)


def chosen(text: str, statements: Sequence[str]) -> str | None:
    """The option that a response chooses: by its last explicit statement, or else by its last sentences.

    `statements` are what stands behind "the answer is", the last one first.
    """
    whole = text.strip()
    option = parse(whole) if "\n" not in whole else None
    if option is not None and ". " not in option.text and not are_named(option.text):
        return whole if option.text else _written(option.letters)
    for statement in statements:
        letters = _in_sentence(statement, is_statement=True)
        if letters:
            return letters
    for sentence in _last_sentences(text):
        head, labels, rest = sentence.partition(":")
        if labels and len(head) < _HEAD and _LETTER.search(rest):  # Correct: A and C. Incorrect: B.
            judgement = {word.lower() for word in words.split(head)}
            if not judgement.isdisjoint(_WRONG_LABELS):
                continue
            if not judgement.isdisjoint(_RIGHT_LABELS) and (letters := _in_sentence(rest, is_statement=True)):
                return letters
        judged = _judged(sentence)
        if judged:
            return _written(judged)
        abroad = [*_CHOSEN_ABROAD.finditer(sentence.replace("**", "").translate(_AND_IN_SIGNS))]
        if abroad:
            return _written(re.findall("[A-J]", abroad[-1]["letters"]))
        for match in _LETTER.finditer(sentence):
            if _is_called_right(sentence[match.end() :]):
                return _written(re.findall("[A-J]", match["letters"]))
        if _is_choice(sentence):
            letters = _in_sentence(sentence, is_statement=False)
            if letters:
                return letters
    first = parse(whole.partition("\n")[0].strip()) if "\n" in whole else None
    if first and not first.text and len(first.letters) == 1:  # **C**, and an explanation below
        return _written(first.letters)
    last = next(_last_sentences(text), "")
    letter = last.rstrip(" .*)$").rpartition(" ")[2].strip("(*$")
    if len(letter) == 1 and letter in "ABCDEFGHIJ" and any(map(last.lower().__contains__, _ANSWER_ABROAD)):
        return letter
    return _in_sentence(last, is_statement=len(last.split()) < 4)


def has_another_text(option: str, text: str, listed: Mapping[str, str]) -> bool:
    """Whether behind the letter of an option stands the text of another one: "B. Rome" where Rome is A."""
    named = parse(option)
    letter = next(iter(named.letters)) if named and len(named.letters) == 1 else ""
    at = max((text.rfind(f"{letter}{mark}") for mark in (".", ")", ":", "**", "}")), default=-1) if letter else -1
    behind = latex.without_setting(text[at + 1 :]).lstrip(" .):*}\u2014-").lower() if at >= 0 else ""
    own = listed.get(letter, "").lower()
    if not behind or not own or behind.startswith(own):
        return False
    return any(behind.startswith(content.lower()) for one, content in listed.items() if one != letter)


def wavers(statement: str) -> bool:
    """Whether a statement names a second option behind "or" next to its first: B, or possibly A after all."""
    found = [*_LETTER.finditer(statement)][:2]
    return len(found) == 2 and "or" in words.split(statement[found[0].end() : found[1].start()])[-2:]


def said_or_chosen(text: str, listed: Mapping[str, str], option: str | None, reference: str) -> str | None:
    """`option`, or the letter of the option whose text the last sentences say; "" if a letter may be either.

    In "vitamin D" the letter belongs to the text. "Answer: A market economy" is the text of the reference B; if the
    reference is A, nobody knows what it is.
    """
    last = next(_last_sentences(text), "")
    heard = words.split(last.lower())
    holding = [
        letter
        for letter, content in listed.items()
        if option in content.split() != [option] and words.stand_in(words.split(content.lower()), heard)
    ]
    if option and not holding:
        return option
    meant = holding[0] if len(holding) == 1 else said(text, listed) if not option else None
    if not meant:
        return option
    content = listed[meant]
    before = last[: max(last.lower().find(content.lower()), 0)].split()[-1:]
    is_letter = content.split()[0] in listed or (before and before[0].strip("(*") in listed and before != [meant])
    return "" if is_letter and meant not in reference and _is_choice(last) else meant


def _is_choice(sentence: str) -> bool:
    """Whether a sentence speaks of choosing an option."""
    heard = [word.lower() for word in words.split(sentence)]
    is_left = any(pair in (("go", "with"), ("left", "with")) for pair in pairwise(heard))
    return is_left or not _CHOOSING.isdisjoint(heard) or any(map(sentence.__contains__, "\u7b54\u9009\u9078"))


def _judges_wrong(sentence: str) -> bool:
    heard = [word.lower() for word in words.split(sentence)]
    return not _WRONG.isdisjoint(heard) or any(word.endswith("n't") for word in heard)


def _is_called_right(behind: str) -> bool:
    """Whether what stands behind a letter calls it right: "is therefore the correct answer"."""
    verb, *heard = words.split(behind[:_HEAD]) or [""]
    heard = [word for word in heard if word not in ("thus", "therefore", "indeed", "the", "only")]
    is_called_right = heard[:1] in _CALLED_RIGHT and (heard[:1] != ["one"] or heard[1:2] == ["that"])
    return verb in ("is", "are") and behind.lstrip().startswith(verb) and is_called_right


def are_named(text: str) -> bool:
    """Whether the last sentence of a text names an option at all."""
    last = next(_last_sentences(text), "")
    return any(not _is_word(last, match) for match in _LETTER.finditer(last))


def _last_sentences(text: str) -> Iterator[str]:
    """Sentences from the last to the first of the end of a text; one in brackets is only a remark."""
    end = text[-2000:].rstrip()
    remark = end.rfind(". (") if end.endswith(")") else -1
    yield from reversed(words.sentences(end[: remark + 1] if remark > 0 else end))


def _in_sentence(sentence: str, is_statement: bool) -> str | None:
    """The letters that a sentence chooses; None if it names none, or several and none of them for certain."""
    sentence = latex.without_setting(sentence)
    option = parse(sentence.strip(" ."))
    if option is not None:
        return _written(option.letters)
    reason = _REASON.search(sentence)
    before = sentence[: reason.start()] if reason and _LETTER.search(sentence, 0, reason.start()) else sentence
    choosing = _CHOSEN if _judges_wrong(sentence) else _CHOSEN | {"only"}
    found: list[tuple[str, list[str]]] = []
    end = 0
    for match in _LETTER.finditer(before):
        if not _is_list(match["letters"]) or _is_word(before, match):
            continue
        heard = [word.lower() for word in words.split(before[end : match.start()])]
        end = match.end()
        if "or" in heard[-2:]:  # or D, or option D, or possibly D
            return None
        if _NOT_CHOSEN.isdisjoint(heard[-4:]):
            found.append((match["letters"], heard))
    if len(found) != 1:
        found = [(letters, before_it) for letters, before_it in found if not choosing.isdisjoint(before_it[-3:])][-1:]
    if not found or not (is_statement or not choosing.isdisjoint(found[0][1][-4:])):
        return None
    return _written(re.findall("[A-J]", found[0][0]))


def _is_word(sentence: str, match: re.Match[str]) -> bool:
    """Whether a letter is the article A or the pronoun I."""
    return match[0] in ("A", "I") and sentence[match.end() : match.end() + 2].strip(" ").islower()


def _written(letters: Sequence[str] | frozenset[str]) -> str:
    return ", ".join(sorted(set(letters)))
