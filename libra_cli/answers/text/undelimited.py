"""Puts formulas that stand in no dollar signs or brackets into dollar signs: The inverse is \\frac{7}{3}.

Whoever reads a sentence knows where a formula ends only if something says so. A formula is found from its commands: it
reaches as far as numbers, single letters, signs and brackets go.
"""

from __future__ import annotations

from libra_cli.answers.text import latex
from libra_cli.lazy_pattern import lazy_pattern

_NAMES = """
    frac dfrac tfrac cfrac sqrt pi theta alpha beta gamma delta epsilon varepsilon zeta eta kappa lambda mu nu xi rho
    sigma tau phi varphi chi psi omega Gamma Delta Theta Lambda Sigma Phi Psi Omega times cdot div pm mp le leq ge geq
    ne neq lt gt leqslant geqslant equiv pmod bmod mod in notin cup cap setminus subset subseteq infty emptyset
    varnothing binom dbinom tbinom choose over ln log lg sin cos tan cot sec csc sinh cosh tanh arcsin arccos arctan exp
    left right begin end mathbb mathbf mathrm mathcal operatorname hat vec bar overline dot ddot circ degree angle to
    rightarrow longrightarrow Rightarrow implies iff langle rangle ldots dots cdots int sum prod lim max min gcd lcm
    matrix pmatrix bmatrix vmatrix ce SI qty unit land lor wedge vee neg lnot forall exists parallel perp approx sim
    cong triangle partial nabla oplus mid nmid displaystyle cis
"""
_COMMANDS = frozenset(_NAMES.split())
_MOST_CHARS = 20_000
"""Longer texts stay as they are."""
_WORDS = "sin|cos|tan|cot|sec|csc|ln|log|exp|sqrt|mod|pi|cis|lcm|gcd|max|min"
_GROUP = r"\{(?:[^{}]|\{[^{}]*\})*\}"
_PIECE = (
    r"\\begin\{(?P<name>[A-Za-z]+\*?)\}(?s:.*?)\\end\{(?P=name)\}"
    rf"|\\(?:text[a-z]*|math(?:rm|bf|bb|cal|sf|it)|operatorname|mbox)\s*{_GROUP}"
    r"|\\[A-Za-z]+|\\[,;:!{}|% \\]|[{}()\[\]]|\d|(?<=\d)[.,](?=\d)"
    rf"|(?<![A-Za-z])(?:[A-Za-z]|{_WORDS})(?![A-Za-z])"
    r"|[-+*/=<>^_!|:'&,;~°±×÷·−≤≥≠≈∈¬∧∨⊕∪∩∞√\u0370-\u03ff²³¹⁰⁴-⁹⁻₀-₉½…∠]|\.\.\."
)
RUN = lazy_pattern(rf"(?:(?:{_PIECE})[ \t]*)+")
_SET = lazy_pattern(
    r"\$\$(?s:.*?)\$\$|(?<!\\)\$(?=\S)[^$\n]+?(?<=\S)\$(?!\d)|\\\((?s:.*?)\\\)|\\\[(?s:.*?)\\\]|`[^`]+`"
)
"""What stands in dollar signs, brackets or backticks."""
_ARTICLE = lazy_pattern(r"[aAI] +(?![-+=<>^_/*])")
_BULLET = lazy_pattern(r"[-*+•] +|[,;:=)\]}|&~]+ *")
"""What a formula does not begin with."""


RAISED = lazy_pattern(
    r"[\u00ac\u2227\u2228]|[)a-z][\u00b2\u00b3\u2074-\u2079] ?[-+\u2212]"
    r"|[-+\u2212] ?\d*(?:\([^()\s]{1,20}\)|[a-z])[\u00b2\u00b3\u2074-\u2079](?![\u2070-\u2079])",
)
"""A term of a sum with an exponent as people type it: (x+3)\u00b2\u22127."""
_MARK = lazy_pattern(r"\\[,;:!{]|[\w)}][\^_]\{|[<>=\u2264\u2265].*\\text ?\{ ?(?:or|and)\b", one_of=("\\", "_{", "^{"))
"""Spaces, braces of a set and scripts, which only LaTeX writes so."""


def _is_latex(text: str) -> bool:
    """Whether a text without dollar signs has what only a formula has: commands, or a term with a raised exponent."""
    if RAISED.search(text):
        return True
    return not _COMMANDS.isdisjoint(latex.commands(text)) or _MARK.search(text) is not None


def with_dollars(text: str) -> str:
    """`text` with each formula in dollar signs that has a command and stands in none; most texts return as they are."""
    if len(text) > _MOST_CHARS or not _is_latex(text):
        return text
    kept, start = list[str](), 0
    for found in _SET.finditer(text):
        kept += [_outside(text[start : found.start()]), found[0]]
        start = found.end()
    return "".join([*kept, _outside(text[start:])])


def _outside(text: str) -> str:
    """`text`, which has no dollar signs or brackets around formulas, with dollar signs around them."""
    if "$" in text.replace("\\$", ""):
        return text
    kept, start = list[str](), 0
    for run in RUN.finditer(text):
        if not _is_latex(run[0]):
            continue
        end = run.start() + len(run[0].rstrip())
        if text[run.start() - 1 : run.start()].isalnum() or text[end : end + 1].isalnum():
            continue  # H_{2}SO_{4}
        kept.append(text[start : run.start()])
        before, behind = text[: run.start()].rpartition("\n")[2], text[run.end() :].partition("\n")[0]
        is_line = not before.strip() and not behind.strip(" .")
        kept.append(_in_dollars(run[0]) if is_line else _each(run[0]))
        start = run.end()
    return "".join([*kept, text[start:]])


def _each(run: str) -> str:
    """A part of a line with its members in dollar signs, of which those without a command stay as they are."""
    blank = latex.top_level(run)
    cuts = [at for at, char in enumerate(blank) if char == "," and not run[at - 1 : at + 2].strip(" ").isdigit()]
    found, start = list[str](), 0
    for cut in [*cuts, len(run)]:
        member = run[start:cut]
        found.append(_in_dollars(member) if _is_latex(member) else member)
        start = cut + 1
    return ",".join(found)


def _in_dollars(member: str) -> str:
    """A formula in dollar signs, without spaces, bullets, articles and commas around it."""
    inner = member.strip()
    before = member[: len(member) - len(member.lstrip())]
    while lead := _ARTICLE.match(inner) or _BULLET.match(inner):
        before, inner = before + lead[0], inner[lead.end() :]
    end = len(inner.rstrip(" ,;:&-"))
    if member[-1:] == " " and inner[:end].endswith((" a", " I")):  # an article: \\frac{a}{2} a fraction
        end = len(inner[: end - 1].rstrip(" ,;:&-"))
    if inner[:end].endswith(")") and inner[:end].count(")") > inner[:end].count("("):
        end = len(inner[:end].removesuffix(")").rstrip())
    if inner.startswith("(") and inner[:end].count("(") > inner[:end].count(")"):
        before, inner, end = before + "(", inner[1:], end - 1
    formula, behind = inner[:end], inner[end:]
    closes = sum((char in "([") - (char in ")]") for char in formula) == 0
    is_whole = formula and closes and formula.replace("\\{", "").count("{") == formula.replace("\\}", "").count("}")
    return f"{before}${formula}${behind}{member[len(member.rstrip()) :]}" if is_whole else member
