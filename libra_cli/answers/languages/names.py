"""Compares names and short phrases, with their titles, first names, short forms, accents, and the nouns they carry."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from libra_cli.answers.languages import places
from libra_cli.lazy_pattern import lazy_pattern

MAX_CHARS, MIN_WORD = 80, 3
_ROMAN = lazy_pattern(r"\b[IVX]+$")
_WORD = lazy_pattern(r"[^\W\d_]+")
_NOT_A_NAME = lazy_pattern(r"[\d$\\^_=<>+*/|{}\[\]]")
_SMALL = frozenset(
    "l da di van von den the a an of and in on de la le der die das du el los las les "  # noqa: SIM905
    "ein eine une una uma".split()
)
_LONG_FORMS = {
    "mt": "mount", "st": "saint", "dr": "doctor", "mr": "mister", "prof": "professor", "ft": "fort",
    "centre": "center", "theatre": "theater", "metre": "meter", "grey": "gray", "rightangled": "right",
}  # fmt: skip
_UNITED_STATES = (["us"], ["usa"], ["united", "states", "america"])
_WATERS = frozenset(
    "ocean oceano ozean mer mar mare fleuve rio fiume fluss lac lago desert desierto deserto ile isla".split()  # noqa: SIM905
)
_CARRIED = _WATERS | frozenset(
    "sea river lake city island islands mountains triangle number function series matrix angle"  # noqa: SIM905
    " distribution reaction economy gas method test".split()
)
"""Nouns that a name carries or leaves out: the Nile River, an isosceles triangle."""
_FIRST_NAMES = frozenset("dante leonardo galileo michelangelo napoleon rembrandt raphael tycho".split())  # noqa: SIM905
"""First names by which people are known."""
_LAWS = frozenset("law theorem principle lemma paradox effect rule criterion inequality".split())  # noqa: SIM905
_ORDINALS = {"first": 1, "second": 2, "third": 3, "zeroth": 0, "fourth": 4}
_SPELLED = ("zeroth", "first", "second", "third", "fourth")
_ORDINAL = lazy_pattern(
    r"\b([0-4])(?:st|nd|rd|th)?(?= (?:law|theorem|principle|rule)\b)",
    re.IGNORECASE,
    one_of=(" law", " theorem", " principle", " rule"),
)
_BEGINNING = 3
"""Letters that the forms of a word share."""
_SCRIPTS = (("\u0400", "\u04ff", "Cyrillic"), ("\u0621", "\u064a", "Arabic"), ("\uac00", "\ud7a3", "Hangul"))
_POSSESSIVE = lazy_pattern(r"(?:['\u2019]s|s['\u2019]) ")
_STEM = 6
"""Letters that the forms of a name share: Pythagoras, Pythagorean."""
_PLACES = frozenset("new north south east west san santa saint los las el upper lower great little old".split())  # noqa: SIM905
"""Words that make another name of the one behind them: New York."""
_FEWEST_TRANSLITERATED = 6
"""Letters of a name whose spellings are told apart by nothing else."""
_SPELLINGS = tuple(
    (lazy_pattern(pattern), letters)
    for pattern, letters in (
        *((r"t?sch|tch|tsh", "ch"), (r"[yj]", "i"), (r"ph", "f"), (r"ff?$", "v"), (r"w", "v"), (r"i+e", "e")),
        *((r"kh", "h"), (r"([aou])e(?=[^ei])", r"\1"), (r"([bcdfgkmpsz])\1", r"\1"), (r"ii?$", "i"), (r"ks", "x")),
    )
)
"""Letters of names that are written in several ways, and one of these."""
_NEGATIONS = ("不", "非", "无", "未", "没")
_CLASSES = "\u5ddd\u6cb3\u6e56\u5c9b\u5cf6\u5e02\u7701\u770c\u53bf"
"""Signs of rivers, lakes, islands, cities and provinces, behind their names."""
_CLASSES_IN_HANGUL = ("\ud2b9\ubcc4\uc2dc", "\uad11\uc5ed\uc2dc", "\uc2dc", "\ud2b9\ubcc4\uc790\uce58\ub3c4")
_HEADS = ("条件", "三角形", "四边形")
"""Nouns that say of what kind the thing before them is, which an answer may leave out: 充分不必要条件."""
_NUMERALS = str.maketrans("一二三四五六七八九", "123456789")
_WITHOUT_DIGITS = str.maketrans("", "", "0123456789")
_TENS = "十百千万"
_HEAD = 3
"""Signs of the class that two Chinese or Japanese nouns may share: two kinds of \u4e09\u89d2\u5f62."""


def tokens(text: str) -> list[str]:
    """The words of a text without accents and articles, in lower case and in their long forms."""
    found = []
    for word in _WORD.findall(
        _bare(text).replace("-angled", "").replace("\u2019", "'").replace("'s", "").replace("s' ", "s ")
    ):
        word = _LONG_FORMS.get(word, word)
        if word.endswith("our") and len(word) > len("flour"):
            word = f"{word[:-3]}or"
        if "aem" in word or "oes" in word:  # haemoglobin, oesophagus
            word = word.replace("aem", "em").replace("oes", "es")
        found.append(word)
    found = [word for word in found if word not in _SMALL] or found
    return ["united", "states"] if found in _UNITED_STATES else found


@lru_cache(1 << 12)
def _bare(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(char for char in decomposed if not unicodedata.combining(char) or ord(char) > 0x3000)


def is_name(text: str) -> bool:
    """Whether every word of a text but articles and the like begins with a capital."""
    heard = [word for word in _WORD.findall(text) if word.lower() not in _SMALL]
    return bool(heard) and all(word[0].isupper() for word in heard)


def _without_class(text: str) -> str:
    """A name without the words of seas and rivers, which other languages write in small letters: l'océan Pacifique."""
    return " ".join(word for word in text.replace("\u2019", "'").split() if _bare(word).split("'")[-1] not in _WATERS)


