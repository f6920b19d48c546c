"""Where an option's value comes from: command line, then environment, then --config, then its default."""

from __future__ import annotations

import pytest
import yaml

from libra_cli.cli.engine_options import KeyValue
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
    assert ended.err.startswith(b"libra sft: --config c.yaml:1: betas takes 2 values: betas: [A, B]")


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
        ("temperatur: 1\n", "--config c.yaml:1: there is no option temperatur; did you mean temperature?"),
        ("zzz: 1\n", "--config c.yaml:1: there is no option zzz; see libra rollout --help"),
        ("config: other.yaml\n", "--config c.yaml:1: there is no option config; see libra rollout --help"),
        ("- model\n", "--config c.yaml:1: write one `option: value` a line"),
        ("model: [a\n", "--config c.yaml:2: not YAML"),
        ("samples: [4, 8]\n", "--config c.yaml:1: samples takes one value, not a list; write samples: N"),
        ("samples: {n: 4}\n", "--config c.yaml:1: samples takes one value, not keys and values; write samples: N"),
        ("samples: many\n", "--config c.yaml:1: invalid value for '-n' / '--samples': 'many' is not a whole number"),
        ("samples: 0\n", "--config c.yaml:1: invalid value for '-n' / '--samples': 0 is not in the range x>=1"),
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


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ("quiet: true\nmodel: M\u00fcller\n".encode("latin-1"), "2: is not UTF-8"),
        ("\ufeffmodel: a\n".encode("utf-16-le"), "1: is not UTF-8"),
        ("model: a\n".encode("utf-16"), "1: is not UTF-8"),
        (b"quiet: true\nmodel: " + b"[" * 100_000, "2: is nested more than 32 levels deep"),
        (b"quiet: true\nmodel:\n" + b"".join(b" " * n + b"-\n" for n in range(1, 500)), "34: is nested more"),
        (b"quiet: true\nmodel: " + b"{a: " * 100_000, "2: is nested more than 32 levels deep"),
        (b"quiet: true\nrevision: 2024-01-01\n", "2: 2024-01-01 is a date to YAML; put it in quotation marks"),
        (b"quiet: true\nrevision: 2001-12-14t21:59:43.10-05:00\n", "2: 2001-12-14t21:59:43.10-05:00 is a date"),
        (b"revision: !!binary aGVsbG8=\n", "1: aGVsbG8= is binary data to YAML"),
        (b"revision: !!python/object/apply:os.system ['id']\n", "1: a value of type python/object"),
        (b"model: !!set {a, b}\n", "1: a value of type set cannot be read; leave the tag out"),
        (b"thinking: !!bool perhaps\n", "1: a value is too long for its type (bool), or not of it"),
        (b"quiet: true\nmodel: [[a, b]]\n", "2: model takes a list of values, not a list in a list; write model: ["),
        (b"model: [{a: b}]\n", "1: model takes a list of values, not keys and values; write model: ["),
        (b"quiet: true\n\nseed: [1]\n", "3: seed takes one value, not a list; write seed: "),
        (b"<<: {quiet: true}\n", "1: a key is a name"),
        (b"quiet: &q true\nunordered: *q\n", "1: q is an anchor or an alias"),
        (
            b"a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nmodel: [*b,*b,*b,*b,*b,*b,*b,*b]\n",
            "1: a is an anchor or an alias",
        ),
        (b"seed: 1\nquiet: true\nseed: 2\n", "3: seed is set on line 1, too; keep one of them"),
        (b"sampling-arg: [[a, {b: 1, b: 2}]]\n", "1: b is set on line 1, too; keep one of them"),
        (b"model: [a, ~]\n", "1: item 2 of model is empty; remove its dash or comma, or write a value"),
        (b"quiet: true\nmodel:\n- a\n-\n", "4: item 2 of model is empty"),
        (b"engine-arg: [null]\n", "1: item 1 of engine-arg is empty"),
        (b"quiet: true\n\tseed: 1\n", "2: not YAML"),
        (b"quiet: true\nmodel: a\x00b\n", "2: not YAML: the character #x0000 is not allowed"),
        (b"quiet: true\nmodel: a\x1bb\n", "2: not YAML: the character #x001b is not allowed"),
        (b"a: 1\n---\nb: 2\n", "2: not YAML"),
        (b"? [a, b]\n: c\n", "1: a key is a name"),
        (b"quiet: true\nlimit: 1:30\n", "2: invalid value for '--limit': '1:30' is not a whole number"),
        (b"limit: 0x10\n", "1: invalid value for '--limit': '0x10' is not a whole number"),
        (b"limit: true\n", "1: invalid value for '--limit': 'true' is not a whole number"),
        (b"limit: 2.7\n", "1: invalid value for '--limit': '2.7' is not a whole number"),
        (b"temperature: .nan\n", "1: invalid value for '--temperature': '.nan' is not a number"),
        (b"seed: " + b"9" * 5000, "1: a value is too long for its type (int)"),
        (b"engine: lathe\n", "1: invalid value for '--engine': 'lathe' is not one of"),
        (b"thinking: perhaps\n", '1: thinking takes true or false, not "perhaps"'),
        (b"thinking: 0\n", "1: thinking takes true or false, not 0"),
        (b"quiet: 1\n", "1: quiet takes true or false, not 1"),
        (b"quiet: ''\n", '1: quiet takes true or false, not ""'),
        (b"quiet: 'false'\n", '1: quiet takes true or false, not "false"'),
        (b"quiet: [true]\n", "1: quiet takes true or false, not [true]"),
        (b"quiet: ~\n", "1: quiet is null; leave the key out for its default (false)"),
        (b"quiet: true\nwindow: ~\n", "2: window is null; leave the key out for its default (1024)"),
        (b"engine: null\n", '1: engine is null; leave the key out for its default ("'),
        (b"max-tokens: 1\nmax_tokens: 2\n", "2: max_tokens is set by another spelling, too; keep one of them"),
        (b"#" * (1 << 21), " is larger than 1,048,576 bytes"),
    ],
)
def test_a_config_file_that_means_nothing_is_refused_with_its_line(data, complaint, shell, tmp_path):
    (tmp_path / "c.yaml").write_bytes(data)
    ended = shell("libra rollout --config c.yaml --print-config", timeout=60)
    assert (ended.status, ended.out) == (2, b""), ended.err
    assert ended.err.decode().startswith(f"libra rollout: --config c.yaml:{complaint}"), ended.err
    assert ended.err.count(b"\n") == 1
    assert len(ended.err) < 1000


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("model: 7\n", "model", ["7"]),
        ("revision: 1.10\n", "revision", "1.10"),
        ("revision: yes\n", "revision", "yes"),
        ("revision: 010\n", "revision", "010"),
        ("revision: '2024-01-01'\n", "revision", "2024-01-01"),
        ("seed: 1_000\n", "seed", 1000),
        ("temperature: 1e-3\n", "temperature", 0.001),
        ("thinking: no\n", "thinking", False),
        ("revision: ~\n", "revision", None),
        ("sampling-arg: [[stop, [a, [b]]], [n, 0.5]]\n", "sampling_arg", [["stop", ["a", ["b"]]], ["n", 0.5]]),
        ("\ufeffseed: 3\n", "seed", 3),
        ("", "seed", 0),
        ("# nothing\n", "seed", 0),
        ("---\nseed: 4\n...\n", "seed", 4),
        ("seed: !!int 4\n", "seed", 4),
    ],
)
def test_a_value_means_what_it_means_on_the_command_line(text, name, value, printed, tmp_path):
    (tmp_path / "c.yaml").write_text(text)
    assert printed("libra rollout --config c.yaml")[name][0] == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-0.5", -0.5),
        ("1e-5", 1e-5),
        ("2E+0", 2.0),
        ("5", 5),
        ("010", "010"),
        ("-010", "-010"),
        ("12:30", "12:30"),
        ("1e400", "1e400"),
        ("'1'", "1"),
    ],
)
def test_a_number_of_a_key_and_value_option_is_that_of_json(text, value):
    found = KeyValue().convert(f"key={text}", None, None)
    assert (found, type(found[1])) == (("key", value), type(value))


