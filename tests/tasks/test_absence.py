"""A text in which no rule finds the answer is wrong where it has no value that may be the reference; else undecided."""

from __future__ import annotations

import pytest

from libra_cli.answers.extraction import absence
from libra_cli.answers.extraction.absence import is_absent
from libra_cli.tasks.grading import ABSENT, grade
from libra_cli.tasks.reason import REASON
from libra_cli.tasks.task import GeneratedText

ABSENT_ROWS = """
13 | 150 / 12 = 12.5. You cannot have a part of a box: we need 12 boxes, with 6 eggs left over.
15 | At a pace of 20 pages a day Maria will be done with the 300 pages after 20 days.
32 | Four spiders have twenty-four legs.
19 | 3 + 8 = 11, 11 − 5 = 6. **Respuesta: 6 lápices**
1949年10月1日 | 中华人民共和国成立于1945年8月15日。
6 | 1人あたり15個になります。
12\\pi | The figure is not shown, so the area of the shaded region cannot be determined.
24, 36 | The perimeter comes to 24 units and the area to 24 square units.
14 April 2023 | 30 days after March 15 is April 15, 2023.
7:40 | It ends at 7:30.
1.25 | Die Länge beträgt 3,5 m.
"""
HELD_ROWS = """
75 | His percentage score is seventy-five percent.
0.75 | He ate three quarters of it.
90 minutes | The trip takes 1.5 hours.
120 km/h | That is 33.3 m/s.
250000 | The house costs 250 thousand dollars.
250000 | It costs a quarter of a million.
3.65 | 3 bucks 65
1500 m | He ran 1.5 km.
4500 | Hay que pagar 4.500 pesos.
2.5 | 5/2 of a litre
32 | The number is 2^5.
6.28 | The area is 2\\pi.
3000 | Total of 2(1,500)
14 | Thirteen boxes are filled, and one more is needed for the rest.
5 | All but 23 of the 28 children went home.
12 | Half of the eggs are left.
18 | a couple of dozen
12 34 | So it is 46.
17 | That is 10001 in binary.
42 | The answer is B.
5 | V = 5 volts
0.333 | That is one third.
100 | Water boils at 212 degrees Fahrenheit.
3 | ①と③が正しい。
12 | Das sind zwölf Äpfel.
21 | Их двадцать один.
2 | Both of them do.
0 | None of them is left.
7 | The result is:
7 | الجواب: سبعة
14:30 | half past two in the afternoon
8a | 3a + 5a = 15a
Paris | It lies in Lyon.
1000 | It is 10 to the power of 3.
60 | That is the product of 12 and 5.
25\\% | One in four of them, i.e. 1 in 4.
3:30 | It takes 210 minutes.
3:30 | It takes 3.5 hours.
12:00 | They met at noon, 4 of them.
21 March 2024 | It was on the twenty-first of March in 2024.
14 April 2023 | Es war am vierzehnten April 2023.
2 km | He ran 1.24 miles.
100 J | That is 23.9 cal.
1000 | They sold 1k of them.
5 | 答案是五，不是3。
3 | The primes are 5, 7, 11.
3 | Therefore m + 1 = 4.
4 | So 2x = 8.
17th century | The treaty was signed in 1648.
{1, 2, 3, 6} | The positive divisors of 6.
"""


def rows(table: str) -> list[list[str]]:
    return [line.split(" | ") for line in table.strip().splitlines()]


@pytest.mark.parametrize(("reference", "text"), rows(ABSENT_ROWS))
def test_no_value_is_the_reference(reference, text):
    assert is_absent(text, reference)


@pytest.mark.parametrize(("reference", "text"), rows(HELD_ROWS))
def test_a_value_may_be_the_reference(reference, text):
    assert not is_absent(text, reference)


def test_a_question_with_options_or_another_system_decides_nothing():
    assert is_absent("There are 5 of them.", "7")
    for question in ("How many?\nA. 5\nB. 7", "How many, in binary?"):
        assert not is_absent("There are 5 of them.", "7", question)


def test_only_a_complete_text_is_called_wrong_by_it():
    text, record = "They sold 12 apples and 6 pears.", {"reference": "14"}
    assert grade(REASON, GeneratedText(text, None, "stop"), record)[1:] == (False, None, ABSENT)
    assert grade(REASON, GeneratedText(text, None, "length"), record).correct is None
    assert grade(REASON, GeneratedText(text, None, "stop"), {"reference": "6"}).correct is None


def test_a_long_text_is_not_searched():
    assert not is_absent("There are 5 of them. " * 200, "7")


def test_more_products_than_a_tenth_of_a_second_takes_decide_nothing(monkeypatch):
    assert is_absent("They sold 12 apples and 6 pears.", "14")
    monkeypatch.setattr(absence, "_MOST_PRODUCTS", 8)
    assert not is_absent("They sold 12 apples and 6 pears.", "14")
