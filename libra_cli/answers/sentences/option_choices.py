"""Reads which option a text chooses by its letter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from libra_cli.answers.languages import names, option_signs
from libra_cli.answers.sentences import denials, options, phrases
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
    leaving leaves left so therefore thus hence is choose chose select pick with answer option choice are correspond
    corresponds
    favour favours favor favors
"""
_CHOSEN = frozenset(_BEFORE_CHOSEN.split())
_WRONG = frozenset("wrong incorrect false fail fails invalid if otherwise unless".split())  # noqa: SIM905
_IS_WRONG = lazy_pattern(
    r"\)? (?:is|are|was|were)(?: both| all| also)? (?:wrong|incorrect|false|not|impossible|ruled|out)\b"
)
_CHOOSING = frozenset(
    "answer answers option options choice choices choose select pick leaving leaves".split()  # noqa: SIM905
)
_CALLED_RIGHT = [[word] for word in ("correct", "right", "best", "better", "true", "answer", "one")]
_AND_IN_SIGNS = str.maketrans("\u548c\u4e0e\u53ca", "\u3001\u3001\u3001")
_NEXT, _NEAR_END = 2, 2000
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
_SO_LETTER = lazy_pattern(
    r"[,;\u2014\u2013] ?(?:so|hence|thus|therefore)(?: it(?:['\u2019]s| is| must be))? \(?(?P<letter>[A-J])\)?[.!*]*$"
)
"""The tortoise is not, so D."""
_BEHIND_LETTER = words.table("is are was and or but because since as instead then here would must cannot does doesn't")
"""Words before which A is no article."""
_STANDS_FIRST = lazy_pattern(
    r"\s*[*_(]{0,4}(?P<letter>[A-J])[).:][*_]{0,2} (?P<text>[^\n]{1,80}?)[*_.]{0,3}(?:\n\s*\n"
    r"|(?<=[.*])[ \n]+(?=Why|What about))"
)
"""(C) g downward, and an explanation below."""
_TURNS = words.table(
    "actually wait however answer answers correct correction sorry therefore so hence thus choose chose select pick no "
    "final mistake"
)
_ALL_BUT = lazy_pattern(
    rf"\W*(?:(?i:so|therefore|hence|thus|the|correct|right|final|answers?|is|are|it|namely)\b\W*)*"
    rf"(?i:all|every|each|everything)(?: (?:of|the|these|them|one|ones|options?|choices?|statements?|answers?))*,? "
    rf"(?i:but|except(?: for)?|other than|apart from|besides) (?:(?i:for|option|choice|statement) )?"
    rf"\(?(?P<letters>{options.LETTERS})\)?"
    r"(?: (?:are|is|hold|holds|work|works|apply)(?: (?:true|correct|right|valid))?)?\W*",
    one_of=("but", "except", "other than", "apart from", "besides"),
)
_NAMED = lazy_pattern(r"\(([A-J])\)")
_SENTENCE = lazy_pattern(r"[^.?!\n]*[.?!\n]?")
_NAMES_OTHERS = lazy_pattern(r"\?$|\b(?:wrong|incorrect|popular|trap|tempting|distractors?|confus\w*)\b")
"""Ends and words of sentences about options that are not chosen: Why not (A)?"""
_ABOUT_FIRST = ("this is", "that is", "it is", "this isn't", "incorrect", "wrong", "false", "not ", "is ")


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
        return whole if option.text else in_order(option.letters)
    for statement in statements:
        letters = _in_sentence(statement, is_statement=True)
        if letters:
            return letters
    for at, sentence in enumerate(last_sentences(text)):
        only = options.parse(sentence.strip(" .*")) if at == 0 and len(sentence) < _HEAD else None
        ended = _SO_LETTER.search(sentence) if at == 0 else None
        if ended:
            return ended["letter"]
        if only and not only.text:  # an explanation, and **(B)** behind it
            return in_order(only.letters)
        head, labels, rest = sentence.partition(":")
        if labels and len(head) < _HEAD and _LETTER.search(rest):  # Correct: A and C. Incorrect: B.
            judgement = {word.lower() for word in words.split(head)}
            if not judgement.isdisjoint(_WRONG_LABELS):
                continue
            if not judgement.isdisjoint(_RIGHT_LABELS) and (letters := _in_sentence(rest, is_statement=True)):
                return letters
        judged = _judged(sentence)
        if judged:
            return in_order(judged)
        abroad = [*_CHOSEN_ABROAD.finditer(sentence.replace("**", "").translate(_AND_IN_SIGNS))]
        if abroad:
            return in_order(re.findall("[A-J]", abroad[-1]["letters"]))
        right = [match["letters"] for match in _LETTER.finditer(sentence) if _is_called_right(sentence[match.end() :])]
        if right:
            return in_order(re.findall("[A-J]", right[-1]))
        if is_choice(sentence):
            letters = _in_sentence(sentence, is_statement=False)
            if letters:
                return letters
    first = options.parse(whole.partition("\n")[0].strip()) if "\n" in whole else None
    if first and not first.text and len(first.letters) == 1:  # **C**, and an explanation below
        return in_order(first.letters)
    last = next(last_sentences(text), "")
    told = option_signs.told_abroad(last)
    if told:
        return told
    return _in_sentence(last, is_statement=len(last.split()) < 4)


def all_but(said: str, listed: Mapping[str, str], question: str) -> str | None:
    """All options of a question but those that a text excepts: All but A; None if it excepts none, "" if unsure."""
    last = next(last_sentences(said), "")
    excepted = _ALL_BUT.fullmatch(latex.without_setting(last))
    if excepted is None:
        return None
    every = {*listed} or {*_NAMED.findall(question)}
    left = every.difference(excepted["letters"])
    return "" if len(left) in (0, len(every)) else in_order([*left])