def is_water(word: str) -> bool:
    """Whether a word is that of seas and rivers, which names carry."""
    return word in _WATERS


def is_small(word: str) -> bool:
    """Whether a word is an article or the like, which stands within names in small letters."""
    return word in _SMALL


def is_name_in_any_case(text: str) -> bool:
    """Whether the capitals in a text say nothing; in a code or a genotype they do: AaBb is not AABB."""
    return all(word[1:].islower() or len(word) == 1 for word in _WORD.findall(text))


def same(reference: str, answer: str) -> bool | None:
    """Whether two names or phrases mean the same; None if that is not certain, or if they are anything else."""
    if max(len(reference), len(answer)) > MAX_CHARS:
        return None
    if not reference.isascii() and (verdict := _same_numbered(reference, answer)) is not None:
        return verdict
    reference, answer = (_ORDINAL.sub(lambda at: _SPELLED[int(at[1])], text) for text in (reference, answer))
    if any(map(_NOT_A_NAME.search, (reference, answer))):
        return None
    verdict = None if reference.isascii() or answer.isascii() else _same_in_other_letters(reference, answer)
    if verdict is not None:
        return verdict
    wanted, given = tokens(reference), tokens(answer)
    if not wanted or not given:
        return None
    if (is_one := _are_one_place(wanted, given)) is not None:
        return is_one
    if max(map(len, wanted)) < MIN_WORD and max(map(len, given)) < MIN_WORD:
        return None
    if wanted == given:
        return True
    verdict = _same_phrases(reference, answer, wanted, given)
    if verdict is not None:
        return verdict
    are_names = is_name(_without_class(reference)) and is_name(_without_class(answer))
    return _same_names(reference, answer, wanted, given) if are_names else None


def _same_in_other_letters(reference: str, answer: str) -> bool | None:
    """The same of two texts of which each has letters beyond ASCII."""
    if _are_other_words(reference, answer):
        return _are_one_place(tokens(reference), tokens(answer)) or False
    if _is_with_class(reference, answer) or _is_with_class(answer, reference):
        return True
    return _same_signs(reference, answer)


