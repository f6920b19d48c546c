"""The data sets of the paper, and how their rows become problems: hub name, split, fields, filters.

A preset with a FILE maps a local copy of the data. The columns are those of the data set as published and of mirrors
that name them differently: the first name that a row has counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from libra_cli.records import conversations as shapes
from libra_cli.records import evaluation_logs, preference_data, responses, step_data
from libra_cli.stages.collect.mapping import Fields
from libra_cli.stream import field_paths
from libra_cli.stream.rows import RowError


@dataclass(frozen=True)
class Hub:
    """A data set of a hub, or a part of it."""

    name: str
    config: str | None = None
    split: str | None = None
    data_dir: str | None = None


@dataclass(frozen=True)
class Preset:
    """Where a data set is, and what its fields mean."""

    name: str
    about: str
    hub: Hub | None
    subset: str | None = None
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Field -> its possible names in the data, in order of preference."""
    where: str | None = None
    """Rows for which this is not true are left out."""
    drop: tuple[str, ...] = ()
    """Fields to leave out: responses of other models, many times the size of the problem."""
    has_reference: bool = True
    """Whether its rows have a golden answer; False: they only say which response is better."""
    shape: Callable[[Fields, int], Fields] | None = None
    """A function (fields, seed) for what renaming alone cannot do."""
    files: str = ""
    """The files to name, and where they are, if the data set is on no hub."""

    def apply(self, fields: Fields, seed: int) -> Fields:
        """Turns a row of the data set into a problem; raises RowError (`not_this_preset`) if it is of another form."""
        try:
            if self.shape is not None:
                fields = self.shape(fields, seed)
        except (shapes.OtherForm, *shapes.ODD) as error:
            raise RowError("not_this_preset", f"not a row of --preset {self.name}: {shapes.reason(error)}") from None
        for target, names in self.fields.items():
            if target not in fields:
                values = (field_paths.take(fields, name) for name in names)
                value = next((value for value in values if value is not field_paths.MISSING), field_paths.MISSING)
                if value is not field_paths.MISSING:
                    fields[target] = value
        for name in self.drop:
            fields.pop(name, None)
        if self.subset is not None:
            fields["subset"] = self.subset
        return fields

    @property
    def file(self) -> str | None:
        """The file of a data set that this package contains; None for those of a hub, and those without one."""
        if self.hub is not None or self.files:
            return None
        from libra_cli.miniature import problems_path

        return str(problems_path())


