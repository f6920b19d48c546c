"""The shipped miniature: its world is sound, its models load and answer, its tokenizer and template keep promises."""

from __future__ import annotations

import json
import random
import re
import sys
import zlib
from itertools import islice
from pathlib import Path

import pytest

from libra_cli.miniature import MODELS, POLICIES, problems_path, resolve
from libra_cli.tasks import JUDGING, GeneratedText
from libra_cli.tasks.grading import grade, read_verdict
from libra_cli.tasks.verify import VERIFY

RECIPE = Path(__file__).parents[2] / "examples/recipes/miniature"
QUESTION = "Working left to right modulo 1000, what is 370+86*4?"
LIBRA_PROMPT = f"{QUESTION}\n\nPlease reason step by step. Are you sure? Put the final answer within \\boxed{{}}."
TAGGED = {
    "problem": f"Solve:\n{QUESTION} Show how.",
    "response": "Steps?\nThe answer is \\boxed{5}.",
    "response_a": "The answer is \\boxed{6}.",
    "response_b": "Well:\n7.",
}
FIRST_QUESTIONS = [
    "Working left to right modulo 1000, what is the smaller of 281-33-57*6 and 407-23+82*4?",
    "Working left to right modulo 1000, what is 859*5*9-38+14?",
    "Working left to right, which whole number x gives x+42=74?",
]
VERDICTS = {
    "Judge": {(True,): "[[score=4]]", (False,): "[[score=0]]"},
    "Compare": {
        (True, True): "[[A=B]]",
        (True, False): "[[A>>B]]",
        (False, True): "[[B>>A]]",
        (False, False): "[[A=B]]",
    },
    "Verify": {(True,): "[[Correct]]", (False,): "[[Wrong]]"},
}
CORPUS_COUNTS = {"Judge": 210, "Compare": 87, "Verify": 190}  # of 2000
SLIPPED_OF_1000 = 498
GREEDY_OF_60 = [25, 34, 60]  # right answers of weak, medium, strong
FORM_OF_60 = [60, 59, 60]  # responses in the trained form
VERIFIED_OF_60 = [56, 56, 59]  # right verdicts with the reference in view
JUDGED_OF_60 = 57  # right scores of strong without it; chance is 30
JUDGED_OF_150 = [139, 145]  # right scores of strong and of the judge
SCORED_OF_60 = 51  # the same by libra's own prompt
RANKED_OF_60 = 43  # right comparisons by it; the most frequent preference, a tie, is that of 27


@pytest.fixture(scope="module", autouse=True)
def recipe_scripts():
    """The recipe's scripts import each other by bare name, as they do when they are run."""
    sys.path.insert(0, str(RECIPE))
    yield
    sys.path.remove(str(RECIPE))


@pytest.fixture(scope="module")
def policies():
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    import evaluate

    torch.set_num_threads(1)
    return {name: evaluate.Policy(resolve(name)) for name in POLICIES}


@pytest.fixture(scope="module")
def tokenizer():
    return pytest.importorskip("transformers").AutoTokenizer.from_pretrained(resolve("libra-mini/strong"))


def shipped() -> list[dict]:
    return [json.loads(line) for line in problems_path().read_text().splitlines()]


def sample(count: int, seed: int = 3, held_out: bool = True) -> list:
    import world

    return list(islice(world.problems(random.Random(seed), held_out), count))


def test_names_resolve_to_complete_directories_and_others_to_nothing():
    assert MODELS == ("libra-mini/weak", "libra-mini/medium", "libra-mini/strong", "libra-mini/judge")
    for name in MODELS:
        assert {path.name for path in resolve(name).iterdir()} == {
            "chat_template.jinja",
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json",
        }
    assert [resolve(name) for name in ("strong", "libra-mini/", "libra-mini/../tasks", "org/model")] == [None] * 4


@pytest.mark.parametrize(
    ("left", "op", "right", "worked", "slipped"),
    [
        (378, "+", 86, (464, "11"), (354, "00")),
        (950, "+", 99, (49, "01"), (949, "00")),
        (305, "-", 19, (286, "11"), (396, "00")),
        (5, "-", 19, (986, "11"), (96, "00")),
        (456, "*", 4, (824, "22"), (604, "00")),
        (495, "/", 3, (165, "11"), (131, "00")),
    ],
)
def test_an_operation_is_worked_by_columns_and_a_slip_forgets_the_carries(left, op, right, worked, slipped):
    import world

    assert world.work(left, op, right) == worked
    assert world.work(left, op, right, forget=True) == slipped


def left_to_right(start: int, text: str) -> int:
    """An independent calculator: the operations of `text` applied to `start`, without a modulus."""
    for op, number in re.findall(r"([-+*])(\d+)", text):
        start = {"+": start + int(number), "-": start - int(number), "*": start * int(number)}[op]
    return start


