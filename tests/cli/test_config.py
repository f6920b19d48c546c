"""Where an option's value comes from: command line, then environment, then --config, then its default."""

from __future__ import annotations

import pytest
import yaml

from libra_cli.main import STAGES


@pytest.fixture
def printed(shell):
    """`printed("libra verify --workers 2", ...)`: option -> (value, origin), as --print-config says it."""

    def run(command, **env):
        ended = shell(f"{command} --print-config", env=env)
        assert (ended.status, ended.err) == (0, b"")
        origins = {
            line.partition(":")[0].strip('"'): line.rpartition("  # ")[2] for line in ended.out.decode().splitlines()
        }
        return {name: (value, origins[name]) for name, value in (yaml.safe_load(ended.out) or {}).items()}

    return run


def test_the_nearest_source_wins(printed, tmp_path):
    (tmp_path / "verify.yaml").write_text("timeout: 1\nhard-timeout: 4\nworkers: 3\n")
    env = {"LIBRA_VERIFY_TIMEOUT": "2", "LIBRA_VERIFY_HARD_TIMEOUT": "5"}
    found = printed("libra verify --config verify.yaml --timeout 3", **env)
    assert found["timeout"] == (3.0, "command line")
    assert found["hard_timeout"] == (5.0, "environment")
    assert found["workers"] == (3, "config file")
    assert found["window"] == (1024, "default")


def test_the_environment_of_one_stage_is_not_anothers(printed):
    env = {"LIBRA_VERIFY_WINDOW": "7"}
    assert printed("libra verify", **env)["window"] == (7, "environment")
    assert printed("libra rollout", **env)["window"] == (1024, "default")


def test_a_config_file_may_be_named_by_the_environment(printed, tmp_path):
    (tmp_path / "c.yaml").write_text("seed: 5\n")
    assert printed("libra balance", LIBRA_BALANCE_CONFIG="c.yaml")["seed"] == (5, "config file")


def test_repeatable_options_are_lists_or_single_values(printed, tmp_path):
    (tmp_path / "c.yaml").write_text("model: [libra-mini/weak, libra-mini/strong]\nstop: END\nthinking: false\n")
    found = printed("libra rollout --config c.yaml")
    assert found["model"] == (["libra-mini/weak", "libra-mini/strong"], "config file")
    assert found["stop"] == (["END"], "config file")
    assert found["thinking"] == (False, "config file")
    assert printed("libra rollout", LIBRA_ROLLOUT_MODEL="A B")["model"] == (["A", "B"], "environment")


def test_a_config_file_does_what_the_options_do(shell, tmp_path):
    row = b'{"question":"q","subset":"s","model":"m","label":%d,"response":"r%d","id":"%d"}\n'
    (tmp_path / "rows.jsonl").write_bytes(b"".join(row % (number % 2, number, number) for number in range(8)))
    (tmp_path / "c.yaml").write_text("per-cell: [2]\nseed: 3\nquiet: true\ninputs: [rows.jsonl]\n")
    by_file = shell("libra balance --config c.yaml")
    by_option = shell("libra balance --per-cell 2 --seed 3 --quiet rows.jsonl")
    assert by_file == by_option
    assert by_file.out.count(b"\n") == 4


def test_an_option_of_two_values_is_a_list_of_two(printed, tmp_path):
    (tmp_path / "c.yaml").write_text("betas: [0.9, 0.98]\nmodel: m\noutput: o\n")
    assert printed("libra sft --config c.yaml")["betas"] == ([0.9, 0.98], "config file")


@pytest.mark.parametrize("betas", ["0.9", "[0.9]", "0.9 0.98"])
def test_an_option_of_two_values_is_nothing_else(shell, tmp_path, betas):
    (tmp_path / "c.yaml").write_text(f"betas: {betas}\n")
    ended = shell("libra sft --config c.yaml")
    assert (ended.status, ended.out) == (2, b"")
    assert ended.err.startswith(b"libra sft: --config c.yaml: betas takes 2 values: betas: [A, B]")


@pytest.mark.parametrize("stage", STAGES)
def test_what_is_printed_can_be_read_again(stage, printed, shell, tmp_path):
    first = printed(f"libra {stage}")
    (tmp_path / "c.yaml").write_bytes(shell(f"libra {stage} --print-config").out)
    again = printed(f"libra {stage} --config c.yaml")
    assert {name: value for name, (value, _) in again.items()} == {name: value for name, (value, _) in first.items()}


def test_a_printed_choice_is_kept(printed, shell, tmp_path):
    options = "--where 'level >= 5' --where \"source != 'a: b'\" --map answer=reference --preset aime2024 --seed 3"
    (tmp_path / "c.yaml").write_bytes(shell(f"libra collect {options} --print-config").out)
    found = printed("libra collect --config c.yaml")
    assert found["where"] == (["level >= 5", "source != 'a: b'"], "config file")
    assert (found["map"][0], found["preset"][0], found["seed"][0]) == (["answer=reference"], ["aime2024"], 3)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("temperatur: 1\n", "--config c.yaml: there is no option temperatur; did you mean temperature?"),
        ("zzz: 1\n", "--config c.yaml: there is no option zzz; see libra rollout --help"),
        ("config: other.yaml\n", "--config c.yaml: there is no option config; see libra rollout --help"),
        ("- model\n", "--config c.yaml: write one `option: value` a line"),
        ("model: [a\n", "--config c.yaml: not YAML"),
        ("samples: [4, 8]\n", "--config c.yaml: samples takes one value, this is several"),
        ("samples: {n: 4}\n", "--config c.yaml: samples takes one value, this is several"),
        ("samples: many\n", "invalid value for '-n' / '--samples': 'many' is not a valid integer range"),
        ("samples: 0\n", "invalid value for '-n' / '--samples': 0 is not in the range x>=1"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_done(text, complaint, shell, tmp_path):
    (tmp_path / "c.yaml").write_text(text)
    ended = shell("libra rollout --config c.yaml -o out.jsonl", input=b'{"question":"q"}\n')
    assert (ended.status, ended.out) == (2, b"")
    assert f"libra rollout: {complaint}" in ended.err.decode()
    assert ended.err.count(b"\n") == 1
    assert not (tmp_path / "out.jsonl").exists()


def test_a_config_file_that_is_not_there_is_named(shell):
    ended = shell("libra verify --config no.yaml")
    assert (ended.status, b"--config no.yaml: cannot be read (No such file or directory)" in ended.err) == (2, True)


def test_a_file_that_would_run_code_is_refused(shell, tmp_path):
    (tmp_path / "c.yaml").write_text("model: !!python/object/apply:os.system ['touch ran']\n")
    assert shell("libra rollout --config c.yaml").status == 2
    assert not (tmp_path / "ran").exists()
