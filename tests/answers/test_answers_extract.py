"""Which words of a response are its final answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_cli.answers.extraction.extract import TRUNCATED, Extraction, final_answer, read_answer
from libra_cli.answers.sentences import options

BOXES = [
    (r"so \boxed{5}.", "5"),
    (r"\boxed{1}, no: \boxed{\frac{1}{2}}", r"\frac{1}{2}"),
    (r"First \boxed{3}, wait, it is \boxed{5}.", "5"),
    (r"\fbox{4}", "4"),
    (r"\boxed {7}", "7"),
    (r"\boxed 7", "7"),
    (r"\boxed{\boxed{2}}", "2"),
    (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
    (r"\boxed{x \} y}", r"x \} y"),
    (r"\boxed{\text{(C)}}", r"\text{(C)}"),
    (r"\boxed{\texttt{\\dfrac\{270\}\{7\}}}", r"\texttt{\\dfrac\{270\}\{7\}}"),
    (r"\boxed{5} and then \boxed{6", None),
    (r"\boxed{5} and then \boxed{6. So \boxed{7}", "7"),
    (r"\boxed{" * 5 + r" \boxed{9}", "9"),
    (r"The answer is 4. \boxed{5}", "5"),
]
TOGETHER = [
    (r"$x = \boxed{1+\sqrt{19}}$ and $x = \boxed{1-\sqrt{19}}$", r"1+\sqrt{19}, 1-\sqrt{19}"),
    (r"\[\boxed{1}\] or \[\boxed{2}\]", "1, 2"),
    (r"\boxed{1}, \boxed{2}, and \boxed{3}", "1, 2, 3"),
    (r"\(\boxed{1}\)" + "\n\n" + r"\(\boxed{2}\)", "1, 2"),
    (r"\boxed{6} and \boxed{6}", "6"),
]
PROSE = [
    ("... so\nA: 26", "26"),
    ("A: 1\nno\nA: 2", "2"),
    ("#### 1,234", "1,234"),
    ("The final answer is $5$. I hope it is correct.", "5"),
    ("the answer is 3.5.", "3.5"),
    ("The correct answer is: **12**", "12"),
    ("**Answer:** 5 apples", "5 apples"),
    ("Answer:\n\n$$x=3$$", "x=3"),
    ("the answer to this problem is 42", "42"),
    ("The answer is 3. Checking: the answer is 4.", "4"),
    ("It is **42**.", "42"),
    ("Work.\n**42**\n", "42"),
    ("**Step 2**\nThus it is 5", "5"),
    ("**Final Answer**\n\n5 apples", "5 apples"),
    ("### Final answer\n$\\frac{3}{4}$", r"\frac{3}{4}"),
    ("#### The Final Answer:\n\n7\n", "7"),
    ("The final answer is:\n\\[\n  x = 5\n\\]", "x = 5"),
    ("**Answer**\n$$\n7\n$$\n", "7"),
    ("Work.\nTherefore, $x = 5$.", "x = 5"),
    ("Work.\nThus there are 12 eggs.", "12"),
    ("25", "25"),
    (r"The answer is \boxed{ }.", None),
    (r"The answer is 5. $\boxed{}$", "5"),
    ("Option A: take 3 of them", None),
    ("There is no way to tell.", None),
    ("So it is $41.472+$8.2944 = $<<41.472+8.", None),
    (r"\boxed{}", None),
    (r"\boxed{\frac{1}{2}", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "answer"), BOXES + TOGETHER + PROSE)
def test_final_answer(text, answer):
    assert final_answer(text) == answer


@pytest.mark.parametrize(("text", "answer"), BOXES + TOGETHER)
def test_what_stands_before_does_not_count(text, answer):
    assert final_answer(r"Perhaps \boxed{99} is right. The answer is 98. But no. " + text) == answer


@pytest.mark.parametrize(
    ("text", "whole", "cut"),
    [
        ("2x + 6 = 16, so x = 5.", "x = 5", None),
        ("The final answer is 5", "5", None),
        ("#### 5", "5", None),
        ("The answer to the first part is 5. Next we", "5", None),
        ("Suppose the answer is 7. Then 49, which", "49", None),
        ("**Answer: 52**\n\nTo check this", "52", "52"),
        ("The answer is 5.\nWait, I forgot zero. So the", "5", "5"),
        (r"So it is \boxed{52}. Check: 52", "52", "52"),
        (r"So it is \boxed{52}. That is wrong. We", None, None),
        (r"So it is \boxed{5", "5", None),
        (r"\boxed{43} so \boxed{42", "42", None),
        (r"\boxed{43}, or \boxed{4", "43", "43"),
    ],
)
def test_a_text_that_was_cut_has_only_what_it_stated(text, whole, cut):
    assert read_answer(text, cut=False).answer == whole
    found = read_answer(text, cut=True)
    assert found == (Extraction(cut) if cut else Extraction(None, TRUNCATED))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The answer is 14. The answer is 14. The answer is 14. The ans", "14"),
        ("The total is 20 euros.\nThe total is 20 euros.\nThe total is 20 euros.\nThe total", "20"),
        ("Each pen costs 3 euros. We have 7 pens. Each pen costs 3", None),
        ("9\n9\n9\n9\n9", "9"),
        ("9\n9\n9\n8", None),
        ("9\n9", None),
        ("So the total is **21 euros**.\n\nLet me also check this. Since each pen", "21 euros"),
        ("Each pen costs **3 euros**.\n\nNow we multiply this by", None),
        ("The answer is (C) Saturn. It has famous rings and man", "(C) Saturn"),
        ("The answer is 21 because each pen costs 3 euros and", "21"),
        ("The answer is 3 times", None),
        ("The answer to the first part is 21. Next we", None),
        ("So the area is 84 square units.\n\nAlternatively, drop the altitude and the", "84"),
        ("The odds are 4/6 = **2/3**.\n\n**Why this works**\n\nEvery ball is", "2/3"),
        ("25×16=25×4×4=400，所以答案是400。下面再用竖式验证一下：先算25×6=1", "400"),
        ("よって x=3 です。検算すると、2×3+1=", "x=3"),
        ("The speed is therefore 60. If you would like, I can also", "60"),
        ("So x = 4.\n\nLet me check this: 3*4 + 2 =", "x = 4"),
        ("So x = 5.\n\nLet me check this: 3*5 + 2 = 17. Wait, that is wrong. So", None),
        ("So 3x = 21. To check the next step we divide by", None),
        ("First we get 3 + 2 = 5. Then we multiply by", None),
        ("3x = 21\n\nAnswer: 7\n\nQuestion: Solve 5x - 4 = 26.\nStep 2: Divide by", "7"),
    ],
)
def test_a_text_that_was_cut_behind_its_answer_has_one(text, answer):
    assert read_answer(text, cut=True).answer == answer


def test_a_text_that_may_have_been_cut_has_no_open_box():
    assert read_answer(r"So it is \boxed{5") == Extraction(None, TRUNCATED)


@pytest.mark.parametrize(
    ("question", "texts"),
    [
        (r"How many? $\textbf{(A)}\ 12\qquad\textbf{(B)}\ 13$", {"A": "12", "B": "13"}),
        ("Which?\nA. lead\nB. iron, or steel\nC. tin", {"A": "lead", "B": "iron, or steel", "C": "tin"}),
        ("\u4e0b\u5217\u54ea\u4e2a\uff1f\nA\u3001\u94c1\nB\u3001\u94dc", {"A": "\u94c1", "B": "\u94dc"}),
        ("Let A. Turing meet B. Russell; who is older?", {}),
        ("In triangle ABC, A = 30.", {}),
        ("(A) 1 (B) 1", {}),
    ],
)
def test_options_of_a_question(question, texts):
    assert options.of_question(question) == texts


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"\boxed{" * 150_000, None),
        (r"\boxed{1} " * 100_000, "1"),
        ("answer " * 150_000, None),
        ("$" * 1_000_000, None),
        (r"\boxed{a}" + " " * 1_000_000 + r"\boxed{b}", "a, b"),
        (r"\boxed{" + "7" * 1_000_000 + "}", "7" * 1_000_000),
    ],
    ids=["unclosed", "boxes", "answers", "dollars", "spaces", "digits"],
)
@pytest.mark.timeout(20)
def test_a_megabyte_is_no_trouble(text, answer):
    assert final_answer(text) == answer


@given(st.text(alphabet="\\boxed{} 1a$*#A:\n(),.answer is"))
def test_any_text_has_an_answer_or_none(text):
    answer = final_answer(text)
    assert answer is None or (answer and answer == answer.strip())


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("10 + 3 = 13\n#### 13\n\nJim has 9 toys and loses 2.\n9 - 2 = 7\n#### 7", "13"),
        ("10 - 3 = 7\n#### 7\n\nTom buys 4 books.\n4 * 5 = 20\n#### 20", "7"),
        ("10 + 3 = 13\n#### 13\n\nWait, someone else eats them, so 10 - 3 = 7.\n#### 7", "7"),
        ("#### 13\n\nThe candies that Jane eats are gone.\n#### 7", "7"),
        ("#### 1. Reading the problem\n\nSomebody gives things away.\n\n#### 7", "7"),
    ],
)
def test_a_base_model_goes_on_with_another_problem(response, answer):
    question = "Jane has 10 candies and eats 3. How many are left?"
    assert read_answer(response, "7", None, question).answer == answer
