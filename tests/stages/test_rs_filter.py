"""`libra rs-filter`: which samples are kept, the conversations that they answer, and the same bytes from any input."""

from __future__ import annotations

import gzip
import json
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from libra_cli.records.probes import MASTER_KEYS
from libra_cli.sampling.asked_prompts import Prompts, digest, system_of
from libra_cli.sampling.judge_prompts import make_plan
from libra_cli.sampling.judges import GenerativeJudge
from libra_cli.sampling.judgments import judgment
from libra_cli.stages.rs_filter.checks import Checks, thinking_fault
from libra_cli.stages.rs_filter.choice import UNKNOWN, Candidate, SampleIndex, SampleLimits, choose
from libra_cli.stages.rs_filter.diversity import spread
from libra_cli.stages.rs_filter.report import YieldReport
from libra_cli.stages.rs_filter.samples import SampleReader
from libra_cli.stream.rows import Row, RowError, dumps
from libra_cli.tasks import JUDGING, reason, template, thinking

LIBRA = str(Path(sys.executable).parent / "libra")
ROOT = Path(__file__).resolve().parents[2]


def row_of(fields):
    return Row(fields, dumps(fields), "rows.jsonl", 1)


def jsonl(made):
    return "".join(json.dumps(fields, ensure_ascii=False) + "\n" for fields in made).encode()


def vote(said, number=0, thought="hm", **more):
    return {"outcome": said, "vote": number, "text": f"[[score={said}]]", "finish_reason": "stop",
            "text_with_cot": f"<think>{thought}</think>\n\n[[score={said}]]", "n_tokens": 5, **more}  # fmt: skip


def generated(count=300, seed=0):
    """Responses with and without labels (some need computer algebra), votes, general rows, and some of them twice."""
    draw, made = random.Random(seed), []
    for number in range(count):
        problem, kind = draw.randrange(12), number % 5
        fields = {"id": f"p{problem}", "question": f"What is {problem}+√2?", "model": draw.choice(["m", "ñ"]),
                  "sample": draw.randrange(4), "note": number % 7}  # fmt: skip
        text = f"<think>{draw.randrange(9)}</think>It is \\boxed{{{problem}+\\sqrt{{{draw.choice([2, 2, 8])}}}}}."
        if kind < 2:
            fields |= {"reference": f"\\sqrt{{2}}+{problem}", "response": text, "n_tokens": len(text)}
            fields |= {"label": draw.choice([0, 1, 1, None])} if kind else {}
        elif kind < 4:
            votes = [vote(draw.choice([0, 4]), n, str(draw.randrange(9))) for n in range(2)]
            fields |= {"response": f"It is {draw.randrange(3)}, as one finds.", "label": draw.randrange(2)}
            fields |= {"judge": "j", "judge_task": "score", "judgments": votes}
        else:
            fields |= {"task": "general", "prompt": fields.pop("question"), "response": "Take a table."}
        made.append(fields)
    return made


# -- the same bytes from any input -------------------------------------------------------------------------------------


OPTIONS = "--per-prompt 3 --prefer diverse --even label --pass-rate 0.1..1"


def test_the_bytes_do_not_depend_on_the_order_the_way_or_the_number_of_processes(shell, tmp_path):
    made = generated()
    (tmp_path / "a.jsonl").write_bytes(jsonl(made))
    random.Random(1).shuffle(made)
    shuffled = jsonl(made)
    (tmp_path / "b.jsonl").write_bytes(shuffled)
    (tmp_path / "b.gz").write_bytes(gzip.compress(shuffled))
    ways = [
        f"libra rs-filter -q {OPTIONS} a.jsonl -j 1",
        f"libra rs-filter -q {OPTIONS} b.jsonl -j 3",
        f"cat b.jsonl | PYTHONHASHSEED=1 libra rs-filter -q {OPTIONS} -j 2",
        f"libra rs-filter -q {OPTIONS} b.gz -o out && cat out",
    ]
    results = [shell(way) for way in ways]
    assert [ended.status for ended in results] == [0] * len(ways), [ended.err for ended in results]
    assert {json.loads(line)["task"] for line in results[0].out.splitlines()} == {"reason", "score", "general"}
    assert [ended.out == results[0].out for ended in results] == [True] * len(ways)


