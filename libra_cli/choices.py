"""The values that options offer, by the name of the option or of what it chooses. Imports nothing.

Commands build their options from these tuples; the code that acts on a value unpacks the same tuple into constants. So
`libra STAGE --help` needs no other import, and no list is written twice.
"""

# Tasks
JUDGE_TASKS = ("score", "rank", "verify", "rate", "best")
"""Tasks that `libra judge` can ask for."""
TASKS = ("reason", *JUDGE_TASKS, "general")
"""All tasks, in the order of the manual; `tasks.TASKS` has the objects."""

# libra collect
FORMATS = ("jsonl", "csv", "tsv", "parquet")
"""File formats that `libra collect` reads."""
PRESETS = (
    "math500-level5", "aime2024", "aime2025", "libra-bench", "openr1-math", "light-r1", "openthoughts", "dapo-math",
    "skywork-or1", "helpsteer2", "skywork-preference", "rewardbench", "rewardbench2", "ppe-preference",
    "ppe-mmlu-pro", "ppe-math", "ppe-gpqa", "ppe-mbpp-plus", "ppe-ifeval", "judgebench", "rm-bench", "rmb",
    "helpsteer3", "webgpt", "summarize-feedback", "safe-rlhf", "shp", "preference", "arena-55k", "chatbot-arena",
    "ultrafeedback", "nectar", "prm800k", "math-shepherd", "processbench", "stepwise", "verl", "multiple-choice",
    "lm-eval", "lighteval", "evalscope", "opencompass", "libra-mini",
)  # fmt: skip
"""Names of the data sets that `libra collect` knows; `collect.presets` describes them."""

# Duplicates: the first value of each stage is its default.
COLLECT_DUPLICATES = ("drop", "all", "keep")
ROLLOUT_DUPLICATES = ("refuse", "drop")
MIX_DUPLICATES = ("keep", "drop")
DUPLICATE_KEYS = ("id", "content")
"""What makes two rows of `libra mix` duplicates."""

# Models and engines
ENGINES = ("auto", "vllm", "openai", "transformers", "replay")
LOG_FORMATS = ("text", "json")

# libra verify and libra review
RULES = ("first", "only", "never", "also")
"""How the rule and a panel of models work together: rule first, rule only, models only, both everywhere."""
REVIEW_ROWS = ("disagreement", "undecided", "all")
"""Rows that `libra review --only` shows."""

# libra judge
REDUCTIONS = ("mean", "median", "majority", "max")
"""How the votes of a judge become one score."""
ORDERS = ("both", "first", "random")
"""In which order a judge sees the responses of a pair or list."""
PROBES = ("master-keys",)
"""Sets of responses that answer nothing."""
JUDGE_FIELDS = (
    "judge", "judge_task", "judgments", "score", "scores", "prediction", "unjudged", "gate", "gates", "probe",
    "judge_provenance",
)  # fmt: skip
"""The fields that a judge adds to a row; a row that is judged again loses those of the earlier judge."""

# libra show
DIFFERENCES = ("judge", "label")
"""Between what `libra show --diff` looks for differences: judges, or the verdict and the label."""

# libra score
ROW_KINDS = (
    "libra-bench", "pointwise", "pairs", "lists", "rewardbench", "rewardbench2", "ppe-preference", "ppe-correctness",
    "rmb", "judgebench", "rm-bench", "rewardmath", "reasoning",
)  # fmt: skip
"""Kinds of rows that `libra score --as` names."""
PROTOCOLS = ("official", "paper")
THRESHOLD_SEARCHES = ("search", "cross-fit")
NULL_RULES = ("rule", "exclude")
COMPARISONS = ("published",)

# libra rs-filter
PREFERENCES = ("shortest", "longest", "random", "diverse")
"""Which correct samples of a prompt `--per-prompt` keeps."""
THINKING_RULES = ("require", "forbid", "any")
EVEN_BY = ("label",)

# libra dpo-pairs
PAIR_BASES = ("prediction", "score", "label")
"""What decides which response of a pair is the better one."""
CONSENSUS = ("all", "majority", "mean")
"""How the verdicts of several judges become one."""
PAIR_MATCHINGS = ("random", "length")
"""Which correct response meets which incorrect one."""

# libra sft
TRAINING_DTYPES = ("auto", "bf16", "fp32")
ASSISTANT_TEXTS = ("template", "verbatim")
"""Whether the chat template formats the assistant's text or only what surrounds it."""
LEARNED_TURNS = ("last", "all")
TOO_LONG = ("drop", "refuse")
OPTIMIZERS = ("adamw", "muon")
SCHEDULES = ("cosine", "linear", "constant")
OFFLOADS = ("none", "optimizer", "all")
RESUME = ("auto", "never")
FINAL_MODELS = ("last", "best")

# The loss of libra grpo
POLICY_LOSSES = ("clip", "gspo", "cispo")
LOSS_AGGREGATIONS = ("seq-mean-token-mean", "token-mean", "seq-mean-token-sum", "seq-mean-token-sum-norm")
"""How losses of tokens become one, by verl's names; the first is the paper's."""

# Rollouts of libra grpo
SAMPLERS = ("auto", "vllm", "transformers")
OLD_LOG_PROBS = ("sampler", "trainer")
"""Who computes the log-probabilities that ratios start from."""

# The loss of libra dpo
PAIR_LOSSES = ("sigmoid", "cdpo", "robust", "ipo", "sigmoid_norm", "bco_pair", "soft")
"""Losses on preference pairs, by TRL's names where it has them; the first is the paper's."""
LABELLED_LOSSES = ("kto", "bco", "ce")
"""Losses on responses with a label."""

# The loss of libra train-rm
REWARD_LOSSES = ("bt", "bce")
"""Bradley-Terry on pairs, binary cross-entropy on labels."""

# What servers answer
FINISH_REASONS = ("stop", "length", "tool_calls")
"""What a server's own finish reason can be taken for."""

# libra schema
SCHEMAS = (
    "problem", "response", "verified", "benchmark", "pair", "list", "judged", "prediction", "messages",
    "preference", "completion", "label", "error", "manifest", "training-event",
)  # fmt: skip
"""Every kind of record, in the order of a pipeline; `records.schemas` has the schemas."""