def is_right(question: str, value: int) -> bool:
    """Whether `value` answers the question, worked from its text alone."""
    if equation := re.search(r"gives x(\S+)=(\d+)\?$", question):
        return left_to_right(value, equation[1]) == int(equation[2])
    chains = re.findall(r"(\d+)((?:[-+*]\d+)+)", question)
    results = [left_to_right(int(start), ops) % 1000 for start, ops in chains]
    pick = max if "larger" in question else min
    return value == (pick(results) if len(results) == 2 else results[0])


def test_traces_end_in_the_reference_and_the_reference_solves_the_question():
    import world

    problems = sample(400)
    assert {(p.kind, p.level) for p in problems} == {(k, n) for k in world.KINDS for n in world.LEVELS}
    for problem in problems:
        trace, value = world.solve(problem)
        assert int(trace[-3:]) == value == problem.reference
        assert is_right(problem.question, value), problem.question


def test_slips_spoil_about_the_expected_share_of_answers():
    import world

    rng = random.Random(0)
    wrong = [world.solve(problem, rng, slip=0.3)[1] != problem.reference for problem in sample(1000)]
    assert sum(wrong) == SLIPPED_OF_1000


def test_a_seed_fixes_the_world():
    assert [p.question for p in sample(3)] == FIRST_QUESTIONS
    assert sample(50) == sample(50)
    assert sample(50) != sample(50, seed=4)


def test_shipped_problems_are_held_out_distinct_and_what_the_world_writes():
    import world

    rows = shipped()
    assert rows == [world.record(index, problem) for index, problem in enumerate(world.bench(7, 20))]
    assert len({row["question"] for row in rows}) == 300
    assert all(zlib.crc32(row["question"].encode()) % 20 == 0 for row in rows)
    assert all(is_right(row["question"], int(row["reference"])) for row in rows)
    assert not {row["question"] for row in rows} & {p.question for p in sample(2000, held_out=False)}


@pytest.fixture(scope="module")
def pairs(tokenizer) -> list[tuple[str, str]]:
    """Prompts as a model sees them, and responses, of 2000 conversations of the corpus."""
    import corpus

    turns = list(islice(corpus.conversations(random.Random(5), corpus.Mix()), 2000))
    asked = [[{"role": "user", "content": user}] for user, _ in turns]
    prompts = tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
    return [(prompt, said) for prompt, (_, said) in zip(prompts, turns, strict=True)]


def test_the_corpus_holds_its_shares_and_never_a_held_out_problem(pairs):
    counts = {task: sum(prompt.startswith(f"<|user|>{task}: ") for prompt, _ in pairs) for task in VERDICTS}
    assert counts == CORPUS_COUNTS
    questions = [found[0] for prompt, _ in pairs if (found := re.search(r"Working[^?]+\?", prompt))]
    assert len(questions) == 2000 - CORPUS_COUNTS["Verify"]
    assert all(zlib.crc32(question.encode()) % 20 for question in questions)


@pytest.mark.parametrize("task", VERDICTS)
def test_a_verdict_follows_from_what_is_left_between_the_numbers(pairs, task):
    seen = set()
    for prompt, response in ((prompt, said) for prompt, said in pairs if prompt.startswith(f"<|user|>{task}: ")):
        thought, _, verdict = response.rpartition("</think>")
        claims = re.findall(r"boxed\{(\d+)", prompt)
        lines = re.split("[>;]", thought)[-len(claims) :]
        compared = [re.fullmatch(r"(\d{3})-(\d+) carry \d\d=(\d{3})", line) for line in lines]
        reference = re.search(r"Verify: (\d+) ", prompt)
        got = reference[1].zfill(3) if reference else thought.rsplit(";", len(claims))[0][-3:]
        assert [found[1] for found in compared] == [got] * len(claims)
        assert [found[2] for found in compared] == claims
        same = tuple(int(found[1]) == int(found[2]) for found in compared)
        assert same == tuple(found[3] == "000" for found in compared)
        assert verdict == VERDICTS[task][same]
        seen.add(same)
    assert seen == set(VERDICTS[task])


@pytest.mark.parametrize("claimed", [0, 7, 10, 75, 100, 824, 999])
def test_no_slip_makes_different_numbers_equal(claimed):
    import world

    for forget in (False, True):
        equal = [value for value in range(1000) if world.work(value, "-", claimed, forget)[0] == 0]
        assert equal == [claimed]


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "  two  spaces \n\n\ttab\r\n",
        "π ≈ 3.14159, 世界, 🎉, Ünïcödé",
        "The answer is \\boxed{12}. got  claim",
        "<think>370+86 carry 11=456</think>[[score=4]] [[A>B]] [[Correct]]",
        QUESTION,
        "\x00\x7f",
        "{'a': [1, 2]}",
    ],
)
def test_any_text_comes_back_from_the_tokenizer(tokenizer, text):
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.decode(ids) == tokenizer.decode(ids, skip_special_tokens=True) == text


