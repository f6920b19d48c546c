"""Rewards of reinforcement learning: pure numpy, from facts about responses to advantages."""

from libra_cli.training.advantages import ADVANTAGES
from libra_cli.training.credit import CREDITS
from libra_cli.training.rewards.batch import PENALTY_EDGES, RewardBatch, RewardCounts
from libra_cli.training.rewards.combine import COMBINATIONS
from libra_cli.training.rewards.denoise import NOISES
from libra_cli.training.rewards.facts import FACTS, Facts, NullBy, key_of
from libra_cli.training.rewards.filters import FILTERS
from libra_cli.training.rewards.gates import Gate
from libra_cli.training.rewards.plan import DEFAULTS, RewardPlan, WeightedTerm
from libra_cli.training.rewards.terms import TERMS
from libra_cli.training.rewards.transforms import TRANSFORMS

__all__ = [
    "ADVANTAGES",
    "COMBINATIONS",
    "CREDITS",
    "DEFAULTS",
    "FACTS",
    "FILTERS",
    "NOISES",
    "PENALTY_EDGES",
    "TERMS",
    "TRANSFORMS",
    "Facts",
    "Gate",
    "NullBy",
    "RewardBatch",
    "RewardCounts",
    "RewardPlan",
    "WeightedTerm",
    "key_of",
]
