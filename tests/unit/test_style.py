"""The house's budgets and directions: sizes, imports, and what must not stand in a file."""

from __future__ import annotations

import ast
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("libra_cli", "tests", "examples", "benchmarks", "man", "completions", ".ci")
TEXT = {".py", ".md", ".txt", ".yaml", ".toml", ".sh", ".sbatch", ".1", ".fish", ".bash", ".jinja", ""}
SOURCES = sorted(
    [path for folder in ("libra_cli", "tests", "examples") for path in (ROOT / folder).rglob("*.py")]
    + [path for path in (ROOT / "benchmarks").iterdir() if path.suffix in {"", ".py"} and path.is_file()]
)
LIBRARY = sorted((ROOT / "libra_cli").rglob("*.py"))

LONGEST_FUNCTION, LONG_FUNCTION, LONGEST_FILE, LONG_FILE = 60, 40, 600, 400


def percentile(sizes: list[int], share: float) -> float:
    return statistics.quantiles(sizes, n=100, method="inclusive")[round(share * 100) - 1]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """(place, lines) of every function in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            place = f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
            yield place, (node.end_lineno or node.lineno) - node.lineno + 1


def test_functions_are_short():
    sizes = dict(found for path in SOURCES for found in functions(path))
    assert {place: size for place, size in sizes.items() if size > LONGEST_FUNCTION} == {}
    assert percentile(list(sizes.values()), 0.9) < LONG_FUNCTION


def test_files_are_short():
    sizes = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {path: size for path, size in sizes.items() if size > LONGEST_FILE} == {}
    assert percentile(list(sizes.values()), 0.9) <= LONG_FILE


# -- imports --------------------------------------------------------------------------------------------------------

PACKAGE = "libra_cli"
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in LIBRARY}


def imports(path: Path) -> set[str]:
    """Names of the modules that a file imports anywhere in it; relative imports are refused."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import by the full name"
            modules = (f"{node.module}.{alias.name}" for alias in node.names)
            names |= {module if module in MODULES else str(node.module) for module in modules}
    return names


EDGES = {module: imports(path) & MODULES.keys() for module, path in MODULES.items()}

LAYERS = {
    "exits": "",
    "choices": "",
    "lazy_pattern": "",
    "invisible": "lazy_pattern",
    "masking": "lazy_pattern",
    "packages": "exits",
    "plural": "",
    "similar": "",
    "answers": "exits lazy_pattern",
    "stream": "exits lazy_pattern masking plural similar",
    "metrics": "",
    "tasks": "answers choices exits invisible lazy_pattern",
    "rm_benchmarks": "metrics tasks",
    "records": "tasks answers stream rm_benchmarks exits choices invisible",
    "miniature": "exits",
    "engines": "tasks miniature exits choices masking plural similar",
    "sampling": "engines records tasks stream miniature exits choices masking packages plural similar",
    "training": "sampling engines records tasks answers stream miniature exits choices masking plural similar",
    "reports": "metrics stream exits masking",
    "cli": "stream sampling training tasks miniature main exits choices masking packages similar",
    "stages": "cli reports training sampling engines miniature records rm_benchmarks metrics tasks answers stream "
    "exits choices masking packages plural similar",
    "main": "stream cli exits masking packages",
    "__main__": "main stream",
}
"""Every package of the library -> the packages that it may import (CONTRIBUTING.md shows the table)."""

LAYERS_OF_ANSWERS = ("text", "languages", "values", "sentences", "comparison", "extraction", "process")
"""The packages of `answers`: each may import those before it."""

HEAVY = ("torch", "vllm", "transformers", "deepspeed", "safetensors")


def package(module: str) -> str:
    """The package, or the top-level module, that `module` belongs to; "" for `libra_cli` itself."""
    return (*module.split("."), "")[1]


def test_every_package_has_its_layer():
    assert {package(module) for module in MODULES} - {""} == LAYERS.keys()


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_point_one_way(layer):
    allowed = {layer, "", *LAYERS[layer].split()}
    wrong = {
        f"{module} imports {target}"
        for module, targets in EDGES.items()
        if package(module) == layer
        for target in targets
        if package(target) not in allowed
    }
    assert wrong == set()


def test_the_packages_of_answers_stand_on_each_other():
    inside = {module: module.split(".")[2] for module in MODULES if module.startswith("libra_cli.answers.")}
    places = {module: LAYERS_OF_ANSWERS.index(name) for module, name in inside.items() if name in LAYERS_OF_ANSWERS}
    assert set(inside.values()) == {*LAYERS_OF_ANSWERS, "time_limit"}
    wrong = {
        f"{module} imports {target}"
        for module, place in places.items()
        for target in EDGES[module]
        if places.get(target, 0) > place
    }
    assert wrong == set()


