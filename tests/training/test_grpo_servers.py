"""`libra grpo --sampler-url`: real vLLM servers sample, and get the weights in training over HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sft_runs as runs
import thinned
import torch
import warm
from engine_requests import answers, requests_of
from grpo_runs import COMMON, events, write_tasks
from launched_ranks import at_work, start_ranks, statuses
from policy_models import WEAK, add_noise, assert_rounding, begin_anew, differences, load, local, untied
from servers.real import sampling_server, vllm_server
from transformers import AutoConfig

from libra_cli.engines import vllm_server as servers_module
from libra_cli.engines.base import LocalModel, Sampling
from libra_cli.engines.chat_template import load_chat_template
from libra_cli.engines.vllm_server import VllmServers, serve_line
from libra_cli.engines.vllm_weight_senders import HttpTransfer
from libra_cli.exits import Exit, Fatal
from libra_cli.training.rollouts.weight_proof import WeightProof

pytest.importorskip("vllm")
pytestmark = [pytest.mark.engine, pytest.mark.timeout(500), pytest.mark.xdist_group("vllm server")]

MODEL = "libra-mini/weak"
PLAIN = Sampling(1.0, 1.0, 40)
REQUESTS = requests_of([f"What is {n}-{n % 90 + 9}*6?" for n in range(100, 106)], samples=3, logprobs=True)
LOSSES = ("loss", "policy_loss", "kl", "grad_norm", "entropy")
ASYNC = (0, 2)
KEY = "open-sesame-0815"
Served = tuple[str, "subprocess.Popen[bytes]"]


@pytest.fixture(scope="module")
def served(environment, tmp_path_factory) -> Iterator[Callable[[], Served]]:
    """Gives the server of all tests; starts it, and again if a test has killed it."""
    started: list[Served] = []
    with ExitStack() as stack:
        log = tmp_path_factory.mktemp("vllm") / "log"

        def serve() -> Served:
            if not started or started[-1][1].poll() is not None:
                one = sampling_server(Path(WEAK), MODEL, log, environment, "--dtype", "float32")
                started.append(stack.enter_context(one))
            return started[-1]

        yield serve


@pytest.fixture
def server(served: Callable[[], Served]) -> Served:
    return served()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with prompts, in which runs write theirs."""
    made = tmp_path_factory.mktemp("runs")
    write_tasks(made / "tasks.jsonl")
    return made


@pytest.fixture(scope="module")
def whole(folder: Path, served: Callable[[], Served]) -> Path:
    """Runs of six steps in one go."""
    words = [*COMMON, str(folder / "tasks.jsonl"), "--sampler-url", served()[0]]
    plan = {f"async-{steps}": [*words, "--async-steps", str(steps)] for steps in ASYNC}
    runs.drive(folder, 1, plan, stage="grpo")
    return folder


def servers_of(*urls: str, model: LocalModel | None = None, key: str | None = None) -> VllmServers:
    return VllmServers(urls, PLAIN, load_chat_template(model or local()), key, print)


def connected(
    *urls: str, config: Any = None, dtype: str = "float32", model: LocalModel | None = None, key: str | None = None
) -> VllmServers:
    config, servers = config or AutoConfig.from_pretrained(WEAK), servers_of(*urls, model=model, key=key)
    servers.use(servers.facts(dtype, 200, on_gpu=False), 1, HttpTransfer(servers, config))
    return servers


def command(folder: Path, output: str, url: str, *args: str) -> list[str]:
    words = ["grpo", *COMMON, str(folder / "tasks.jsonl"), "-o", str(folder / output), "--sampler-url", url, *args]
    return warm.libra(*words)


def agree(engine: VllmServers, policy, change, bound: float | None = None) -> None:
    """The servers' log-probabilities are those of the weights that came last, at each token.

    `bound` is None for a trained miniature in float32.
    """
    before = None
    for seed in (1, 2):
        change(policy, seed)
        engine.update_weights(policy.named_parameters())
        after = answers(engine, REQUESTS)
        assert after != before
        found = differences(engine, policy, after, REQUESTS, PLAIN)
        if bound is None:
            assert_rounding(found)
        else:
            assert max(found) < bound
        engine.check_version()
        assert differing(engine, policy) is None
        with torch.no_grad():
            next(policy.parameters()).view(-1)[::64] *= 1.01
        assert differing(engine, policy) == f"{engine.names[0]}: model.embed_tokens.weight"
        before = after