def _same_phrases(reference: str, answer: str, wanted: list[str], given: list[str]) -> bool | None:
    """The same of two phrases with different words: of kings by number, nouns with their class, and laws."""
    numerals = [_ROMAN.findall(text) for text in (reference, answer)]
    if all(numerals) and wanted[:-1] == given[:-1]:  # Henry VII, Henry VIII
        return False
    core, said = _without_carried(wanted), _without_carried(given)
    one_carries = (len(core) < len(wanted)) is not (len(said) < len(given))
    if core and core == said and one_carries:
        return True
    if len(core) == len(said) == 1 and one_carries and not core[0].startswith(said[0][:4]):
        return False
    if wanted[-1] == given[-1] or set(_LAWS) & set(wanted) & set(given):
        verdict = _same_laws(reference, answer)
        if verdict is not None:
            return verdict
    if wanted[:-1] == given[:-1] and wanted[:-1] and len(wanted[-1]) == len(given[-1]) == 1:
        return False  # vitamin C, vitamin D
    return None


def _same_names(reference: str, answer: str, wanted: list[str], given: list[str]) -> bool | None:
    """The same of two names with different words: in other letters, with initials, of the family only."""
    core, said = _without_carried(wanted), _without_carried(given)
    wanted, given = ([_transliterated(word) for word in name] for name in (wanted, given))
    if wanted == given:
        return True
    initials, whole = zip(*map(_initials, (wanted, given)), strict=True)
    if whole[0] == whole[1] and min(len(wanted), len(given)) > 1 and len(wanted[-1]) > 1 < len(given[-1]):
        return True if initials[0] == initials[1] or not all(initials) else None  # John F. Kennedy
    if _is_short_form(reference, answer) or _is_short_form(answer, reference):
        return True
    long, short = (wanted, given) if len(wanted) > len(given) else (given, wanted)
    is_part = len(short) == 1 and 1 < len(long) < 4
    if is_part and (long[0] == short[0] in _FIRST_NAMES or (long[-1] == short[0] and long[0] not in _PLACES)):
        return True  # Picasso, Pablo Picasso
    if any(text.isupper() for text in map(_without_small, (reference, answer))):
        return None
    are_whole = len(core) == len(said) == 2 and min(len(core[0]), len(said[0])) > 1
    if are_whole and core[1] == said[1] and core[0][0] != said[0][0]:
        return False  # Marie Curie, Pierre Curie
    if not set(core).isdisjoint(said):
        return None
    are_cyrillic = all(_script(word[0]) == "Cyrillic" for word in (*wanted, *given))
    return False if are_cyrillic or (_is_latin(reference) and _is_latin(answer)) else None


def _without_carried(name: list[str]) -> list[str]:
    """The words of a name without the nouns that it carries: Nile of the Nile River."""
    return [word for word in name if word not in _CARRIED]


@lru_cache(1)
def _places() -> dict[str, int]:
    """The row of each name of a place, in the words that `tokens` gives."""
    rows = (line.split() for line in places.NAMES.strip().split("\n"))
    return {" ".join(tokens(form.replace("_", " "))): at for at, row in enumerate(rows) for form in row}


def _are_one_place(wanted: list[str], given: list[str]) -> bool | None:
    """Whether two names are of one city or country; None if one of them is of none that is known."""
    known, keys = _places(), [" ".join(name) for name in (wanted, given)]
    one, other = (known.get(key, known.get(key[:-1]) if key[-1:] in _CLASSES else None) for key in keys)
    return None if one is None or other is None else one == other


def _transliterated(word: str) -> str:
    """A long name in one spelling of those that another script allows: Dostoyevsky, Dostoevskii; Rachmaninoff."""
    if len(word) < _FEWEST_TRANSLITERATED:
        return word
    for pattern, letters in _SPELLINGS:
        word = pattern.sub(letters, word)
    return word


def _initials(name: list[str]) -> tuple[list[str], list[str]]:
    """The single letters of a name, and its words."""
    return [word for word in name if len(word) == 1], [word for word in name if len(word) > 1]


def _are_other_words(reference: str, answer: str) -> bool:
    """Whether two single words of one script other than the Latin one, neither of them a form of the other, differ."""
    one, other = (text.lower().removeprefix("\u0627\u0644") for text in (reference, answer))
    is_alike = one[:_BEGINNING] == other[:_BEGINNING] or one in other or other in one
    scripts = {_script(char) for char in one + other}
    return not is_alike and len(scripts) == 1 and "" not in scripts


