"""The reference page of reward plans: every key, fact and function, from the registries themselves."""

from __future__ import annotations

from dataclasses import fields

from libra_cli.cli.reference import INDEX, NOTE, code, escaped, table
from libra_cli.training.registry import Registry
from libra_cli.training.rewards import (
    ADVANTAGES,
    COMBINATIONS,
    CREDITS,
    DEFAULTS,
    FACTS,
    FILTERS,
    NOISES,
    TERMS,
    TRANSFORMS,
    key_of,
)
from libra_cli.training.rewards.judge import RewardJudge

PAGE = "rewards.md"

SECTIONS: tuple[tuple[str, Registry, str], ...] = (
    (
        "Noise corrections",
        NOISES,
        "`noise: {how: NAME, OPTION: ...}`; `report: FILE` takes rates from `libra score --json`.",
    ),
    (
        "Terms",
        TERMS,
        "`rewards: [{name: NAME, weight: 1, OPTION: ...}]`, with `transform`, `gate`, `anneal` and `label`.",
    ),
    ("Transforms", TRANSFORMS, "`transform: NAME` of a term, or `transform: {name: NAME, OPTION: ...}`."),
    ("Combinations", COMBINATIONS, "`combine: NAME`, or `combine: {how: NAME, OPTION: ...}`."),
    ("Filters", FILTERS, "`filter: [NAME, {name: NAME, OPTION: ...}]`, one after another."),
    ("Estimators of advantages", ADVANTAGES, "`advantage: {estimator: NAME, OPTION: ...}`."),
    ("Credit of tokens", CREDITS, "`credit: {estimator: NAME, OPTION: ...}`."),
)
"""Title, functions, and how a configuration file names one of them."""


_OWN = ("against", "references", "normalized")
"""Options of a judge in a recipe that `libra judge` does not have."""


def page() -> str:
    """Markdown: the chain, its keys with their defaults, the functions of each link, the facts."""
    keys = [(code(key), code(_yaml(value))) for key, value in DEFAULTS.items()]
    parts = [
        f"{NOTE}# Rewards\n",
        "What a response is worth, and how its advantage follows: facts, noise correction, terms with their transforms "
        "and gates, combination, filters, estimator, credit. A missing key has the paper's value.\n",
        *table("key", "default", keys),
        "A term counts only where a gate is open: `gate: {fact: format, above: 0, else: 0}`, with a number or another "
        "term after `else`. `anneal: {horizon: STEPS}` lets its weight fall as exp(-step / horizon).\n",
        "`judge: {model: NAME, OPTION: ...}` names a model that scores the responses online, which need no reference "
        "then; `judge: NAME` does for the defaults. The options are those of [libra judge](judge.md): "
        f"{', '.join(code(each.name) for each in fields(RewardJudge) if each.name not in _OWN)}. The task `score`, "
        "`rate` or `verify` measures `judge_P_G`, a reward model its number, the task `rank` all pairs of a prompt's "
        "responses as `difference_P_G_G`. With `against: reference` it compares one response of the prompt, drawn at "
        "random, with each of the others: `wins_P_G`. `references: FILE`, rows of `libra judge` about responses of the "
        "starting policy to the same problems, gives `judge_reference_P_M`. With `normalized: true` scores are from 0, "
        "the lowest of the task, to 1.\n",
        "`facts: {NAME: FILE.py:function}` names functions of yours that measure facts before any term reads them: "
        "`NAME_P_G`, `NAME_reference_P_M`, or of steps lists. Options of one stand beside `from: FILE.py:function`. A "
        'replay also reads them in the saved rows: `"rollout": {..., "facts": {NAME: 0.5}}`.\n',
        "A function of your own is a term: `{reward: FILE.py:function, OPTION: ...}`, or `module:function` of a module "
        "that Python finds (not in the current folder, unless PYTHONPATH names it). It is called as `function(facts, "
        "**options)` and returns an array [P, G]; its keyword-only parameters are its options; its attribute `facts`, "
        "a tuple of names, says what it reads. An error in it ends the run, with its file and line.\n",
    ]
    for title, registry, where in SECTIONS:
        rows = []
        for function in registry.described():
            options = "; ".join(f"`{option}`: {escaped(text)}" for option, text in function.options.items())
            reads = f" Reads {code(*function.facts)}." if function.facts else ""
            takes = f" Options: {options}." if options else ""
            rows.append((code(function.name), escaped(function.summary) + reads + takes))
        parts += [f"## {title}\n", f"{where}\n", *table("name", "meaning", rows)]
    facts = [(code(key_of(name)), escaped(fact.meaning)) for name, fact in FACTS.items()]
    parts += [
        "## Facts\n",
        "numpy arrays; the end of a name is its axes: P prompts, G responses of a prompt, M reference responses, S "
        "steps, T tokens. nan is unknown.\n",
        *table("fact", "meaning", facts),
        f"See also [Reference]({INDEX}).\n",
    ]
    return "\n".join(parts)


def _yaml(value: object) -> str:
    """A default on one line, as YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_yaml(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)
