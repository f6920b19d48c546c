"""Finds the formulas and numbers of a sentence, in LaTeX or in plain text (`y = 2x + 3`), by reading its tokens."""

from __future__ import annotations

from typing import NamedTuple

from libra_cli.answers.languages import answer_forms
from libra_cli.answers.sentences import units_behind
from libra_cli.answers.values import normalize, units
from libra_cli.lazy_pattern import lazy_pattern

_LETTERS = rf"[^\W\d_{normalize.RAISED}{normalize.LOWERED}\u00bc-\u00be\u2150-\u215e\u0370-\u03ff]"
TOKEN = lazy_pattern(
    # A closing `$` has no space before it and no digit after it; otherwise it is a price.
    r"(?P<math>\$\$?(?=\S)[^$\n]+(?<=\S)\$\$?(?!\d)|\\\([^\n]+?\\\)|\\\[[^\n]+?\\\])"
    r"|(?P<sign>[\u0394\u03b1-\u03c9](?![\u0370-\u03ff])|[\u221e\u2205\u2102\u2115\u211a\u211d\u2124])"
    r"|(?P<word>[A-Za-z]{3,}-\d{1,3}(?![\d.,]*\d| ?[-+*/^=<>])"  # carbon-14
    r"|\d+(?:st|nd|rd|th)\b|\d+(?:-\d+){2,3}(?= [A-Za-z]{3})|\d+-(?=[A-Za-z]{2})[A-Za-z-]+"
    r"|(?<!\d)(?!(?:sin|cos|tan|cot|sec|csc|log|ln)\d)[A-Za-z]+\d+(?:-\w+)?|(?:[A-Za-z]\.){2,}"
    r"|[\u0370-\u03ff]{2,}|[a-z](?=-[a-z]\s{0,3}[-+=<>*/^])"  # x-y+1
    rf"|{_LETTERS}+(?:['\u2019-]{_LETTERS}+)*)"
    r"|(?P<number>(?:\\?[$\u20ac\u00a3\u00a5])?"
    r"(?:\d{1,3}(?:[ \u00a0\u202f]\d{3}){0,3}[ \u00a0\u202f]0\d\d(?:[ \u00a0\u202f]\d{3}){0,3}(?!\d|[.,]\d)"
    r"|\d{1,4} \d{1,3}/\d{1,3}(?![\d/])|\d+(?:,\d{3})*(?:\.\d+)?|\.\d+|[\u00bc-\u00be\u2150-\u215e])"
    r"(?::\d\d(?!\d|,\d{3}))?"
    r"(?: ?(?i:thousand|million|billion|trillion|lakhs?|crores?)\b|(?:[kKM]|bn)\b(?<=[$\u20ac\u00a3]\d.)"
    r"|[\u4e07\u842c\ub9cc\u4ebf\u5104\uc5b5]+|[\u00bc-\u00be\u2150-\u215e])?"
    r"(?: ?(?i:[ap]\.?m)\b\.?)?)"
    rf"|(?P<postfix>[!%\u00b0\u2032'{normalize.RAISED}{normalize.LOWERED}]+"
    r"|\\[%]|_\{?\w+\}?|\^\{[^{}\n]{1,40}\})"
    r"|(?P<operator><=|>=|!=|\*\*|[-+*/^=<>:|~\u2264\u2265\u2260\u2248\u00b1\u00d7\u00b7\u00f7\u2208\u222a\u2229"
    r"\u2212\u2261\u2216]|\\(?= ?\{))"
    r"|(?P<open>[(\[{]|\\\{)|(?P<close>[)\]}]|\\\})|(?P<root>[\u221a\u221b])|(?P<other>\S)"
)
MAX_DEPTH = 4
"""Signs, roots and functions before one operand."""
RELATIONS = frozenset(("=", "<", ">", "<=", ">=", "!=", "\u2264", "\u2265", "\u2260", "\u2208", "\u2261"))
_IN_RELATIONS = ("=", "<", ">", "\\le", "\\ge", "\\in ", "\\in[", "\\in(")
_FUNCTION_NAMES = """
    sqrt log ln sin cos tan cot sec csc arcsin arccos arctan exp pi lcm gcd max min infinity mod cbrt floor ceil zeta
"""
_FUNCTIONS = frozenset(_FUNCTION_NAMES.split())
_FACTORS = frozenset("sqrt log ln sin cos tan cot sec csc arcsin arccos arctan exp pi".split())  # noqa: SIM905
"""Functions with which a product goes on."""
_SMALL_WORDS = frozenset(("at", "if", "as", "or", "on", "is", "by", "of", "to", "so", "we", "it"))
"""Words in brackets that hold a remark: (at x = 2)."""
_ENGLISH = frozenset(("an", "in", "no", "he", "me", "my", "do", "go", "up", "us", "be", "am", "pm", "vs", "i'm"))
_LETTERS_OF_WORDS = frozenset("abcdxyz")
"""Letters of a product of three that has a vowel: abc."""
_CONSTANTS = frozenset("ABCDK")
"""Letters of constants before e^x."""
_VOWELS = frozenset("aeiou")
_BINARY = frozenset(("+", "-", "\u2212", "*", "/", "\u00b7", "\u00d7", "=", "^", "<", ">"))
_TIGHT = frozenset((":", "|"))
"""Operators that join what touches them, and punctuate otherwise."""
_PARTITIVES = (" of an", " of a")
"""Between a fraction and a unit: 3/4 of an hour."""
_LONGEST_ABSOLUTE = 12
"""Tokens of the longest absolute value."""
_NAME = lazy_pattern(r"\$*(?:\\[(\[])?\s*\\?[A-Za-z]+(?:_\{?\w+\}?)?'?\s*(?:\\[)\]])?\$*")