def after_doubt(text: str) -> str | None:
    """The option that a text chooses behind a doubt; None if there is none, "" if it may be another one than before."""
    doubts = [*denials.DOUBTED.finditer(text)]
    rest = text[doubts[-1].end() :] if doubts else ""
    named = {match["letters"] for match in _LETTER.finditer(rest) if not _is_word(rest, match)}
    if not named:
        return None
    before = {match["letters"] for match in _LETTER.finditer(text, 0, doubts[-1].start())}
    return chosen(rest, ()) or (None if named <= before or _judges_wrong(rest) else "")


def wavers(statement: str) -> bool:
    """Whether a statement names a second option behind "or" next to its first: B, or possibly A after all."""
    found = [*_LETTER.finditer(statement)][:2]
    return len(found) == 2 and "or" in words.split(statement[found[0].end() : found[1].start()])[-2:]


def is_choice(sentence: str) -> bool:
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
    if heard[:3] == ["the", "only", "one"] and verb == "is" and behind.lstrip().startswith(verb):
        return not _judges_wrong(behind) and _NOT_CHOSEN.isdisjoint(words.split(behind))
    heard = [word for word in heard if word not in ("thus", "therefore", "indeed", "the", "only")]
    is_called_right = heard[:1] in _CALLED_RIGHT and (heard[:1] != ["one"] or heard[1:2] == ["that"])
    is_better = verb in ("fits", "seems", "works", "looks", "matches") and heard[:1] == ["better"]
    return (verb in ("is", "are") or is_better) and behind.lstrip().startswith(verb) and is_called_right


def stands_first(text: str, listed: Mapping[str, str]) -> str | None:
    """The option whose letter and text begin a response, with an explanation below that chooses no other one."""
    first = _STANDS_FIRST.match(text)
    content = listed.get(first["letter"]) if first else None
    if first is None or content is None or names.tokens(content) != names.tokens(first["text"]):
        return None
    behind = "".join(one for one in _SENTENCE.findall(text[first.end() :]) if not _NAMES_OTHERS.search(one))
    if any(match["letters"] != first["letter"] and not _is_word(behind, match) for match in _LETTER.finditer(behind)):
        return None
    behind = behind.lower()
    is_list = any(
        f"{letter.lower()}{mark} {listed[letter].lower()}" in behind for letter in listed for mark in (".", ")", ":")
    )
    is_open = not _TURNS.isdisjoint(words.split(behind)) or behind.lstrip().startswith(_ABOUT_FIRST)
    return None if is_list or is_open else first["letter"]


def refuses(text: str, listed: Mapping[str, str]) -> bool:
    """Whether the last sentence of a text says that it has no answer, and names no option."""
    last = next(last_sentences(text), "")
    heard = names.tokens(last)
    letters = any(not _is_word(text, match) for match in _LETTER.finditer(text[-_NEAR_END:]))
    is_named = letters or any(words.stand_in(names.tokens(content), heard) for content in listed.values())
    return phrases.refuses(last) and not is_named


def are_named(text: str) -> bool:
    """Whether the last sentence of a text names an option at all."""
    last = next(last_sentences(text), "")
    return any(not _is_word(last, match) for match in _LETTER.finditer(last))


def last_sentences(text: str) -> Iterator[str]:
    """Sentences from the last to the first of the end of a text; one in brackets is only a remark."""
    end = text[-2000:].rstrip()
    remark = end.rfind(". (") if end.endswith(")") else -1
    yield from reversed(words.sentences(end[: remark + 1] if remark > 0 else end))


def _in_sentence(sentence: str, is_statement: bool) -> str | None:
    """The letters that a sentence chooses; None if it names none, or several and none of them for certain."""
    sentence = latex.without_setting(sentence)
    option = options.parse(sentence.strip(" ."))
    if option is not None:
        return in_order(option.letters)
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
        if _IS_WRONG.match(before, end):
            continue
        if "or" in heard[-2:]:  # or D, or option D, or possibly D
            return None
        if _NOT_CHOSEN.isdisjoint(heard[-4:]):
            found.append((match["letters"], heard))
    if len(found) != 1:
        found = [(letters, before_it) for letters, before_it in found if _leads_to(before_it, choosing)][-1:]
    if not found or not (is_statement or not choosing.isdisjoint(found[0][1][-4:])):
        return None
    return in_order(re.findall("[A-J]", found[0][0]))


def _leads_to(heard: Sequence[str], choosing: frozenset[str]) -> bool:
    """Whether one of the last words before a letter chooses it; "are" does so only right before it."""
    near = [word for at, word in enumerate(reversed(heard[-3:])) if word != "are" or at < _NEXT]
    return not choosing.isdisjoint(near)


def _is_word(sentence: str, match: re.Match[str]) -> bool:
    """Whether a letter is the article A, which begins a sentence or follows a colon, or the pronoun I."""
    if match[0] == "AI":
        return True
    if match[0] not in ("A", "I") or not sentence[match.end() : match.end() + 2].strip(" ").islower():
        return False
    following = words.split(sentence[match.end() : match.end() + _HEAD])[:1]
    within = sentence[: match.start()].rstrip(" (*")[-1:]
    return match[0] == "I" or not (_BEHIND_LETTER.issuperset(following) or within.islower() or within == ",")


def in_order(letters: Sequence[str] | frozenset[str]) -> str:
    """Several letters as one answer: A, C."""
    return ", ".join(sorted(set(letters)))
