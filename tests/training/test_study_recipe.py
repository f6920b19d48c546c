"""`examples/recipes/study/make --smoke`: the whole study runs for real, with a few rows and steps for each step."""

from __future__ import annotations

import filecmp
import json
import re
import subprocess
from pathlib import Path

import pytest

from libra_cli import miniature

MAKE = Path(__file__).parents[2] / "examples/recipes/study/make"
JUDGES = {"base", "direct", "implicit", "scalar", "judge-only", "sft", "sft-long", "sft-rl", "rl-zero"}


@pytest.mark.slow
@pytest.mark.timeout(2400)  # some fifty processes that import torch, for minutes of CPU
def test_every_step_runs_and_a_second_time_none(environment: dict[str, str], tmp_path: Path) -> None:
    words = [str(MAKE), "--smoke", str(tmp_path), "7"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=2200)
    assert done.returncode == 0, done.stderr[-4000:]
    answers = re.findall(r": (yes|no|unclear) \(", done.stdout)
    assert len(answers) == 7
    report = json.loads((tmp_path / "report.json").read_text())
    accuracies, confusions, policies, costs = report["tables"][1:]
    assert {row[0] for row in accuracies} == {row[0] for row in confusions} == JUDGES
    assert {(row[0], row[1]) for row in policies} == {
        (policy, judge) for policy in ("weak", "other") for judge in {*JUDGES, "rule", "(start)"}
    }
    seconds = {step: int(value) for step, value in costs}
    assert min(seconds.values()) > 0
    assert {"pretrained", "sft", "judged-sft", "tuned-weak-rule", "evaluated-other-responses"} <= seconds.keys()
    assert len(report["correlation"]["points"]) == 2 * len(JUDGES)
    page = (tmp_path / "report.html").read_text()
    assert "Does it hold here?" in page
    assert not re.search(r"""(src|href)=["'](?!#)""", page)  # all of it in one file

    again = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300)
    assert (again.returncode, again.stdout) == (0, done.stdout)
    assert all("is done already" in line for line in again.stderr.splitlines())


def test_another_form_has_another_folder(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "form").write_text("full\n")
    done = subprocess.run([str(MAKE), "--smoke", str(tmp_path)], env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert "has a study of the form full; name another folder" in done.stderr


def test_a_policy_stays_as_it_is_where_a_judge_gives_no_pair(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "pairs.jsonl").touch()
    (tmp_path / "start").mkdir()
    (tmp_path / "start/config.json").write_text("{}")
    (tmp_path / "tuned").mkdir()
    (tmp_path / "tuned/begun").touch()  # a copy that was not completed
    for model, folder in (("start", tmp_path / "start"), ("libra-mini/weak", miniature.resolve("libra-mini/weak"))):
        words = [str(MAKE.with_name("tune")), "tuned", model, "pairs.jsonl", "--max-steps", "1"]
        subprocess.run(words, cwd=tmp_path, env=environment, check=True, timeout=60)
        compared = filecmp.dircmp(str(folder), str(tmp_path / "tuned"))
        assert (compared.left_only, compared.right_only, compared.diff_files) == ([], [], [])
