"""What a run is made of: the order window, shards, and files that one run must not use twice."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.files import OutputFile
from libra_cli.stream.options import Shard, StreamOptions, ranges
from libra_cli.stream.reorder import OrderWindow

IDS = [f"row {number}" for number in range(400)]


def play(size: int, ordered: bool, seed: int, n_jobs: int) -> tuple[list[int], int, int]:
    """Issues and settles jobs at random; what came out, and the most that was ever at work and open."""
    chance, window = random.Random(seed), OrderWindow(size, ordered)
    at_work, out, most_at_work, most_open, issued = [], [], 0, 0, 0
    while len(out) < n_jobs:
        while issued < n_jobs and not window.full and (not at_work or chance.random() < 0.6):
            at_work.append(window.issue())
            issued += 1
        most_at_work, most_open = max(most_at_work, window.at_work), max(most_open, issued - len(out))
        number = at_work.pop(chance.randrange(len(at_work)))
        out += window.settle(number, number)
        assert window.at_work == len(at_work)
        assert window.open == issued - len(out)
        assert window.settled == issued - len(at_work)
    return out, most_at_work, most_open


@given(st.integers(1, 20), st.integers(), st.integers(1, 60))
def test_results_leave_in_order_and_the_window_bounds_what_is_open(size, seed, n_jobs):
    out, most_at_work, most_open = play(size, True, seed, n_jobs)
    assert out == list(range(n_jobs))
    assert most_at_work <= most_open <= size


@given(st.integers(1, 20), st.integers(), st.integers(1, 60))
def test_without_order_every_result_leaves_at_once(size, seed, n_jobs):
    out, most_at_work, most_open = play(size, False, seed, n_jobs)
    assert sorted(out) == list(range(n_jobs))
    assert most_at_work == most_open <= size


def test_one_slow_job_holds_back_the_rest_until_it_is_drained():
    window = OrderWindow(3)
    for _ in range(3):
        window.issue()
    assert window.settle(2, "c") == []
    assert window.settle(1, "b") == []
    assert (window.full, window.at_work, window.open) == (True, 1, 3)
    assert window.drain() == ["b", "c"]
    assert window.open == 1
    assert window.settle(0, "a") == ["a"]
    assert (window.full, window.at_work, window.open) == (False, 0, 0)


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("number", [0, 1, -1])
def test_a_job_that_is_not_at_work_cannot_be_answered(ordered, number):
    window = OrderWindow(4, ordered)
    window.settle(window.issue(), "answer")
    with pytest.raises(Fatal, match=f"job {number} was answered twice, or was never given out") as caught:
        window.settle(number, "again")
    assert caught.value.status == Exit.INTERNAL


@given(st.integers(1, 50))
def test_shards_are_disjoint_and_together_complete(count):
    shards = [Shard(f"{index}/{count}") for index in range(count)]
    assert all(sum(shard.has(record) for shard in shards) == 1 for record in IDS)


def test_shards_are_about_equal_and_never_change():
    sizes = [sum(Shard(f"{index}/4").has(record) for record in IDS) for index in range(4)]
    assert sizes == [119, 99, 92, 90]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1/1",
        "2/2",
        "-1/2",
        "a/b",
        "1/0",
        "0/2/3",
        "\u0661/2",
        "0 /2",
        "auto/",
        "auto/0",
        "auto+1",
        "auto1/2",
        "1+1/4",
    ],
)
def test_a_shard_that_is_none_is_a_usage_error(text):
    with pytest.raises(Fatal, match="write I/N with 0 <= I < N") as caught:
        Shard(text)
    assert caught.value.status == Exit.USAGE


def slurm(**names: int) -> dict[str, str]:
    return {f"SLURM_{name}": str(value) for name, value in names.items()}


def array(task: int, first: int, last: int, step: int, count: int) -> dict[str, str]:
    return slurm(
        ARRAY_TASK_ID=task, ARRAY_TASK_MIN=first, ARRAY_TASK_MAX=last, ARRAY_TASK_STEP=step, ARRAY_TASK_COUNT=count
    )


@pytest.mark.parametrize(
    ("environment", "shard"),
    [
        (array(0, 0, 3, 1, 4), (0, 4)),
        (array(5, 1, 9, 4, 3), (1, 3)),
        (array(8, 0, 8, 4, 3), (2, 3)),
        (array(8, 1, 8, 1, 8), (7, 8)),
        (slurm(STEP_NUM_TASKS=4, PROCID=3), (3, 4)),
        (slurm(STEP_NUM_TASKS=1, PROCID=0), (0, 1)),
        (array(1, 0, 1, 1, 2) | slurm(STEP_NUM_TASKS=4, PROCID=3), (7, 8)),
    ],
)
def test_a_shard_is_taken_from_slurm(monkeypatch, environment, shard):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = Shard("auto")
    assert (found.index, found.count) == shard


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "there is no Slurm array or step in the environment"),
        (array(9, 1, 10, 1, 4), "the Slurm array 1-10 has gaps; .* write --shard auto/N"),
        (array(7, 3, 7, 1, 2), "the Slurm array 3-7 has gaps"),
        (array(5, 5, 5, 1, 1), "the Slurm array begins with task 5; .* write --shard auto/N"),
        (array(7, 3, 11, 4, 3), "the Slurm array begins with task 3"),
        ({"SLURM_ARRAY_TASK_ID": "x"}, "SLURM_ARRAY_TASK_ID is 'x', not a number"),
    ],
)
def test_a_slurm_that_does_not_say_which_shard_is_a_usage_error(monkeypatch, environment, message):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Fatal, match=message) as caught:
        Shard("auto")
    assert caught.value.status == Exit.USAGE


@pytest.mark.parametrize(
    ("environment", "shard"),
    [
        (array(5, 5, 5, 1, 1), (5, 8)),
        (array(7, 3, 7, 1, 2), (7, 8)),
        (array(0, 0, 7, 1, 8), (0, 8)),
        (array(1, 1, 1, 1, 1) | slurm(STEP_NUM_TASKS=4, PROCID=3), (7, 32)),
        (slurm(STEP_NUM_TASKS=4, PROCID=3), (3, 4)),
    ],
)
def test_some_tasks_of_an_array_take_their_total_from_the_option(monkeypatch, environment, shard):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = Shard("auto/8")
    assert (found.index, found.count) == shard


@pytest.mark.parametrize(
    ("environment", "text", "shard"),
    [
        (array(0, 0, 999, 1, 1000), "auto+1000/5000", (1000, 5000)),
        (array(999, 999, 999, 1, 1), "auto+4000/5000", (4999, 5000)),
        (array(8, 1, 8, 1, 8), "auto-1/8", (7, 8)),
        (array(1, 0, 1, 1, 2) | slurm(STEP_NUM_TASKS=4, PROCID=3), "auto+2/4", (15, 16)),
    ],
)
def test_arrays_may_have_fewer_tasks_than_there_are_shards(monkeypatch, environment, text, shard):
    """Slurm allows no index beyond its MaxArraySize."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = Shard(text)
    assert (found.index, found.count) == shard


