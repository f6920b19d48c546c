"""Normalizes the text of an answer: one notation for the many that mean the same."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from functools import lru_cache

from libra_cli.answers.languages import answer_forms
from libra_cli.answers.text import arrays, damage, french, function_forms, keyboard, latex, number, set_braces, words
from libra_cli.lazy_pattern import lazy_pattern

_OF_ARGUMENTS = ("\\in", "\u2208", "for ", "\\forall", "\u2200")
CACHED = 1 << 14
MAX_CHARS = 512
"""Longer answers are not normalized."""

_PLAIN = lazy_pattern(r"-?\d+(?:\.\d+)?")
_GREEK = "αβγδεζηθικλμνξπρστυφχψωϕϵϑΓΔΘΛΞΠΣΦΨΩ"
_GREEK_NAMES = """
    alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega
    phi epsilon theta Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega
"""
_CHARACTERS = str.maketrans(
    {
        "−": "-", "–": "-", "—": "-", "‑": "-", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "∗": r"\cdot ",
        "÷": "/", "⁄": "/", "∞": r"\infty ",
        "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ", "≤": r"\leq ", "≥": r"\geq ", "≠": r"\neq ", "±": r"\pm ",
        "°": r"^\circ ", "√": r"\sqrt",
         "∅": r"\emptyset ", "∠": r"\angle ", "∶": ":", "′": "'", "″": "''",
         "≡": r"\equiv ", "⟨": "(", "⟩": ")", "∣": r"\mid ", "∤": r"\nmid ", "％": "%", "，": ",",
        "（": "(", "）": ")", "［": "[", "］": "]", "：": ":", "。": ".", "＝": "=", "’": "'", "…": "...",
        "∙": r"\cdot ", "⩽": r"\leq ",
        "⩾": r"\geq ", "º": r"^\circ ", "˚": r"^\circ ", "∛": r"\sqrt[3]", "∜": r"\sqrt[4]", "→": r"\to ",
        "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}", "ℕ": r"\mathbb{N}", "ℚ": r"\mathbb{Q}", "ℂ": r"\mathbb{C}",
        "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u200b": "", "\ufeff": "",
        **{sign: f"\\{name} " for sign, name in zip(_GREEK, _GREEK_NAMES.split(), strict=True)},
    }
)  # fmt: skip
RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ"
_ON_LINE = "0123456789+-=()abcdefghijklmnoprstuvwxyz"
LOWERED = "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ"
_SCRIPTS = tuple(
    (lazy_pattern(f"[{characters}]+"), sign, str.maketrans(characters, on_line))
    for characters, sign, on_line in ((RAISED, "^", _ON_LINE), (LOWERED, "_", "0123456789+-=()aehijklmnoprstuvx"))
)
_VULGAR = lazy_pattern(
    r"[\u00bc-\u00be\u2150-\u215e\u2189]|[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+\u2044[\u2080-\u2089]+"
)

_MEASURED = lazy_pattern(r"\$([^$]*[\\A-Za-z][^$]*)\$ ?([A-Za-z\u00b0%\u00b2\u00b3/^\d ]{1,24})\.?")
"""A formula in dollar signs with a unit behind it."""
_RAISED_IN_DOLLARS = lazy_pattern(
    r"(.*[A-Za-z)])\$(\^\s?(?:-?\d|\{-?\d\}))\$()"
    r"|\$?([-\u2212]?[\d.,]+)\$?(?: |\\[,;] ?)*\$?(\^\{?\\circ\}?)\s?\$\s?([CFK])"
)
"""A power of a unit, or a degree, in dollar signs of its own."""
_LETTERS_OF_UNIT = 4
_PAIRS = (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"), ("**", "**"), ("`", "`"), ('"', '"'))
_WRAPPER = lazy_pattern(
    r"\\(?:text\w*|math(?:rm|bf|it|sf|tt|normal)|[mh]box|boldsymbol|bm|verb|boxed|fbox)\s*\{", one_of=("\\",)
)
_ANY_INTEGER = lazy_pattern(
    r"(?:[,;]\s*|\s*\(|\s+)(?:(?:where|for|with)\s+)?(?:any\s+|all\s+)?(?:integers?\s+)?(?P<letter>[a-z])\s*"
    r"(?:\\in\s*\\mathbb\s*(?:\{\s*Z\s*\}|Z|(?P<real>\{\s*R\s*\}|R))"
    r"|is\s+an(?:y)?\s+integer|(?<=integer )[a-z])\s*\)?\s*$",
    one_of=("\\mathbb", "integer"),
)
_SYSTEM = lazy_pattern(
    r"(?:\\left)?(?:\\\{)?\s*\\begin\{(?P<name>cases|array|aligned|align\*?|gathered)\}(?:\{[lcr|]+\})?(?P<rows>.*?)"
    r"\\end\{(?P=name)\}(?:\s*\\right\.)?",
    re.DOTALL,
)
_LETTER = r"[A-Za-z0-9\u00c0-\u04ff\u0600-\u097f]"
_NEEDLESS_SPACE = lazy_pattern(rf"(?<!{_LETTER}) | (?!{_LETTER})")
_GROUPED = lazy_pattern(r"-?\d{1,3}(?:(?:['\u2019]|\\?_)\d{3})+(?:\.\d+)?", one_of=("\u2019", "'", "_"))
"""1'234'567 and 1_234_567"""
_SPACE_BEHIND_COMMAND = lazy_pattern(r"(\\[A-Za-z]+) (?![A-Za-z])", one_of=("\\",))


def _unless_it_counts(remark: re.Match[str]) -> str:
    """Drop a label or remark next to an answer, unless it takes the answer back."""
    return remark[0] if words.takes_back(remark[0]) else ""


def _as_fraction(decimal: re.Match[str]) -> str:
    """0.458\\overline{3} as \\frac{11}{24}, with which one can calculate."""
    head, period = decimal[1] + decimal[2], decimal[3]
    bottom = (10 ** len(period) - 1) * 10 ** len(decimal[2])
    value = Fraction(int(head + period) - int(head or 0), bottom)
    return rf"\frac{{{value.numerator}}}{{{value.denominator}}}"


def _ungrouped(scale: re.Match[str]) -> str:
    """The second term of a ratio without the marks between its thousands."""
    return f":{''.join(filter(str.isdecimal, scale[1]))}"


_REWRITES = tuple(
    (needed, lazy_pattern(pattern, one_of=tuple(one_of)), replacement)
    for needed, pattern, replacement, *one_of in (
        (
            "\\",
            r"\\(?:left|right|middle|bigg?[lrm]?|Bigg?[lrm]?)(?=[()\[\]|.\\<>])\s*\.?",
            "",
            r"\left",
            r"\right",
            r"\middle",
            r"\big",
        ),
        (
            "\\",
            r"\\(?:(?:display|text|script|scriptscript)style|limits|nolimits|rm|bf|it|tiny|small|normalsize|[Ll]arge|LARGE|[Hh]uge)\b",
            "",
            *("style", "limits", r"\rm", r"\bf", r"\it", r"\tiny", r"\small", r"\normalsize", r"\large", r"\huge"),
        ),
        ("\\", r"\\phantom\s*\{[^{}]*\}|\\colorbox\s*\{[a-z]+\}(?=\s*\{)", "", "phantom", "colorbox"),
        (r"\math", r"\\math(?:cal|scr)\s*\{?\s*([A-Z])\s*\}?", r"\1"),
        (r"\math", r"\\math(?:bin|op|rel|ord)\s*\{([^{}]*)\}", r"\1"),
        ("=", r"^\s*=\s*(?=\S)", ""),
        (":", r"^\s*[A-Za-z ]{3,30}:\s*(?=[-\d\\(])", _unless_it_counts),
        (r"\pmod", r"\\pmod\s*\{?\s*(\d+)\s*\}?", r"\\pmod{\1}"),
        (
            "\\",
            r"\\(?:checkmark|blacksquare|square|qed|Box|blacksquare)(?![A-Za-z])",
            "",
            "check",
            "square",
            r"\qed",
            r"\box",
        ),
        (
            "\\",
            r"\\color\s*\{[a-z]+\}|\\textcolor\s*\{[a-z]+\}(?=\s*\{)|\\underline(?=\s*\{)",
            "",
            "color",
            "underline",
        ),
        (r"\\", r"\s*\\\\\s*$", ""),
        ("{", r"^\s*\{([^{}]*)\}\s*$", r"\1"),
        ("", r"^\s*(?i:the\s+)?(?:final\s+)?(?i:answer)\s*(?::|is)\s*(?=\S)", "", "answer"),
        ("(", r"(?<=[\d}])\s*\(\s*[a-z]{3}[a-z -]*\)\s*$", _unless_it_counts),
        (r"\!", r"(?<=\d),\s*\\!\s*(?=\d{3}(?!\d))", ","),
        (",", r"(?<=\d),\s+(?=\d{3}(?!\d))", ";"),  # 45, 135 are two numbers, 45,135 is one
        ("\\", r"\\(?:[!,;:>]|quad\b|qquad\b|ensuremath\b|hspace\{[^{}]*\})", " "),
        ("", r"(?<!\\)\\ |~", " ", "\\ ", "~"),
        ("{,}", r"(?<=\d)\{,\}(?=\d)", ","),
        ("", r"\{:\}|\\colon(?![A-Za-z])", ":", "{:}", r"\colon"),
        (":", r"(?<=\d)\s?:\s?(\d{1,3}(?:(?:,\d{3}){1,4}|(?:[. ]000){1,3}))(?![\d,.:])", _ungrouped),  # 1 : 50,000
        (r"\\", r"\\\\\s*\[-?[\d.]+ ?[a-z]{2}\]", r"\\\\"),
        ("E", r"(?<=\d)\s*E\s*\{\s*([-+]?\d{1,3})\s*\}$", r"e\1"),
        ("binom", r"\\[dt]binom(?![A-Za-z])", r"\\binom"),
        (r"\choose", r"(?:^|\{)([^{}]+?)\\choose(?![A-Za-z])([^{}]+)(?:$|\})", r"\\binom{\1}{\2}"),
        (r"\over", r"(?:^|\{)([^{}]+?)\\over(?![A-Za-z])([^{}]+)(?:$|\})", r"\\frac{\1}{\2}"),
        ("C", r"(?:\{\}|(?<![\w)}]))\s*[\^_]\s*\{?(\d+)\}?\s*C\s*_\s*\{?(\d+)\}?", r"\\binom{\1}{\2}"),
        ("P", r"(?:\{\}|(?<![\w)}]))\s*[\^_]\s*\{?(\d+)\}?\s*P\s*_\s*\{?(\d+)\}?", r"\\frac{\1!}{(\1-\2)!}"),
        ("(", r"(?<=[\w)}])\s*\((?:since|because|as|so|for|given that)\b.*\)\s*$", ""),  # a remark
        ("^", r"(?<![A-Za-z\\])([CAP])\s*\^\s*\{?(\d+)\}?\s*_\s*\{?(\d+)\}?", r"\1_{\3}^{\2}"),
        ("_", r"(?<=[\d}])(?=[CAP]_\{?\d+\}?\^)", r"\\cdot "),
        ("C", r"\b(?<!\d)(\d+)C(\d+)\b", r"\\binom{\1}{\2}"),
        (r"\dot", r"\\dot\{(\d)\}(\d*)\\dot\{(\d)\}", r"\\overline{\1\2\3}"),
        (r"\overline", r"(?<=[=+*/(,{-])\s*(\d*)\.(\d{0,12})\\overline\{(\d{1,12})\}", _as_fraction),
        ("", r"(?<=\d)\s*\^?\s*\{?\s*(st|nd|rd|th)\s*\}?\s*$", r"\1", "st", "nd", "rd", "th"),
        ("frac", r"\\(?:[dtcsx]|nice)frac(?![A-Za-z])", r"\\frac"),
        (r"\le", r"\\(?:le|leqslant)(?![A-Za-z])", r"\\leq"),
        (r"\ge", r"\\(?:ge|geqslant)(?![A-Za-z])", r"\\geq"),
        (r"\ne", r"\\ne(?![A-Za-z])", r"\\neq"),
        (r"\lbrace", r"\\(?:lbrace)(?![A-Za-z])", r"\\{"),
        (r"\rbrace", r"\\(?:rbrace)(?![A-Za-z])", r"\\}"),
        ("\\", r"\\(?:rightarrow|longrightarrow|implies|Rightarrow)(?![A-Za-z])", r"\\to", "arrow", "implies"),
        (r"\over", r"\\(?:overline|overleftrightarrow|overrightarrow)\s*\{\s*([A-Z]{2})\s*\}", r"\1"),
        (r"\langle", r"\\langle(?![A-Za-z])", "("),
        (r"\rangle", r"\\rangle(?![A-Za-z])", ")"),
        ("", r"(?<=[)\]}])\s*(?:U|union|\\bigcup)\s*(?=[(\[{\\])", r"\\cup ", "u"),
        ("<", r"^\s*<([^<>]+,[^<>]+)>\s*$", r"(\1)"),
        ("degree", r"\\(?:degree|textdegree)(?![A-Za-z])", r"^\\circ"),
        ("^", r"(?<=\d)\s*\^\s*(?:o|\{\s*o\s*\})(?![A-Za-z\d])", r"^\\circ"),
        (r"\circ", r"\^\s*\{\s*\\circ\s*\}", r"^\\circ"),
        ("\\", r"\\(?:cdotp|ast)(?![A-Za-z])", r"\\cdot", "cdotp", "ast"),
        (r"\var", r"\\var(?=(?:epsilon|theta|phi|rho|sigma)(?![A-Za-z]))", r"\\"),
        ("/d", r"(?<![A-Za-z\\])d ?([A-Za-z])/d ?([a-z])(?![A-Za-z])", r"D_{\1\2}"),  # a derivative is one thing
        ("frac", r"\\[dt]?frac\s*\{\s*d ?([A-Za-z])\s*\}\s*\{\s*d ?([a-z])\s*\}", r"D_{\1\2}"),
        (r"\varnothing", r"\\varnothing(?![A-Za-z])", r"\\emptyset"),
        (r"\pounds", r"\\pounds(?![A-Za-z])\s*", "£"),
        (r"\euro", r"\\euro(?![A-Za-z])\s*", "€"),
        (r"\infty", r"(?<![\w)}\]])\+\s*\\infty", r"\\infty"),
        (r"\{", r"\\\{\s*\\\}", r"\\emptyset"),
        (r"\mathbb", r"^\s*\\mathbb\s*\{?R\}?\s*(?:\^\s*\{?\+\}?|_\s*\{?(?:\+|>\s*0)\}?)\s*$", r"(0,\\infty)"),
        (r"\mathbb", r"^\s*\\mathbb\s*\{?R\}?\s*(?:\^\s*\{?-\}?|_\s*\{?(?:-|<\s*0)\}?)\s*$", r"(-\\infty,0)"),
        (r"\mathbb", r"^\s*\\mathbb\s*\{?R\}?\s*_\s*\{?\s*\\geq?\s*0\}?\s*$", r"[0,\\infty)"),
        (r"\mathbb", r"^(\s*[a-z]\s*\\in\s*|)\\mathbb\s*(?:\{\s*R\s*\}|R)\s*$", r"\1(-\\infty,\\infty)"),
        (r"\mathbb", r"^\s*\\mathbb\s*\{?R\}?\s*\^\s*(?:\{\s*\*\s*\}|\*)\s*$", r"(-\\infty,0)\\cup (0,\\infty)"),
        (r"\prime", r"\^\s*(?:\{\s*\\prime\s*\}|\\prime(?![A-Za-z]))", "'"),
        (
            "",
            r"^\s*(?:\\approx|\\sim|approximately|about|roughly)(?![A-Za-z])",
            "",
            "approx",
            "sim",
            "about",
            "roughly",
        ),
        ("inf", r"(?<![A-Za-z\\])inf(?:inity)?(?![A-Za-z])", r"\\infty"),
        (r"\angle", r"(?<=[\d})])\s*\\angle\s*(.+)$", r"\\cis(\1)"),
        ("oo", r"(?<![A-Za-z\\])oo(?![A-Za-z])", r"\\infty"),
        ("10", r"(?<=\d) ?x ?(?=10 ?(?:\^|\*\*))", r"\\times "),
        ("pi", r"(?<![A-Za-z\\])pi(?![A-Za-z])", r"\\pi"),
        ("cis", r"(?<![A-Za-z\\])cis(?![A-Za-z])", r"\\cis"),
        ("sqrt", r"(?<![A-Za-z\\])sqrt\s*\(([^()]*)\)", r"\\sqrt{\1}"),
        (r"\sqrt", r"\\sqrt\s*\(([^()]*)\)", r"\\sqrt{\1}"),
        (r"\sqrt", r"\\sqrt\s*(\[\w+\]|)\s*(\d+|[A-Za-z])(?![A-Za-z{])", r"\\sqrt\1{\2}"),
        (r"\frac", r"\\frac\s*(\d|[A-Za-z])\s*(\d|[A-Za-z])", r"\\frac{\1}{\2}"),
        (r"\frac", r"\\frac\s*(\d|[A-Za-z])\s*\{", r"\\frac{\1}{"),
        ("", r"(?<=[A-Za-z] )(\d\d?)(?:st|nd|rd|th)\b", r"\1", "st", "nd", "rd", "th"),
        ("**", r"\*\*", "^"),
        ("^{", r"\^\{(\w)\}(?!\s*\d)", r"^\1"),
        (
            "^",
            r"(sin|cos|tan|cot|sec|csc|log|ln) ?\^ ?([2-9])(?: +(?=\d)|(?=[1-9][A-Za-z\\]))",
            r"\1^{\2}",
        ),  # \sin^2 3x
        ("_{", r"_\{(\w)\}(?!\s*\d)", r"_\1"),
        ("_", r"_(\w) (?=\d)", r"_{\1}"),
        ("<=", r"<=", r"\\leq "),
        (">=", r">=", r"\\geq "),
        ("!=", r"(?<![\d)}])!=|(?<=[\d)}] )!=", r"\\neq "),  # 4!=24 says what 4! is
    )
)
"""Substring of every text that the pattern matches (a faster test), the pattern, and its replacement.

