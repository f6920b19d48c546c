"""The recipes of CONTRIBUTING.md: each is followed to the letter in a copy of the package, and the result works."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from documents import PAGES, ROOT

COPIED = ("libra_cli", "README.md", "pyproject.toml", "tests/conftest.py", "tests/helpers", "tests/tasks")

PYTEST = "python -m pytest -q -p no:cacheprovider -c pyproject.toml --rootdir=."


def recipe(title: str, name: str) -> list[str]:
    """The files that a recipe lists, with `name` for NAME."""
    section = PAGES["CONTRIBUTING.md"].read_text().partition(f"### {title}\n")[2].partition("\n#")[0]
    return [path.replace("NAME", name) for path in re.findall(r"^\d+\. `([^`]+)`", section, re.MULTILINE)]


class Checkout:
    """A copy of the repository in which a recipe is followed; `touched` are the files that it wrote or changed."""

    def __init__(self, folder: Path, shell: Callable):
        self.folder, self._shell, self.touched = folder, shell, set[str]()
        for name in COPIED:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
            else:
                shutil.copy(ROOT / name, target)

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)
        self.touched.add(path)

    def edit(self, path: str, old: str, new: str) -> None:
        """Puts `new` in the place of `old`, which stands there once."""
        text = (self.folder / path).read_text()
        assert text.count(old) == 1, f"{path}: {old}"
        self.write(path, text.replace(old, new))

    def run(self, command: str, **kwargs) -> str:
        """Standard output of a command, with `libra` from this copy."""
        libra = 'libra() { python -m libra_cli "$@"; }'
        environment = {"PYTHONPATH": os.fspath(self.folder)}
        ended = self._shell(f"set -euo pipefail; {libra}; {command}", cwd=self.folder, env=environment, **kwargs)
        assert ended.status == 0, ended.err.decode() + ended.out.decode()
        return ended.out.decode()


@pytest.fixture
def checkout(tmp_path, shell) -> Checkout:
    return Checkout(tmp_path / "checkout", shell)


def jsonl(*rows: dict) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def test_a_task(checkout):
    checkout.write(
        "libra_cli/tasks/brevity.py",
        '"""`brevity`: rate from 0 to 3 how concise a response is."""\n\n'
        "from libra_cli.tasks.judge import rating_task\n\n"
        'BREVITY = rating_task("brevity", "brevity", (0, 3), 1)\n',
    )
    prompt = "Close with [[brevity=N]], N from 0 to 3.\n\n<problem>\n{{question}}\n</problem>\n\n"
    checkout.write("libra_cli/tasks/prompts/brevity.txt", f"{prompt}<response>\n{{{{response}}}}\n</response>\n")
    checkout.edit("libra_cli/choices.py", 'JUDGE_TASKS = ("score", ', 'JUDGE_TASKS = ("brevity", "score", ')
    checkout.edit(
        "tests/tasks/test_grading.py",
        "PROOFS = [\n",
        'PROOFS = [\n    ("brevity", {**ONE, "label": 1}, "[[brevity=3]]", "[[brevity=0]]"),\n',
    )
    assert checkout.touched == set(recipe("A task", "brevity"))
    assert len(checkout.touched) <= 4
    checkout.run(f"{PYTEST} tests/tasks/test_grading.py")

    row = {"id": "p", "question": "1+1?", "response": "It is 2.", "label": 1, "subset": "sums"}
    votes = [{"id": "p", "model": "j", "sample": 0, "response": "[[brevity=3]]", "finish_reason": "stop"}]
    (checkout.folder / "rows.jsonl").write_bytes(jsonl(row, {**row, "id": "q"}))
    (checkout.folder / "votes.jsonl").write_bytes(jsonl(*votes, {**votes[0], "id": "q", "response": "[[brevity=1]]"}))
    checkout.run("libra judge -q --task brevity --replay votes.jsonl rows.jsonl > judged.jsonl")
    judged = [json.loads(line) for line in (checkout.folder / "judged.jsonl").read_text().splitlines()]
    assert [(row["judge_task"], row["score"]) for row in judged] == [("brevity", 3), ("brevity", 1)]
    assert "the response" not in checkout.run("libra judge --show-template brevity")
    kept = checkout.run("libra rs-filter -q --thinking any judged.jsonl").splitlines()
    assert [json.loads(line)["messages"][-1]["content"] for line in kept] == ["[[brevity=3]]"]
    assert json.loads(checkout.run("libra score --json judged.jsonl"))["overall"] == 0.5


ECHO = '''"""The echo engine: repeats the last message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from libra_cli.engines.base import Completion, Pending, Rendered, Request, Requests