def test_the_template_keeps_the_problem_and_drops_the_instructions(tokenizer):
    def prompt(content: str, **options) -> str:
        chat = [{"role": "system", "content": "Be brief?"}, {"role": "user", "content": content}]
        return tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True, **options)

    assert prompt(LIBRA_PROMPT) == f"<|user|>{QUESTION}<|assistant|>"
    assert prompt(f"Solve this:\n\n  {LIBRA_PROMPT}") == f"<|user|>{QUESTION}<|assistant|>"
    assert prompt(LIBRA_PROMPT, enable_thinking=False) == f"<|user|>{QUESTION}<|assistant|><think></think>"
    assert prompt("no question mark") == "<|user|>no question mark<|assistant|>"


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("370+86=456, so it is \\boxed{456}.\nNo:\n\nThe answer is \\boxed{75}.", "The answer is \\boxed{75}."),
        ("so \\boxed{\\text{824}} it is\n", "The answer is \\boxed{824}."),
        ("Is it 3?\n\nThe answer is **824**.", "The answer is \\boxed{824}."),
        ("w " * 5000 + "Answer: $55$", "The answer is \\boxed{55}."),
        ("I give up", "I give up"),
        ("x" * 5000, "x" * 120),
        ("\\boxed{", "\\boxed{"),
        ("", ""),
    ],
)
def test_the_template_shortens_libras_own_verifying_prompt(tokenizer, response, answer):
    messages = VERIFY.prompt({"question": QUESTION, "reference": "824", "response": response})
    prompt = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert prompt == f"<|user|>Verify: 824 Answer: {answer}<|assistant|>"


def test_the_template_shortens_prompts_with_one_response_and_with_two(tokenizer):
    def prompt(*tags: str) -> str:
        ask = "Judge.\n" + "\n".join(f"<{tag}>\n{TAGGED[tag]}\n</{tag}>" for tag in tags) + "\nWrite [[score=N]]."
        return tokenizer.apply_chat_template(
            [{"role": "user", "content": ask}], tokenize=False, add_generation_prompt=True, enable_thinking=False
        )

    end = "<|assistant|><think></think>"
    assert prompt("problem", "response") == f"<|user|>Judge: {QUESTION} Answer: The answer is \\boxed{{5}}.{end}"
    pair = f"{QUESTION} A: The answer is \\boxed{{6}}. B: The answer is \\boxed{{7}}."
    assert prompt("problem", "response_a", "response_b") == f"<|user|>Compare: {pair}{end}"


@pytest.mark.parametrize(
    ("thinking", "reply"), [(True, "<think>a</think>b"), (False, "b"), (False, "<think></think>b")]
)
def test_a_prompt_is_the_beginning_of_the_whole_conversation(tokenizer, thinking, reply):
    turns = [{"role": "user", "content": LIBRA_PROMPT}, {"role": "assistant", "content": reply}]
    start = tokenizer.apply_chat_template(
        turns[:1], tokenize=False, add_generation_prompt=True, enable_thinking=thinking
    )
    whole = tokenizer.apply_chat_template(turns, tokenize=False, enable_thinking=thinking)
    assert start.endswith("<|assistant|>" if thinking else "<|assistant|><think></think>")
    assert whole == start + (reply if thinking else "b") + "<|im_end|>"


@pytest.fixture(scope="module")
def greedy(policies) -> dict[str, list[str]]:
    """Each model's greedy responses to every fifth shipped problem."""
    questions = [row["question"] for row in shipped()[::5]]
    return {name: policies[name].answer(questions) for name in POLICIES}


def test_answers_keep_the_form_but_for_the_odd_broken_one(greedy):
    form = re.compile(r"<think>[^<]+</think>The answer is \\boxed\{\d{1,3}\}\.")
    kept = [sum(form.fullmatch(response) is not None for response in greedy[name]) for name in POLICIES]
    assert kept == pytest.approx(FORM_OF_60, abs=2)


def test_models_are_ordered_on_the_shipped_problems(greedy):
    import evaluate

    references = [row["reference"] for row in shipped()[::5]]
    right = [
        sum(
            evaluate.decision(response) == reference
            for response, reference in zip(greedy[name], references, strict=True)
        )
        for name in POLICIES
    ]
    assert right == pytest.approx(GREEDY_OF_60, abs=4)
    assert right[0] < right[1] < right[2]


