"""Servers that refuse a limit of tokens, in the words of many programs: what is asked next, and what a row is told."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from servers.lengths import CAPS, CONTEXT, LONG_PROMPTS, WORDS, Words, capping, holding, n_prompt_tokens
from servers.prompts import SAMPLING, ask, one
from servers.scripted import Reply, ScriptedServer, error, wrote

from libra_cli.engines.base import Completion
from libra_cli.engines.openai import token_limits

PROMPTS = [f"Question {n}: what is {n} + {n}?" for n in range(20)]
LIMITS = [131072, CONTEXT, 40000, 32768]


def lists(length: int | None) -> dict[str, Reply]:
    return {"/v1/models": Reply(body={"data": [{"id": "tiny", "max_model_len": length}]})}


def asked(script, prompts, length=None, max_tokens=131072, **options):
    """The answers, the calls, and the lines for people."""
    notes = []
    with ScriptedServer(script, lists(length)) as server:
        sampling = replace(SAMPLING, max_tokens=max_tokens)
        answers = ask(server.url, prompts, sampling=sampling, note=notes.append, **options)
        return answers, server.calls, notes


@pytest.mark.parametrize("max_tokens", LIMITS)
@pytest.mark.parametrize("length", [CONTEXT, None])
@pytest.mark.parametrize("words", WORDS)
def test_every_row_gets_most_of_the_context_whatever_the_words(words, length, max_tokens):
    margin = 2048 if "proxy" in words else 0
    answers, calls, _ = asked(holding(WORDS[words], margin=margin), PROMPTS, length, max_tokens, concurrency=1)
    assert {answer.text for answer in answers.values()} == {"four"}
    is_told = (length is not None or WORDS[words].both.count("{c}")) and not margin
    least = min(max_tokens, CONTEXT - margin) * (0.96 if is_told else 0.49)
    assert all(call.body["max_tokens"] >= least for call in calls[-1:])
    assert len(calls) - len(PROMPTS) <= 8  # the first row pays; none if a server takes any exact number that it names


@pytest.mark.parametrize("length", [CONTEXT, None])
@pytest.mark.parametrize("words", WORDS)
def test_a_window_of_rows_pays_a_few_requests_each(words, length):
    margin = 2048 if "proxy" in words else 0
    answers, calls, notes = asked(holding(WORDS[words], margin=margin), PROMPTS, length)
    assert {answer.text for answer in answers.values()} == {"four"}
    assert max(Counter(call.prompt for call in calls).values()) <= (6 if margin else 4)  # a lone row pays 6 or 3
    assert any("--max-tokens is lowered" in note for note in notes)


@pytest.mark.parametrize("length", [CONTEXT, None])
@pytest.mark.parametrize("words", WORDS)
def test_a_prompt_that_is_too_long_costs_its_row_and_short_ones_nothing(words, length):
    long = "1+" * 100_000
    for prompts in ([long, *PROMPTS], [*PROMPTS, long], [long[:90_000], *PROMPTS]):
        answers, calls, _ = asked(holding(WORDS[words]), prompts, length, 32768, concurrency=1)
        answer = answers.pop(prompts[0] if len(prompts[0]) > 99 else prompts[-1])
        if len(prompts[0]) == 90_000:
            assert isinstance(answer, Completion)
        else:
            is_said = length is not None or words != "another language"
            assert answer.kind == ("prompt_too_long" if is_said else "bad_request")
            assert "leave the row out" in str(answer)
        assert {answer.text for answer in answers.values()} == {"four"}
        short = [call.body["max_tokens"] for call in calls if call.prompt == PROMPTS[-1]]
        assert short == [32768]
        assert len(calls) <= len(prompts) + 9


@pytest.mark.parametrize("name", CAPS)
def test_the_largest_limit_of_a_server_is_read_and_kept(name):
    answers, calls, notes = asked(capping(CAPS[name], 8192), PROMPTS, concurrency=1)
    assert {answer.text for answer in answers.values()} == {"four"}
    assert [call.body["max_tokens"] for call in calls] == [131072, *[8192] * len(PROMPTS)]
    assert notes == ["tiny takes 8,192 tokens of a response at most; --max-tokens is lowered to that"]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(("name", "most", "context"), [("OpenAI", 16384, 128_000), ("Anthropic", 8192, 200_000)])
def test_a_prompt_that_is_too_long_leaves_later_rows_the_largest_limit(name, most, context, first):
    long, large = "1+" * 450_000, [f"{n}: " + "1+" * 15_000 for n in range(4)]
    prompts = [*large[:first], long, *large[first:]]
    answers, calls, _ = asked(capping(CAPS[name], most, LONG_PROMPTS[name], context), prompts, concurrency=1)
    assert answers.pop(long).kind == "prompt_too_long"
    assert {answer.text for answer in answers.values()} == {"four"}
    assert set({call.prompt: call.body["max_tokens"] for call in calls if call.prompt in large}.values()) == {most}
    assert len(calls) <= 16


def test_a_number_beside_tokens_limits_later_rows_only_once_the_server_takes_it():
    words = "at most 128 functions and 4 prompt tokens"
    answers, calls, _ = asked(
        lambda call: error(400, words) if call.prompt == PROMPTS[0] else wrote("four"), PROMPTS, None, concurrency=1
    )
    assert answers.pop(PROMPTS[0]).kind == "bad_request"
    assert {call.body["max_tokens"] for call in calls if call.prompt != PROMPTS[0]} == {131072}
    assert {answer.text for answer in answers.values()} == {"four"}


@pytest.mark.parametrize("length", [32768, None])
def test_a_short_prompt_is_never_called_too_long_for_a_long_context(length):
    never = Words("This model's maximum context length is 32768 tokens. However, you asked for more.")
    answers, calls, _ = asked(holding(never, context=0), PROMPTS[:1], length, 32768)
    [answer] = answers.values()
    assert answer.kind == "bad_request"
    assert "maximum context length is 32768 tokens. However, you asked for more" in str(answer)
    assert str(answer).endswith("; give a limit that it takes with --max-tokens")
    assert "refuses --max-tokens every limit from 32,768 to " in str(answer)
    assert len(calls) <= 10


@pytest.mark.parametrize("stage", ["judge", "verify"])
@pytest.mark.parametrize("words", ["vLLM, at least", "vLLM, passed"])
def test_judges_and_annotators_lower_the_limit_too(shell, stage, words):
    row = {"id": "p", "question": "What is 2+2?", "reference": "4", "response": "It is \\boxed{4}.", "label": 1}
    options = {"judge": ["--task", "score"], "verify": ["--annotator", "tiny", "--rule", "also"]}[stage]
    model = ["--model", "tiny"] if stage == "judge" else []
    with ScriptedServer(holding(WORDS[words], context=32768)) as server:
        ended = shell(["libra", stage, *options, *model, "--base-url", server.url], input=json.dumps(row).encode())
        limits = [call.body["max_tokens"] for call in server.calls]
    assert ended.status == 0, ended.err.decode()
    assert limits[-1] <= 32768 - n_prompt_tokens(server.calls[-1])


@pytest.mark.parametrize(("message", "most"), [
    ("max_tokens: error 1210", None),
    ("Error 1210: max_tokens is too large for this model", None),
    ("max_tokens must be at least 1, got 0", None),
    ("Input should be less than or equal to 8192 (max_tokens)", 8192),
    ("max_tokens (384000) exceeds the model's maximum output tokens (65,536)", 65536),
])  # fmt: skip
def test_a_number_is_a_limit_only_where_the_words_say_so(message, most):
    found = token_limits.read(f"400 Bad Request: {message}", "", 384000)
    assert found is not None
    assert (found.most, found.context, found.prompt) == (most, None, None)


@pytest.mark.parametrize("message", ["temperature is out of range", "Unexpected token < in JSON", "unprocessable"])
def test_other_errors_are_none_of_lengths(message):
    assert token_limits.read(f"400 Bad Request: {message}", "", 32768) is None
    answer, calls = one(lambda _call: error(400, message))
    assert (answer.kind, len(calls)) == ("bad_request", 1)


@pytest.mark.parametrize("words", ["vLLM, at least", "vLLM, passed", "vLLM, plus", "no numbers"])
def test_a_batch_says_which_limit_fits(shell, tmp_path, words):
    rollout = ["libra", "rollout", "--model", "tiny"]
    problem = b'{"id": "p", "question": "What is 2+2?"}\n'
    for limit in (131072, 40960):
        batch = tmp_path / f"{limit}.jsonl"
        options = [*rollout, "--max-tokens", str(limit)]
        shell([*options, "--batch-out", batch], input=problem)
        line = json.loads(batch.read_bytes())
        said = {"c": CONTEXT, "m": limit, "p": 22, "total": limit + 22, "next": CONTEXT + 1, "room": CONTEXT - limit,
                "least": CONTEXT - limit + 1}  # fmt: skip
        spoken = WORDS[words].limit if WORDS[words].limit and limit > CONTEXT else WORDS[words].both
        response = {"status_code": 400, "body": {"error": {"message": spoken.format_map(said)}}}
        result = {"custom_id": line["custom_id"], "response": response, "error": None}
        (tmp_path / "results.jsonl").write_text(json.dumps(result) + "\n")
        ended = shell([*options, "--batch-in", "results.jsonl", "--errors", "errors.jsonl"], input=problem)
        [entry] = map(json.loads, (tmp_path / "errors.jsonl").read_bytes().splitlines())
        assert (ended.status, entry["class"]) == (3, "bad_request")
        named = int(entry["reason"].rpartition("--max-tokens ")[2].split()[0])
        assert named + 22 <= CONTEXT or words == "no numbers"
        assert named > 0.4 * CONTEXT