def differing(engine: VllmServers, policy) -> str | None:
    """The first weight of the servers that is not the policy's."""
    notes: list[str] = []
    found = WeightProof(policy, notes.append).differing(engine.held_weights(1), policy.named_parameters())
    assert notes == []
    return found


def test_log_probabilities_are_those_of_the_weights_that_came_last(server: Served) -> None:
    engine = connected(server[0].removesuffix("/v1"))
    agree(engine, load(), begin_anew, 1e-5)
    agree(engine, load(), add_noise)
    engine.close()


def test_a_server_whose_weights_cannot_be_read_is_named(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers_module, "EXTENSION", "another.Extension")
    notes: list[str] = []
    engine = VllmServers([server[0]], PLAIN, load_chat_template(local()), None, notes.append)
    assert not engine.facts("float32", 200, on_gpu=False).tells_weights
    engine.close()
    what = "its weights cannot be read back without --worker-extension-cls another.Extension"
    assert notes == [f"{engine.names[0]}: {what}: only log-probabilities prove hand-overs"]


@pytest.mark.parametrize(("kind", "status"), [("stale", Exit.BACKEND), thinned.slow(("right", Exit.DONE))])
def test_log_probabilities_alone_prove_weights_that_cannot_be_read(
    kind: str, status: Exit, folder: Path, server: Served
) -> None:
    words = [*COMMON, str(folder / "tasks.jsonl"), "--sampler-url", server[0], "--warmup", "0"]
    runs.drive(folder, 1, {kind: words}, may_fail=True, stage="grpo", patch=["reticent_servers", kind])
    found, message = json.loads((folder / f"{kind}.ended").read_text())
    assert found == status, message
    rollouts = events(folder / f"{kind}.log", "rollout")
    assert len(rollouts) == (1 if status else 3)
    assert max(rollout["gap_mean"] for rollout in rollouts) < 1e-5
    if status:
        assert "the sampler's log-probabilities differ from the trainer's by" in message


def test_weights_that_somebody_else_replaced_are_noticed(server: Served) -> None:
    ours, policy = connected(server[0]), load()
    ours.update_weights(policy.named_parameters())
    ours.check_version()
    theirs = connected(server[0])
    theirs.update_weights(add_noise(policy, 1).named_parameters())
    with pytest.raises(Fatal, match="no longer those of this run: it was restarted, or another run uses it") as caught:
        ours.check_version()
    assert caught.value.status == Exit.BACKEND
    theirs.check_version()
    for engine in (ours, theirs):
        engine.close()


def test_an_update_that_a_killed_trainer_left_open_is_closed(server: Served) -> None:
    engine = connected(server[0])
    for path in ("/pause?mode=abort", "/start_weight_update"):
        engine.everywhere(path)
    engine.close()
    engine = connected(server[0])
    agree(engine, add_noise(load(), 5), add_noise)
    engine.close()


def test_a_server_that_cannot_sample_for_this_trainer_is_refused(server: Served) -> None:
    engine = servers_of(server[0])
    for dtype, longest, named in (("bfloat16", 200, "--dtype bfloat16"), ("float32", 4096, "--max-model-len 4096")):
        with pytest.raises(Fatal, match=named) as caught:
            engine.facts(dtype, longest, on_gpu=False)
        assert caught.value.status == Exit.USAGE
        assert "VLLM_SERVER_DEV_MODE=1 vllm serve MODEL" in str(caught.value)
    engine.close()


def test_another_tokenizer_is_refused(server: Served, tmp_path: Path) -> None:
    engine = servers_of(server[0], model=local(str(other_tokenizer(tmp_path))))
    with pytest.raises(Fatal, match="another tokenizer") as caught:
        engine.facts("float32", 200, on_gpu=False)
    assert caught.value.status == Exit.USAGE
    engine.close()


def other_tokenizer(folder: Path) -> Path:
    """The embedded model's tokenizer without the markers of the thinking among its tokens."""
    for name in ("config.json", "tokenizer_config.json", "tokenizer.json", "chat_template.jinja"):
        source = Path(WEAK, name)
        if source.exists():
            text = source.read_text(encoding="utf-8")
            (folder / name).write_text(text.replace("<think>", "<mull>"), encoding="utf-8")
    return folder


