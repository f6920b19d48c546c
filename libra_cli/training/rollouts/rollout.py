"""One rollout: the responses of all ranks as samples to learn from, and its files."""

from __future__ import annotations

import hashlib
import math
import os
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from libra_cli.engines.base import Completion
from libra_cli.exits import Exit, Fatal
from libra_cli.stream.sinks import write_failed
from libra_cli.tasks.confidence import stated_confidence
from libra_cli.training.data.tokenization import Encoded
from libra_cli.training.data.trajectories import Trajectory
from libra_cli.training.rewards import Facts, NullBy, RewardPlan


class Judged(NamedTuple):
    """What a judge says about a response; None where it gave no verdict."""

    score: float | None = None
    difference: tuple[float | None, ...] = ()
    """[G]: how far the response is ahead of each of its group; empty if the judge does not compare all of them."""
    is_reference: bool | None = None
    """The others of its group were compared with it alone; None if the judge compares no response with one."""
    win: bool | None = None
    """It wins all votes against the reference response; None if a request failed."""
    references: tuple[float, ...] = ()
    """Its scores of reference responses to the prompt."""
    unread: bool = False
    """A vote of one of its comparisons has no verdict."""
    fields: Mapping[str, Any] | None = None
    """What `libra judge` would add to the row of the response; None for comparisons."""
    gate: str | None = None
    """The kind of non-answer that the response is; None if the judge was asked."""
    by_rule: bool = False
    """Its score is that of its label: the judge was not asked about a verdict of the policy."""
    failed: str | None = None
    """Why all requests about the response failed, if they did."""


@dataclass(frozen=True)
class GradedResponse:
    """One response with its grade; `number` is its place among the P x G responses of the rollout."""

    number: int
    position: int
    """Place of its prompt among all that the run takes, over its epochs; names the group."""
    prompt: int
    """Index of the prompt in the store."""
    sample: int
    prompt_ids: Sequence[int]
    token_ids: np.ndarray = field(default_factory=lambda: np.empty(0, np.int32))
    """int32 [T]: the tokens of the response, the one that ended it included."""
    sampler_logp: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))
    """float32 [T]"""
    text: str = ""
    """All of it, the thinking included."""
    finish_reason: str = "error"
    response: str | None = None
    """The text after the thinking; None if it ends inside the thinking."""
    outcome: Any = None
    correct: bool | None = None
    reason: str | None = None
    """Why there is no outcome, or why it cannot be graded."""
    null_by: NullBy = NullBy.NONE
    judged: Judged | None = None

    @property
    def keeps_format(self) -> bool:
        """There is an outcome, and one that can be read."""
        return self.outcome is not None and self.null_by != NullBy.POLICY

    @property
    def measured(self) -> MeasuredResponse:
        """What rewards depend on."""
        judged = self.judged or Judged()
        return MeasuredResponse(
            self.correct,
            self.null_by,
            len(self.token_ids),
            self.finish_reason,
            self.keeps_format,
            self.text,
            self.response is not None,
            self.judged is not None,
            judged.score,
            judged.difference,
            judged.is_reference,
            judged.win,
            judged.references,
            self.token_ids,
        )

    def with_completion(self, completion: Completion) -> GradedResponse:
        """The response that an engine generated, not graded yet."""
        assert completion.token_ids is not None
        assert completion.logprobs is not None
        logprobs = np.array(completion.logprobs, np.float32)
        text, why = completion.text, completion.finish_reason
        ids = np.array(completion.token_ids, np.int32)
        return replace(self, token_ids=ids, sampler_logp=logprobs, text=text, finish_reason=why)


@dataclass
class Rollout:
    """P x G responses, group after group, and what was computed of them; the same on all ranks."""

    number: int
    """From 0."""
    trajectories: list[Trajectory]
    """[P * G]"""
    learned: np.ndarray
    """bool [P * G]: the loss counts the response."""
    sha256: str | None = None
    """Of the file's content, once it is saved or loaded."""
    step: int | None = None
    """The steps after which its responses were sampled; None in files of earlier versions."""

    def __len__(self) -> int:
        return len(self.trajectories)

    def lengths(self, indices: Sequence[int]) -> list[int]:
        """Targets of these responses; 0 for one that the loss does not count."""
        return [self.trajectories[i].n_targets if self.learned[i] else 0 for i in indices]

    # -- files --------------------------------------------------------------------------------------------------------

    def save(self, path: Path) -> None:
        """Writes the rollout to a file that appears when it is whole. Raises Fatal(74)."""
        given = self.trajectories
        arrays: dict[str, Any] = {
            "number": self.number,
            **({} if self.step is None else {"step": self.step}),
            "learned": self.learned,
            "names": np.array([each.name for each in given]),
            "lengths": np.array([len(each.encoded.ids) for each in given], np.int64),
            "n_targets": np.array([each.n_targets for each in given], np.int64),
            "ids": np.concatenate([each.encoded.ids for each in given]),
        }
        for name in _PER_TARGET:
            values = [getattr(each, name) for each in given]
            if all(value is not None for value in values):
                spread = [np.broadcast_to(value, each.n_targets) for value, each in zip(values, given, strict=True)]
                arrays[name] = np.concatenate(spread).astype(np.float32)
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
        self.sha256 = _sha256(arrays)

    @classmethod
    def load(cls, path: Path, number: int, sha256: str | None) -> Rollout:
        """Reads what `save` wrote as this number, with this content. Raises Fatal(2) if it is not that.

        `sha256` is None for a checkpoint of an earlier version, which did not note it.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                given = {name: arrays[name] for name in arrays.files}
            content = _sha256(given)
            if int(given["number"]) != number or (sha256 is not None and content != sha256):
                raise ValueError("it is not the one that the checkpoint was made with")
            n_targets, names = given["n_targets"], given["names"].tolist()
            parts = {name: _parted(given[name], n_targets) for name in _PER_TARGET if name in given}
            trajectories = [
                Trajectory(
                    Encoded(ids, np.arange(len(ids)) >= len(ids) - n_targets[i]),
                    names[i],
                    **{name: values[i] for name, values in parts.items()},
                )
                for i, ids in enumerate(_parted(given["ids"], given["lengths"]))
            ]
            step = int(given["step"]) if "step" in given else None
            return cls(number, trajectories, given["learned"], content, step)
        except (OSError, ValueError, LookupError, EOFError, TypeError, zipfile.BadZipFile, zlib.error) as error:
            cure = "delete the newest checkpoint to continue from the one before, or begin anew with --overwrite"
            reason = str(error).split("\n")[0] or type(error).__name__
            raise Fatal(Exit.USAGE, f"{path}: this rollout cannot be read ({reason}); {cure}") from None


_PER_TARGET = ("sampler_logp", "advantage", "old_logp", "ref_logp")


def _sha256(arrays: Mapping[str, Any]) -> str:
    """A hash of the content, whatever the order and packing of the file."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        values = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {values.dtype.str} {values.shape}\n".encode())
        digest.update(values.view(np.uint8).data if values.size else b"")
    return digest.hexdigest()


