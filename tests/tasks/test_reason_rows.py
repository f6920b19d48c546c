"""What a whole row says: references that are solutions, units that the question asks for, texts that run on."""

from __future__ import annotations

import pytest

from libra_cli.tasks.reason import REASON
from libra_cli.tasks.task import GeneratedText

SOLUTION = "140/32 = <<140/32=4.375>>4.375, so 5 buses are needed.\n#### 5"
BOXED = "First 2 + 2 = 4.\nThen the answer is $\\boxed{12}$."
CENTS = "How much do 12 pens cost, in dollars?"
LENGTH = "Which wavelength is it? Give the answer in nm to two significant figures."
FEW_SHOT = "A: Multiples of 4: 4, 8, 12. The answer is 12.\n\nQ: Find the LCM of 3 and 5.\nA: The answer is 15."
INTEREST = "How much interest does it earn?\nA. $240\nB. $480\nC. $494.40\nD. $500"
VECTOR = r"\begin{pmatrix}1\\-2\\3\end{pmatrix}"
CHECKED = "In a week she reads 108 pages, which makes 216 pages in 2 weeks.\n\nCheck: 216 / 2 = 108 and 108 - 48 = 60"
REFUTED = "So x = 5/2.\n\nChecking: 2 * 5/2 + 5 = 10 is not 0, so the solution is x = -5/2."


@pytest.mark.parametrize(
    ("question", "reference", "response", "label"),
    [
        ("", SOLUTION, "Round up: **5 buses**", True),
        ("", SOLUTION, "Answer: $\\boxed{4.375}$", False),
        ("", BOXED, "The answer is 12.", True),
        ("", BOXED, "The answer is 4.", False),
        (CENTS, "10.20", "So 12 pens cost **1020 cents**.", True),
        (CENTS, "10.20", "So 12 pens cost **1200 cents**.", False),
        (CENTS, "10.20", "So 12 pens cost **$10.20**.", True),
        (LENGTH, "480", "This equals **480 µm**.", False),
        (LENGTH, "480", "This equals **0.48 µm**.", True),
        (LENGTH, "480", "This equals **480 nm**.", True),
        ("", "12", FEW_SHOT, True),
        ("", "15", FEW_SHOT, False),
        ("", "216", CHECKED, True),
        ("", "60", CHECKED, False),
        ("", "-5/2", REFUTED, True),
        ("", "5/2", REFUTED, False),
        ("", "x = 4", "So x = 4.\n\n**Sanity check:** 2 * 4 = 8 and 8 + 1 = 9.", True),
        ("What is the percent change?", "-25\\%", "So it is a **decrease of 25%**.", True),
        ("What is their score?", "-20", "So after the loss of two players the score is 20.", False),
        ("", "(-2,2)", "We get **-2 &lt; x &lt; 2**", True),
        ("", "(-2,2)", "We get **-2 &lt; x &lt; 3**", False),
        ("How many dollars change does he get?", "5", "So his change is **€5.00**.", False),
        ("How many dollars change does he get?", "5", "So his change is **$5.00**.", True),
        (INTEREST, "B", "A is one year only, C is compound interest.\n\n$$\\boxed{\\$480}$$", True),
        (INTEREST, "C", "A is one year only, C is compound interest.\n\n$$\\boxed{\\$480}$$", False),
        ("", "B", "The answer is (B). Hmm, on reflection I'd change my answer to (D).", False),
        ("", "D", "The answer is (B). Hmm, on reflection I'd change my answer to (D).", True),
        ("What is 7 + 8?", "15", "7 + 8 = 15\n\nQuestion: What is 9 - 4?\n9 - 4 = 5", True),
        ("What is 7 + 8?", "5", "7 + 8 = 15\n\nQuestion: What is 9 - 4?\n9 - 4 = 5", False),
        ("How many pens are left?", "5", "5 pens are left.\nUser: And 9 - 2?\nAssistant: 7", True),
        ("Compute 4*5.", "20", "We have 4 and 5.\n\nQuestion: Compute 4*5.\n\n4*5 = 20", True),
        ("Wie viel Prozent sind es?", "35", "Es sind 35 %.", True),
        ("Wie viel sind 20 Prozent von 175?", "35", "Es sind 36 %.", False),
        ("¿Qué porcentaje aprobó?", "62.5", "Aprobó el 62,5 %.", True),
        ("割引は何パーセントですか。", "35", "35%です。", True),
        ("", "11", "[ANSWER]\n11\n[/ANSWER]", True),
        ("", "11", "[ANSWER]\n12\n[/ANSWER]", False),
        ("", VECTOR, "The direction vector is ⟨1, −2, 3⟩.", True),
        ("", VECTOR, "The direction vector is ⟨1, 2, 3⟩.", False),
        ("", "0,5", "Es ist **0,5**.", True),
        ("", "0,5", "Es ist $\\boxed{0{,}50}$.", True),
        ("", "0,5", "Es ist $\\boxed{0{,}25}$.", False),
        ("", "2,5 km", "Es sind $\\boxed{2{,}5\\text{ km}}$.", True),
        ("How many girls are left?", "7", "She counts 3 boys, and 7 are left.", True),
    ],
)
def test_a_row_is_read_with_its_question_and_its_reference(question, reference, response, label):
    record = {"question": question or None, "reference": reference, "response": response}
    verdict = REASON.answer(GeneratedText(response, None, "stop"), record)
    assert REASON.is_correct(verdict.outcome, record) is label, verdict


@pytest.mark.parametrize(
    "reference", ["20 m/s (72 km/h)", "Paris (the capital of France)", "12, because 3 * 4 = 12", "B. Paris", "12"]
)
def test_the_text_of_the_reference_is_right(reference):
    record = {"question": "What is it?", "reference": reference, "response": f" {reference}\n"}
    verdict = REASON.answer(GeneratedText(record["response"], None, "stop"), record)
    assert REASON.is_correct(verdict.outcome, record) is True, verdict


@pytest.mark.parametrize("response", ["", "**", "** **"])
def test_a_response_without_words_has_no_answer_to_a_question_of_yes_or_no(response):
    record = {"question": "Is 7 prime?", "reference": "Yes", "response": response}
    verdict = REASON.answer(GeneratedText(response, None, "stop"), record)
    assert (verdict.outcome, verdict.reason) == (None, "no_answer")