def test_weights_of_another_model_are_refused(server: Served, tmp_path: Path) -> None:
    other = load(str(runs.write_model(tmp_path / "other")))
    engine = connected(server[0], config=other.config)
    with pytest.raises(Fatal, match="model has hidden_size 128, the trainer's 32; start it anew") as caught:
        engine.update_weights(other.named_parameters())
    assert caught.value.status == Exit.USAGE
    engine.close()


def test_a_rollout_is_sampled_while_steps_learn_from_the_one_before(whole: Path) -> None:
    for steps in ASYNC:
        rollouts, learned = (events(whole / f"async-{steps}.log", kind) for kind in ("rollout", "step"))
        assert [rollout["step"] - rollout["sampler_step"] for rollout in rollouts] == [0, steps, steps]
        assert [step["age_max"] for step in learned] == [0, 1, steps, steps + 1, steps, steps + 1]
        assert all(step["age_mean"] == step["age_max"] for step in learned)
        assert max(rollout["gap_mean"] for rollout in rollouts) < 1e-5
        assert [("seconds_ahead" in rollout) for rollout in rollouts] == [False, steps > 0, steps > 0]
        log_ratios = [step["log_ratio_max"] for step in learned[::2]]
        assert log_ratios[0] < 1e-3  # the first rollout is on-policy, as all are without --async-steps
        assert all((ratio > 1e-2) == (steps > 0) for ratio in log_ratios[1:])


@pytest.mark.parametrize("steps", [0, thinned.slow(2)])
def test_a_rank_that_only_samples_serves_the_others(steps: int, whole: Path, tmp_path: Path) -> None:
    """Two ranks train and one samples, with the losses of one rank and a server that somebody started."""
    more = ["-o", str(tmp_path / "out"), "--sampler-ranks", "1", "--async-steps", str(steps)]
    words = warm.libra("grpo", *COMMON, str(whole / "tasks.jsonl"), *more)
    assert statuses(start_ranks(words, 3, tmp_path), 240) == [0, 0, 0], (tmp_path / "rank.0").read_text()
    assert "2 processes, ZeRO 2" in (tmp_path / "rank.0").read_text()
    log = tmp_path / "out" / "events.jsonl"
    assert max(rollout["gap_mean"] for rollout in events(log, "rollout")) < 1e-5
    close(events(whole / f"async-{steps}.log", "step"), events(log, "step"), rel=1e-2, abs=1e-4)
    assert at_work(tmp_path) == []
    assert list(tmp_path.glob("libra-sampler-*")) == []


