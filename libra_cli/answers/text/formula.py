"""Parses formulas into trees, with a small grammar of LaTeX and of plain text.

Nothing is evaluated here. The grammar never guesses: text that it does not cover has no reading. A tree is a tuple
whose first member names the operation:

`("number", Fraction)`, `("symbol", name)`, `("constant", "pi" | "e" | "i")`, `("+", a, b)`, `("*", a, b)`,
`("/", a, b)`, `("^", a, b)`, `("-", a)`, `("!", a)`, `("!!", a)`, and `(FUNCTION, argument, ...)` with a function that
`numeric` evaluates.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any

from libra_cli.answers.text import counts
from libra_cli.lazy_pattern import lazy_pattern

Tree = tuple[Any, ...]

MAX_TOKENS = 400
MAX_DEPTH = 40
"""Maximum depth of nested calls of the parser, for brackets, functions, exponents and signs."""
MAX_TREE_DEPTH = 120
"""Maximum depth of a tree, to which functions on trees recurse. A sum of n terms is n deep."""
CACHED = 1 << 12

_TRIGONOMETRIC = "sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc sinh cosh tanh"
_INVERSE = {"sin": "arcsin", "cos": "arccos", "tan": "arctan", "cot": "arccot", "sec": "arcsec", "csc": "arccsc"}
_NAMED = {name: name for name in f"{_TRIGONOMETRIC} ln log exp gcd lcm min max".split()}
_NAMED |= {"cis": "cis", "lg": "log", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "tg": "tan", "ctg": "cot"}
_NAMED |= {"cotg": "cot", "arctg": "arctan", "sen": "sin", "arcsen": "arcsin", "senh": "sinh"}
_SEVERAL = frozenset(("gcd", "lcm", "min", "max"))
_GREEK_LETTERS = """
    alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho sigma tau upsilon
    phi varphi chi psi omega Gamma Delta Theta Lambda Xi Sigma Phi Psi Omega ell
"""
_GREEK = frozenset(_GREEK_LETTERS.split())
_SPECIAL = frozenset(("zeta", "Gamma"))
"""Letters that name a function where a number in brackets follows."""
_SPELLINGS = {"varepsilon": "epsilon", "varphi": "phi", "vartheta": "theta"}
"""Greek letters in two shapes."""
_ACCENTS = frozenset("hat bar vec tilde dot ddot widehat overline mathcal mathbb".split())  # noqa: SIM905
_PLANCK = ("/", ("symbol", "h"), ("*", ("number", Fraction(2)), ("constant", "pi")))
"""\\hbar."""
_TIMES = ("\\cdot", "\\times", "*", "\\ast")
_OVER = ("/", "\\div")
_CLOSING = {"(": ")", "[": "]", "{": "}", "\\lfloor": "\\rfloor", "\\lceil": "\\rceil", "\\lvert": "\\rvert"}
_ENDS = frozenset((")", "]", "}", "|", "\\rfloor", "\\rceil", "\\rvert", ",", "+", "-", *_TIMES, *_OVER, "\\bmod", ""))
_TOKEN = lazy_pattern(r"\s*(\d+\.?\d*|\.\d+|\\[A-Za-z]+|\\.|[A-Za-z]+|.)", re.DOTALL)
_WORD = lazy_pattern(
    "|".join(sorted(_NAMED, key=len, reverse=True)),
    one_of=(
        *("lg", "tg", "sen", "ln", "log", "cos", "cis", "sin", "cot", "min", "max", "lcm", "tan", "sec"),
        *("exp", "csc", "gcd"),
    ),
)


NUMBER, SYMBOL, CONSTANT = "number", "symbol", "constant"


class NoFormula(Exception):
    """Raised if the grammar does not cover the text."""


@lru_cache(CACHED)
def readings(text: str) -> tuple[Tree, ...]:
    """Parse the normalized `text` into every tree that it may mean; empty if it is no formula.

    `1/2x` may be x/2 or 1/(2x), and `log` may have base 10 or e.
    """
    try:
        tokens = _tokens(text)
    except NoFormula:
        return ()
    counted = counts.written_out(tokens)
    trees = []
    for variant in (counted, tokens) if counted != tokens else (tokens,):
        try:
            trees.append(_Parser(variant).whole())
            if any(token in _OVER for token in tokens):
                trees.append(_Parser(variant, juxtaposition_first=True).whole())
        except NoFormula:
            continue
    level = trees
    for _ in range(MAX_TREE_DEPTH):  # without recursion, which a deep tree would exhaust
        level = [part for node in level if node[0] not in (NUMBER, SYMBOL, CONSTANT) for part in node[1:]]
        if not level:
            break
    else:
        return ()
    if "\\log" in tokens:
        trees += [_with_natural_logarithms(tree) for tree in trees]
    return tuple(dict.fromkeys(trees))


def _with_natural_logarithms(tree: Tree) -> Tree:
    if tree[0] in (NUMBER, SYMBOL, CONSTANT):
        return tree
    kind = "ln" if tree[0] == "log" and len(tree) == 2 else tree[0]
    return (kind, *map(_with_natural_logarithms, tree[1:]))


def symbols(tree: Tree) -> frozenset[str]:
    """Names of the variables in `tree`."""
    if tree[0] == SYMBOL:
        return frozenset((tree[1],))
    if tree[0] in (NUMBER, CONSTANT):
        return frozenset()
    return frozenset().union(*map(symbols, tree[1:]))


def substituted(tree: Tree, name: str, value: Fraction) -> Tree:
    """`tree` with `value` for the variable `name`."""
    if tree[0] == SYMBOL:
        return (NUMBER, value) if tree[1] == name else tree
    return tree if tree[0] in (NUMBER, CONSTANT) else (tree[0], *(substituted(part, name, value) for part in tree[1:]))


def _tokens(text: str) -> list[str]:
    """Split `text` into commands, numbers and single characters.

    Letters without a backslash become functions and variables: `sinx` is sin x, `ab` is a b.
    """
    tokens: list[str] = []
    for match in _TOKEN.finditer(text):
        token = match[1]
        if token.isalpha():
            names: list[str] = []
            start = 0
            while start < len(token):
                function = _WORD.match(token, start)
                names.append("\\" + function.group() if function else token[start])
                start = function.end() if function else start + 1
            if len(names) > 4 and not any(len(name) > 1 for name in names):
                raise NoFormula("a word")
            tokens += names
        elif token == " ":
            continue
        else:
            if token[0].isdecimal() and tokens and tokens[-1][0].isdecimal():
                raise NoFormula("two numbers side by side")
            tokens.append(token)
        if len(tokens) > MAX_TOKENS:
            raise NoFormula("too long")
    return tokens


def _nested(parse: Callable[[_Parser], Tree]) -> Callable[[_Parser], Tree]:
    """Decorator that limits the depth of nested calls, so that no text can exhaust Python's stack."""

    def counted(parser: _Parser) -> Tree:
        parser.depth += 1
        if parser.depth > MAX_DEPTH:
            raise NoFormula("too deep")
        tree = parse(parser)
        parser.depth -= 1
        return tree

    return counted


