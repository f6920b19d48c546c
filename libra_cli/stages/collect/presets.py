"""The data sets of the paper and how their rows become problems: hub name, split, fields, filters.

A preset with a FILE maps a local copy of the data. The columns are those that each data set had when it was published;
where mirrors name them otherwise, the first name that a row has is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from libra_cli.records import conversations as shapes
from libra_cli.stages.collect.mapping import MISSING, Fields, take
from libra_cli.stream.rows import RowError


@dataclass(frozen=True)
class Hub:
    """A data set of a hub, and which part of it."""

    name: str
    config: str | None = None
    split: str | None = None
    data_dir: str | None = None


@dataclass(frozen=True)
class Preset:
    """Where a data set is and what its rows mean."""

    name: str
    about: str
    hub: Hub | None
    subset: str | None = None
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Field -> what it may be called in the data, in order."""
    where: str | None = None
    """A row for which this is not true is left out."""
    drop: tuple[str, ...] = ()
    """Fields left out: responses of other models, many times the size of the problem."""
    has_reference: bool = True
    """Whether its rows have a golden answer, or (False) only say which response is the better one."""
    shape: Callable[[Fields, int], Fields] | None = None
    """What renaming alone cannot do; gets the seed."""

    def apply(self, fields: Fields, seed: int) -> Fields:
        """A row of the data set as a problem; raises RowError (`not_this_preset`) where the row is of another form."""
        try:
            if self.shape is not None:
                fields = self.shape(fields, seed)
        except shapes.OtherForm as error:
            raise RowError("not_this_preset", f"not a row of --preset {self.name}: {error}") from None
        for target, names in self.fields.items():
            self._rename(fields, target, names)
        for name in self.drop:
            fields.pop(name, None)
        if self.subset is not None:
            fields["subset"] = self.subset
        return fields

    def _rename(self, fields: Fields, target: str, names: tuple[str, ...]) -> None:
        if target in fields:
            return
        for name in names:
            value = take(fields, name)
            if value is not MISSING:
                fields[target] = value
                return

    @property
    def file(self) -> str | None:
        """The file of a data set that is part of this package."""
        if self.hub is not None:
            return None
        from libra_cli.miniature import problems_path

        return str(problems_path())


_PROBLEM: dict[str, tuple[str, ...]] = {
    "index": ("unique_id", "ID", "id", "problem_idx"),
    "question": ("problem", "Problem"),
    "reference": ("answer", "Answer"),
}


_PROMPT: dict[str, tuple[str, ...]] = {"question": ("prompt",)}
# Which responses are right moves out of the way of a judge's scores.
_PPE_FIELDS: dict[str, tuple[str, ...]] = {
    **_PROMPT, "index": ("question_id",), "model": ("model_name",), "correct": ("scores",),
}  # fmt: skip
_PPE = {"mmlu-pro": "MMLU-Pro", "math": "MATH", "gpqa": "GPQA", "mbpp-plus": "MBPP-Plus", "ifeval": "IFEval"}


def _reward_model_benchmarks() -> list[Preset]:
    """The benchmarks of pairs and lists, for `libra judge`: they stay in their own forms (benchmark.forms)."""
    return [
        Preset("rewardbench", "RewardBench's filtered set (2,985 pairs)", Hub("allenai/reward-bench", split="filtered"),
               fields=_PROMPT, has_reference=False),
        Preset("rewardbench2", "RewardBench 2: best of four, and ties", Hub("allenai/reward-bench-2", split="test"),
               fields=_PROMPT, has_reference=False),
        Preset("ppe-preference", "PPE's human preferences", Hub("lmarena-ai/PPE-Human-Preference-V1", split="test"),
               fields=_PROMPT, has_reference=False),
        *(Preset(f"ppe-{word}", f"PPE's right and wrong responses to {name}",
                 Hub(f"lmarena-ai/PPE-{name}-Best-of-K", split="train"), name, _PPE_FIELDS, has_reference=False)
          for word, name in _PPE.items()),
        Preset("judgebench", "JudgeBench's pairs of GPT-4o", Hub("ScalerLab/JudgeBench", split="gpt"),
               fields={"response_a": ("response_A",), "response_b": ("response_B",)}, has_reference=False),
        Preset("rm-bench", "RM-Bench: three styles of a right and of a wrong response", Hub("THU-KEG/RM-Bench"),
               fields=_PROMPT, has_reference=False),
    ]  # fmt: skip