@pytest.mark.parametrize(
    ("steps", "kind"),
    [(2, signal.SIGKILL), thinned.slow((0, signal.SIGKILL)), thinned.slow((2, signal.SIGTERM))],
)
def test_a_stopped_run_continues_with_the_same_losses(steps: int, kind: int, whole: Path, server: Served) -> None:
    """Three steps, a signal and three, as six in one go: the weights that sampled come into the server again."""
    words = command(whole, f"stopped-{steps}-{kind}", server[0], "--save-every", "1", "--async-steps", str(steps))
    process = subprocess.Popen(
        words, env=runs.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    log = whole / f"stopped-{steps}-{kind}.log"
    assert process.stdout is not None
    with open(log, "w") as out:
        for line in process.stdout:
            out.write(line)
            event = json.loads(line)
            if event["event"] == "checkpoint" and event["step"] == 3:
                process.send_signal(kind)
        assert process.wait() in (-signal.SIGKILL, Exit.TERMINATED)
        done = subprocess.run(words, env=runs.environment(), capture_output=True, text=True, timeout=250)
        out.write(done.stdout)
    assert done.returncode == 0, done.stderr
    assert "continues after step" in done.stderr
    close(events(whole / f"async-{steps}.log", "step"), events(log, "step"), rel=1e-4)


def close(one: list[dict[str, Any]], other: list[dict[str, Any]], rel: float, abs: float = 1e-6) -> None:
    """Both runs report the same losses."""
    assert [step["step"] for step in one] == [step["step"] for step in other]
    for before, after in zip(one, other, strict=True):
        for name in LOSSES:
            assert after[name] == pytest.approx(before[name], rel=rel, abs=abs), (name, before["step"])


def metric(url: str, name: str) -> int:
    """The sum of a server's metric `vllm:NAME` over its engines."""
    with urllib.request.urlopen(url.removesuffix("/v1") + "/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith(f"vllm:{name}"))


def begun_rollout(folder: Path, output: str, url: str) -> subprocess.Popen[str]:
    """A run whose long first rollout the server is sampling."""
    words = command(folder, output, url, "--prompts", "256", "-n", "256", "--max-tokens", "200", "--batch-size", "4096")
    before = metric(url, "generation_tokens_total")
    process = subprocess.Popen(words, env=runs.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while metric(url, "generation_tokens_total") < before + 2000:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    return process


@pytest.mark.slow
def test_a_stop_during_a_rollout_leaves_it(server: Served, folder: Path) -> None:
    process = begun_rollout(folder, "stopped", server[0])
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == Exit.TERMINATED, errors
    assert "the same command continues" in errors
    deadline = time.monotonic() + 60
    while metric(server[0], "num_requests_running"):  # the server does not work on for nobody
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.slow
def test_a_server_that_falls_silent_during_a_rollout_ends_the_run(server: Served, folder: Path) -> None:
    url, served = server
    process = begun_rollout(folder, "silent", url)
    os.killpg(served.pid, signal.SIGSTOP)
    try:
        _, errors = process.communicate(timeout=120)
    finally:
        os.killpg(served.pid, signal.SIGCONT)
    assert process.returncode == Exit.BACKEND, errors
    assert f"{url}: the sampler is gone (no reply within" in errors


@pytest.mark.slow
def test_ranks_and_servers_share_a_rollout(whole: Path, server: Served, environment) -> None:
    """Two ranks with ZeRO-3 and two servers come to the losses of one rank and one server."""
    words = [*COMMON, str(whole / "tasks.jsonl"), "--sampler-url", server[0], "--zero", "3"]
    with sampling_server(Path(WEAK), MODEL, whole / "second.log", environment, "--dtype", "float32") as (url, _):
        plan = {f"shared-{steps}": [*words, "--sampler-url", url, "--async-steps", str(steps)] for steps in ASYNC}
        runs.drive(whole, 2, plan, stage="grpo")
    for steps in ASYNC:
        assert max(rollout["gap_mean"] for rollout in events(whole / f"shared-{steps}.log", "rollout")) < 1e-5
        alone, shared = (events(whole / f"{name}-{steps}.log", "step") for name in ("async", "shared"))
        close(alone, shared, rel=1e-2, abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("head", "dtype"), [("untied", "float32"), ("tied", "bfloat16"), ("untied", "bfloat16")])
def test_other_heads_and_dtypes_agree_too(head: str, dtype: str, tmp_path: Path, environment) -> None:
    path = WEAK if head == "tied" else untied(tmp_path / "model")
    config = AutoConfig.from_pretrained(path)
    more = ["--dtype", dtype, "--api-key", KEY]
    with sampling_server(Path(path), MODEL, tmp_path / "log", environment, *more) as (url, _):
        with pytest.raises(Fatal, match="it wants a key"):
            connected(url, config=config, dtype=dtype, model=local(path))
        engine = connected(url, config=config, dtype=dtype, model=local(path), key=KEY)
        # In half precision two forward passes of a trained miniature differ by 0.3 at a token, of a new one by 0.01.
        agree(engine, load(path, dtype), begin_anew, 1e-5 if dtype == "float32" else 1e-2)
        if dtype == "float32":
            agree(engine, load(path), add_noise)
        engine.close()


@pytest.mark.slow
@pytest.mark.parametrize("developing", [False, True])
def test_a_server_without_the_flags_is_told_them(developing: bool, tmp_path: Path, environment) -> None:
    env = {**environment, **({"VLLM_SERVER_DEV_MODE": "1"} if developing else {})}
    with vllm_server(Path(WEAK), MODEL, tmp_path / "log", env, "--dtype", "float32") as url:
        engine = servers_of(url)
        with pytest.raises(Fatal) as caught:
            engine.facts("float32", 200, on_gpu=False)
        engine.close()
    assert caught.value.status == Exit.USAGE
    missing = "lacks --generation-config vllm, --logprobs-mode processed_logprobs, --weight-transfer-config"
    assert (missing if developing else "/server_info: 404") in str(caught.value)
    assert f"start it with: {serve_line('libra')}" in str(caught.value)


def test_a_server_that_dies_during_a_rollout_ends_the_run(server: Served, folder: Path) -> None:
    url, served = server
    process = begun_rollout(folder, "dead", url)
    os.killpg(served.pid, signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == Exit.BACKEND, errors
    assert f"{url}: the sampler is gone" in errors