def _parted(values: np.ndarray, counts: np.ndarray) -> list[np.ndarray]:
    return np.split(values, np.cumsum(counts)[:-1])


class MeasuredResponse(NamedTuple):
    """What rewards depend on of one response, whether it was just sampled or saved."""

    correct: bool | None
    null_by: NullBy
    """Of its grade."""
    n_tokens: int
    finish_reason: str
    keeps_format: bool
    text: str
    has_response: bool
    """There is text after the thinking."""
    judged: bool = False
    score: float | None = None
    difference: tuple[float | None, ...] = ()
    is_reference: bool | None = None
    win: bool | None = None
    references: tuple[float, ...] = ()
    """As a judge has them, see Judged."""
    token_ids: Sequence[int] | np.ndarray | None = None

    @property
    def truncated(self) -> bool:
        """It was cut at the token limit."""
        return self.finish_reason == "length"

    @property
    def null_by_ungraded(self) -> NullBy:
        """Who caused a null where no grade counts: the policy if it was cut before it gave a response or an answer."""
        if self.finish_reason == "error":
            return NullBy.VERIFIER
        cut = self.truncated and not self.keeps_format
        return NullBy.NONE if self.has_response and not cut else NullBy.POLICY


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def facts_of(
    groups: Sequence[Sequence[MeasuredResponse]],
    ids: Sequence[str],
    records: Sequence[Mapping[str, Any]],
    plan: RewardPlan,
) -> Facts:
    """The facts of P groups of G responses that `plan` may read; `ids` and `records` are those of the prompts."""
    responses = [each for group in groups for each in group]
    compared = all(each.difference for each in responses)
    opposed = all(any(each.is_reference for each in group) for group in groups)
    judged = not compared and not opposed and all(each.judged for each in responses)

    scaled = (lambda score: score) if plan.judge is None else plan.judge.scaled

    def array(value: Callable[[MeasuredResponse], Any], dtype: Any = np.float64) -> np.ndarray:
        return np.array([[value(each) for each in group] for group in groups], dtype)

    tokens = [[each.token_ids for each in group] for group in groups]
    known = [[_or_nan(scaled(score)) for score in group[0].references] for group in groups]
    most = max(map(len, known))
    referred = np.array([(*scores, *[math.nan] * (most - len(scores))) for scores in known], np.float64)
    return {
        "correct_P_G": array(lambda each: _or_nan(each.correct)),
        "null_by_P_G": array(lambda each: each.null_by if plan.graded else each.null_by_ungraded, np.int64),
        "lengths_P_G": array(lambda each: each.n_tokens),
        "truncated_P_G": array(lambda each: each.truncated),
        "format_P_G": array(lambda each: each.keeps_format),
        "responses_P_G": array(lambda each: each.text, object),
        "confidence_P_G": array(lambda each: _or_nan(stated_confidence(each.text))),
        "prompt_id_P": np.array(ids, object),
        "subset_P": np.array([str(record.get("subset")) for record in records], object),
        "record_P": list(records),
        **({"tokens_P_G_T": tokens} if all(ids is not None for row in tokens for ids in row) else {}),
        **({"judge_P_G": array(lambda each: _or_nan(scaled(each.score)))} if judged else {}),
        **({"judge_reference_P_M": referred} if judged and all(known) else {}),
        **({"difference_P_G_G": array(lambda each: each.difference)} if compared else {}),
        **({"wins_P_G": array(lambda each: 0.0 if each.is_reference else _or_nan(each.win))} if opposed else {}),
        **({"reference_P": array(lambda each: each.is_reference is True).argmax(axis=1)} if opposed else {}),
    }