Words behind them are those of which every such text holds one.
"""


@lru_cache(CACHED)
def plain(raw: str) -> str:
    """`raw` without what encloses a published reference, with its backslashes repaired, in international notation."""
    if number.is_bare(raw) and raw.count(".") < 2 and ("." not in raw or "," not in raw):
        return raw
    if len(raw) > MAX_CHARS or _PLAIN.fullmatch(raw) or (raw.isascii() and raw.isalnum()):
        return keyboard.in_formulas(raw.strip()) if raw[:1].isdigit() and not raw.isdigit() else raw.strip()
    text = damage.repaired_answer(raw).strip().removeprefix("####").lstrip()
    if text.endswith("$") and text.count("$") == 2 and text.partition("$")[0].rstrip()[-1:] == "=":  # R = $6 \\Omega$
        text = text.replace("$", "")
    if text.count("$") == 2 and (in_pieces := _RAISED_IN_DOLLARS.fullmatch(text)):  # 4.9 m/s$^2$, $37^\\circ$C
        text = "".join(filter(None, in_pieces.groups()))
    if text[:1] == "$" and (measured := _MEASURED.fullmatch(text)):  # $\\frac{3}{4}$ hour
        is_short = len(measured[2]) < _LETTERS_OF_UNIT
        text = f"{measured[1]}\\text{{ {measured[2]}}}" if is_short else f"{measured[1]} {measured[2]}"
    if text.count("$") > 2 and not any(map(_is_said_outside, text.split("$")[::2])):  # in pieces: $90$, $60$
        text = text.replace("$", "")
    if text[:1].isdigit() and _GROUPED.fullmatch(text):
        text = "".join(char for char in text if char.isdigit() or char == ".")
    if " per cent" in text:
        text = text.replace(" per cent", " percent")
    text = keyboard.in_formulas(text)
    if text.endswith(("]", ")", "}")):
        text = arrays.in_latex(text)
    return answer_forms.in_english(set_braces.added(text) if text.endswith(set_braces.ENDS) else text)


def _is_said_outside(piece: str) -> bool:
    """Whether a piece outside of dollar signs has a number, or ends with a backslash before a price."""
    return any(map(str.isdigit, piece)) or piece.endswith("\\")


_AND_ABROAD = lazy_pattern(r"(?<=[\d})\]$])\s*\\text\s*\{ +(?:et|und|y|e|и|en|och) +\}\s*(?=[-\d($\[\\])")
"""What joins two values in a box in another language, between spaces: 3 \\text{ y } 5."""
_BOTH = lazy_pattern(r"^\s*(?:both |\\text\s*\{\s*both\s*\}\s*|(?P<open>\\text\s*\{\s*)both )(?=.*\band\b)")


@lru_cache(CACHED)
def normalized(text: str) -> str:
    """Bring wrappers, spacing and alternative spellings of symbols to one form.

    The meaning never changes: brackets, percent, units, order and the case of letters stay as they are.
    """
    if number.is_bare(text) or _PLAIN.fullmatch(text) or len(text) > MAX_CHARS:
        return text.strip()
    text = unwrapped(text if text.isascii() else in_ascii(text))
    text = latex.without_fonts(_AND_ABROAD.sub(" and ", text) if "\\text" in text else text)
    text = _SYSTEM.sub(_system_as_list, text) if "\\begin" in text else text
    if "=" in text and any(map(text.__contains__, _OF_ARGUMENTS)):
        text = function_forms.without_domain(text)
    if "]" in text or "[" in text:
        text = french.in_international(text)
    if "\\\\" in text and "\\begin" not in text:
        text = text.replace("\\\\", ",")  # answers one below the other
    for needed, pattern, replacement in _REWRITES:
        if needed in text:
            text = pattern.sub(replacement, text)
    integers = _ANY_INTEGER.search(text)
    if integers:  # drop "k \in \mathbb{Z}" at the end, and call the letter k, whatever it was
        text = text[: integers.start()]
        if not integers["real"] and not re.search(r"(?<![A-Za-z])k(?![A-Za-z])", text):
            text = re.sub(rf"(?<![A-Za-z\\]){integers['letter']}(?![A-Za-z])", "k", text)
    text = unwrapped(text)
    at = text.rfind("\\frac{")
    while at >= 0:  # \frac{a}b becomes \frac{a}{b}
        end = latex.group_end(text, at + len("\\frac"))
        rest = text[end:].lstrip() if end > 0 else ""
        bare = re.match(r"\d|[A-Za-z]|\\pi(?![A-Za-z])", rest)
        if bare:
            text = f"{text[:end]}{{{bare.group()}}}{rest[bare.end() :]}"
        at = text.rfind("\\frac{", 0, at)
    text = _NEEDLESS_SPACE.sub("", " ".join(text.split()))
    return _SPACE_BEHIND_COMMAND.sub(r"\1", text)


def both_plain(reference: str, answer: str) -> tuple[str, str]:
    """Two answers in plain notation; {{1,2},{2,3}} beside a set is a set of sets, and else a matrix."""
    if "{{" in reference or "{{" in answer:
        bare = [text.strip(" $.") for text in (reference, answer)]
        has_sets = ["\\{" in one or ("{{" not in one and set_braces.ROW.fullmatch(one) is not None) for one in bare]
        if any(has_sets):
            marked = [
                one.replace("{", "\\{").replace("}", "\\}") if set_braces.ROW.fullmatch(one) else one for one in bare
            ]
            reference, answer = marked
    if "both " in answer and "both" not in reference:
        answer = _BOTH.sub(r"\g<open>", answer)
    return plain(reference), plain(answer)


def _system_as_list(system: re.Match[str]) -> str:
    """List the equations of a system such as `x = 1`; a piecewise function stays as it is."""
    rows = [row.replace("&", "").strip(" ,.") for row in system["rows"].split("\\\\")]
    rows = [row for row in rows if row]
    return ", ".join(rows) if rows and all(latex.signs(row, latex.RELATIONS) == ["="] for row in rows) else system[0]


def with_slashes(text: str) -> str:
    """`text` with fractions in raised and lowered digits in plain ones: \u00b9\u2070\u2044\u2082\u2081 as 10/21."""
    if "\u2044" not in text:
        return text
    return _VULGAR.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text).replace("\u2044", "/")


def in_ascii(text: str) -> str:
    """Convert the symbols, scripts, fractions and digits of Unicode to LaTeX."""

    def fraction(vulgar: re.Match[str]) -> str:
        top, slash, bottom = unicodedata.normalize("NFKC", vulgar[0]).partition("\u2044")
        return rf"\frac{{{top}}}{{{bottom}}}" if slash else vulgar[0]

    text = _VULGAR.sub(fraction, text)
    for characters, sign, level in _SCRIPTS:
        for script in sorted(set(characters.findall(text)), key=len, reverse=True):
            text = text.replace(script, f"{sign}{{{script.translate(level)}}}")
    return unicodedata.normalize("NFKC", text.translate(_CHARACTERS)).translate(_CHARACTERS)


def unwrapped(text: str) -> str:
    """Strip everything that encloses all of `text`: math delimiters, bold, quotes, font commands, a full stop."""
    while True:
        before, text = text, text.strip()
        text = text.rstrip(".,;:").rstrip() if not text.endswith(("...", "\\,", "\\;", "\\:")) else text
        for opening, closing in _PAIRS:
            around = text.startswith(opening) and text.endswith(closing)
            inner = text[len(opening) : -len(closing)]
            if around and inner and opening not in inner.replace("\\$", ""):
                text = inner
                break
        text = _without_wrapper(text)
        if text.count("$") - text.count("\\$") == 1:  # an unpaired dollar sign, unless it is a currency
            if text.endswith("$") and not text.endswith("\\$"):
                text = text[:-1]
            elif text.startswith("$") and not text[1:2].isdigit():
                text = text[1:]
        if text == before:
            return text


def _without_wrapper(text: str) -> str:
    """Strip braces or a font command around all of `text`."""
    if text.startswith("{") and latex.group_end(text, 0) == len(text):
        return text if set_braces.has_members(text) else text[1:-1]
    wrapper = _WRAPPER.match(text)
    if not wrapper or latex.group_end(text, wrapper.end() - 1) != len(text):
        return text
    inside = text[wrapper.end() : -1]
    if text.startswith(("\\texttt", "\\mathtt", "\\verb")):  # typed out as in source: \\dfrac\{270\}\{7\}
        inside = inside.replace("\\textbackslash", "\\").replace("\\{", "{").replace("\\}", "}")
        return re.sub(r"\\+ ?(?=[A-Za-z])", r"\\", inside)
    return inside
