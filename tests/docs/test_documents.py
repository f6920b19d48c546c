"""The documents are true: their blocks run, their outputs are those of the commands, their links lead somewhere."""

from __future__ import annotations

import json
import re
import shlex
import shutil

import jsonschema
import pytest
import yaml
from documents import LANGUAGES, NOT_RUN, OTHER_PAGES, OUTPUT_OF, PAGES, ROOT, SHELL, Block, blocks, masked, table
from manual_pages import CONTEXTS, TOP, calls

from libra_cli import __version__
from libra_cli.exits import MEANINGS
from libra_cli.main import STAGES
from libra_cli.records.schemas import schema

ALL = [block for page in PAGES for block in blocks(page)]
SHELLS = [block for block in ALL if block.language in SHELL]
FROM_NOTHING = {"README.md", "docs/tutorial.md"}
"""Pages that begin in an empty folder; the others have the files of the demo."""
CONTINUED = {"docs/tutorial.md": "docs/training.md"}
"""Pages in whose folder, when their blocks have run, the blocks of another page run."""
ASK_MODELS = {"docs/tutorial.md", "docs/run.md"}
"""Pages whose models answer `libra rollout`; on the others the demo's recorded responses do, for the sake of time."""

LEFT = {
    "docs/tutorial.md": {
        "steps.jsonl": "training-event",
        "rollouts.jsonl": "training-event",
        "sft.jsonl": "messages",
        "scored.jsonl": "judged",
        "ranked-bench.jsonl": "judged",
    }
}
"""Files that the blocks of a page leave, and the kind of their rows."""
OTHER_OPTIONS = {
    "--array", "--gpu", "--gpu-memory-utilization", "--max-num-batched-tokens", "--no-enable-chunked-prefill",
    "--served-model-name", "--weight-transfer-config", "--worker-extension-cls",
}  # fmt: skip
"""Options of benchmarks, of tests, of sbatch and of vllm serve that pages name."""


def runs(block: Block) -> bool:
    return block.language in SHELL and not block.comment.startswith((NOT_RUN, OUTPUT_OF))


@pytest.mark.engine
@pytest.mark.timeout(900)  # the tutorial trains twice
@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(map(runs, blocks(page))) and page not in CONTINUED.values()]
)
def test_the_blocks_of_a_page_run_one_after_another(page, demo, tmp_path, shell):
    if page not in FROM_NOTHING:
        shutil.copytree(demo.folder, tmp_path, dirs_exist_ok=True)
    recorded = {} if page in ASK_MODELS else {"LIBRA_ROLLOUT_REPLAY": str(demo.folder / "responses.jsonl")}
    continued = blocks(CONTINUED[page]) if page in CONTINUED else []
    for block in filter(runs, [*blocks(page), *continued]):
        for command, shown in [(block.text, [])] if block.language == "sh" else block.steps():
            ended = shell(["bash", "-euo", "pipefail", "-c", f"exec 2>&1\n{command}"], env=recorded, timeout=600)
            printed = ended.out.decode()
            assert ended.status == 0, f"{block}: {command}\n{printed}"
            assert_shown(shown, printed, block)
    for file, kind in LEFT.get(page, {}).items():
        validator = jsonschema.Draft202012Validator(schema(kind))
        lines = (tmp_path / file).read_bytes().splitlines()
        assert lines
        for line in lines:
            validator.validate(json.loads(line))


def assert_shown(shown: list[str], printed: str, block: Block) -> None:
    """Every line that a document shows is printed, numbers and widths apart; `...` stands for lines left out."""
    lines = set(map(masked, printed.splitlines()))
    missing = [line for line in shown if line != "..." and masked(line) not in lines]
    assert missing == [], f"{block}: not printed\n{printed}"


@pytest.mark.engine
def test_the_demo_shown_is_the_demo_that_runs(demo, shell):
    script = shell(["libra", "run", "--dry-run", str(ROOT / "examples/demo.yaml")]).out.decode()
    shown = [block for block in ALL if block.comment == f"{OUTPUT_OF}make demo"]
    assert len(shown) == 3
    for command, lines in (step for block in shown for step in block.steps()):
        for stage, arguments in calls(command.replace("\n", " ")):
            words = [word for word in arguments if not word.endswith((".json", ".jsonl", ".html"))]
            if stage == "run":
                assert words == ["examples/demo.yaml"]
                continue
            [ran] = [words for name, words in calls(script) if name == stage]
            assert set(words) <= set(ran), f"{stage}: the demo runs {ran}"
        assert_shown(lines, demo.said, shown[0])


