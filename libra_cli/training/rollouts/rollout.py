"""One rollout: the responses of all ranks as samples to learn from, and its files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.sinks import write_failed
from libra_cli.training.data.tokenization import Encoded

NULL_CAUSES = ("none", "policy", "verifier")
"""Who caused the null of a response, by the number in `GradedResponse.null_by`."""


@dataclass(frozen=True)
class GradedResponse:
    """One response with its grade; `number` is its place among the P x G responses of the rollout."""

    number: int
    prompt: int
    """Index of the prompt in the store."""
    sample: int
    prompt_ids: np.ndarray
    """int32 [prompt tokens]"""
    token_ids: np.ndarray
    """int32 [T]: the tokens of the response, the one that ended it included."""
    sampler_logp: np.ndarray
    """float32 [T]"""
    text: str
    """All of it, the thinking included."""
    finish_reason: str
    outcome: Any = None
    correct: bool | None = None
    reason: str | None = None
    """Why there is no outcome, or why it cannot be graded."""
    null_by: str = "none"


@dataclass
class Rollout:
    """P x G responses, group after group, and what was computed of them; the same on all ranks.

    As `Samples`, response i is its prompt and its tokens, of which the latter are targets.
    """

    number: int
    """From 0."""
    n_samples: int
    """G."""
    prompts: np.ndarray
    """int64 [P]: indices of the prompts in the store."""
    ids: list[np.ndarray]
    """Per response, int32: prompt and response."""
    n_targets: np.ndarray
    """int64 [P * G]: tokens of each response."""
    sampler_logp: list[np.ndarray]
    """Per response, float32 [T]."""
    advantages: np.ndarray
    """float64 [P * G]"""
    learned: np.ndarray
    """bool [P * G]: the loss counts the response."""
    token_advantages: list[np.ndarray] | None = None
    """Per response, float32 [T], where credit gives each token its own."""
    old_logp: list[np.ndarray] | None = None
    ref_logp: list[np.ndarray] | None = None
    names: list[str] = field(default_factory=list)
    """Per response, for messages."""

    @property
    def lengths(self) -> np.ndarray:
        """int64 [P * G]: tokens of prompt and response."""
        return np.array([len(each) for each in self.ids], np.int64)

    def __len__(self) -> int:
        return len(self.ids)

    def sample(self, index: int) -> Encoded:
        """Prompt and response `index`."""
        ids = self.ids[index]
        return Encoded(ids, np.arange(len(ids)) >= len(ids) - self.n_targets[index])

    def name(self, index: int) -> str:
        """The prompt's id and the number of the sample."""
        return self.names[index]

    # -- files --------------------------------------------------------------------------------------------------------

    def save(self, path: Path) -> None:
        """Writes the rollout to a file that appears when it is whole. Raises Fatal(74)."""
        arrays: dict[str, Any] = {
            "number": self.number,
            "n_samples": self.n_samples,
            "prompts": self.prompts,
            "n_targets": self.n_targets,
            "lengths": self.lengths,
            "advantages": self.advantages,
            "learned": self.learned,
            "names": np.array(self.names),
            "ids": _joined(self.ids, np.int32),
        }
        for name in _PER_TARGET:
            values = getattr(self, name)
            if values is not None:
                arrays[name] = _joined(values, np.float32)
        aside = path.with_name(f".{path.name}.partial")
        try:
            path.parent.mkdir(exist_ok=True)
            with open(aside, "wb") as file:
                np.savez(file, **arrays)
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, path)
        except OSError as error:
            raise write_failed(str(path), error) from None

    @classmethod
    def load(cls, path: Path) -> Rollout:
        """Reads what `save` wrote. Raises Fatal(2) if it cannot be read."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                given = {name: arrays[name] for name in arrays.files}
            n_targets = given["n_targets"]
            per_target = {name: _parted(given[name], n_targets) for name in _PER_TARGET if name in given}
            return cls(
                int(given["number"]),
                int(given["n_samples"]),
                given["prompts"],
                _parted(given["ids"], given["lengths"]),
                n_targets,
                advantages=given["advantages"],
                learned=given["learned"],
                names=given["names"].tolist(),
                **per_target,
            )
        except (OSError, ValueError, KeyError, EOFError) as error:
            cure = "delete the newest checkpoint to continue from the one before, or begin anew with --overwrite"
            reason = str(error).split("\n")[0] or type(error).__name__
            raise Fatal(Exit.USAGE, f"{path}: this rollout cannot be read ({reason}); {cure}") from None


_PER_TARGET = ("sampler_logp", "token_advantages", "old_logp", "ref_logp")
assert {*_PER_TARGET} <= {each.name for each in fields(Rollout)}


def _joined(parts: Sequence[np.ndarray], dtype: type) -> np.ndarray:
    return np.concatenate([np.empty(0, dtype), *(part.astype(dtype) for part in parts)])


def _parted(values: np.ndarray, counts: np.ndarray) -> list[np.ndarray]:
    return np.split(values, np.cumsum(counts)[:-1]) if len(counts) else []


def facts_of(responses: Sequence[GradedResponse], n_samples: int) -> Mapping[str, np.ndarray]:
    """The facts that rewards are computed from, each [P, G], of responses in the order of their numbers."""
    shape = (-1, n_samples)
    graded = [math_nan(each.correct) for each in responses]
    return {
        "correct_P_G": np.array(graded, np.float64).reshape(shape),
        "null_by_P_G": np.array([NULL_CAUSES.index(each.null_by) for each in responses]).reshape(shape),
        "lengths_P_G": np.array([len(each.token_ids) for each in responses], np.float64).reshape(shape),
        "truncated_P_G": np.array([each.finish_reason == "length" for each in responses], np.float64).reshape(shape),
        "format_P_G": np.array([each.outcome is not None for each in responses], np.float64).reshape(shape),
        "responses_P_G": np.array([each.text for each in responses], object).reshape(shape),
    }


def math_nan(correct: bool | None) -> float:
    """1, 0, or nan if it is not known."""
    return float("nan") if correct is None else float(correct)
