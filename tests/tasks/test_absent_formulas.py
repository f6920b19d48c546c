"""A text is wrong whose formulas are all others than the reference; in doubt it stays undecided."""

from __future__ import annotations

import pytest

from libra_cli.answers.extraction.absent_formulas import is_absent

ABSENT = [
    (r"1-\frac{1}{2^n}", r"It's a geometric series, whose sum is $1-\frac{1}{2^{n-1}}$."),
    ("-i", "Multiply top and bottom by i to obtain $i$."),
    ("9π cm²", "2×3×π で計算して、6π cm² になります。"),
    (r"2\sqrt{3}", r"$$\boxed{\text{The length is } 3\sqrt{2}}$$"),
    (r"[1,+\infty)", "由 x-1>0 得 x>1,定义域是 (1,+∞)。"),
    (r"(-\infty, 3)", "Thus x > 3 holds, giving (3, ∞)."),
    ("x^2+1", "Therefore f(x) = x^2 - 1"),
    ("e^2", "This becomes $e^{-2}$ in the limit."),
    (r"\frac{\pi}{3}", r"The angle measures $\frac{\pi}{6}$ here."),
    ("y=3x+2", "The line $y = 2x + 3$ passes here."),
    (r"\ln 3", r"The area comes to $\ln 2 $ units"),
    ("n(n+1)", "The total is $n^2 - n$ then"),
]
MAY_BE_THERE = [
    ("6π cm²", "That makes 600π mm² in all."),
    (r"2\sqrt{3}", r"We find $\sqrt{12}$ for it."),
    (r"2\sqrt{3}", "It is 2 times the root of 3."),
    ("x^2+1", "With $a = x^2$ we have $f = a + 1$."),
    (r"(-\infty, 3)", "So x is smaller than 3."),
    (r"(-\infty, 3)", "Thus $3 > x$ holds."),
    (r"\frac{\sqrt{2}}{2}", r"It follows that $\sin 45^\circ$ is the value."),
    (r"2\pi", "Once around: 360 degrees."),
    (r"\frac{\pi}{3}", "The angle measures 30°."),
    ("3x+2", "The line goes with slope 3 and intercept 2."),
    (r"\frac{1+\sqrt5}{2}", r"The roots are $\frac{1\pm\sqrt5}{2}$; we keep the larger."),
    ("n(n+1)", "The total is $n^2 + n$ then"),
    ("CH2O", "Glucose is C6H12O6; dividing by 6 leaves CH₂O."),
    (r"\hbar\omega(n+1/2)", "E_n = (2n+1)ħω/2"),
    (r"2\sqrt{3}", "Площадь равна $3$ корня из двух."),
]


@pytest.mark.parametrize(("reference", "text"), ABSENT)
def test_no_formula_is_the_reference(reference: str, text: str) -> None:
    assert is_absent(text, reference)


@pytest.mark.parametrize(("reference", "text"), MAY_BE_THERE)
def test_a_formula_or_words_may_be_the_reference(reference: str, text: str) -> None:
    assert not is_absent(text, reference)