def _presets() -> list[Preset]:
    return [
        Preset("math500-level5", "MATH-500, level 5 (134 problems)", Hub("HuggingFaceH4/MATH-500", split="test"),
               "MATH-500", _PROBLEM, where="level == 5"),
        Preset("aime2024", "AIME I and II of 2024 (30 problems)", Hub("HuggingFaceH4/aime_2024", split="train"),
               "AIME 2024", _PROBLEM, shape=shapes.integer_answer),
        Preset("aime2025", "AIME I and II of 2025 (30 problems)", Hub("math-ai/aime25", split="test"),
               "AIME 2025", _PROBLEM, shape=shapes.integer_answer),
        Preset("libra-bench", "the published judging benchmark (3,740 labelled responses)", Hub("meituan/Libra-Bench")),
        Preset("openr1-math", "OpenR1-Math-220k, without its proofs",
               Hub("open-r1/OpenR1-Math-220k", "default", "train"), "OpenR1-Math-220k",
               {**_PROBLEM, "index": ("uuid",)},
               where="not (question_type != null and question_type == 'proof') and "
                     "not (reference != null and lower(reference) in ['proof', 'notfound', ''])",
               drop=("generations", "messages", "is_reasoning_complete", "correctness_math_verify", "correctness_llama",
                     "finish_reasons", "correctness_count")),
        Preset("light-r1", "Light-R1-SFTData; the reference is the answer boxed by its teacher",
               Hub("qihoo360/Light-R1-SFTData", split="train"), "Light-R1-SFTData", shape=shapes.solved_conversation),
        Preset("dapo-math", "DAPO-Math-17k, without the instruction around each problem",
               Hub("BytedTsinghua-SIA/DAPO-Math-17k", split="train"), "DAPO-Math-17k", {"index": ("extra_info.index",)},
               shape=shapes.prompt_with_rule),
        Preset("skywork-or1", "Skywork-OR1-RL-Data, the mathematics", Hub("Skywork/Skywork-OR1-RL-Data", split="math"),
               "Skywork-OR1-RL-Data", {"index": ("extra_info.index",)},
               where="data_source == null or not matches(data_source, '^train-code')", shape=shapes.prompt_with_rule),
        Preset("helpsteer2", "HelpSteer2's human preferences (preference_strength), training part, without ties",
               Hub("nvidia/HelpSteer2", split="train", data_dir="preference"), "HelpSteer2",
               where="(split == null or split == 'train') and preference_strength != 0", shape=shapes.rated_pair),
        Preset("skywork-preference",
               "Skywork-Reward-Preference-80K-v0.2, the chosen response first or second as --seed draws",
               Hub("Skywork/Skywork-Reward-Preference-80K-v0.2", split="train"), "Skywork-Reward-Preference-80K-v0.2",
               shape=shapes.chosen_pair),
        *_reward_model_benchmarks(),
        Preset("libra-mini", "the problems of the embedded miniature (needs no network)", None),
    ]  # fmt: skip


PRESETS: dict[str, Preset] = {preset.name: preset for preset in _presets()}
"""By name, in the order of the manual."""


def question_of(fields: Fields) -> Any:
    """The problem in a row of any known form (a benchmark to keep away from); None where there is none."""
    for name in ("question", "problem", "Problem", "prompt"):
        if isinstance(fields.get(name), str):
            return fields[name]
    try:
        return shapes.problem_of_prompt(fields) if "prompt" in fields else shapes.first_question(fields)
    except shapes.OtherForm:
        return None
