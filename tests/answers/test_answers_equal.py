"""The cascade: which level decides a pair, and what it decides."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_cli.answers.comparison.equal import Decision, decide_quickly
from libra_cli.answers.text import number
from libra_cli.answers.values import guard, normalize

QUICK = [
    ("18", "18", True, "exact"),
    (r"\frac{270}7\text{ degrees}", r"\texttt{\\dfrac\{270\}\{7\}}", True, "normal"),
    (r"\frac{3}{56}", r"\dfrac 3{56}", True, "normal"),
    ("6 - 5i", "$6-5i$", True, "normal"),
    (r"145^\circ", "145", True, "normal"),
    ("12", "12 eggs", True, "normal"),
    (r"2\sqrt{113}", "2√113", True, "normal"),
    ("$5", "5", True, "normal"),
    ("5$", "5.", True, "normal"),
    ("2,125", "2125", True, "number"),
    (r"\$32,\!348", "32348.00", True, "number"),
    ("1234567", r"1\,234\,567", True, "number"),
    ("1234567", "1{,}234{,}567", True, "number"),
    (r"1\frac{4}{5}", "9/5", True, "number"),
    ("2 3/4", "2.75", True, "number"),
    ("73", "073", True, "number"),
    (r"0.\overline{3}", r"\frac13", True, "number"),
    ("0.1666...", "1/6", True, "number"),
    (r"3.5\times10^4", "3.5e4", True, "number"),
    (r"10\%", "0.1", True, "number"),
    (r"10\%", "10 percent", True, "number"),
    (r"10\%", "10", True, "number"),
    ("119.7", "119.69999999999999", True, "number"),
    ("1/3", "0.333333", True, "number"),
    ("1/3", "0.333", False, "number"),
    ("3.141593", "3.141592", False, "number"),
    ("2432902008176640000", "2432902008176640001", False, "number"),
    ("18", "-18", False, "number"),
    ("101_2", "101_3", False, "text"),
    ("5 km", "5 cm", False, "number"),
    (r"5\text{ m}", r"5\text{ s}", False, "number"),
    ("Monday", r"\text{monday}", True, "text"),
    ("odd", "even", False, "text"),
    ("3", "no solution", False, "text"),
    ("C", r"\textbf{(C)}", True, "choice"),
    ("C", "C) 12", True, "choice"),
    ("D", "Option D", True, "choice"),
    ("B", "A", False, "choice"),
    (r"(2,\infty)", r"[2,\infty)", False, "structure"),
    (r"(2,\infty)", r"(3,\infty)", False, "structure"),
    ("(3,4]", r"\left(3, 4\right]", True, "normal"),
    (r"1 \pm \sqrt{19}", r"1+\sqrt{19}, 1-\sqrt{19}", True, "structure"),
    (r"\{1\pm\sqrt{5},-2\}", r"-2, 1-\sqrt5, 1+\sqrt5", True, "structure"),
    ("1,-2", "-2, 1", True, "structure"),
    ("1,-2", "x = 1 or x = -2", True, "structure"),
    ("1,-2", "1", False, "structure"),
    ("1,-2", "1, -2, 3", False, "structure"),
    ("1", "1, 2", False, "structure"),
    (r"\{1,2\}", "1 and 2", True, "structure"),
    ("(6,31,-1)", "6, 31, -1", True, "structure"),
    ("(1,2)", "(2,1)", False, "structure"),
    ("4", "(1,3)", False, "structure"),
    ("x=5", "5", True, "structure"),
    ("5", "x = 5", True, "structure"),
    ("y = 2x + 3", "2x+3", True, "structure"),
    (r"(-\infty, 2) \cup (3, \infty)", r"(3,\infty)\cup(-\infty,2)", True, "structure"),
    (r"(-\infty, 2) \cup (3, \infty)", r"(-\infty,2]\cup(3,\infty)", False, "structure"),
    (r"\begin{pmatrix} 1/5 \\ -18/5 \end{pmatrix}", r"\begin{bmatrix}0.2\\-3.6\end{bmatrix}", True, "structure"),
    (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{pmatrix} 1 \\ 3 \end{pmatrix}", False, "structure"),
    ("C", "(C) 12", True, "choice"),
    (r"\textbf{(A)}\ 5", "A", True, "choice"),
    (r"\textbf{(A)}\ 5", "B", False, "choice"),
    (r"\$3", r"\pounds 3", False, "number"),
    ("€3", "3", True, "normal"),
    ("-$3", "-3", True, "normal"),
    ("x=2,y=3", "(3,2)", False, "structure"),
    ("x=2,y=3", "2, 3", True, "structure"),
    ("x=2,y=3", "y=3, x=2", True, "structure"),
    ("x_1=2,x_2=3", "3, 2", True, "structure"),
    ("3 million", "3", False, "number"),
    (r"3\text{ million dollars}", "$3,000,000", True, "number"),
    ("36", "3 dozen", True, "number"),
    ("21", "twenty-one", True, "number"),
    ("2", "two", True, "number"),
    ("21st", "21", True, "number"),
    ("17 apples", "18 oranges", False, "number"),
    ("12 eggs", "12 egg", True, "normal"),
    ("3", "3pqr", False, "numeric"),
    ("20 m/s", "72 km/h", True, "number"),
    ("20 m/s", "20 km/h", False, "number"),
    ("5 kg/m^3", "0.005 g/cm^3", True, "number"),
    (r"9.8 m/s^2", r"9.8\,\text{m s}^{-2}", True, "normal"),
    (r"9.8 m/s^2", r"9.8\,\text{m}\,\text{s}^{-1}", False, "number"),
    (r"5\text{ N}", r"5\text{ J}", False, "number"),
    (r"25^\circ\text{C}", "25", True, "normal"),
    ("25^\\circ C", "25^\\circ F", False, "number"),
    ("5", "USD 5", True, "normal"),
    ("Rs. 120", "120", True, "normal"),
    ("$5", "EUR 5", False, "number"),
    (r"\text{(B) }\frac{1}{2}", "0.5", True, "number"),
    (r"\text{(B) }\frac{1}{2}", "0.6", False, "number"),
    ("x>2", r"2<x<\infty", True, "numeric"),
    ("x>2", r"2\le x<\infty", False, "numeric"),
    (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", "[[1,2],[3,4]]", True, "normal"),
    (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", "[[1,2],[4,3]]", False, "structure"),
    ("(1,2)", r"\begin{cases}x=1\\y=2\end{cases}", True, "structure"),
    ("(1,2)", r"\begin{cases}x=2\\y=1\end{cases}", False, "structure"),
    ("10", "{}^5C_2", True, "numeric"),
    ("20", "{}_5P_2", True, "numeric"),
    ("12", r"|A \cup B| = 12", True, "structure"),
    ("12", r"|A \cup B| = 13", False, "structure"),
    (r"1+i\sqrt3", r"2\text{cis}(60^\circ)", True, "numeric"),
    (r"1+i\sqrt3", r"2\text{cis}(30^\circ)", False, "numeric"),
    ("5", r"5 \text{ (since } x>0)", True, "normal"),
    ("3abc", "3bca", True, "numeric"),
    ("x^2+6mgh", "6mgh+x^2", True, "numeric"),
    ("101_2", "5_{10}", True, "text"),
    ("101_2", "110", False, "text"),
    ("FF_{16}", "255_{10}", True, "text"),
    (r"(2,5)", r"\{2,5\}", False, "structure"),
    (r"\{2,5\}", "(2,5)", False, "structure"),
    (r"\{(2,5)\}", "(2,5)", True, "structure"),
    (r"x\in\{0,1\}", r"x\in(0,1)", False, "structure"),
    ("[2,5]", "2, 5", False, "structure"),
    ("(2,5)", "2, 5", True, "structure"),
    (r"\mathbb{R}", r"x \in (-\infty, \infty)", True, "normal"),
    (r"\frac{\pi}{2}+2k\pi", r"\dfrac{\pi}{2} + 2k\pi, k\in\mathbb{Z}", True, "normal"),
    ("yes", "True", True, "text"),
    ("no", "True", False, "text"),
    ("4:30 p.m.", "4:30 a.m.", False, "text"),
    ("4:30 p.m.", "16:30", True, "text"),
    (r"4:30\text{ p.m.}", "4:30 PM", True, "text"),
    ("noon", "12:00 p.m.", True, "text"),
    ("3:2", "6:4", True, "text"),
    ("3:2", r"\frac{3}{2}", True, "text"),
    ("3:2", "2:3", False, "text"),
    ("10-12", "10 to 12", True, "text"),
    ("101_2", "101", True, "text"),
    ("101_2", "101 base 2", True, "text"),
    ("31", "0x1F", True, "text"),
    ("9", "IX", True, "text"),
    (r"\text{no solution}", r"\text{no solutions}", True, "text"),
    (r"\emptyset", "there is no solution", True, "text"),
    ("two hundred", "200", True, "number"),
    ("0.(36)", "4/11", True, "number"),
    ("2 hours 30 minutes", "2.5 hours", True, "number"),
    ("6 ft 2 in", "74 in", True, "normal"),
    ("5 cm", "50 mm", True, "number"),
    ("x>2", r"(2,\infty)", True, "numeric"),
    ("x>2", r"[2,\infty)", False, "numeric"),
    ("|x|<3", "-3<x<3", True, "numeric"),
    (r"\{x \mid 1<x\leq 3\}", "(1,3]", True, "numeric"),
    ("y=2x+1", "2x-y+1=0", True, "numeric"),
    ("y=2x+1", "2x-y-1=0", False, "numeric"),
    ("2,2,3", "2,3", False, "structure"),
    (r"\emptyset", r"\{\emptyset\}", False, "structure"),
    (r"k\pi, k \in \mathbb{Z}", r"n\pi, n \in \mathbb{Z}", True, "normal"),
    ("x^{2}3", "3x^2", True, "numeric"),
    ("1/2x", r"\frac{x}{2}", True, "numeric"),
    (r"\ln(ab)", r"\ln a+\ln b", True, "numeric"),
    ("20!", "20!+1", False, "numeric"),
]


@pytest.mark.parametrize(("reference", "answer", "equal", "by"), QUICK)
def test_cheap_levels(reference, answer, equal, by):
    assert decide_quickly(reference, answer) == Decision(equal, by)


UNDECIDED = [
    ("", "5", "unparsable_reference"),
    ("5", "x" * 600, "answer_too_long"),
    ("5" * 600, "5", "reference_too_long"),
    ("x+1", "9^{9^{9^9}}", "answer_too_complex"),
    ("x+1", r"(10^7)!", "answer_too_complex"),
    ("x+1", "(" * 60 + "1+x" + ")" * 60, "answer_too_complex"),
    ("x+1", "__import__('os').system('id')", "unparsable_answer"),
    ("x+1", r"\input{secrets}", "unparsable_answer"),
    ("10-12", "-2", "unparsable_reference"),
    ("12 34", "x+46", "unparsable_reference"),
    ("17 apples", "17 oranges", "other_unit"),
    ("10", r"10\%", "percent_or_number"),
    (r"5\text{ mol}", r"5\text{ blorps}", "other_unit"),
    (r"2\text{ years}", r"730\text{ days}", "other_unit"),
    ("3", "3 squared", "unparsable_answer"),
    ("3", r"3\text{ fifths}", "unparsable_answer"),
    ("101_2", "5", "unparsable_reference"),
    ("101_2", "x+101", "unparsable_reference"),
    (r"5\pmod 7", "a+5", "unparsable_reference"),
]


@pytest.mark.parametrize(("reference", "answer", "reason"), UNDECIDED)
def test_what_is_not_certain_is_null_with_a_reason(reference, answer, reason):
    found = decide_quickly(reference, answer)
    assert found is not None
    assert (found.equal, found.reason) == (None, reason)


@pytest.mark.parametrize(
    "text", ["x^2+3^2", "(x^{2})^2", "2^{2^{n}}", "x^{2}+(n+1)!", "e^{2x^2}", "2^{10}", r"\log_2 8"]
)
def test_ordinary_formulas_are_no_bombs(text):
    assert guard.refusal(text, "1") is None


def test_what_has_no_values_is_left_to_computer_algebra():
    assert decide_quickly("6", r"\sum_{k=1}^{3} k") is None


@given(st.fractions(max_denominator=10**6))
def test_every_way_to_write_a_fraction_is_the_same_number(value):
    top, bottom = abs(value.numerator), value.denominator
    sign = "-" if value < 0 else ""
    for text in (
        rf"{sign}\frac{{{top}}}{{{bottom}}}",
        f"{sign}{top}/{bottom}",
        rf"${sign}\dfrac {{{top}}}{{{bottom}}}$.",
    ):
        parsed = number.parse(normalize.normalized(text))
        assert parsed is not None
        assert parsed.value == value, text
    assert decide_quickly(f"{sign}{top}/{bottom}", f"{sign}{top + 1}/{bottom}") == Decision(False, "number")


@given(st.text(max_size=80))
def test_any_text_equals_itself_and_normalizing_twice_changes_nothing_more(text):
    if text.strip():
        assert decide_quickly(text, text) == Decision(True, "exact")
    assert isinstance(normalize.normalized(text), str)


@given(st.text(alphabet="\\{}()[],;=0123456789./%^_ abxfrctqpmsiny$", max_size=60), st.text(max_size=40))
def test_nothing_raises(reference, answer):
    for pair in ((reference, answer), (answer, reference)):
        found = decide_quickly(*pair)
        assert found is None or (found.reason is None) == (found.equal is not None)


def test_the_cheap_levels_load_no_computer_algebra():
    program = (
        "import sys; from libra_cli.tasks import reason; from libra_cli.answers.process.pool import decide;"
        "assert decide('1/2', '0.5').equal; print([m for m in ('sympy', 'math_verify', 'antlr4') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.strip() == "[]"
