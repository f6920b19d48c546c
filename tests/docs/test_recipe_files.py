"""The pipeline files of the recipes stand for the commands that their results came from, and ask of Slurm what exists.

`recipes/NAME.sh` is what `libra run --dry-run` says of one; LIBRA_UPDATE_CASES=1 writes it anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

RECIPES = Path(__file__).resolve().parents[2] / "examples/recipes"
GOLDEN = Path(__file__).parent / "recipes"
MADE = [
    "policies=[miniature/weak, miniature/medium, miniature/strong]",
    "names=[weak, medium, strong]",
    "strong=miniature/strong",
]
"""As `make` of the miniature sets them where it trains the policies, too."""
FILES = {
    "libra-rm-32b-math": ("libra-rm-32b-math/pipe.yaml", []),
    "libra-rm-32b-math-server": (
        "libra-rm-32b-math/pipe.yaml",
        ["server=http://node7:8000/v1", "nodes=8", "offload=none", "sequence-parallel=4"],
    ),
    "libra-rm-32b": ("libra-rm-32b/pipe.yaml", ["general=given.jsonl"]),
    "rl-zero": ("rl-zero/pipe.yaml", []),
    "preference": ("preference/pipe.yaml", ["queries=given.jsonl", "judge=judge", "benchmark=given.jsonl"]),
    "judge-as-reward": ("judge-as-reward/pipe.yaml", []),
    "miniature-grpo": ("miniature-grpo/pipe.yaml", []),
    "study": ("study/pipe.yaml", []),
    "miniature-policies": ("miniature/make-policies.yaml", []),
    "miniature-judges": ("miniature/make-judges.yaml", []),
    "miniature-judges-made": ("miniature/make-judges.yaml", MADE),
}


@pytest.fixture
def folder(tmp_path):
    """A folder with the repository's examples, and what a user or another run gives some recipes."""
    (tmp_path / "examples").symlink_to(RECIPES.parent)
    (tmp_path / "given.jsonl").touch()
    for name in ("judge/config.json", *(f"miniature/{name}/config.json" for name in ("weak", "medium", "strong"))):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "libra-rm-32b-math").mkdir()
    for name in ("balanced", "problems", "reason", "rl", "score"):
        (tmp_path / f"libra-rm-32b-math/{name}.jsonl").touch()
    return tmp_path


@pytest.mark.parametrize("name", FILES)
def test_a_file_stands_for_the_commands_of_its_recipe(name, folder, shell):
    file, settings = FILES[name]
    words = [word for setting in settings for word in ("--set", setting)]
    ended = shell(["libra", "run", "--dry-run", *words, f"examples/recipes/{file}"], cwd=folder)
    assert ended.status == 0, ended.err.decode()
    if os.environ.get("LIBRA_UPDATE_CASES"):
        (GOLDEN / f"{name}.sh").write_bytes(ended.out)
    assert ended.out.decode() == (GOLDEN / f"{name}.sh").read_text()
    slurm = shell(["libra", "run", "--slurm", "--dry-run", *words, f"examples/recipes/{file}"], cwd=folder)
    assert slurm.status == 0, slurm.err.decode()


def test_every_file_of_a_recipe_is_held():
    files = {
        path.relative_to(RECIPES).as_posix() for path in RECIPES.glob("*/*.yaml") if "\nsteps:" in path.read_text()
    }
    assert files == {file for file, _ in FILES.values()}
    assert {path.stem for path in GOLDEN.iterdir()} == set(FILES)
