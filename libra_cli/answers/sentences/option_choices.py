"""Reads which option a text chooses: by its letter, or by the text that the question gives the option."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from libra_cli.answers.languages import names
from libra_cli.answers.sentences import assertions, options
from libra_cli.answers.text import latex, words
from libra_cli.lazy_pattern import lazy_pattern

_LETTER = lazy_pattern(
    rf"(?<![A-Za-z0-9\\'\u2019{{])[(\uff08\[]?(?P<letters>{options.LETTERS})[)\uff09\]]?(?![A-Za-z0-9'\u2019=+^_*/<>])"
)
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
    rf"[:\uff1a\s]*[*(\uff08]*(?P<letters>{options.LETTERS})(?![A-Za-z])"
)
_JUDGED = lazy_pattern(
    r"(?<![A-Za-z])(?P<letter>[A-J])(?:项|选项)?\)?\s*"
    r"(?:(?P<right>正确|对|is (?:correct|true|right)\b)|错|不正确|is (?:wrong|false|incorrect|not)\b)"
)
_ANSWER_ABROAD = "réponse respuesta resposta risposta antwort antwoord ответ opción opzione opção".split()  # noqa: SIM905
_ROMAN = lazy_pattern(r"(?<![A-Za-z])(?:IV|I{1,3}|VI{0,3})(?![A-Za-z'\u2019])")
_FILLING = frozenset(("it", "is", "are", "they", "be"))


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


def chosen(text: str, statements: Sequence[str]) -> str | None:
    """The option that a response chooses: by its last explicit statement, or else by its last sentences.

    `statements` are what stands behind "the answer is", the last one first.
    """
    whole = text.strip()
    option = options.parse(whole) if "\n" not in whole else None
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
    first = options.parse(whole.partition("\n")[0].strip()) if "\n" in whole else None
    if first and not first.text and len(first.letters) == 1:  # **C**, and an explanation below
        return _written(first.letters)
    last = next(_last_sentences(text), "")
    letter = last.rstrip(" .*)$").rpartition(" ")[2].strip("(*$")
    if len(letter) == 1 and letter in "ABCDEFGHIJ" and any(map(last.lower().__contains__, _ANSWER_ABROAD)):
        return letter
    return _in_sentence(last, is_statement=len(last.split()) < 4)


def has_another_text(option: str, text: str, listed: Mapping[str, str]) -> bool:
    """Whether behind the letter of an option stands the text of another one: "B. Rome" where Rome is A."""
    named = options.parse(option)
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
    option = options.parse(sentence.strip(" ."))
    if option is not None:
        return _written(option.letters)
    reason = _REASON.search(sentence)
    before = sentence[: reason.start()] if reason and _LETTER.search(sentence, 0, reason.start()) else sentence
    choosing = _CHOSEN if _judges_wrong(sentence) else _CHOSEN | {"only"}
    found: list[tuple[str, list[str]]] = []
    end = 0
    for match in _LETTER.finditer(before):
        if not options.is_list(match["letters"]) or _is_word(before, match):
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