class _Parser:
    """Recursive-descent parser; with `juxtaposition_first`, a product without a sign binds tighter than a slash."""

    def __init__(self, tokens: list[str], juxtaposition_first: bool = False):
        self._tokens, self._position, self.depth = list(tokens), 0, 0
        self._juxtaposition_first = juxtaposition_first

    def whole(self) -> Tree:
        tree = self._sum()
        if self._next:
            raise NoFormula(f"unexpected {self._next}")
        return tree

    # -- tokens -------------------------------------------------------------------------------------------------------

    @property
    def _next(self) -> str:
        return self._tokens[self._position] if self._position < len(self._tokens) else ""

    def _take(self, *wanted: str) -> str:
        token = self._next
        if not token or (wanted and token not in wanted):
            raise NoFormula(f"{token or 'the end'} instead of {' or '.join(wanted) or 'more'}")
        self._position += 1
        return token

    def _accept(self, *wanted: str) -> str:
        return self._take() if self._next and self._next in wanted else ""

    # -- operators ----------------------------------------------------------------------------------------------------

    def _sum(self) -> Tree:
        tree = self._product()
        while sign := self._accept("+", "-"):
            term = self._product()
            tree = ("+", tree, term if sign == "+" else ("-", term))
        return tree

    def _product(self) -> Tree:
        tree = self._factors() if self._juxtaposition_first else self._signed()
        while True:
            if self._accept(*_TIMES):
                tree = ("*", tree, self._operand())
            elif self._accept(*_OVER):
                tree = ("/", tree, self._operand())
            elif self._accept("\\bmod"):
                tree = ("mod", tree, self._operand())
            elif self._next in _ENDS:
                return tree
            else:
                tree = self._joined(tree)

    def _operand(self) -> Tree:
        return self._factors() if self._juxtaposition_first else self._signed()

    def _factors(self) -> Tree:
        """Parse a product without signs as one operand."""
        tree = self._signed()
        while self._next not in _ENDS:
            tree = self._joined(tree)
        return tree

    def _joined(self, tree: Tree) -> Tree:
        """Parse the next factor and multiply `tree` by it, or add it in a mixed number such as 2\\frac{3}{4}."""
        number = self._tokens[self._position - 1].isdigit() and tree[0] == NUMBER
        factor = self._power()
        if number and factor[0] == "/" and factor[1][0] == factor[2][0] == NUMBER and factor[1][1] < factor[2][1]:
            return ("+", tree, factor)
        return ("*", tree, factor)

    def _signed(self) -> Tree:
        negative = False
        while sign := self._accept("+", "-"):
            negative ^= sign == "-"
        tree = self._power()
        return ("-", tree) if negative else tree

    @_nested
    def _power(self) -> Tree:
        return self._raised(self._atom())

    def _raised(self, base: Tree) -> Tree:
        while True:
            if self._accept("!"):
                base = ("!!" if self._accept("!") else "!", base)
            elif self._next == "^" and self._tokens[self._position + 1 : self._position + 2] == ["\\circ"]:
                self._position += 2
                base = ("degrees", base)
            elif self._accept("\\%", "%"):
                base = ("/", base, (NUMBER, Fraction(100)))
            elif self._accept("^"):
                base = ("^", base, self._exponent())
            else:
                return base

    @_nested
    def _exponent(self) -> Tree:
        if self._next == "{":
            return self._group()
        if sign := self._accept("-", "+"):
            tree = self._exponent()
            return ("-", tree) if sign == "-" else tree
        tree = self._atom()
        return ("^", tree, self._exponent()) if self._accept("^") else tree  # a^b^c is a^(b^c)

    # -- atoms --------------------------------------------------------------------------------------------------------

    def _atom(self) -> Tree:
        token = self._take()
        if token[0].isdecimal() or (token[0] == "." and len(token) > 1):
            return (NUMBER, Fraction(token.rstrip(".")))
        if token in _CLOSING:
            tree = self._sum()
            self._take(_CLOSING[token])
            wrap = {"\\lfloor": "floor", "\\lceil": "ceil", "\\lvert": "abs"}.get(token)
            return (wrap, tree) if wrap else tree
        if token == "|":
            tree = self._sum()
            self._take("|")
            return ("abs", tree)
        if token.isalpha():
            return self._named(token)
        return self._command(token)

    def _named(self, letter: str) -> Tree:
        if self._next != "_":
            return (CONSTANT, letter) if letter in ("e", "i") else (SYMBOL, letter)
        self._take()
        return (SYMBOL, f"{letter}_{self._subscript()}")

    def _subscript(self) -> str:
        if not self._accept("{"):
            return self._take()
        found = []
        while not self._accept("}"):
            found.append(self._take())
        return "".join(found)

    def _command(self, token: str) -> Tree:
        name = token[1:]
        if name == "pi":
            return (CONSTANT, "pi")
        if name in ("frac", "binom"):
            top, bottom = self._group(), self._group()
            return ("/", top, bottom) if name == "frac" else ("binom", top, bottom)
        if name == "sqrt":
            return self._root()
        if name in _SPECIAL and self._next == "(":
            argument = self._atom()
            return ("*", (SYMBOL, name), argument) if symbols(argument) else (name.lower(), argument)
        if name in _GREEK:
            return self._named(_SPELLINGS.get(name, name))
        if name == "hbar":
            return _PLANCK
        if name in _ACCENTS:
            return self._accented(name)
        if token.startswith("\\") and name in _NAMED:
            return self._function(_NAMED[name])
        raise NoFormula(f"unknown {token}")

    def _accented(self, accent: str) -> Tree:
        """Parse a symbol with an accent: \\dot{x}, \\hat H."""
        braced = self._accept("{")
        letter = self._take()
        if not (letter.isalpha() or letter[1:] in _GREEK):
            raise NoFormula(f"{accent} of {letter}")
        if braced:
            self._take("}")
        return self._named(f"{accent} {letter}")

    def _group(self) -> Tree:
        """Parse a group in braces, or a single token without them."""
        if not self._accept("{"):
            return self._atom()
        tree = self._sum()
        self._take("}")
        return tree

    def _root(self) -> Tree:
        if not self._accept("["):
            return ("sqrt", self._group())
        index = self._sum()
        self._take("]")
        return ("root", self._group(), index)

    def _function(self, name: str) -> Tree:
        base = self._base() if name == "log" and self._next == "_" else None
        power = None
        if self._accept("^"):
            power = self._exponent()
            if power == ("-", (NUMBER, Fraction(1))) and name in _INVERSE:
                name, power = _INVERSE[name], None
        tree: Tree
        if name in _SEVERAL:
            tree = (name, *self._arguments())
        else:
            argument = self._argument()
            tree = (name, argument) if base is None else ("log", argument, base)
        return tree if power is None else ("^", tree, power)

    def _base(self) -> Tree:
        """Parse the base of a logarithm: \\log_28 is log 8 to base 2, \\log_10(x) is log x to base 10."""
        self._take("_")
        digits, behind = self._next, self._tokens[self._position + 1 : self._position + 2]
        if digits.isdecimal() and len(digits) > 1 and (not behind or behind[0] in _ENDS):
            self._tokens[self._position : self._position + 1] = [digits[0], digits[1:]]
        return self._group()

    def _arguments(self) -> list[Tree]:
        closing = _CLOSING[self._take("(", "{", "[")]
        found = [self._sum()]
        while self._accept(","):
            found.append(self._sum())
        self._take(closing)
        return found

    def _argument(self) -> Tree:
        """Parse the argument of a function: a bracket, or all factors up to the next sign or function."""
        if self._next in ("(", "[", "{", "|"):
            return self._atom()
        sign = self._accept("-", "+")
        tree = self._power()
        while self._next not in _ENDS and self._next[1:] not in _NAMED and self._next != "(":
            tree = self._joined(tree)
        return ("-", tree) if sign == "-" else tree