def _is_with_class(long: str, short: str) -> bool:
    """Whether a name in Hangul is another one with the word of its class: \uc11c\uc6b8\ud2b9\ubcc4\uc2dc."""
    return long.removeprefix(short) in _CLASSES_IN_HANGUL and long.startswith(short)


def _script(char: str) -> str:
    return next((name for first, last, name in _SCRIPTS if first <= char <= last), "")


def _same_laws(reference: str, answer: str) -> bool | None:
    """Compare laws and theorems by whom they are named after: the Pythagorean theorem, Pythagoras' theorem."""
    wanted, given = ([word for word in tokens(text) if word != "motion"] for text in (reference, answer))
    shared = set(wanted) & set(given) & _LAWS
    if len(shared) != 1:
        return None
    stems = [sorted(word[:_STEM] for word in words if word not in shared) for words in (wanted, given)]
    if stems[0] == stems[1]:
        return True
    ordinals = [sorted(_ORDINALS[word] for word in words if word in _ORDINALS) for words in (wanted, given)]
    rests = [[stem for stem in of_one if stem not in _ORDINALS] for of_one in stems]
    if all(ordinals) and rests[0] == rests[1]:  # Newton's first and third law
        return ordinals[0] == ordinals[1]
    are_possessive = all(_POSSESSIVE.search(text) for text in (reference, answer))
    return False if are_possessive and set(stems[0]).isdisjoint(stems[1]) else None


def _without_small(text: str) -> str:
    """A name without articles and prepositions: NYC of "in NYC"."""
    return " ".join(word for word in text.split() if word.lower() not in _SMALL)


def _is_short_form(short: str, long: str) -> bool:
    """Whether `short` has the initials of `long`: UK, U.S.A., USA for the United States."""
    letters = _without_small(short).replace(".", "").strip()
    initials = "".join(word[0] for word in re.findall(r"[A-Za-z]+", long) if word.lower() not in _SMALL).upper()
    return letters.isupper() and len(letters) > 1 and len(initials) > 1 and letters in (initials, f"{initials}A")


def _is_latin(text: str) -> bool:
    return _bare(text).replace("\u2019", "'").isascii()


def _same_signs(reference: str, answer: str) -> bool | None:
    """Compare two nouns in Chinese or Japanese signs."""
    wanted, given = (_bare(text).strip('\u3002\u300a\u300b\u300c\u300d\u201c\u201d" .') for text in (reference, answer))
    if wanted == given:
        return True
    if not (is_in_signs(wanted) and is_in_signs(given)):
        return None
    short, long = sorted((wanted, given), key=len)
    if long.startswith(_NEGATIONS) and long[1:] == short:
        return False
    if len(short) > 1 and long.startswith(short) and long.removeprefix(short) in _HEADS:
        return True
    if long.endswith(short) or long.startswith(short):
        return None
    shares_class = wanted[-_HEAD:] == given[-_HEAD:]
    if wanted[-1] == given[-1] and wanted[-1] in _CLASSES and set(wanted[:-1]).isdisjoint(given[:-1]):
        return False  # two rivers
    return False if shares_class or (set(wanted).isdisjoint(given) and len(long) < 5) else None


def _same_numbered(reference: str, answer: str) -> bool | None:
    """Compare two nouns with a digit in one and its sign in the other: 第三象限, 第3象限; None for any others."""
    if not any(map(str.isdigit, reference + answer)) or any(sign in reference + answer for sign in _TENS):
        return None
    wanted, given = (text.translate(_NUMERALS).replace(" ", "").removeprefix("第") for text in (reference, answer))
    rest = [text.translate(_WITHOUT_DIGITS) for text in (wanted, given)]
    are_alike = (
        rest[0] == rest[1] and is_in_signs(rest[0]) and all(any(map(str.isdigit, one)) for one in (wanted, given))
    )
    return wanted == given if are_alike else None


def is_in_signs(text: str) -> bool:
    """Whether a text is in Chinese or Japanese signs, which have no spaces between words."""
    return bool(text) and all(0x3040 <= ord(char) <= 0x9FFF for char in text)
