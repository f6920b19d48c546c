"""Computer algebra in processes: what it decides, and what happens to a process that takes too long or dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from hostile_answers import BOMBS, injections

from libra_cli.answers.comparison.equal import Decision
from libra_cli.answers.process.pool import Pool, decide
from libra_cli.exits import Exit, Fatal

DATA = Path(__file__).resolve().parents[1] / "data" / "verify"
EASY = ("14", r"\sum_{k=1}^{3} k^2")
ENDLESS = ("x^2+5", r"\sum_{i=1}^{999}\sum_{j=1}^{999}\sum_{k=1}^{999} i^j k")


@pytest.fixture(scope="module")
def pool():
    with Pool(2) as shared:
        yield shared


COLD = r"""
import sys
from libra_cli.answers.process import canary
from libra_cli.answers.process.symbolic import Comparison
for reference, answer, _ in canary.PAIRS:
    Comparison().decide(reference, answer)
before = set(sys.modules)
for reference, answer in ((r"4\pi\,\text{rad/s}", r"\omega=4\pi\ \text{s}^{-1}"), (r"\sum_{k=1}^n k^2", "n")):
    Comparison().decide(reference, answer)
print(sorted(set(sys.modules) - before))
"""


def test_a_pair_loads_nothing_that_would_count_as_its_time(environment):
    """Where Python keeps no bytecode (PYTHONDONTWRITEBYTECODE), units alone took longer than the limit of a pair."""
    ended = subprocess.run([sys.executable, "-c", COLD], env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"


SYMBOLIC = [
    ("4a-2", "2(2a-1)", True),
    ("4a-2", "2(2a+1)", False),
    ("p - q", "q - p", False),
    ("3R^2", "3r^2", False),
    ("3R^2", r"3 \cdot R \cdot R", True),
    (r"\frac{\sqrt3}{3}", r"\frac{1}{\sqrt{3}}", True),
    (r"\frac{20000}{\pi}", "6366.197724", True),
    (r"\sqrt{66}", "8.124", False),
    ("(1+i)^2", "2i", True),
    (r"\log_2 8", "3", True),
    (r"\sin 30^\circ", "0.5", True),
    (r"\frac{\pi}{6}", r"30^\circ", True),
    (r"\frac{\pi}{6}", r"60^\circ", False),
    (r"\sqrt{x^2}", "x", False),
    ("y = 2x + 3", "2x - y + 3 = 0", True),
    ("y = 2x + 3", "2x - y - 3 = 0", False),
    (r"x \neq 2", r"(-\infty,2)\cup(2,\infty)", True),
    ("[0,1]", r"0\leq x\leq 1", True),
    ("(0,1)", r"0\leq x<1", False),
    (r"(2,\sqrt{8})", r"(2,2\sqrt2)", True),
    (r"(2,\sqrt{8})", r"(2,3\sqrt2)", False),
    (r"(3,\sqrt{18})", r"[3,3\sqrt2]", False),
    (r"1\pm\sqrt{12}", r"1+2\sqrt3, 1-2\sqrt3", True),
    (r"1\pm\sqrt{12}", r"1+2\sqrt3", False),
    ("f'(x)", "f(x)", False),
    (r"f^{\prime}(x)+1", "1+f'(x)", True),
    ("A'", "A", False),
    ("a_1+1", "a_2+1", False),
    (r"\mathbb{R}", "R", False),
    (r"\mathbb{R}\setminus\{0\}", r"x \neq 0", True),
    ("|a+b|", "|a|+|b|", False),
    ("|a+c|b", "b(|a|+|c|)", False),
    ("2^{100}", "1267650600228229401496703205376", True),
    ("2^{100}", "1267650600228229401496703205377", False),
    ("0", r"\sqrt2\cdot\sqrt3-\sqrt6", True),
    (r"x<-1 \text{ or } x>1", r"(-\infty,-1)\cup(1,\infty)", True),
    (r"x<-1 \text{ or } x>1", r"(-\infty,-1]\cup(1,\infty)", False),
    ("x+y=5", "5", None),
    ("x+y=5", "6", False),
    ("5", "x+y=5", True),
    (r"(17\text{ apples}, \sqrt8)", r"(17\text{ pears}, 2\sqrt2)", None),
    (r"\begin{pmatrix}\sqrt8\\1\end{pmatrix}", r"\begin{pmatrix}2\sqrt2\\1\end{pmatrix}", True),
]


def test_computer_algebra(pool):
    found = pool.decide_many([(reference, answer) for reference, answer, _ in SYMBOLIC])
    assert [decision.equal for decision in found] == [equal for *_, equal in SYMBOLIC]


def references():
    return [json.loads(line)["reference"] for line in (DATA / "references.jsonl").read_text().splitlines()]


REWRITES = {
    "itself": lambda text: text,
    "dollars": lambda text: f"${text}$",
    "display": lambda text: rf"\[ {text} \]",
    "full stop": lambda text: f"{text}.",
    "dfrac": lambda text: text.replace(r"\frac", r"\dfrac"),
    "spaces": lambda text: (
        text.replace("+", " + ").replace("-", " - ").replace(",", " , ") if "!" not in text else text
    ),
    "assigned": lambda text: text if "=" in text or "," in text else f"x = {text}",
    "thin spaces": lambda text: text.replace(" ", r"\,") if "\\text" not in text and "\\\\" not in text else text,
}


@pytest.mark.parametrize("rewrite", REWRITES)
def test_every_reference_equals_itself_however_it_is_written(pool, rewrite):
    pairs = [(reference, REWRITES[rewrite](reference)) for reference in references()]
    assert len(pairs) == 194
    different = [pair for pair, found in zip(pairs, pool.decide_many(pairs), strict=True) if found.equal is not True]
    assert different == []


NEAR_MISSES = {
    "one more": lambda text: f"{text}+1",
    "negated": lambda text: f"-({text})" if text != "0" else "1",
    "ends": lambda text: text.replace("(", "[").replace("]", ")") if text != text.replace("(", "[") else f"{text}+2",
}


@pytest.mark.parametrize("miss", NEAR_MISSES)
def test_no_reference_equals_a_near_miss(pool, miss):
    plain = [
        text for text in references() if not any(mark in text for mark in ("\\text", "\\cup", "=", "\\$", "^\\circ"))
    ]
    single = [text for text in plain if miss == "ends" or not any(mark in text for mark in (",", "\\pm", "\\begin"))]
    pairs = [(reference, NEAR_MISSES[miss](reference)) for reference in single]
    accepted = [pair for pair, found in zip(pairs, pool.decide_many(pairs), strict=True) if found.equal is True]
    assert len(pairs) > 150
    assert accepted == []


@pytest.mark.timeout(180)
def test_no_bomb_takes_long_none_is_accepted_and_the_next_pair_is_fine(pool):
    pool.decide_many([EASY])
    for number, bomb in enumerate(BOMBS, 2):
        assert pool.decide_many([("x^2+5", bomb)])[0].equal is not True, bomb
        assert pool.decide_many([(str(number**2), rf"\sum_{{k=1}}^{{{number}}} (2k-1)")])[0].equal is True


def test_row_text_is_never_run(pool, tmp_path):
    canary = tmp_path / "canary"
    for text in injections(canary):
        for pair in (("x+1", text), (text, "x+1")):
            assert pool.decide_many([pair])[0].equal is not True
    assert not canary.exists()


def test_the_soft_limit_leaves_the_process_alive():
    with Pool(1, soft=0.2, hard=60) as pool:
        assert pool.decide_many([EASY])[0].equal is True
        before = psutil.Process().children()
        assert pool.decide_many([ENDLESS])[0] == Decision(None, "symbolic", "verify_timeout")
        assert pool.decide_many([("6", r"\sum_{k=1}^{3} k")])[0].equal is True
        assert psutil.Process().children() == before


def test_the_hard_limit_kills_the_process_and_costs_one_pair():
    with Pool(1, soft=60, hard=1) as pool:
        found = pool.decide_many([ENDLESS, EASY])
    assert found == [Decision(None, "symbolic", "verify_timeout"), Decision(True, "symbolic")]


def test_the_hard_limit_counts_what_a_process_works_not_what_others_do(monkeypatch):
    """A worker that gets no processor, as under load, is not late; one that never gets it is, in the end."""
    others = workers_of(psutil.Process())
    with Pool(1, soft=60, hard=0.4) as pool:
        assert pool.decide_many([EASY])[0].equal is True
        (worker,) = (one for one in workers_of(psutil.Process()) if one not in others)
        suspend(worker)
        pool.submit(("6", r"\sum_{k=1}^{3} k"), "easy")
        assert pool.collect(1.2) == []
        worker.resume()
        assert pool.collect(60) == [("easy", Decision(True, "symbolic"))]
        monkeypatch.setattr("libra_cli.answers.process.pool.PATIENCE", 2)
        suspend(worker)
        assert pool.decide_many([("7", r"\sum_{k=1}^{3} k")]) == [Decision(None, "symbolic", "verify_timeout")]


def suspend(worker: psutil.Process) -> None:
    """Stops a worker, and waits until it has stopped."""
    worker.suspend()
    while worker.status() != psutil.STATUS_STOPPED:
        time.sleep(0.01)


def workers_of(process: psutil.Process) -> list[psutil.Process]:
    return [child for child in process.children() if "libra_cli.answers.process.worker" in " ".join(child.cmdline())]


def killed_at_work(pool: Pool) -> list[tuple[object, Decision]]:
    """What comes of killing the worker that is at a pair."""
    while not pool.at_work:
        pool.collect(0.1)
    os.kill(pool.at_work[0], signal.SIGKILL)
    return pool.collect(1)


def test_a_process_that_dies_costs_the_pair_it_was_at_after_two_attempts():
    with Pool(1, soft=60, hard=60) as pool:
        assert pool.decide_many([EASY])[0].equal is True
        pool.submit(ENDLESS, "endless")
        pool.submit(("6", r"\sum_{k=1}^{3} k"), "easy")
        assert killed_at_work(pool) == []
        found = dict(killed_at_work(pool))
        while pool.pending:
            found.update(pool.collect(5))
    assert found == {"endless": Decision(None, "symbolic", "verify_crashed"), "easy": Decision(True, "symbolic")}


def test_a_process_that_is_killed_once_costs_nothing():
    with Pool(1, soft=2, hard=60) as pool:
        assert pool.decide_many([EASY])[0].equal is True
        pool.submit(ENDLESS, "endless")
        assert killed_at_work(pool) == []
        found: dict[object, Decision] = {}
        while pool.pending:
            found.update(pool.collect(5))
    assert found == {"endless": Decision(None, "symbolic", "verify_timeout")}


def test_a_process_that_dies_while_idle_costs_nothing():
    with Pool(1) as pool:
        assert pool.decide_many([EASY])[0].equal is True
        worker = workers_of(psutil.Process())[-1]
        worker.kill()
        worker.wait(10)
        assert pool.decide_many([("7", r"\sum_{k=1}^{3} k")])[0] == Decision(False, "symbolic")


def test_no_process_outlives_a_killed_parent():
    program = (
        "from libra_cli.answers.process.pool import Pool\n"
        f"pool = Pool(1, soft=600, hard=600); pool.decide_many([{EASY!r}]); print('ready', flush=True)\n"
        f"pool.decide_many([{ENDLESS!r}])\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        workers = workers_of(psutil.Process(parent.pid))
        assert workers
        parent.kill()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert alive == []


def test_workers_have_no_environment_and_a_session_of_their_own(pool):
    pool.decide_many([("6", r"\sum_{k=1}^{3} k")])
    worker = workers_of(psutil.Process())[0]
    assert set(worker.environ()) <= {"PYTHONHASHSEED", "LC_CTYPE"}
    assert os.getsid(worker.pid) == worker.pid
    assert worker.cwd() == "/"


def test_it_works_in_a_thread_and_with_sigalrm_blocked():
    found: list[Decision] = []

    def judge() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM, signal.SIGPROF})
        with Pool(1, soft=0.2) as pool:
            found.extend(pool.decide_many([EASY, ENDLESS]))

    thread = threading.Thread(target=judge)
    thread.start()
    thread.join()
    assert found == [Decision(True, "symbolic"), Decision(None, "symbolic", "verify_timeout")]


def test_decide_outside_of_a_pool_from_threads_that_come_and_go():
    found: list[Decision] = []
    for reference in ("14", "15"):
        thread = threading.Thread(target=lambda reference=reference: found.append(decide(reference, EASY[1])))
        thread.start()
        thread.join()
    assert [(decision.equal, decision.reason) for decision in found] == [(True, None), (False, None)]


def test_a_broken_installation_stops_the_run(tmp_path, monkeypatch):
    (tmp_path / "math_verify").mkdir()
    (tmp_path / "math_verify" / "__init__.py").write_text("raise ImportError('no antlr4 runtime')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with Pool(1) as pool, pytest.raises(Fatal, match=r"no antlr4 runtime.*libra doctor") as raised:
        pool.decide_many([EASY])
    assert raised.value.status == Exit.BACKEND


def test_a_verifier_that_is_wrong_stops_the_run(tmp_path, monkeypatch):
    """A canary that comes out wrong: here a parser that reads the same in every formula."""
    package = tmp_path / "latex2sympy2_extended"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "latex2sympy2.py").write_text(
        "import sympy\nclass NormalizationConfig:\n    def __init__(self, **_): pass\n"
        "ConversionConfig = NormalizationConfig\ndef latex2sympy(*_, **__): return sympy.Integer(1)\n"
    )
    (tmp_path / "math_verify").mkdir()
    (tmp_path / "math_verify" / "__init__.py").write_text("")
    (tmp_path / "math_verify" / "grader.py").write_text("should_treat_as_complex = bool\nverify = print\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with Pool(1) as pool, pytest.raises(Fatal, match=r"it finds True where .* is False") as raised:
        pool.decide_many([EASY])
    assert raised.value.status == Exit.BACKEND