@pytest.mark.parametrize("block", ALL, ids=str)
def test_a_block_has_a_language_and_a_reason_not_to_run(block):
    assert block.language in LANGUAGES
    assert not block.comment.startswith(NOT_RUN) or len(block.comment) > len(NOT_RUN) + 10


@pytest.mark.parametrize("block", SHELLS, ids=str)
def test_a_command_is_well_formed_and_its_options_exist(block, shell):
    for command in block.commands:
        assert shell(["bash", "-n", "-c", command]).status == 0
        for stage, arguments in calls(command.replace("\\\n", " ").replace("\n", " ; ")):
            flags = {word.partition("=")[0] for word in arguments if re.match(r"--?[a-z]", word)}
            params = CONTEXTS[stage].command.params
            assert flags <= {flag for param in params for flag in (*param.opts, *param.secondary_opts)}, stage
        for target in re.findall(r"^make (\w+)", command, re.MULTILINE):
            assert f"\n{target}:" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("page", [*PAGES, *OTHER_PAGES])
def test_links_lead_somewhere(page):
    here = {**PAGES, **OTHER_PAGES}[page]
    text = re.sub(r"^```.*?^```$", "", here.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if path.startswith("https://"):
            continue
        file = (here.parent / path) if path else here
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, target


@pytest.mark.parametrize("page", [*PAGES, *OTHER_PAGES])
def test_every_file_that_is_named_exists(page):
    text = {**PAGES, **OTHER_PAGES}[page].read_text()
    for name in re.findall(r"`((?:libra_cli|tests|examples|benchmarks|docs)/[\w./-]+)`", text):
        if "NAME" in name or "STAGE" in name:  # a recipe's placeholder; test_contributing follows the recipe
            continue
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize(("page", "lines"), [("README.md", 250), ("CONTRIBUTING.md", 150)])
def test_a_page_stays_short(page, lines):
    assert len(PAGES[page].read_text().splitlines()) <= lines


def test_the_readme_trains_as_the_tutorial_does():
    training = PAGES["README.md"].read_text().partition("## Train a judge")[2].partition("\n## ")[0]
    [commands] = re.findall(r"^```sh\n(.*?)^```$", training, re.MULTILINE | re.DOTALL)
    ran = [command for block in blocks("docs/tutorial.md") if runs(block) for command, _ in block.steps()]
    assert set(commands.splitlines()) <= set(ran)


def test_the_page_on_training_trains_as_the_tutorial_does():
    def trainings(commands: list[str]) -> set[tuple[str, ...]]:
        words = [tuple(shlex.split(each.replace("\\\n", " ").partition(">")[0])) for each in commands]
        return {each for each in words if each[:2] in (("libra", "sft"), ("libra", "grpo"))}

    [text] = [block.text for block in blocks("docs/training.md") if "libra judge --task rank" in block.text]
    shown = trainings(re.sub(r"\\\n", " ", text).splitlines())
    ran = [command for block in blocks("docs/tutorial.md") if runs(block) for command, _ in block.steps()]
    assert len(shown) == 2
    assert shown <= trainings(ran)


# -- tables that repeat what the code says -----------------------------------------------------------------------------


def test_the_stages_are_listed():
    assert table("README.md", "the stages") == {name: [summary] for name, summary in STAGES.items()}


def test_the_exit_statuses_are_listed():
    assert table("docs/streams.md", "exit statuses") == {str(int(code)): [text] for code, text in MEANINGS.items()}


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == __version__
    assert {"cff-version", "title", "message", "authors", "license"} <= set(citation)


def test_every_extra_is_named():
    tomllib = pytest.importorskip("tomllib")  # Python 3.11
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    install = PAGES["README.md"].read_text().partition("## Install")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([\w-]+)` \|", install, re.MULTILINE)) == set(extras) - {"test"}


@pytest.mark.parametrize("page", PAGES)
def test_every_option_that_is_named_exists(page):
    known = {
        flag
        for context in [TOP, *CONTEXTS.values()]
        for param in context.command.get_params(context)
        for flag in (*param.opts, *param.secondary_opts)
    }
    text = re.sub(r"^```.*?^```$", "", PAGES[page].read_text(), flags=re.MULTILINE | re.DOTALL)
    for code in re.findall(r"`([^`]+)`", text):
        for stage, arguments in calls(code) if "libra " in code and "'" not in code else []:
            flags = {word.partition("=")[0] for word in arguments if re.match(r"--?[a-z]", word)}
            params = CONTEXTS[stage].command.params
            assert flags <= {"--help", "--help-all"} | {
                flag for param in params for flag in (*param.opts, *param.secondary_opts)
            }, code
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", code)) <= known | OTHER_OPTIONS, code
