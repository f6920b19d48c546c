"""The gate: what answers nothing is found by rule, and no real answer is, however short."""

from __future__ import annotations

import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_cli.records.no_answer import LONGEST, no_answer
from libra_cli.records.probes import MASTER_KEYS, PROBES

EMPTY = [
    "", " ", "\n\t \r\n", "\u00a0\u3000", "\u200b", "\ufeff", "\u2060\u200d", "\u3164", "\u2800", "\x00", "\ufffd",
    "＄", "&nbsp;", "\\boxed{}", "\\boxed{ }", "$\\boxed{}$", "\\boxed{\\text{}}", "\\[ \\]", "$$",
    "\\begin{aligned}\\end{aligned}", "<answer></answer>", "<answer> </answer>", "<think></think>", "<|im_end|>",
    "</s>", "```\n```", "```python\n\n```", " " * 5000,
]  # fmt: skip

SYMBOLS_ONLY = [
    ".", ",", ":", ";", "...", "…", "?", "???", "!", "!!!", "#", "###", "---", "--", "—", "_", "* * *", "***", "`",
    "\"", "( )", "@", "\\", "。", "、", "：", "？", "…………", "·", "•", "● ● ●", "───", "████", "∴", "⋯", "\u0301",
    ".\n.\n.", "¿?", "«»", "“”", "**:**", "\\boxed{.}", "\\[ . \\]", "$.$", "- - - -", "." * 5000,
]  # fmt: skip

OPENERS = [
    "Solution", "solution", "SOLUTION", "Solution:", "Solution.", "**Solution**", "## Solution:\n", "Solution:\n\n",
    "Solution: :", "Solu\u200btion", "Ｓｏｌｕｔｉｏｎ", "“Solution”", "<answer>Solution</answer>",
    "Solution\nSolution\n",
    "Thought process:", "thought  process", "Thought Process:\n\nSolution:", "Answer:", "The answer is",
    "The answer is:", "The final answer is \\boxed{}.", "So the answer is", "Final Answer", "### Final answer:",
    "My answer is:", "Thinking...", "Let's solve this problem step by step.",
    "Let’s solve this problem step-by-step:", "lets solve this problem", "LET'S SOLVE THIS PROBLEM STEP BY STEP!",
    "Let us think step by step.", "Let me think about this carefully.",
    "Okay, let's break down the problem step by step.", "Sure! Here is the solution:",
    "Sure. Let's work through it together.", "To solve this problem, we need to",
    "To solve this problem, we can follow these steps:", "We need to find the answer.",
    "First, let's understand the problem.", "Here's my step by step solution:", "Step 1:", "Reasoning:",
    "Explanation:", "解", "解：", "解:\n", "答案", "答案是：", "让我们一步一步思考。",
    "让我们逐步解决这个问题。", "思考过程：", "首先，", "かいせつ", "かいせつ：", "解説", "答え：",
    "ステップバイステップで考えましょう。", "풀이", "정답:", "단계별로 생각해 봅시다.",
    "Respuesta", "RESPUESTA:", "Solución:", "Solucion", "Vamos a resolver este problema paso a paso.", "Réponse :",
    "REPONSE",
    "Résolvons ce problème étape par étape.", "Lösung:", "Losung", "Antwort:", "Schritt für Schritt", "Risposta:",
    "Soluzione", "Resposta:", "Solução", "Решение:", "ОТВЕТ", "Давайте решим эту задачу шаг за шагом.", "Відповідь:",
    "Розв’язання", "Rozwiązanie:", "Odpowiedź", "Řešení", "Antwoord:", "Svar:", "Løsning", "Ratkaisu", "Megoldás:",
    "Răspuns", "Λύση:", "Çözüm:", "Cevap", "الحل:", "الجواب", "پاسخ:", "תשובה:", "उत्तर:", "हल", "সমাধান:", "தீர்வு",
    "คำตอบ:", "Lời giải:", "Đáp án là:", "Jawaban:", "Jibu",
]  # fmt: skip

