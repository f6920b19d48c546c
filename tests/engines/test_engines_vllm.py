"""Real vLLM on the CPU: the same answers as any engine gives, and what a broken engine costs."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace

import installed
import pytest
from engine_requests import answers, requests_of

from libra_cli import miniature
from libra_cli.engines.base import LocalModel, PromptTooLong, Sampling
from libra_cli.engines.vllm import RESTARTS, SUSPECTS_AT_ONCE, VllmEngine
from libra_cli.exits import Exit, Fatal

pytestmark = [pytest.mark.engine, installed.needs("vllm")]

PATH = str(miniature.resolve("libra-mini/strong"))
STRONG = LocalModel("libra-mini/strong", PATH, dtype="float32", small=True, args={"max_num_seqs": 32})
QUESTIONS = [f"Working left to right modulo 1000, what is {n}-{n % 90 + 9}*6?" for n in range(100, 115)]


@pytest.fixture(scope="session")
def engine():
    """One engine for all tests: importing vLLM and loading a model takes longer than all of them."""
    before = dict(os.environ)
    made = VllmEngine(STRONG, Sampling(0.8, 1.0, 60, stop=("zzz",)), notes.append)
    yield made
    made.close()
    os.environ.clear()
    os.environ.update(before)


notes: list[str] = []


@pytest.fixture
def driver(engine):
    """The class that drives the running engine; tests inject faults there."""
    answers(engine, requests_of(QUESTIONS[:1]))
    notes.clear()
    engine._restarts = 0
    return type(engine._driver)


def test_answers_are_whole_seeded_and_independent_of_the_window(engine):
    requests = requests_of(QUESTIONS, samples=4)
    found = answers(engine, requests)
    assert {answer.finish_reason for answer in found.values()} == {"stop"}
    assert all(answer.text.startswith("<think>") and "boxed" in answer.text for answer in found.values())
    assert all(answer.n_tokens > 10 and answer.opened_thinking is False for answer in found.values())
    assert answers(engine, requests, at_most=5) == found
    assert answers(engine, requests_of(QUESTIONS, samples=4, seed=1)) != found
    said = engine.describe()
    assert (said["engine"], said["model"], len(said["template_sha256"])) == ("vllm", "libra-mini/strong", 12)


def test_a_greedy_answer_is_that_of_the_transformers_engine(engine, monkeypatch):
    from libra_cli.engines.transformers import TransformersEngine

    greedy = Sampling(0.0, 1.0, 60)
    monkeypatch.setattr(engine, "_sampling", greedy)
    assert answers(engine, requests_of(QUESTIONS)) == answers(
        TransformersEngine(STRONG_PLAIN, greedy), requests_of(QUESTIONS)
    )


STRONG_PLAIN = replace(STRONG, args={})


def test_a_prompt_beyond_the_context_is_refused_alone(engine):
    found = answers(engine, requests_of([QUESTIONS[0], "9+" * 300, QUESTIONS[1]]))
    assert isinstance(found["r1", 0], PromptTooLong)
    assert [found[key].finish_reason for key in (("r0", 0), ("r2", 0))] == ["stop", "stop"]


def test_a_broken_engine_costs_no_row(engine, driver, monkeypatch):
    requests, step, steps = requests_of(QUESTIONS, samples=4), driver.step, iter(range(1 << 30))
    expected = answers(engine, requests)

    def break_once(self):
        if next(steps) == 4:
            raise RuntimeError("the device is gone")
        return step(self)

    monkeypatch.setattr(driver, "step", break_once)
    assert answers(engine, requests) == expected
    assert len(notes) == 1
    assert "the device is gone" in notes[0]


@pytest.mark.slow
def test_a_row_that_breaks_the_engine_twice_is_given_up_with_few_others(engine, driver, monkeypatch):
    requests, step = requests_of(QUESTIONS, samples=4), driver.step

    def break_on_r7(self):
        if any(active.pending.request.record_id == "r7" for active in engine._active.values()):
            raise RuntimeError("no good row")
        return step(self)

    monkeypatch.setattr(driver, "step", break_on_r7)
    found = answers(engine, requests)
    kinds = Counter(getattr(answer, "kind", "done") for answer in found.values())
    assert all(found["r7", sample].kind == "poison" for sample in range(4))
    assert 4 <= kinds["poison"] <= 2 * SUSPECTS_AT_ONCE
    assert kinds["done"] == len(requests) - kinds["poison"]


def test_an_engine_that_breaks_again_and_again_ends_the_run(engine, driver, monkeypatch):
    class Broken:
        def __init__(self, config):
            self.config = config

        def add(self, *_):
            raise RuntimeError("broken for good")

        def close(self):
            raise RuntimeError("cannot even be closed")

    config = engine._driver.config
    monkeypatch.setattr(engine, "_driver", Broken(config))
    monkeypatch.setattr(engine, "_start", lambda: setattr(engine, "_driver", Broken(config)))
    with pytest.raises(Fatal, match=rf"vLLM broke {RESTARTS + 1} times .*broken for good") as caught:
        answers(engine, requests_of(QUESTIONS * 4))
    assert caught.value.status == Exit.BACKEND
    engine._suspects.clear()
    engine._active.clear()


def test_arguments_are_checked_by_name(monkeypatch, engine):
    wrong = VllmEngine(replace(STRONG, args={"max_num_sequences": 4}), Sampling(0.0, 1.0, 9), notes.append)
    with pytest.raises(
        Fatal, match=r"max_num_sequences: vLLM .* has no such argument; did you mean max_num_seqs"
    ) as caught:
        answers(wrong, requests_of(["1?"]))
    assert caught.value.status == Exit.USAGE
