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
    "✅", "✅✅", "☑️", "✔️", "👍", "💯", "🎉 ✨", "😀", "👍🏽", "**✅**",
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
    "\\boxed{\\{\\}}", "\\boxed{<}", "$\\pi$", "\\infty", "\\[ x \\]", "✓", "✗", "○", "×", "♠", "€", "△", "→",
    "❌", "⭕", "➕", "🔴", "🐱",
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
    only_before_a_colon = [phrase[:-1] for phrase in phrases if phrase.endswith((":", "."))]
    assert [phrase for phrase in only_before_a_colon if no_answer(phrase) is not None] == []


SENTENCES = {
    "English": ["My thought process:", "Ans:", "A:", "Q:", "Proof.", "In conclusion,", "In conclusion, the answer is:",
                "OK, solution:", "The reasoning process is as follows:", "Step 2:", "Sol."],
    "Chinese": ["我们来解决这个问题。", "让我们来分析一下这道题目：", "首先，我们需要理解题意。",
                "以下是详细的解答过程：", "好的，我们一步一步来解答这道数学题。", "下面我们开始计算。",
                "第二步：", "證明。", "讓我們來看看這個問題"],
    "Japanese": ["まず、問題を理解しましょう。", "この問題を解いていきましょう。", "以下に解答を示します。",
                 "それでは、順番に考えてみましょう", "ステップ1：", "最初に、与えられた条件を整理します。"],
    "Korean": ["먼저 문제를 이해해 봅시다.", "이 문제를 단계별로 풀어 보겠습니다.", "다음은 풀이 과정입니다:",
               "주어진 방정식을 분석해 봅시다", "우선 문제를 살펴보겠습니다."],
    "French": ["Voici la solution :", "Résolvons l’équation étape par étape.", "Tout d'abord, analysons le problème.",
               "Pour résoudre ce problème, nous devons suivre ces étapes :", "Démonstration.", "Étape 2 :"],
    "German": ["Hier ist die Lösung:", "Zunächst müssen wir die Aufgabe verstehen.",
               "Lass uns das Problem analysieren.",
               "Wir lösen die Gleichung Schritt für Schritt:", "Beweis.", "Um die Frage zu beantworten"],
    "Spanish": ["Aquí está la solución:", "Primero, entendamos el problema.",
                "Vamos a analizar la pregunta paso a paso.",
                "Para resolver esta ecuación, necesitamos:", "A continuación, presento la solución detallada:"],
    "Italian": ["Ecco la soluzione:", "Risolviamo l'equazione passo dopo passo.", "Per prima cosa, analizziamo",
                "Per rispondere alla domanda, dobbiamo", "Dimostrazione."],
    "Portuguese": ["Aqui está a solução:", "Primeiro, vamos entender o problema.", "Vamos pensar passo a passo.",
                   "Para resolver esta questão, precisamos", "A seguir, a solução detalhada", "Demonstração."],
    "Dutch": ["Hier is de oplossing:", "Laten we eerst het probleem begrijpen.", "We moeten de vergelijking oplossen"],
    "Swedish": ["Här är lösningen:", "Låt oss först analysera problemet."],
    "Danish": ["Her er svaret:", "Lad os forstå opgaven først."],
    "Russian": ["Вот решение:", "Давайте разберем эту задачу.", "Сначала нужно понять условие.", "Доказательство.",
                "Чтобы решить это уравнение, нам", "Рассмотрим задачу пошагово."],
    "Ukrainian": ["Ось розв’язання:", "Давайте розв'яжемо цю задачу."],
    "Polish": ["Oto rozwiązanie:", "Zacznijmy od zadania.", "Aby rozwiązać to zadanie, musimy", "Dowód."],
    "Czech": ["Zde je řešení:", "Pojďme vyřešit tento příklad krok za krokem."],
    "Turkish": ["İşte çözüm:", "Hadi bu problemi adım adım çözelim.", "Öncelikle soruyu anlayalım."],
    "Arabic": ["إليك الحل:", "دعونا نفكر في هذه المسألة.", "أولاً، لنبدأ بحل المعادلة"],
    "Hindi": ["आइए इस प्रश्न को हल करें।", "यहाँ समाधान है:", "सबसे पहले हम समस्या को समझते हैं।"],
    "Vietnamese": ["Dưới đây là lời giải chi tiết:", "Chúng ta hãy cùng giải bài toán này.",
                   "Để trả lời câu hỏi này,"],
    "Indonesian": ["Berikut adalah penyelesaian:", "Mari kita pahami soal ini.",
                   "Pertama, kita perlu memahami masalah"],
    "Thai": ["มาดูวิธีทำกัน", "ก่อนอื่นเราต้องทำความเข้าใจโจทย์"],
}  # fmt: skip
"""What models and attackers write before an answer; none of these sentences stands in the lists as a whole."""