_PROBLEM: dict[str, tuple[str, ...]] = {
    "index": ("unique_id", "ID", "id", "problem_idx"),
    "question": ("problem", "Problem"),
    "reference": ("answer", "Answer"),
}
_PROMPT: dict[str, tuple[str, ...]] = {"question": ("prompt",)}
# The benchmark's `scores` say which responses are right; the name is needed for a judge's scores.
_PPE_FIELDS: dict[str, tuple[str, ...]] = {
    **_PROMPT,
    "index": ("question_id",),
    "model": ("model_name",),
    "correct": ("scores",),
}
_PPE = {"mmlu-pro": "MMLU-Pro", "math": "MATH", "gpqa": "GPQA", "mbpp-plus": "MBPP-Plus", "ifeval": "IFEval"}
_GENERATED: dict[str, tuple[str, ...]] = {"index": ("id",), "model": ("generator",)}
_NO_TIES = "preference != 'A=B'"
_PRESETS = (
    Preset(
        "math500-level5",
        "MATH-500, level 5 (134 problems)",
        Hub("HuggingFaceH4/MATH-500", split="test"),
        "MATH-500",
        _PROBLEM,
        where="level == 5",
    ),
    Preset(
        "aime2024",
        "AIME I and II of 2024 (30 problems)",
        Hub("HuggingFaceH4/aime_2024", split="train"),
        "AIME 2024",
        _PROBLEM,
        shape=shapes.integer_answer,
    ),
    Preset(
        "aime2025",
        "AIME I and II of 2025 (30 problems)",
        Hub("math-ai/aime25", split="test"),
        "AIME 2025",
        _PROBLEM,
        shape=shapes.integer_answer,
    ),
    Preset("libra-bench", "the published judging benchmark (3,740 labelled responses)", Hub("meituan/Libra-Bench")),
    Preset(
        "openr1-math",
        "OpenR1-Math-220k, without its proofs",
        Hub("open-r1/OpenR1-Math-220k", "default", "train"),
        "OpenR1-Math-220k",
        {**_PROBLEM, "index": ("uuid",)},
        where="not (question_type != null and question_type == 'proof') and "
        "not (reference != null and lower(reference) in ['proof', 'notfound', ''])",
        drop=(
            "generations",
            "messages",
            "is_reasoning_complete",
            "correctness_math_verify",
            "correctness_llama",
            "finish_reasons",
            "correctness_count",
        ),
    ),
    Preset(
        "light-r1",
        "Light-R1-SFTData; the reference is the answer boxed by its teacher",
        Hub("qihoo360/Light-R1-SFTData", split="train"),
        "Light-R1-SFTData",
        shape=shapes.solved_conversation,
    ),
    Preset(
        "openthoughts",
        "OpenThoughts-114k, or other conversations whose answer boxes the reference",
        Hub("open-thoughts/OpenThoughts-114k", split="train"),
        shape=shapes.solved_conversation,
    ),
    Preset(
        "dapo-math",
        "DAPO-Math-17k, without the instruction around each problem",
        Hub("BytedTsinghua-SIA/DAPO-Math-17k", split="train"),
        "DAPO-Math-17k",
        {"index": ("extra_info.index",)},
        shape=shapes.prompt_with_rule,
    ),
    Preset(
        "skywork-or1",
        "Skywork-OR1-RL-Data, the mathematics",
        Hub("Skywork/Skywork-OR1-RL-Data", split="math"),
        "Skywork-OR1-RL-Data",
        {"index": ("extra_info.index",)},
        where="data_source == null or not matches(data_source, '^train-code')",
        shape=shapes.prompt_with_rule,
    ),
    Preset(
        "helpsteer2",
        "HelpSteer2's human preferences (preference_strength), training part, without ties",
        Hub("nvidia/HelpSteer2", split="train", data_dir="preference"),
        "HelpSteer2",
        where="(split == null or split == 'train') and preference_strength != 0 and " + _NO_TIES,
        shape=shapes.rated_pair,
    ),
    Preset(
        "skywork-preference",
        "Skywork-Reward-Preference-80K-v0.2, the chosen response first or second as --seed draws",
        Hub("Skywork/Skywork-Reward-Preference-80K-v0.2", split="train"),
        "Skywork-Reward-Preference-80K-v0.2",
        where=_NO_TIES,
        shape=shapes.chosen_pair,
    ),
    # Benchmarks of pairs and lists, for `libra judge`: they stay in their own forms (records.forms).
    Preset(
        "rewardbench",
        "RewardBench's filtered set (2,985 pairs)",
        Hub("allenai/reward-bench", split="filtered"),
        fields=_PROMPT,
        has_reference=False,
    ),
    Preset(
        "rewardbench2",
        "RewardBench 2: best of four, and ties",
        Hub("allenai/reward-bench-2", split="test"),
        fields=_PROMPT,
        has_reference=False,
    ),
    Preset(
        "ppe-preference",
        "PPE's human preferences",
        Hub("lmarena-ai/PPE-Human-Preference-V1", split="test"),
        fields=_PROMPT,
        has_reference=False,
    ),
    *(
        Preset(
            f"ppe-{word}",
            f"PPE's right and wrong responses to {name}",
            Hub(f"lmarena-ai/PPE-{name}-Best-of-K", split="train"),
            name,
            _PPE_FIELDS,
            has_reference=False,
        )
        for word, name in _PPE.items()
    ),
    Preset(
        "judgebench",
        "JudgeBench's pairs of GPT-4o",
        Hub("ScalerLab/JudgeBench", split="gpt"),
        fields={"response_a": ("response_A",), "response_b": ("response_B",)},
        has_reference=False,
    ),
    Preset(
        "rm-bench",
        "RM-Bench: three styles of a right and of a wrong response",
        Hub("THU-KEG/RM-Bench"),
        fields=_PROMPT,
        has_reference=False,
    ),
    Preset(
        "rmb",
        "RMB's pairs and best-of-N lists; name its files, such as RMB_dataset/*/*/*.json",
        None,
        has_reference=False,
        shape=shapes.rmb_item,
        files="RMB_dataset/*_set/*/*.json and RMB_dataset/*_set/*/*/*.json of Zhou-Zoey/RMB-Reward-Model-Benchmark",
    ),
    *(
        Preset(name, about, hub, subset, where=_NO_TIES, shape=shape)
        for name, about, hub, subset, shape in (
            (
                "helpsteer3",
                "HelpSteer3's human preferences, without ties",
                Hub("nvidia/HelpSteer3", "preference", "train"),
                "HelpSteer3",
                preference_data.HELPSTEER3,
            ),
            (
                "webgpt",
                "WebGPT's comparisons, without ties",
                Hub("openai/webgpt_comparisons", split="train"),
                "WebGPT",
                preference_data.WEBGPT,
            ),
            (
                "summarize-feedback",
                "OpenAI's comparisons of summaries",
                Hub("openai/summarize_from_feedback", "comparisons", "train"),
                "summarize-feedback",
                preference_data.SUMMARIES,
            ),
            (
                "safe-rlhf",
                "PKU-SafeRLHF, by which response is better (not safer)",
                Hub("PKU-Alignment/PKU-SafeRLHF", split="train"),
                "PKU-SafeRLHF",
                preference_data.SAFE_RLHF,
            ),
            ("shp", "Stanford Human Preferences", Hub("stanfordnlp/SHP", split="train"), "SHP", preference_data.SHP),
        )
    ),
    Preset(
        "preference",
        "pairs with chosen and rejected, the chosen one first or second as --seed draws; name its files",
        None,
        where=_NO_TIES,
        shape=preference_data.chosen_pair_of,
        files="rows with chosen and rejected: UltraFeedback binarized, HH-RLHF, argilla's mixes, Orca DPO pairs",
    ),
    Preset(
        "arena-55k",
        "arena-human-preference-55k, its battles of one turn, without ties",
        Hub("lmarena-ai/arena-human-preference-55k", split="train"),
        "arena-55k",
        where=f"turns == 1 and {_NO_TIES}",
        shape=preference_data.single_turn_arena,
    ),
    Preset(
        "chatbot-arena",
        "conversations of Chatbot Arena, those of one turn, without ties",
        Hub("lmsys/chatbot_arena_conversations", split="train"),
        "chatbot-arena",
        where=f"turn == 1 and {_NO_TIES}",
        shape=preference_data.CHATBOT_ARENA,
    ),
    Preset(
        "ultrafeedback",
        "UltraFeedback, lists of four; the best by the mean of its ratings",
        Hub("openbmb/UltraFeedback", split="train"),
        "UltraFeedback",
        has_reference=False,
        shape=preference_data.ULTRAFEEDBACK,
    ),
    Preset(
        "nectar",
        "Nectar, lists of seven; the best by rank",
        Hub("berkeley-nest/Nectar", split="train"),
        "Nectar",
        has_reference=False,
        shape=preference_data.NECTAR,
    ),
    # Labelled solutions, for `libra judge` and `libra train-rm --loss bce`.
    Preset(
        "prm800k",
        "PRM800K: a solution is right if no step was found wrong; name its files",
        None,
        "PRM800K",
        where="is_quality_control_question == false and is_initial_screening_question == false",
        has_reference=False,
        shape=step_data.prm800k,
        files="prm800k/data/phase*_*.jsonl of openai/prm800k",
    ),
    *(
        Preset(name, about, hub, subset, dict(_GENERATED if generator else {}), has_reference=False, shape=shape)
        for name, about, hub, subset, generator, shape in (
            (
                "math-shepherd",
                "Math-Shepherd: a solution is right if its last step is",
                Hub("peiyi9979/Math-Shepherd", split="train"),
                "Math-Shepherd",
                False,
                step_data.math_shepherd,
            ),
            (
                "processbench",
                "ProcessBench: a solution is right if no step is wrong (choose its part with --split)",
                Hub("Qwen/ProcessBench"),
                "ProcessBench",
                True,
                step_data.processbench,
            ),
        )
    ),
    # Forms of other tools, whatever the data.
    *(
        Preset(name, about, None, has_reference=name in ("verl", "multiple-choice"), shape=shape, files=files)
        for name, about, shape, files in (
            (
                "stepwise",
                "TRL's stepwise form (prompt, completions, labels): right if all steps are",
                step_data.stepwise,
                "rows with prompt, completions and labels",
            ),
            (
                "verl",
                "verl's form: prompt as messages, the answer in reward_model.ground_truth",
                shapes.prompt_with_rule,
                "rows with prompt and reward_model",
            ),
            (
                "multiple-choice",
                "a question, choices and an answer (MMLU, ARC): the choices follow the question",
                evaluation_logs.multiple_choice,
                "rows with question, choices and answer",
            ),
            (
                "lm-eval",
                "samples of lm-evaluation-harness, to be labelled anew",
                evaluation_logs.lm_eval,
                "samples_*.jsonl, which lm_eval --log_samples writes",
            ),
            ("lighteval", "details of lighteval", evaluation_logs.lighteval, "details_*.parquet of lighteval"),
            ("evalscope", "reviews of evalscope", evaluation_logs.evalscope, "reviews/MODEL/*.jsonl of evalscope"),
            (
                "opencompass",
                "predictions of OpenCompass",
                evaluation_logs.opencompass,
                "predictions/MODEL/*.json of OpenCompass, its rows on lines (jq -c '.[]')",
            ),
        )
    ),
    Preset("libra-mini", "the problems of the embedded miniature (needs no network)", None),
)

PRESETS: dict[str, Preset] = {preset.name: preset for preset in _PRESETS}
"""By name, in the order of the manual."""


def question_of(fields: Fields) -> Any:
    """The problem in a row of any known form; None if there is none."""
    if (question := responses.question_of(fields)) is not None:
        return question
    try:
        return shapes.problem_of_prompt(fields) if "prompt" in fields else shapes.first_question(fields)
    except shapes.OtherForm:
        return None