def test_no_import_goes_in_a_circle():
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join([*path[path.index(module) :], module])
        if module not in done:
            for target in sorted(EDGES[module]):
                visit(target, (*path, module))
            done.add(module)

    for module in sorted(MODULES):
        visit(module, ())


def test_a_stage_knows_no_other_stage():
    folders = {module: module.split(".")[2] for module in MODULES if module.startswith(f"{PACKAGE}.stages.")}
    wrong = [
        f"{module} imports {target}"
        for module, folder in folders.items()
        for target in EDGES[module]
        if folders.get(target, folder) != folder
    ]
    assert wrong == []


def test_only_engines_and_training_import_models():
    elsewhere = [path for path in LIBRARY if path.relative_to(ROOT).parts[1] not in ("engines", "training")]
    wrong = {
        path.name: heavy
        for path in elsewhere
        if (heavy := {name.partition(".")[0] for name in imports(path)} & {*HEAVY})
    }
    assert wrong == {}


# -- one idea, one place ----------------------------------------------------------------------------------------------


def test_a_class_name_means_one_thing():
    places = defaultdict(set)
    for module, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].add(module)
    assert {name: sorted(modules) for name, modules in places.items() if len(modules) > 1} == {}


def callers(*methods: str) -> set[str]:
    """The modules that call `.METHOD(...)` of something that is called a task."""
    return {
        module
        for module, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in methods and "task" in ast.unparse(node.value).lower()
    }


def test_one_module_reads_verdicts_and_decides_whether_they_are_right():
    assert callers("read", "is_correct") == {"libra_cli.tasks.grading"}


def test_the_core_of_training_names_no_objective():
    text = MODULES["libra_cli.training.trainer"].read_text(encoding="utf-8").lower()
    assert not re.search(r"\b(sft|dpo|grpo|cross.entropy)", text)
    core = [module for module in MODULES if module.startswith("libra_cli.training.") and ".objectives." not in module]
    known = {target for module in core for target in EDGES[module] if ".objectives." in target}
    assert known <= {"libra_cli.training.objectives.base"}


SINGLE_USE = 0.25


def test_helpers_have_more_than_one_caller():
    """Few private top-level functions are called once: such a function is a paragraph of its only caller."""
    n_functions, single = 0, []
    for module, path in MODULES.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        uses = Counter(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                n_functions += 1
                if node.name.startswith("_") and not node.decorator_list and uses[node.name] <= 1:
                    single.append(f"{module} {node.name}")
    assert len(single) / n_functions < SINGLE_USE, single


def test_the_documents_that_are_read_first_are_short():
    lengths = {name: len((ROOT / name).read_text(encoding="utf-8").splitlines())
               for name in ("README.md", "CONTRIBUTING.md")}  # fmt: skip
    assert lengths["README.md"] <= 250
    assert lengths["CONTRIBUTING.md"] <= 150


# -- words ----------------------------------------------------------------------------------------------------------

# Each is written so that this file does not hold it.
UNWANTED = {
    "a path of one machine": re.compile(r"(?<![\w.])/(work|root|home)/\w"),
    "the host of a registry": re.compile(r"(pypi\.|pythonhosted|download\.pytorch|registry\.npm|index-url)"),
    "work left for later": re.compile(r"\b(TO" + "DO|FIX" + r"ME|XX" + r"X)\b"),
    "a failure passed over in silence": re.compile(r"except (Base)?Exception[^\n]*:\s*pass\b|except:\s"),
}


def texts() -> list[Path]:
    inside = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    return [
        path for path in [*inside, *ROOT.glob("*.md"), *ROOT.glob("*.toml"), ROOT / "Makefile"] if path.suffix in TEXT
    ]


@pytest.mark.parametrize("kind", UNWANTED)
def test_no_file_holds(kind):
    skipped = {Path(__file__).resolve()}
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in texts()
        if path not in skipped and "__pycache__" not in path.parts
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").split("\n"), 1)
        if UNWANTED[kind].search(line)
    ]
    assert wrong == []


def test_public_functions_of_the_library_are_described():
    undescribed = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in LIBRARY
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        if not node.name.startswith("_") and ast.get_docstring(node) is None
    ]
    assert undescribed == []