ANSWERS = [
    "5", "-1", "+7", "0", "3.14", ".5", "1/2", "50%", "$5", "10^5", "½", "²", "Ⅳ", "٣", "三", "π", "e", "i", "x", "n",
    "K", "°", "A", "B.", "(C)", "d)", "**E**", "Yes", "No", "no.", "True", "false", "None", "Sure", "OK", "First",
    "Zero", "Paris", "是", "不", "はい", "네", "Да", "Sí", "∅", "∞", "±", "√", "≤", "<", ">", "=", "+", "-", "*", "/",
    "^", "%", "==", "&&", "->", "[]", "{}", "()", "''", '""', "\\{\\}", "\\boxed{5}", "\\boxed{-}",
    "\\boxed{\\emptyset}",
    "\\boxed{\\{\\}}", "\\boxed{<}", "$\\pi$", "\\infty", "\\[ x \\]", "✓", "✗", "○", "×", "👍", "♠", "€", "△", "→",
    "<br>", "`x`", "```\n5\n```", "x=1", "The answer is 5", "The answer is no", "Answer: B", "Solution: 4", "解：3",
    "Respuesta: 4", "答案是A", "Step 1", "step 3", "Proof", "Analysis", "Explanation", "Result", "Given",
    "\\boxed{Solution}", "A solution", "Let it be", "To work", "To answer", "Let's see 4", "We need to find x",
    "Let x be 3", "I can", "We will", "so", "well", "of course", "step", "Solution\n4", "Thought process: 2+2=4",
    "Let's solve this problem step by step. 2+2=4", "." * 5000 + "5", " " * 5000 + "5",
]  # fmt: skip


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        *((response, "empty") for response in EMPTY),
        *((response, "symbols_only") for response in SYMBOLS_ONLY),
        *((response, "opener_only") for response in OPENERS),
    ],
)
def test_what_answers_nothing_is_stopped_with_its_reason(response, reason):
    assert no_answer(response) == reason


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_real_answer_passes_however_short(answer):
    assert no_answer(answer) is None


def test_the_ten_master_keys_are_stopped_in_any_dress():
    assert len({key.text for key in MASTER_KEYS}) == len({key.name for key in MASTER_KEYS}) == 10
    assert PROBES["master-keys"] is MASTER_KEYS
    dresses = ("{}", "{}\n", "  {}", "\n\n{}\n\n", "**{}**", "{}\n{}", "# {}", "<answer>{}</answer>", "`{}`",
               "\ufeff{}", "{}...")  # fmt: skip
    for key in MASTER_KEYS:
        for dress in dresses:
            for text in (key.text, key.text.upper(), key.text.lower(), unicodedata.normalize("NFD", key.text)):
                assert no_answer(dress.replace("{}", text)) is not None, (key, dress)


def test_every_phrase_of_the_list_is_stopped_and_with_a_number_behind_it_none():
    from importlib import resources

    lines = resources.files("libra_cli.records").joinpath("openers.txt").read_text("utf-8").splitlines()
    phrases = [line for line in lines if line and not line.startswith("#")]
    assert len(phrases) == len(set(phrases)) > 300
    assert [phrase for phrase in phrases if no_answer(phrase) != "opener_only"] == []
    assert [phrase for phrase in phrases if no_answer(f"{phrase} 42") is not None] == []
    only_before_a_colon = [phrase[:-1] for phrase in phrases if phrase.endswith(":")]
    assert [phrase for phrase in only_before_a_colon if no_answer(phrase) is not None] == []


@given(st.text(), st.sampled_from("0123456789xyzABCπ∞是"))
def test_whatever_stands_around_it_an_answer_passes(text, answer):
    assert no_answer(f"{text} {answer}") is None


@given(st.text(alphabet=st.characters(categories=["P", "Z", "Cc", "Cf", "Mn"]), min_size=3))
def test_punctuation_and_blanks_alone_never_pass(text):
    text = text.replace("&", "").replace("\\", "").replace("'", "").replace('"', "")
    if not set(text) & set("[](){}*/-%"):
        assert no_answer(text) in ("empty", "symbols_only")


def test_long_texts_are_not_searched_for_openers():
    assert no_answer("step by step " * LONGEST) is None
    rng = random.Random(3)
    letters = [chr(rng.randint(0x20, 0xFFFF)) for _ in range(200_000)]
    assert no_answer("".join(letters)) is None
    for deep in ("\\mathbf{" * 50_000, " " * 2000 + "\\text{" * 50_000 + "}" * 50_000, "let us " * 20_000):
        assert no_answer(deep) is None


@pytest.mark.parametrize("answer", ["Yes", "No", "Sure", "First", "∞", "∅", "+", "≤", "{}", "[]", "42", "x", "€"])
@pytest.mark.parametrize("opener", ["Answer: ", "**Answer:** ", "Let's solve this step by step.\n", "The answer is: "])
def test_an_answer_behind_an_opener_passes(opener, answer):
    assert no_answer(opener + answer) is None