def test_rows_behind_one_that_needs_computer_algebra_are_found_again(shell, tmp_path):
    """Far more rows than are read at once, the first of which waits for its answer."""
    slow = {"id": "slow", "question": "?", "reference": "\\int_0^1 x dx", "response": "<think>a</think>\\boxed{1/2}"}
    filler = "x" * 3000
    quick = [{"id": f"q{n}", "question": f"{n}?", "label": 1, "response": f"<think>{n}{filler}</think>{n}"}
             for n in range(600)]  # fmt: skip
    (tmp_path / "rows.jsonl").write_bytes(jsonl([slow, *quick]))
    ended = shell("libra rs-filter -q rows.jsonl")
    texts = {json.loads(line)["id"]: json.loads(line)["messages"][-1]["content"] for line in ended.out.splitlines()}
    assert {name: text for name, text in texts.items() if name != "slow"} == {
        fields["id"]: fields["response"] for fields in quick
    }


def test_another_seed_is_another_choice_of_the_same_size(shell):
    outs = [shell(f"libra rs-filter -q --per-prompt 1 --seed {seed}", input=jsonl(generated())).out for seed in (0, 1)]
    sources = [sorted(json.loads(line)["source"] for line in out.splitlines()) for out in outs]
    assert len(sources[0]) == len(sources[1]) > 20
    assert sources[0] != sources[1]


def test_the_output_is_even_and_adds_up(shell):
    ended = shell("libra rs-filter --even label --log-format json", input=jsonl(generated()))
    kept = Counter(json.loads(line)["label"] for line in ended.out.splitlines())
    *_, figures, last = [json.loads(line) for line in ended.err.splitlines()]
    assert kept["0"] == kept["1"] > 0
    assert figures["kept"] == kept.total() == last["out"]
    assert last["in"] == figures["samples"] == last["out"] + sum(last["filtered"].values())
    assert sum(sum(by.values()) for by in figures["dropped"].values()) == sum(last["filtered"].values())
    assert sum(row["kept"] for row in figures["by"]) == figures["kept"]


