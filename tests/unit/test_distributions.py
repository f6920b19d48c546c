"""The source distribution is the repository: whoever has only that has the documents, the examples and the tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = "from setuptools import build_meta; print(build_meta.build_sdist('dist'))"
TOP = {
    ".gitignore", "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "MANIFEST.in", "Makefile", "README.md",
    "benchmarks", "completions", "docs", "examples", "libra_cli", "man", "pyproject.toml", "tests",
}  # fmt: skip


@pytest.fixture
def tracked() -> list[str]:
    """Files of the repository, and those that would be added to it."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in listed if (ROOT / name).is_file()]


def test_nothing_lies_about_at_the_top(tracked):
    """A command that is tried by hand, or a test that forgets its folder, writes where it is started."""
    assert {name.partition("/")[0] for name in tracked} - {".ci", ".github"} == TOP


@pytest.mark.slow
def test_the_source_distribution_has_every_file_of_the_repository(tracked, tmp_path):
    for name in tracked:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    built = subprocess.run([sys.executable, "-c", BUILD], cwd=tmp_path, capture_output=True, text=True, check=True)
    with tarfile.open(tmp_path / "dist" / built.stdout.splitlines()[-1]) as archive:
        inside = {member.name.partition("/")[2] for member in archive.getmembers()}
    assert [name for name in tracked if name not in inside and not name.startswith(".")] == []
    assert {"docs/tutorial.md", "examples/demo", "CHANGELOG.md", "man/libra.1", "completions/_libra"} <= inside
    assert [name for name in inside if name.endswith((".pyc", "__pycache__"))] == []