@pytest.mark.parametrize(
    ("environment", "text", "message"),
    [
        (array(8, 1, 8, 1, 8), "auto/8", r"task 8 of the Slurm array would have shard 8 of 8, from 0; .*--array=0-7,"),
        (
            array(1, 1, 8, 1, 8),
            "auto/8",
            r"task 8 of the Slurm array .*: --shard auto\+OFFSET/8",
        ),  # before 7 others ran
        (array(3, 0, 999, 1, 1000), "auto+4500/5000", r"task 999 .* shard 5499 of 5000, .* --array=0-499,"),
        (array(3, 0, 999, 1, 1000), "auto+5000/5000", r"task 3 .* shard 5003 of 5000, .*make the offset smaller"),
        (array(3, 0, 7, 1, 8), "auto-1/8", r"task 0 .* shard -1 of 8, .* --array=1-8,"),
        ({}, "auto+1/2", r"--shard auto\+1/2: there is no Slurm array"),
    ],
)
def test_an_array_with_tasks_that_no_shard_is_for_is_refused(monkeypatch, environment, text, message):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Fatal, match=message) as caught:
        Shard(text)
    assert caught.value.status == Exit.USAGE


FORMS = {"output": "rows", "errors": "lines", "manifest": "manifest"}


def options(inputs: tuple[str, ...], **written: str) -> StreamOptions:
    """Options with those files to write."""
    files = [OutputFile(f"--{name}", path, FORMS[name]) for name, path in written.items()]
    return StreamOptions(inputs=inputs, writes=tuple(files), **written)


@pytest.mark.parametrize(
    "names",
    [
        {"inputs": ("a",), "output": "a"},
        {"inputs": ("a",), "output": "./b/../a"},
        {"inputs": ("a",), "output": "link"},
        {"inputs": ("x", "a"), "errors": "a"},
        {"inputs": ("a",), "manifest": "a"},
        {"inputs": ("x",), "output": "new", "errors": "new"},
        {"inputs": ("x",), "errors": "new", "manifest": "./new"},
        {"inputs": ("x.part",), "output": "x"},
        {"inputs": ("a",), "output": "new", "errors": "new.part"},
        {"inputs": ("a",), "output": "new", "manifest": "new.libra.json"},
        {"inputs": ("a",), "output": "new", "errors": "b/../new.lock"},
        {"inputs": ("hard",), "errors": "a"},
        {"inputs": ("link",), "output": "a"},
    ],
)
def test_one_run_does_not_use_a_file_twice(tmp_path, monkeypatch, names):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b").mkdir()
    for name in "ax":
        (tmp_path / name).write_bytes(b"{}\n")
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "hard").hardlink_to("a")
    with pytest.raises(Fatal, match="the same run uses this file already") as caught:
        options(**names).check_files()
    assert caught.value.status == Exit.USAGE


def test_a_device_may_be_used_twice():
    options(inputs=("/dev/null", "-"), output="/dev/null", errors="/dev/null", manifest="/dev/null").check_files()


def test_numbers_of_tasks_are_written_as_sbatch_takes_them():
    assert [ranges(numbers) for numbers in ([], [3], [0, 1, 2], [0, 2, 3, 7])] == ["", "3", "0-2", "0,2-3,7"]
