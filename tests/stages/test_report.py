"""`libra report`: the figures and curves of training runs, from their events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from libra_cli.exits import Exit, Fatal
from libra_cli.reports import page
from libra_cli.reports.run_curves import MOST_POINTS, thinned
from libra_cli.reports.runs_part import runs_part, shown_figures
from libra_cli.stages.report.run import read_runs


def write_run(path: Path, events: list[dict[str, Any]]) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return str(path)


def steps(losses: list[float]) -> list[dict[str, Any]]:
    return [
        {"event": "step", "step": n, "loss": loss, "tokens": 100, "seconds": 2.0} for n, loss in enumerate(losses, 1)
    ]


def score(step: int, accuracy: float | None) -> dict[str, Any]:
    return {"event": "score", "step": step, "model_step": step, "accuracy": accuracy, "low": 0.1, "high": 0.9, "n": 50}


def test_a_figure_has_its_first_and_last_tenth_and_its_extremes(tmp_path: Path) -> None:
    events = [*steps([float(20 - n) for n in range(20)]), score(10, 0.75), score(15, None), score(20, 0.5)]
    (run,) = read_runs([write_run(tmp_path / "judge" / "events.jsonl", events).removesuffix("/events.jsonl")])
    assert (run["run"], run["steps"], run["seconds"], run["tokens"]) == ("judge", 20, 40.0, 2000)
    assert run["figures"]["step/loss"] == {
        "n": 20, "first": 19.5, "last": 1.5, "min": 1.0, "min_step": 20, "max": 20.0, "max_step": 1}  # fmt: skip
    accuracy = run["figures"]["score/accuracy"]
    assert (accuracy["n"], accuracy["max"], accuracy["max_step"], accuracy["last"]) == (2, 0.75, 10, 0.5)
    assert run["curves"]["score/accuracy"] == [[10, 0.75, 0.1, 0.9], [20, 0.5, 0.1, 0.9]]
    assert not {"score/n", "score/low", "step/step"} & run["figures"].keys()


def test_a_continued_run_counts_what_it_took_last(tmp_path: Path) -> None:
    """A killed run takes the steps after its last checkpoint once more."""
    path = write_run(tmp_path / "run.jsonl", [*steps([4.0, 3.0, 9.0]), *steps([0, 0, 2.0, 1.0])[2:]])
    (run,) = read_runs([path])
    assert [point[1] for point in run["curves"]["step/loss"]] == [4.0, 3.0, 2.0, 1.0]
    assert run["seconds"] == 8.0


def test_a_run_at_work_may_be_in_the_middle_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    write_run(path, steps([2.0, 1.0]))
    path.write_bytes(path.read_bytes()[:-9])
    (run,) = read_runs([str(path)])
    assert run["steps"] == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": 1}', r'run\.jsonl:2: no "event"'),
        ('{"event": "step"}', r'run\.jsonl:2: no "event"'),
        ("[]", r"run\.jsonl:2: "),
        ("{", r"run\.jsonl:2: "),
    ],
)
def test_what_is_no_event_is_refused_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    path = write_run(tmp_path / "run.jsonl", steps([1.0]))
    with open(path, "a") as file:
        file.write(f"{line}\n{json.dumps(steps([1.0])[0])}\n")
    with pytest.raises(Fatal, match=message) as refused:
        read_runs([path])
    assert refused.value.status is Exit.USAGE


def test_runs_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    paths = [write_run(tmp_path / seed / "run.jsonl", steps([1.0])) for seed in ("0", "1")]
    assert [run["run"] for run in read_runs(paths)] == paths


def test_the_page_has_a_chart_for_each_figure_and_a_curve_for_each_run_and_no_markup_of_a_name(tmp_path: Path) -> None:
    rollout = {"event": "rollout", "step": 0, "reward": 0.5, "reward_<i>": 1.0, "reward_of_rank": 0.5}
    paths = [
        write_run(tmp_path / "a.jsonl", [*steps([2.0, 1.0]), score(1, 0.4), score(2, 0.5)]),
        write_run(tmp_path / "<b>x.jsonl", [{**rollout, "correct": 0.5}, {**rollout, "step": 1}]),
    ]
    shown = page.render({"runs": read_runs(paths)})
    captions = ["accuracy, %", "reward", "reward of rank", "reward: &lt;i&gt;", "loss"]
    assert [caption in shown for caption in captions] == [True] * 5
    assert shown.count("<figure") == 5, "one point (correct) is no curve"
    assert shown.count("<polyline") == 5
    assert "<b>" not in shown
    assert "<i>" not in shown


def test_the_table_names_the_best_step_only_where_an_accuracy_was_measured(tmp_path: Path) -> None:
    (run,) = read_runs([write_run(tmp_path / "a.jsonl", steps([2.0, 1.0]))])
    assert [column.name for column in runs_part([run]).tables[1].columns] == ["figure", "begins at", "ends at"]
    (run,) = read_runs([write_run(tmp_path / "b.jsonl", [*steps([2.0, 1.0]), score(2, 0.5)])])
    figures = runs_part([run]).tables[1]
    assert figures.lines[0].cells == ("accuracy, %", "50.0", "50.0", "50.0 at 2")
    assert figures.lines[1].cells == ("loss", "2", "1", "-")


def test_a_long_curve_is_averaged_not_cut() -> None:
    curve = [[n, float(n % 2)] for n in range(1000)]
    points = thinned(curve)
    assert len(points) == MOST_POINTS
    assert {value for _, value in points} == {0.4, 0.6}  # five neighbours each
    assert thinned(curve[:7]) == curve[:7]


def test_the_figures_of_preferences_are_shown(tmp_path: Path) -> None:
    events = [
        {**event, "reward_margin": 0.1 * at, "reward_accuracy": 0.5} for at, event in enumerate(steps([0.7, 0.6]))
    ]
    (run,) = read_runs([write_run(tmp_path / "policy" / "events.jsonl", events).removesuffix("/events.jsonl")])
    shown = shown_figures([run])
    assert [shown[f"step/{name}"][0] for name in ("reward_margin", "reward_accuracy")] == [
        "margin of rewards", "pairs or answers rewarded rightly, %",
    ]  # fmt: skip