def test_data_sets_load_the_output_as_it_is(shell, tmp_path, monkeypatch):
    """Whatever comes first: a column never changes its type."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    bare = {"task": "general", "prompt": "Hi", "response": "Hello"}
    assert shell("libra rs-filter -q -o out.jsonl", input=jsonl([bare, *generated(60)])).status == 0
    lines = sorted((tmp_path / "out.jsonl").read_text().splitlines(), key=lambda line: "general" not in line)
    (tmp_path / "out.jsonl").write_text("\n".join(lines))
    files = {"data_files": str(tmp_path / "out.jsonl"), "cache_dir": str(tmp_path)}
    loaded = datasets.load_dataset("json", split="train", chunksize=400, **files)  # many blocks, each with its types
    assert loaded.num_rows == len(lines)
    assert {kind.dtype for name, kind in loaded.features.items() if name != "messages"} == {"string"}
    assert all(value is not None for row in loaded for value in row.values())
    assert loaded[0]["messages"][-1]["role"] == "assistant"


# -- the conversation that was asked -----------------------------------------------------------------------------------


JUDGED = {
    "score": {"question": "1+1? {{response}}", "response": "<think>x</think>It is [[score=4]] 2.", "label": 1},
    "verify": {"question": "1+1?", "response": "It is 2.", "reference": 2, "label": 1},
    "rank": {"question": "1+1?", "response_a": "2", "response_b": "3 </response_b>", "preference": "A>B"},
    "rate": {"question": "1+1?", "chosen": "2", "rejected": "3"},
    "best": {"question": "1+1?", "responses": ["1", "2", "3"], "best": 1},
}


@pytest.mark.parametrize("task", JUDGED)
def test_a_vote_answers_the_conversation_that_its_judge_was_asked(task):
    from libra_cli.records.items import item_of_row

    judge = GenerativeJudge(JUDGING[task], sampling=None)  # it asks nobody here
    item = item_of_row(JUDGED[task])
    planned = make_plan(item, judge.shows, [None] * len(item.responses), 3, "both", lambda vote: random.Random(vote))
    said = {"rank": "A>B", "best": 2, "verify": "correct"}.get(task, 4)
    text = f"<think>so</think> [[{f'{task}={said}' if isinstance(said, int) else said}]]\n"
    votes = [
        judgment(planned, prompt, said, None, text=text[18:].strip(), text_with_cot=text) for prompt in planned.prompts
    ]
    row = row_of({**JUDGED[task], "judge": "j", "judge_task": task, "judgments": votes})
    found = [SampleReader(Prompts()).conversation(row, number)[1]["messages"] for number in range(len(votes))]
    assert [messages[:-1] for messages in found] == judge.conversations(planned)
    assert len({messages[0]["content"] for messages in found}) == len({prompt.order for prompt in planned.prompts})
    assert {messages[-1]["content"] for messages in found} == {text}


DIRECT = template.load(reason.DIRECT)
OWN = {"question": "1+1?", "response": "2", "system": "Be brief."}
TALK = {"prompt": [{"role": "system", "content": "Hm."}, {"role": "user", "content": "1+1?"}], "response": "2"}


@pytest.mark.parametrize(
    ("fields", "asked", "given", "first"),
    [
        (OWN, digest(DIRECT, "Be brief."), None, "Be brief."),
        (OWN, digest(DIRECT, None), None, None),  # as an earlier libra asked
        (OWN, digest(DIRECT, ""), None, None),  # --system ""
        (OWN, digest(DIRECT, "Hi"), "Hi", "Hi"),
        (OWN, None, None, "Be brief."),  # of another tool
        (OWN, None, "Hi", "Hi"),
        ({**OWN, "system": None}, digest(DIRECT, None), None, None),
        (TALK, digest("", None), None, "Hm."),
        (TALK, digest("", "Hi"), "Hi", "Hi"),
        (TALK, digest("", ""), None, None),
        ({**TALK, "system": "Hm."}, digest("", "Hm."), None, "Hm."),
        ({"prompt": TALK["prompt"][1:], "system": "Own.", "response": "2"}, digest("", "Own."), None, "Own."),
        ({"prompt": TALK["prompt"][1:], "system": "Own.", "response": "2"}, digest("", None), None, None),
    ],
)
def test_a_response_is_learned_with_the_system_prompt_that_it_was_asked_with(fields, asked, given, first):
    row = row_of({**fields, **({} if asked is None else {"provenance": {"prompt_sha256": asked}})})
    talk = Prompts(None, given).of_response(row, "reason", "2")
    assert [turn["content"] for turn in talk if turn["role"] == "system"] == ([first] if first else [])
    assert [turn["role"] for turn in talk[-1:]] == ["user"]
    assert len(talk) == (2 if first else 1)


def test_rows_that_differ_in_their_system_prompt_are_asked_differently():
    rows = [row_of(OWN), row_of({**OWN, "system": "Be long."}), row_of({**OWN, "system": None})]
    assert len({Prompts().key(row, "reason", "2") for row in rows}) == 3
    assert len({Prompts(None, "Hi").key(row, "reason", "2") for row in rows}) == 1


def test_another_system_prompt_than_that_of_the_row_must_be_named():
    row = row_of({**OWN, "provenance": {"prompt_sha256": digest(DIRECT, "Hi")}})
    with pytest.raises(RowError, match="asked with another prompt"):
        Prompts().of_response(row, "reason", "2")


def test_a_template_may_show_the_system_prompt_itself():
    assert system_of(OWN, None, "{{system}}: {{question}}") is None
    assert system_of(OWN, None, "{{system_prompt}}: {{question}}") == "Be brief."
    assert system_of(OWN, "", DIRECT) == ""
    row = row_of({**OWN, "provenance": {"prompt_sha256": digest("{{system}} {{question}}", None)}})
    (asked,) = Prompts("{{system}} {{question}}").of_response(row, "reason", "2")
    assert asked["content"] == "Be brief. 1+1?"


@pytest.mark.parametrize("shows", [True, False])
def test_a_vote_is_learned_with_the_system_prompt_that_its_judge_was_shown(shows):
    """Judges were once shown the question alone; `judge_provenance` says which it was."""
    asked = digest(template.load(JUDGING["score"].template), "Be brief." if shows else None)
    fields = {"question": "1+1?", "response": "2", "label": 1, "judge": "j", "judge_task": "score"}
    vote = {"vote": 0, "outcome": 4, "text": "[[score=4]]", "text_with_cot": None}
    row = row_of({**fields, "system": "Be brief.", "judgments": [vote], "judge_provenance": {"prompt_sha256": asked}})
    (prompt, _) = SampleReader(Prompts()).conversation(row, 0)[1]["messages"]
    assert ("System: Be brief." in prompt["content"]) is shows


def test_what_a_judge_wrote_is_kept_byte_for_byte(shell, tmp_path):
    """From `libra judge` itself, in both orders, and judged once more from its own rows."""
    text = "<think>\n  A is right \n</think>\n\n**[[A>B]]**\n"
    recording = [{"id": "q", "model": "j", "sample": n, "response_with_cot": text, "n_tokens": 9} for n in range(2)]
    (tmp_path / "votes.jsonl").write_bytes(jsonl(recording))
    pair = {"id": "q", "question": "1+1?", "response_a": "2", "response_b": "3", "preference": "A>B"}
    (tmp_path / "pairs.jsonl").write_bytes(jsonl([pair]))
    first = shell("libra judge -q --replay votes.jsonl pairs.jsonl > j1 && libra rs-filter -q j1")
    again = shell("libra judge -q --replay j1 pairs.jsonl > j2 && libra rs-filter -q j2")
    asked = shell("libra judge -q --replay votes.jsonl --dry-run pairs.jsonl")
    (line,) = [json.loads(line) for line in first.out.splitlines()]
    assert line["messages"] == [*json.loads(asked.out)["messages"], {"role": "assistant", "content": text}]
    assert line["label"] == "A"
    assert json.loads(again.out)["messages"] == line["messages"]


@pytest.mark.parametrize("thinks", [True, False])
def test_a_response_answers_the_prompt_whose_hash_its_row_has(shell, tmp_path, thinks):
    (tmp_path / "p.jsonl").write_bytes(jsonl([{"id": "p", "question": "1+1?", "reference": "2"}]))
    (tmp_path / "r.jsonl").write_bytes(jsonl([{"id": "p", "model": "m", "response": "<think>a</think>\\boxed{2}"}]))
    how = "" if thinks else "--no-thinking"
    rollout = f"libra rollout -q --replay r.jsonl {how} p.jsonl"
    ended = shell(f"{rollout} | libra verify -q | libra rs-filter -q")
    asked = shell(f"{rollout} --dry-run")
    assert json.loads(ended.out)["messages"][:-1] == json.loads(asked.out)["messages"]


# -- what is correct ---------------------------------------------------------------------------------------------------


def test_no_master_key_is_accepted_whatever_the_judge_and_the_label_say():
    reader, checks, kept = SampleReader(Prompts()), Checks(), []
    for number in range(20):
        for key in MASTER_KEYS:
            fields = {"question": f"What is {number}?", "response": key.text, "label": number % 2, "judge": "yes-man",
                      "judge_task": "score", "judgments": [vote(4)]}  # fmt: skip
            kept += [s for s in reader.samples(row_of(fields)) if s.correct and checks.fault(s) is None]
            bare = {"question": "?", "label": 1, "response": f"<think>hm</think>{key.text}"}
            kept += [s for s in reader.samples(row_of(bare)) if s.correct and checks.fault(s) is None]
    assert kept == []


@pytest.mark.parametrize(("threshold", "correct"), [(None, [False, False, True]), (1, [False, True, True])])
def test_a_score_is_right_through_the_threshold(threshold, correct):
    fields = {"question": "?", "response": "It is 2.", "label": 1, "judge": "j", "judge_task": "score",
              "judgments": [vote(n, n) for n in (1, 2, 3)]}  # fmt: skip
    reader = SampleReader(Prompts(), threshold=threshold)
    assert [sample.correct for sample in reader.samples(row_of(fields))] == correct


@pytest.mark.parametrize("wrote", [{"text": 5}, {"text": "[[score=4]]", "text_with_cot": 7}])
def test_a_judgment_whose_text_is_none_refuses_its_row(wrote):
    fields = {"question": "?", "response": "It is 2.", "label": 1, "judge": "j", "judge_task": "score",
              "judgments": [{"outcome": 4, "vote": 0, **wrote}]}  # fmt: skip
    with pytest.raises(RowError, match="what a judge wrote is no text; leave judgments as"):
        SampleReader(Prompts()).samples(row_of(fields))


def test_fields_of_a_response_that_say_nothing_are_passed_over():
    fields = {"question": "?", "response": "It is 2.", "label": None, "verification": 3, "task": ["reason"]}
    (sample,) = SampleReader(Prompts()).samples(row_of(fields))
    assert (sample.task, sample.correct, sample.reason) == ("reason", None, "unlabelled")


PAIRS = tuple(thinking.MARKERS.values())


@pytest.mark.parametrize(
    ("text", "require", "forbid"),
    [
        ("<think>a</think>b", None, "has_thinking"),
        (" <think>\n</think>\n\nb", "no_thinking", None),
        ("b", "no_thinking", None),
        ("<think>a", "unclosed_thinking", "unclosed_thinking"),
        ("a</think>b", "unopened_thinking", "unopened_thinking"),
        ("So: <think>a</think>b", "thinking_not_first", "thinking_not_first"),
        ("<think>a</think>b<think>c</think>d", "several_thinking", "several_thinking"),
        ("<think>a</think>b <reasoning>c</reasoning>", "several_thinking", "several_thinking"),
        ("[THINK]a[/THINK]b", None, "has_thinking"),
    ],
)
def test_thinking_is_one_block_at_the_beginning(text, require, forbid):
    assert thinking_fault(text, "require", PAIRS) == require
    assert thinking_fault(text, "forbid", PAIRS) == forbid


# -- which ones are kept -----------------------------------------------------------------------------------------------


def records(*samples):
    """Candidates of (prompt, text, tokens, cell)."""
    return [
        Candidate(prompt, text, number, number, cell, tokens, 9 - tokens % 9, 0, 0, 0)
        for number, (prompt, text, tokens, cell) in enumerate(samples)
    ]


def indexed(candidates, decided=(), cells=(("reason", "", "m"),)):
    index = SampleIndex(0)
    index.cells = {cell: number for number, cell in enumerate(cells)}
    for candidate in candidates:
        index.add_candidate(candidate)
    for one in decided:
        index.add_decided(*one)
    return index


def taken(found, limits, decided=(), cells=(("reason", "", "m"),)):
    chosen = choose(indexed(found, decided, cells), limits, lambda group, n: range(len(group))[::-1])
    return [candidate.number for candidate, _ in chosen]


def test_a_sample_that_is_read_twice_counts_once_for_its_prompt():
    decided = [(1, 10, 1), (1, 10, 1), (1, 11, 0), (2, 12, 1), (1, 13, 0)]
    assert list(indexed([], decided).rates()) == [(1, 3, 1), (2, 1, 1)]


def test_the_pass_rate_has_both_ends_and_lets_undecided_prompts_through():
    decided = [(1, 1, 1), (1, 2, 0), (2, 3, 1), (4, 5, 1), (4, 6, 0), (4, 7, 0)]
    found = records((1, 5, 1, 0), (2, 6, 1, 0), (3, 7, 1, 0), (4, 8, 1, 0))
    assert taken(found, SampleLimits(pass_rate=(0.5, 0.9)), decided) == [0, 2]


def test_lengths_are_compared_by_tokens_only_where_all_are_known():
    found = records((1, 5, 3, 0), (1, 6, 1, 0), (1, 7, 2, 0))
    assert taken(found, SampleLimits(per_prompt=1, prefer="shortest")) == [1]
    assert taken(found, SampleLimits(per_prompt=1, prefer="longest")) == [0]
    found[2] = found[2]._replace(tokens=UNKNOWN)
    assert taken(found, SampleLimits(per_prompt=1, prefer="shortest")) == [0]


def test_evening_takes_of_every_prompt_before_it_takes_a_second_one():
    cells = [("score", "0", "m"), ("score", "1", "m"), ("score", "1", "n"), ("reason", "", "m"), ("rank", "=", "m")]
    found = records((1, 20, 1, 0), (2, 21, 1, 0), (3, 10, 1, 1), (3, 11, 1, 1), (3, 12, 1, 2), (4, 30, 1, 2),
                    (5, 40, 1, 3), (6, 50, 1, 4))  # fmt: skip
    assert taken(found, SampleLimits(even=True), cells=cells) == [2, 0, 1, 5, 6, 7]


def test_evening_leaves_nothing_of_a_task_that_has_one_label_only():
    assert taken(records((1, 5, 1, 0)), SampleLimits(even=True), cells=[("score", "1", "m")]) == []


def test_places_in_a_list_are_evened_among_lists_of_that_length():
    cells = [("best", "1/2", "m"), ("best", "2/2", "m"), ("best", "1/3", "m")]
    found = records((1, 5, 1, 0), (2, 6, 1, 0), (3, 7, 1, 1), (4, 8, 1, 2))
    assert taken(found, SampleLimits(even=True), cells=cells) == [0, 2]


def test_diverse_samples_are_far_apart():
    base = "one two three four five six seven eight"
    assert spread([base, base + " nine", "quite another way to go about it", base + " ten"], 2) == [0, 2, 1, 3]
    assert spread(["a", "a", "a"], 2) == [0, 1, 2]


def test_a_tenth_holds_what_it_begins_with():
    decided = [*((1, n, n < 7) for n in range(10)), (2, 99, 1)]
    chosen = choose(indexed(records((1, 5, 1, 0)), decided), SampleLimits(), lambda group, n: range(len(group)))
    tenths = YieldReport().figures(chosen)["pass_rate"]
    assert [(t["from"], t["prompts"], t["kept"]) for t in tenths if t["prompts"]] == [(0.7, 1, 1), (0.9, 1, 0)]


def test_tokens_are_counted_as_a_model_does(shell):
    made = [
        {"id": f"p{n}", "question": f"{n}?", "label": 1, "response": f"<think>{'1+1=2;' * n}</think>2"} for n in (1, 9)
    ]
    ended = shell("libra rs-filter --tokenizer libra-mini/strong --max-tokens 40", input=jsonl(made))
    assert [json.loads(line)["id"] for line in ended.out.splitlines()] == ["p1"], ended.err
    assert b"too_long 1" in ended.err


# -- memory, and how it ends -------------------------------------------------------------------------------------------


def test_of_each_sample_numbers_are_held_and_no_text(environment):
    """At most 240 bytes a row of 900, which is 300 MB for a million: 22,000 rows against 2,000, half with two votes.

    130 bytes were measured, and 165 once in CI. Through a pipe, which needs what a file needs, and the spool.
    """
    benchmark = str(ROOT / "benchmarks" / "rs_filter_memory")
    script = [sys.executable, benchmark, "--source", "pipe", "--bytes", "900", "--rows"]
    peaks = {}
    for count in (2_000, 22_000):
        ended = subprocess.run([*script, str(count)], env=environment, capture_output=True, text=True, check=True)
        peaks[count] = [
            float(line.split("peak ")[1].split()[0]) for line in ended.stdout.splitlines() if ": peak " in line
        ]
    for small, large in zip(peaks[2_000], peaks[22_000], strict=True):
        assert (large - small) * 1e6 / 20_000 < 240


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_run_that_is_stopped_while_it_reads_writes_nothing(environment, number, status, tmp_path):
    process = subprocess.Popen(
        [LIBRA, "rs-filter", "--report", "yield.json"], env=environment, cwd=tmp_path, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(b"not a row\n" + jsonl(generated(50)))
    process.stdin.flush()
    assert process.stderr is not None
    process.stderr.readline()  # it has read the first row
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (status, b""), err
    assert b"; stopped, the same command begins anew" in err
    assert not (tmp_path / "yield.json").exists()
