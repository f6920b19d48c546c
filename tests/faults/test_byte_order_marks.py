"""Text files of users may begin with a byte order mark, as editors on Windows write it: no part of what they say."""

from __future__ import annotations

from pathlib import Path

from libra_cli.sampling.server_secrets import _secret_in
from libra_cli.tasks.template import read_template
from libra_cli.training.distributed import deepspeed_config
from libra_cli.training.rewards.patterns import read_phrases


def marked(path: Path, text: str) -> str:
    path.write_text("\ufeff" + text, encoding="utf-8")
    path.chmod(0o600)
    return str(path)


def test_a_template_begins_behind_the_mark(tmp_path):
    assert read_template(marked(tmp_path / "t.txt", "Work it: {{question}}\n")) == "Work it: {{question}}\n"
    inside = tmp_path / "inside.txt"
    inside.write_text("a\ufeffb", encoding="utf-8")
    assert read_template(str(inside)) == "a\ufeffb"


def test_a_key_a_configuration_and_phrases_begin_behind_the_mark(tmp_path):
    assert _secret_in(marked(tmp_path / "key", "sk-1\n"), "--api-key-file key") == "sk-1"
    given = deepspeed_config.read(marked(tmp_path / "ds.json", '{"zero_optimization": {"reduce_bucket_size": 5}}'))
    assert given["zero_optimization"]["reduce_bucket_size"] == 5
    assert read_phrases(marked(tmp_path / "phrases.txt", "let me check\n")) == ("let me check",)