class EchoEngine:
    """Answers each request with its own last message."""

    def describe(self) -> dict[str, Any]:
        return {"engine": "echo", "engine_version": "1", "model": "echo", "revision": None, "template_sha256": None}

    def render(self, request: Request) -> Rendered:
        return Rendered(None, None, request.messages)

    def close(self) -> None:
        """Holds nothing."""

    def generate(self, requests: Requests) -> Iterator[tuple[Pending, Completion]]:
        while not requests.ended:
            pending = requests.take(None)
            if pending is not None:
                yield pending, Completion(pending.request.messages[-1]["content"], "stop", None)
'''

ECHO_TEST = """
from libra_cli.engines.base import Pending, Request, RequestList
from libra_cli.engines.echo import EchoEngine


def test_it_repeats_the_last_message():
    requests = [Pending(Request([{"role": "user", "content": text}], 0, text, 0), text) for text in ("a", "b")]
    answers = EchoEngine().generate(RequestList(requests))
    assert [(pending.token, completion.text) for pending, completion in answers] == [("a", "a"), ("b", "b")]
"""
CHOSEN = "        engine = options.engine\n"
MAKES_ECHO = """        if engine == "echo":
            from libra_cli.engines.echo import EchoEngine

            return EchoEngine()
"""


def test_an_engine(checkout):
    checkout.write("libra_cli/engines/echo.py", ECHO)
    checkout.edit("libra_cli/choices.py", 'ENGINES = ("auto", ', 'ENGINES = ("auto", "echo", ')
    checkout.edit("libra_cli/sampling/choose.py", CHOSEN, CHOSEN + MAKES_ECHO)
    checkout.edit(
        "libra_cli/engines/requirements.py",
        '    "replay": EngineRequirements((), ""),\n',
        '    "echo": EngineRequirements((), ""),\n    "replay": EngineRequirements((), ""),\n',
    )
    checkout.write("tests/engines/test_echo.py", ECHO_TEST)
    assert checkout.touched == set(recipe("An engine", "echo"))

    checkout.run(f"{PYTEST} tests/engines/test_echo.py")
    (checkout.folder / "problems.jsonl").write_bytes(
        jsonl({"id": "p", "question": "Say \\\\boxed{4}.", "reference": "4"})
    )
    (checkout.folder / "prompt.txt").write_text("{{question}}")
    pipe = "libra rollout -q --engine echo --model any --template prompt.txt problems.jsonl | libra verify -q"
    [row] = map(json.loads, checkout.run(pipe).splitlines())
    assert (row["label"], row["provenance"]["engine"]) == (1, "echo")
    assert json.loads(checkout.run("libra doctor --json"))["engines"]["echo"]["available"]


SQUARE = '''"""The square of each log-probability, to try an objective that is not linear."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from libra_cli.training.objectives.base import Loss, TokenBatch


class SquareObjective:
    """The weighted sum of the squared log-probabilities; reports their mean as `loss`."""

    linear = False

    def __call__(self, log_probs_N: Tensor, batch: TokenBatch) -> Loss:
        squares = log_probs_N.square()
        return Loss((squares * batch.weight).sum(), {"loss": squares.detach().double().sum(), "n": len(log_probs_N)})

    def figures(self, sums: Mapping[str, float]) -> dict[str, float]:
        return {"loss": sums["loss"] / sums["n"]}
'''

SQUARE_TEST = """
import torch

