"""What a trainer writes to standard output: words on a terminal, JSON elsewhere and in its folder."""

from __future__ import annotations

import json

import pytest
from pseudo_terminal import PseudoTerminal

from libra_cli.training.monitoring.event_lines import EventLines

STEP = {"loss": 1.33154, "lr": 8.99e-4, "tokens_per_second": 6988.2, "seconds": 0.1, "mfu": None}


@pytest.mark.parametrize(("event", "figures", "line"), [
    ("step", STEP, "step 7/90: loss 1.3315, lr 8.99e-04, 6,988 tokens/s"),
    ("rollout", {"reward": 0.25, "correct": 0.5, "length_mean": 1200.4},
     "step 7/90: rollout: reward 0.250, correct 50.0%, length 1,200"),
    ("eval", {"loss": 0.96891, "reward_accuracy": 0.5, "samples": 64},
     "step 7/90: eval: loss 0.9689, reward accuracy 0.5"),
    ("checkpoint", {"path": "t/checkpoints/step-7", "seconds": 1.0}, "step 7/90: saved in t/checkpoints/step-7"),
    ("score", {"accuracy": 0.5, "n": 40, "unread": 2, "model_step": 7},
     "step 7/90: accuracy 50.0% on the benchmark (40 verdicts, 2 unreadable)"),
])  # fmt: skip
def test_each_event_has_a_line(event, figures, line):
    said = []
    EventLines(90, said.append)(event, 7, figures)
    assert said == [line]


def test_of_fast_steps_the_first_and_the_last_have_a_line():
    said = []
    lines = EventLines(90, said.append)
    for step in range(1, 91):
        lines("step", step, STEP)
    assert [line.partition(":")[0] for line in said] == ["step 1/90", "step 90/90"]


@pytest.mark.slow
@pytest.mark.parametrize("as_json", [False, True])
def test_a_terminal_gets_words_and_the_folder_json(environment, tmp_path, as_json):
    turns = [{"role": "user", "content": "1 + 1?"}, {"role": "assistant", "content": "2"}]
    (tmp_path / "sft.jsonl").write_text("".join(json.dumps({"id": str(n), "messages": turns}) + "\n" for n in range(8)))
    words = ["libra", "sft", "--model", "libra-mini/weak", "-o", "model", "--batch-size", "4"]
    words += ["--max-steps", "2", "sft.jsonl", *(["--log-format", "json"] if as_json else [])]
    with PseudoTerminal(words, tmp_path, environment, (100, 60)) as terminal:
        assert terminal.end() == 0
        shown = terminal.raw.decode()
    events = [json.loads(line) for line in (tmp_path / "model" / "events.jsonl").read_text().splitlines()]
    assert [event["event"] for event in events] == ["step", "step", "checkpoint"]
    assert ('{"event":"step"' in shown, "step 2/2: loss" in shown) == (as_json, not as_json)