@pytest.mark.parametrize("value", ["[" * 100_000, "*a", "{a: 1, a: 2}", "\t- x"])
def test_a_value_of_a_key_and_value_option_is_as_limited(value, shell):
    ended = shell(["libra", "rollout", "--sampling-arg", f"x={value}", "--print-config"], timeout=60)
    assert (ended.status, ended.out) == (2, b"")
    assert b"neither JSON nor YAML" in ended.err


def test_a_date_is_text_to_a_key_and_value_option(printed):
    found = printed("libra rollout --sampling-arg since=2024-01-01 --sampling-arg n=.nan")
    assert found["sampling_arg"][0] == [["since", "2024-01-01"], ["n", ".nan"]]


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("LIMIT", "x", "invalid value for '--limit': 'x' is not a whole number"),
        ("THINKING", "perhaps", "--thinking takes true or false"),
        ("ENGINE", "lathe", "invalid value for '--engine': 'lathe' is not one of"),
    ],
)
def test_a_wrong_value_in_the_environment_is_refused_with_its_variable(name, value, complaint, shell):
    ended = shell("libra rollout --print-config", env={f"LIBRA_ROLLOUT_{name}": value})
    assert (ended.status, ended.out) == (2, b"")
    assert ended.err.decode().startswith(f"libra rollout: environment variable LIBRA_ROLLOUT_{name}: {complaint}")


@pytest.mark.parametrize("text", ["shuffle: 0\n", "packing: 1\n", "seed: true\n", "betas: ~\n"])
def test_a_value_of_another_type_trains_nothing(text, shell, tmp_path):
    (tmp_path / "c.yaml").write_text(text)
    ended = shell("libra sft --config c.yaml -o out rows.jsonl")
    assert ended.status == 2
    assert ended.err.decode().startswith("libra sft: --config c.yaml:1: ")
    assert not (tmp_path / "out").exists()