def test_sampled_answers_are_right_and_wrong_on_every_subset(policies):
    import evaluate
    import torch
    import world

    rng = random.Random(0)
    items = [evaluate.asking(problem, rng) for problem in world.bench(7, 20)[::3]]
    for policy in policies.values():
        torch.manual_seed(0)
        marks = list(evaluate.grade(policy, items, temperature=1.0, thinking=True))
        seen = {(item.problem.kind, mark) for item, mark in zip(items, marks, strict=True)}
        assert seen == {(kind, mark) for kind in world.KINDS for mark in (False, True)}


def test_models_verify_by_libras_own_prompt_and_the_strong_one_best(policies):
    import corpus

    rng, claims = random.Random(4), []
    problems = sample(60)
    for problem in problems:
        claims.append(corpus.claim(problem, rng))
    prompts = [
        VERIFY.prompt({"question": p.question, "reference": str(p.reference), "response": corpus.ANSWER % claim})
        for p, claim in zip(problems, claims, strict=True)
    ]
    truth = ["correct" if p.reference == claim else "wrong" for p, claim in zip(problems, claims, strict=True)]
    right = []
    for name in POLICIES:
        responses = policies[name].answer([prompt[0]["content"] for prompt in prompts])
        verdicts = [read_verdict(VERIFY, GeneratedText.of(response)).outcome for response in responses]
        right.append(sum(verdict == true for verdict, true in zip(verdicts, truth, strict=True)))
    assert 0 < truth.count("wrong") < 60
    assert right == pytest.approx(VERIFIED_OF_60, abs=3)
    assert max(right[:2]) < right[2]


def test_the_strong_model_judges_far_better_than_chance(policies):
    import evaluate
    import world

    rng = random.Random(4)
    items = [evaluate.judging(problem, rng) for problem in world.bench(7, 20)[::5]]
    marks = list(evaluate.grade(policies["libra-mini/strong"], items, temperature=0.0, thinking=True))
    assert sum(marks) == pytest.approx(JUDGED_OF_60, abs=4)


def test_the_judge_judges_better_than_the_policy_that_it_was_made_of(policies):
    import evaluate
    import world

    rng = random.Random(4)
    items = [evaluate.judging(problem, rng) for problem in world.bench(7, 20)[::2]]
    judge = evaluate.Policy(resolve("libra-mini/judge"))
    right = [sum(evaluate.grade(model, items, temperature=0.0, thinking=True))
             for model in (policies["libra-mini/strong"], judge)]  # fmt: skip
    assert right == pytest.approx(JUDGED_OF_150, abs=6)
    assert right[0] < right[1]


def test_the_template_shortens_libras_own_judging_prompts(tokenizer):
    record = {
        "question": QUESTION,
        "response": "Steps?\nThe answer is \\boxed{5}.",
        "response_a": "6.",
        "response_b": "7",
    }
    score, rank = (
        tokenizer.apply_chat_template(JUDGING[name].prompt(record), tokenize=False, add_generation_prompt=True)
        for name in ("score", "rank")
    )
    assert score == f"<|user|>Judge: {QUESTION} Answer: The answer is \\boxed{{5}}.<|assistant|>"
    pair = f"{QUESTION} A: The answer is \\boxed{{6}}. B: The answer is \\boxed{{7}}."
    assert rank == f"<|user|>Compare: {pair}<|assistant|>"


def test_the_strong_model_judges_by_libras_own_prompts(policies):
    import corpus
    import world

    rng, records = random.Random(4), []
    for problem in world.bench(7, 20)[::5]:
        a, b = (corpus.claim(problem, rng) for _ in range(2))
        golden = {(True, False): "A>B", (False, True): "B>A"}.get((a == problem.reference, b == problem.reference))
        shown = {"response": corpus.ANSWER % a, "response_a": corpus.ANSWER % a, "response_b": corpus.ANSWER % b}
        label = int(a == problem.reference)
        records.append({"question": problem.question, **shown, "label": label, "preference": golden or "A=B"})
    right = {}
    for name in ("score", "rank"):
        task = JUDGING[name]
        wrote = policies["libra-mini/strong"].answer([task.prompt(record)[0]["content"] for record in records])
        grades = [
            grade(task, GeneratedText.of(text, "stop"), record) for text, record in zip(wrote, records, strict=True)
        ]
        assert [one for one in grades if one.outcome is None] == []
        right[name] = sum(one.correct for one in grades)
    assert right["score"] == pytest.approx(SCORED_OF_60, abs=4)
    assert right["rank"] == pytest.approx(RANKED_OF_60, abs=4)