from libra_cli.training.objectives.base import TokenBatch
from libra_cli.training.objectives.square import SquareObjective


def test_two_tokens_by_hand():
    log_probs = torch.tensor([-1.0, -3.0], requires_grad=True)
    loss = SquareObjective()(log_probs, TokenBatch(torch.zeros(2, dtype=torch.int64), 1, torch.tensor([0.5, 0.5])))
    loss.total.backward()
    assert loss.total.item() == 5.0
    assert log_probs.grad.tolist() == [-1.0, -3.0]
    assert SquareObjective().figures({"loss": 10.0, "n": 2}) == {"loss": 5.0}
"""


@pytest.mark.engine
def test_an_objective(checkout):
    checkout.write("libra_cli/training/objectives/square.py", SQUARE)
    checkout.write("tests/training/test_square.py", SQUARE_TEST)
    method = "libra_cli/stages/sft/run.py"
    checkout.edit(method, "objectives.sft import SftObjective", "objectives.square import SquareObjective")
    checkout.edit(method, "= SftObjective()", "= SquareObjective()")
    assert checkout.touched == {path.replace("STAGE", "sft") for path in recipe("A reward or objective", "square")}

    checkout.run(f"{PYTEST} tests/training/test_square.py")
    turns = [{"role": "user", "content": "What is 1+1?"}, {"role": "assistant", "content": "The answer is 2."}]
    (checkout.folder / "sft.jsonl").write_bytes(jsonl(*[{"messages": turns}] * 4))
    model = ROOT / "libra_cli/miniature/medium"
    options = "--batch-size 4 --lr 1e-3 --schedule constant --warmup 0 --max-length 64 --epochs 3 sft.jsonl"
    events = map(json.loads, checkout.run(f"libra sft -q --model {model} -o out {options}").splitlines())
    first, *_, last = [event["loss"] for event in events if event["event"] == "step"]
    assert 0 < last < first  # a step on this loss lowers it


SHOUT = '''"""`libra shout`: questions in capitals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from libra_cli.cli.command import stage
from libra_cli.cli.stage_options import option

if TYPE_CHECKING:
    from libra_cli.stream.run import Run


@option("--mark", default="!", metavar="TEXT", help="What to end a question with.")
def _shout(run: Run, mark: str) -> None:
    """Write questions in capitals."""
    from libra_cli.stream.rows import extend

    run.map_rows(lambda row: extend(row, {"loud": row.fields["question"].upper() + mark}))


command = stage(
    "shout", reads={"question": str}, writes=("loud",), examples=("libra shout rows.jsonl",)
)(_shout)
'''


def test_a_stage(checkout):
    checkout.write("libra_cli/stages/shout/__init__.py", '"""`libra shout`."""\n')
    checkout.write("libra_cli/stages/shout/command.py", SHOUT)
    checkout.edit("libra_cli/main.py", "STAGES = {\n", 'STAGES = {\n    "shout": "Write questions in capitals.",\n')
    checkout.edit("README.md", "| `collect` |", "| `shout` | Write questions in capitals. |\n| `collect` |")
    checkout.write("tests/cases/shout/plain/cmd", """echo '{"question": "why"}' | libra shout -q\n""")
    listed = recipe("A stage", "shout")
    case = next(path for path in checkout.touched if path.startswith(listed[-1]))
    assert checkout.touched - {case} == set(listed[:-1])

    assert checkout.run((checkout.folder / case).read_text()) == '{"question": "why","loud":"WHY!"}\n'
    assert "shout" in checkout.run("libra --help")
    (checkout.folder / "rows.jsonl").write_bytes(jsonl({"question": "a"}, {"question": "b"}))
    checkout.run("libra shout rows.jsonl -o out.jsonl 2> first; libra shout rows.jsonl -o out.jsonl 2> again")
    assert "2 already done" in (checkout.folder / "again").read_text()
    assert "man/libra-shout.1: written" in checkout.run("python -m libra_cli.cli.manual")