SHORT_ANSWERS = {
    "English": ["A: 5", "A: B", "x = 3", "A", "(A):", "proof", "analysis", "Conclusion", "1 solution", "Two solutions",
                "this one", "Solve for x", "1.", "2)", "Q", "A. x", "Part A", "Step 2", "Ans: 7", "Proof. x = 3",
                "We have x = 3", "First: 4", "no problem", "the given one", "II", "Ans. no"],
    "Chinese": ["是", "不是", "对", "错误", "三", "首先是乙", "我们的国家", "一步", "问题", "方程", "第二步",
                "解：无解", "北京", "题目一"],
    "Japanese": ["はい", "いいえ", "三つ", "東京", "問題", "方程式", "まず水", "解なし", "ステップ1", "私"],
    "Korean": ["네", "아니요", "셋", "서울", "문제", "함께", "먼저", "1단계", "정답은 셋"],
    "French": ["oui", "non", "vrai", "trois", "l'équation", "une solution", "pas de solution", "étape 2", "la méthode",
               "voici 3", "A : 5", "Réponse : oui"],
    "German": ["ja", "nein", "wahr", "drei", "keine Lösung", "eine Lösung", "Schritt 2", "hier", "wir", "Antwort: ja"],
    "Spanish": ["sí", "no", "verdadero", "tres", "una solución", "este", "aquí", "paso 2", "el problema"],
    "Italian": ["sì", "no", "vero", "tre", "una soluzione", "nessuna soluzione", "la domanda", "passo 2"],
    "Portuguese": ["sim", "não", "três", "uma solução", "aqui", "a questão", "passo 2"],
    "Dutch": ["ja", "nee", "drie", "een oplossing", "hier", "de vraag", "stap 2"],
    "Swedish": ["ja", "nej", "tre", "en lösning", "här", "steg 2"],
    "Danish": ["ja", "nej", "tre", "her", "opgaven"],
    "Russian": ["да", "нет", "верно", "три", "нет решения", "одно решение", "нужно", "шаг 2", "ОН", "уравнение",
                "А: 5"],
    "Ukrainian": ["так", "ні", "три", "потрібно", "рівняння"],
    "Polish": ["tak", "nie", "trzy", "to zadanie", "jedno rozwiązanie"],
    "Czech": ["ano", "ne", "tři", "zde", "příklad"],
    "Turkish": ["evet", "hayır", "üç", "bu soru", "adım 2"],
    "Arabic": ["نعم", "لا", "ثلاثة", "المعادلة", "٣"],
    "Hindi": ["हाँ", "नहीं", "तीन", "समस्या", "हम"],
    "Vietnamese": ["có", "không", "ba", "một", "câu hỏi", "tôi"],
    "Indonesian": ["ya", "tidak", "tiga", "soal ini", "kita"],
    "Thai": ["ใช่", "ไม่ใช่", "สาม", "เรา", "โจทย์"],
}  # fmt: skip
"""Answers of one or a few words, and such as share words with an opener."""

DRESSES = ["{}", "**{}**", "# {}", "> {}", "1. {}", "1) **{}**", "(1) {}", "① {}", "1. {}\n2. {}", "✅ {}", "- {} 🎉",
           "<b>{}</b>", "<h2 class='x'>{}</h2>", "<p><i>{}</i></p>", "\\section*{{}}", "\\textbf{{}}", "{\\bf {}}",
           "\\begin{proof}{}\\end{proof}", "\\noindent\\large {}", "[{}](#a)", "| {} |", "“{}”",
           "\u200b{}\u2060", "{} {}",
           "\\emph{\\underline{{}}}", "◆ {}", "&ldquo;{}&rdquo;", "1️⃣ {}", "```\n{}\n```", "Sure!\n{}"]  # fmt: skip


def dressed(dress: str, text: str) -> str:
    return dress.replace("{}", text)


@pytest.mark.parametrize("language", SENTENCES)
@pytest.mark.parametrize("dress", DRESSES)
def test_sentences_that_announce_an_answer_are_stopped_in_any_language_and_dress(language, dress):
    assert [text for text in SENTENCES[language] if no_answer(dressed(dress, text)) != "opener_only"] == []


@pytest.mark.parametrize("language", SENTENCES)
def test_behind_a_sentence_that_announces_it_an_answer_passes(language):
    texts = [f"{text}{space}{answer}" for text in SENTENCES[language] for space in ("\n", " ") for answer in "7xB"]
    assert [text for text in texts if no_answer(text) is not None] == []


@pytest.mark.parametrize("dress", DRESSES)
def test_real_short_answers_of_each_language_pass_in_any_dress(dress):
    assert SHORT_ANSWERS.keys() == SENTENCES.keys()
    answers = [answer for answers in SHORT_ANSWERS.values() for answer in answers]
    assert [answer for answer in answers if no_answer(dressed(dress, answer)) is not None] == []


@pytest.mark.parametrize("word", ["Solution", "Thought process:", "Answer:", "Let's solve this problem step by step."])
def test_letters_that_look_like_others_hide_no_opener(word):
    tables = {"Cyrillic": ("aceiopsxyhkmntbABCEHIKMOPTXSJ", "асеіорѕхуһкмптьАВСЕНІКМОРТХЅЈ"),
              "Greek": ("aoinpABEHIKMNOPTXYZ", "αοιηρΑΒΕΗΙΚΜΝΟΡΤΧΥΖ"),
              "small capitals": ("abcdeghijklmnoprtuvwyz", "ᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢ"),
              "digits": ("ol", "01")}  # fmt: skip
    rng = random.Random(5)
    for name, (latin, others) in tables.items():
        other = dict(zip(latin, others, strict=True))
        for _ in range(20):
            text = word[0] + "".join(other.get(one, one) if rng.random() < 0.6 else one for one in word[1:])
            assert no_answer(text) == "opener_only", (name, text)
    for text in ("𝐒𝐨𝐥𝐮𝐭𝐢𝐨𝐧", "Ⓢⓞⓛⓤⓣⓘⓞⓝ", "S̶o̶l̶u̶t̶i̶o̶n̶", "S o l u t i o n", "So\u00adlution", "&#83;olution&#58;"):
        assert no_answer(text) == "opener_only", text


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