class Token(NamedTuple):
    """A piece of a sentence."""

    kind: str
    text: str
    start: int
    end: int


class Span(NamedTuple):
    """A formula or a number in a sentence."""

    start: int
    end: int
    text: str
    is_name: bool
    """Only the name of a variable."""
    is_number: bool
    relation: bool
    """It holds a relation such as = or <."""
    unit: str = ""
    """What stands behind it in words or symbols: metres per second."""
    counted: str = ""
    """The plural behind a number: molecules."""


class Reader:
    """Reads the spans of one sentence."""

    def __init__(self, sentence: str):
        self.sentence = sentence
        self.tokens = [Token(str(m.lastgroup), m[0], m.start(), m.end()) for m in TOKEN.finditer(sentence)]
        self._closings = self._matched()
        self.spans: list[Span] = []
        self.asides: list[tuple[int, int]] = []
        """Brackets that hold words."""
        at = 0
        while at < len(self.tokens):
            end = self._run(at)
            if end > at:
                at = self._add(at, end)
            elif self.tokens[at].kind == "open" and (close := self._closings.get(at)) is not None:
                self.asides.append((self.tokens[at].start, self.tokens[close].end))
                at = close + 1
            else:
                at += 1

    def _add(self, first: int, end: int) -> int:
        """Add the span of some tokens, with the unit behind it; returns the index after both."""
        tokens = self.tokens[first:end]
        text = self.sentence[tokens[0].start : tokens[-1].end]
        signs = [token.text for token in tokens if token.kind == "operator"]
        alone = len(tokens) == 1 or (len(tokens) == 2 and tokens[1].kind == "postfix")
        is_name = alone and tokens[0].kind in ("word", "math") and _NAME.fullmatch(text) is not None
        is_number = not any(token.kind in ("word", "math", "open") for token in tokens)
        relation = not RELATIONS.isdisjoint(signs) or (
            tokens[0].kind == "math" and alone and any(map(text.__contains__, _IN_RELATIONS))
        )
        begin = tokens[-1].end
        partitive = next((of for of in _PARTITIVES if self.sentence.startswith(of, begin)), "")
        behind = begin if is_name else units.end_of(self.sentence, begin + len(partitive))
        unit = self.sentence[begin + len(partitive) : behind].strip()
        if is_number and not unit and not self.sentence.isascii():
            unit, behind = answer_forms.unit_at(self.sentence, begin)
        if is_number and not unit:
            unit, behind = units_behind.set_apart(self.sentence, begin)
        behind = behind if unit else begin
        self.spans.append(Span(tokens[0].start, behind, text, is_name, is_number, relation, unit))
        while end < len(self.tokens) and self.tokens[end].start < behind:
            end += 1
        return end

    def _touches(self, at: int) -> bool:
        """Whether token `at` follows the one before it without a space."""
        return 0 < at < len(self.tokens) and self.tokens[at - 1].end == self.tokens[at].start

    def _run(self, at: int) -> int:
        """Index after the longest formula that begins at token `at`; `at` if none does."""
        end = self._operand(at)
        while end > at and end < len(self.tokens):
            token = self.tokens[end]
            if token.kind == "operator":
                before, after = self._touches(end), self._touches(end + 1)
                is_ratio = token.text == ":" and not (before or after) and self._stands_between_numbers(end)
                if token.text in _TIGHT and not (before and after) and not is_ratio:
                    break
                if token.text in "-\u2212" and not before and after:
                    break  # "x -4" is no difference
                following = self._operand(end + 1)
            elif token.kind == "open" and (modulus := self._modulus(end)):
                following = modulus
            elif token.text == "x" and self._is_product(end):
                following = self._operand(end + 1)
            elif self._is_factor(end):
                is_product = token.kind == "word" and token.text not in _FACTORS
                following = max(self._operand(end), end + is_product)
            elif token.text == "mod" or (
                self._touches(end) and token.kind in ("word", "number", "open", "math", "sign", "root")
            ):
                following = self._operand(end)
            else:
                break
            if following <= end + (token.kind == "operator"):
                break
            end = following
        return end

    def _modulus(self, at: int) -> int:
        """Index after "(mod 7)" at token `at`; 0 if there is none."""
        closing = self._closings.get(at)
        return closing + 1 if closing and self.tokens[at + 1].text in ("mod", "\\bmod", "\\mod") else 0

    def _is_product(self, at: int) -> bool:
        """Whether the letter x at token `at` stands for a multiplication of numbers: 2 x 3, 2x3."""
        return self._stands_between_numbers(at) and self._touches(at) == self._touches(at + 1)

    def _is_factor(self, at: int) -> bool:
        """Whether token `at` goes on with a product behind a space: x e^x, 2x sin x, 3 \u221a5, 2 \u03c0 (r + h)."""
        token, before = self.tokens[at], self.tokens[at - 1]
        if token.kind == "root":
            return before.kind != "word" or len(before.text) == 1
        if token.kind == "open":
            return self._is_bracketed_factor(at)
        if token.kind not in ("word", "sign") or before.kind not in ("word", "number", "close", "postfix", "sign"):
            return False
        if token.text in _FACTORS:
            return True
        if before.kind in ("number", "close") and self._is_unit(at):  # 3 m^2, (9.8 +- 0.1) m s^-2
            return False
        if token.kind == "sign":
            return True
        if len(token.text) > 1:
            is_led_on = at + 1 < len(self.tokens) and self.tokens[at + 1].text in _FACTORS
            return (self._is_power(at) or is_led_on) and self._is_product_of_letters(token.text)
        if token.text.islower() and self._is_power(at):
            return True
        is_inside = at > 1 and (before.kind != "word" or len(before.text) == 1) and self._may_multiply(at - 2)
        is_led = before.kind == "sign" or before.text[0] in normalize.RAISED or (before.kind != "postfix" and is_inside)
        is_last = before.kind != "number" and token.text != "a"
        return is_led and token.text.isascii() and token.text not in "AI" and (is_last or self._ends_factor(at))

    def _is_bracketed_factor(self, at: int) -> bool:
        """Whether the bracket at token `at`, behind a space, is a factor and no remark: 2\u03c0 (L/g)^2."""
        before, end = self.tokens[at - 1], self._call(at)
        inside = self.tokens[at + 1 : end - 1]
        signs = {token.text for token in inside if token.kind == "operator"}
        is_of_letters = any(token.kind in ("word", "sign") for token in inside)
        if not end or not is_of_letters or not RELATIONS.isdisjoint(signs) or before.kind == "word":
            return False
        if units.end_of(f" {self.sentence[inside[0].start : inside[-1].end]}", 0) and not self._is_power(end - 1):
            return False
        return bool(signs) if before.kind in ("sign", "postfix") else not signs.isdisjoint("+-\u2212")

    def _is_unit(self, at: int) -> bool:
        """Whether the letters at token `at` are a unit of the number before them, and not the first of more factors."""
        begin = self.tokens[at - 1].end
        end = units.end_of(self.sentence, begin)
        goes_on = end == self.tokens[at].end and self._is_letter(at + 1) and self.tokens[at + 1].text not in "aAI"
        return end > begin and not goes_on

    def _is_letter(self, at: int) -> bool:
        token = self.tokens[at] if at < len(self.tokens) else None
        return token is not None and token.kind in ("word", "sign") and len(token.text) == 1

    def _is_power(self, at: int) -> bool:
        """Whether an exponent follows token `at`."""
        following = self.tokens[at + 1] if self._touches(at + 1) else None
        return following is not None and (following.text in ("^", "**") or following.text[0] in normalize.RAISED + "^")

    def _may_multiply(self, at: int) -> bool:
        """Whether a product may go on behind token `at` and one more: the sign of 2 + a b, the m of m g h."""
        token = self.tokens[at]
        return token.kind in ("number", "operator", "sign", "postfix") or self._is_letter(at)

    def _ends_factor(self, at: int) -> bool:
        """Whether what follows the letter at token `at` is no word: a sign, a mark, another letter."""
        following = self.tokens[at + 1] if at + 1 < len(self.tokens) else None
        if following is None or following.kind in ("operator", "postfix", "sign", "root", "close"):
            return True
        return following.text in ",.;" or following.text in _FACTORS or self._is_letter(at + 1)

    def _is_product_of_letters(self, text: str) -> bool:
        """Whether a short word is no word but a product: xe, mgh, ab."""
        if not (1 < len(text) < 4 and text.isascii() and text.isalpha()) or text[1:].lower() != text[1:]:
            return False
        if len(text) == 2:
            return text not in _SMALL_WORDS and text not in _ENGLISH
        return _VOWELS.isdisjoint(text) or _LETTERS_OF_WORDS.issuperset(text)

    def _stands_between_numbers(self, at: int) -> bool:
        around = self.tokens[at - 1 : at + 2]
        return len(around) == 3 and around[0].kind == around[2].kind == "number"

    def _operand(self, at: int, depth: int = 0) -> int:
        """Index after one operand at token `at` with its sign and what is attached; `at` if there is none."""
        if at >= len(self.tokens) or depth > MAX_DEPTH:
            return at
        kind, text = self.tokens[at].kind, self.tokens[at].text
        end = at
        if kind == "root" or (kind == "operator" and text in ("-", "+", "\u2212", "\u00b1") and self._touches(at + 1)):
            following = self._operand(at + 1, depth + 1)
            return following if following > at + 1 else at
        if kind == "word" and text.rstrip(normalize.LOWERED).lower() in _FUNCTIONS:
            end = at + 1
            while end < len(self.tokens) and self.tokens[end].kind == "postfix":
                end += 1
            if text.lower() in ("pi", "infinity"):
                return end
            following = self._operand(end, depth + 1)
            return following if following > end else at
        if text == "|":
            return self._absolute(at)
        if kind in ("number", "math", "sign") or (kind == "word" and (self._is_variable(at) or self._is_function(at))):
            end = at + 1
        elif kind == "open":
            closing = self._closings.get(at)
            if closing is not None and self._is_formula(at + 1, closing) and not self._is_called(at):
                end = closing + 1
        if end == at:
            return at
        while end < len(self.tokens) and (
            (self.tokens[end].kind == "postfix" and (self._touches(end) or self.tokens[end].text[-1] in "%"))
            or (self.tokens[end].kind == "open" and self._touches(end) and kind != "number" and self._call(end))
        ):
            end = self._call(end) or end + 1
        return end

    def _absolute(self, at: int) -> int:
        """Index after an absolute value of a letter at token `at`: |k|, |x - 2|; `at` if there is none."""
        end = at + 1
        while end < len(self.tokens) and self.tokens[end].text != "|" and end - at < _LONGEST_ABSOLUTE:
            end += 1
        is_closed = self._touches(at + 1) and self._touches(end) and self.tokens[end].text == "|"
        inside = self.tokens[at + 1 : end]
        is_of_letter = is_closed and any(one.kind in ("word", "sign") and len(one.text) < 3 for one in inside)
        return end + 1 if is_of_letter and self._is_formula(at + 1, end) else at

    def _call(self, at: int) -> int:
        """Index after a bracket with a formula in it; 0 if there is none at token `at`."""
        closing = self._closings.get(at) if self.tokens[at].kind == "open" else None
        return closing + 1 if closing is not None and self._is_formula(at + 1, closing) else 0

    def _is_called(self, at: int) -> bool:
        """Whether the bracket at token `at` belongs to the letters before it: mg(1 - x), but not of(3)."""
        before = self.tokens[at - 1]
        is_product = before.text not in _FUNCTIONS and self._is_product_of_letters(before.text)
        return (
            self._touches(at)
            and before.kind == "word"
            and is_product
            and self.tokens[at].text == "("
            and self._call(at) > 0
        )

    def _is_function(self, at: int) -> bool:
        """Whether the word at token `at` is the only function of which an equation gives a value: rank(A) = 1."""
        if not (self._touches(at + 1) and self.tokens[at + 1].text == "(" and self.tokens[at].text.isascii()):
            return False
        if self.sentence.count("(") > 1:  # rank(A) = 1, nullity(A) = 2
            return False
        end = self._call(at + 1)  # 0 behind a bracket that does not close, which may be the last token
        if not 0 < end < len(self.tokens) or self.tokens[end].text != "=":
            return False
        return self.tokens[at + 2].text not in ("s", "es")  # value(s)

    def _is_variable(self, at: int) -> bool:
        token = self.tokens[at]
        text = token.text.rstrip(normalize.LOWERED)
        if len(text) > 3 or not text.isascii() or not text.isalpha():
            return False
        touched = at > 0 and self._touches(at) and self.tokens[at - 1].kind in ("number", "operator", "sign", "close")
        following = self.tokens[at + 1 : at + 2]
        operator = bool(following) and following[0].kind in ("operator", "postfix") and following[0].text not in "'-:!"
        if len(text) > 1:
            is_divided = operator and following[0].text == "/" and self._is_numerator(at)
            return touched or is_divided or self._is_term(at)
        return text not in "aAI" or text != token.text or touched or operator

    def _is_numerator(self, at: int) -> bool:
        """Whether the letters at token `at` are a product that is divided: mgh/2, GM/r^2, mg/(2k), but not km/h."""
        text, behind = self.tokens[at].text, self.tokens[at + 2 : at + 3]
        if len(text) == 2 and text[0] == "d":
            return True
        is_quotient = bool(behind) and self._touches(at + 1) and self._touches(at + 2) and text not in _SMALL_WORDS
        if not is_quotient or behind[0].kind == "number":
            return is_quotient
        if behind[0].kind == "open":
            return self._call(at + 2) > 0
        whole = f" {text}/{behind[0].text}"
        is_letter = len(behind[0].text) == 1 and behind[0].text not in "ashLlgK"  # erg/s
        is_factor = behind[0].kind == "word" and (is_letter or self._is_power(at + 2))
        return is_factor and units.end_of(whole, 0) < len(whole)

    def _is_term(self, at: int) -> bool:
        """Whether the letters at token `at` are a product in a sum, an equation or a power: + ab, mgh + , xe^x."""
        text = self.tokens[at].text
        if text[0] in _CONSTANTS and text[1:] == "e":  # Ce^{3x}
            return self._is_power(at)
        if not (text.islower() and self._is_product_of_letters(text)):
            return False
        before = self.tokens[at - 1] if at else None
        following = self.tokens[at + 1] if at + 1 < len(self.tokens) else None
        if (
            before is not None
            and before.text in _BINARY
            and at > 1
            and not (before.text in "-\u2212" and self._touches(at))
        ):
            return True
        if following is not None and (following.text in _FACTORS - {"pi"} or self._is_called(at + 1)):
            return True  # mg sin x, mg(sin x - 1)
        if units.end_of(f" {text}", 0):
            return False
        return self._is_power(at) or (
            following is not None and following.text in "+*\u00b7=" and at + 2 < len(self.tokens)
        )

    def _matched(self) -> dict[int, int]:
        """Index of the token that closes each bracket, by that of the one that opens it."""
        found, opened = {}, []
        for index, token in enumerate(self.tokens):
            if token.kind == "open":
                opened.append(index)
            elif token.kind == "close" and opened:
                found[opened.pop()] = index
        return found

    def _is_formula(self, first: int, end: int) -> bool:
        """Whether tokens in brackets hold no words."""
        inside = self.tokens[first:end]
        names = (token.text for token in inside if token.kind == "word")
        return (
            bool(inside)
            and all((len(name) < 3 and name not in _SMALL_WORDS) or name.lower() in _FUNCTIONS for name in names)
            and not any(token.text == "." for token in inside)
        )
