"""Log-probabilities under the reference model, computed once before training and kept on disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.files import replace_file
from libra_cli.stream.rows import content_hash
from libra_cli.stream.sinks import failed_below, write_all, write_failed
from libra_cli.training.data.sources import Annotations, Samples, StepBatch
from libra_cli.training.log_probs import LogProbModel, measured_log_probs
from libra_cli.training.run import SourceParts

BLOCK = 512
"""Samples between two writes: what a run that is killed has to compute again, at most."""
TRAIN, HELD_OUT, OTHERS, HELD_OUT_OTHERS = "train", "eval", "other-responses", "eval-other-responses"
"""Names of the files."""
_OTHER_PROMPT = "each after another row's prompt"
_RESPONSES = {
    TRAIN: "responses of the training rows",
    HELD_OUT: "responses of the held-out rows",
    OTHERS: f"responses of the training rows, {_OTHER_PROMPT}",
    HELD_OUT_OTHERS: f"responses of the held-out rows, {_OTHER_PROMPT}",
}
"""What each file has log-probabilities of, in words."""
_WHY = " (kto estimates the KL divergence from them)"


class ReferenceLogProbs:
    """Log-probabilities of the targets of `samples`, or their sums, in `folder`, a file for each `name`.

    All ranks have one. `fingerprint` (JSON) says which model and which samples they are of: what was computed with
    another is computed anew. `load` makes the model on all ranks when it is needed first; None measures the one in
    training, which must have its first weights.
    """

    def __init__(
        self, parts: SourceParts, folder: Path, fingerprint: dict[str, Any], load: Callable[[], LogProbModel | None]
    ):
        self._parts, self._folder, self._fingerprint, self._load = parts, folder, fingerprint, load
        self._loaded: list[LogProbModel | None] = []

    def of(self, name: str, samples: Samples, digest: str, keep: Literal["tokens", "sums"] = "tokens") -> np.ndarray:
        """float32 [targets of all samples], or float64 [samples]; read from disk as far as they are there.

        `digest` identifies the samples. Raises Fatal if asked to stop meanwhile; the same command continues.
        """
        dtype = np.dtype("<f4" if keep == "tokens" else "<f8")
        path = self._folder / f"{name}.bin"
        values = samples.n_targets if keep == "tokens" else np.ones(len(samples), np.int64)
        ends = np.concatenate([[0], np.cumsum(values)]) * dtype.itemsize
        made_from = {**self._fingerprint, "samples": digest, "keep": keep, "n": len(samples)}
        done = self._parts.world.on_rank0(lambda: self._begin(path, content_hash(made_from, 64), ends))
        if done < len(samples):
            self._compute(path, samples, done, dtype, keep)
        if not len(samples):
            return np.empty(0, dtype)
        return np.memmap(path, dtype, "r", shape=(int(ends[-1]) // dtype.itemsize,))

    def release(self) -> None:
        """Frees the model."""
        self._loaded.clear()

    def _begin(self, path: Path, made_from: str, ends: np.ndarray) -> int:
        """Samples that the file has values of: whole blocks, or all; it is cut after them."""
        about = path.with_suffix(".json")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(OSError, ValueError):
                if orjson.loads(about.read_bytes()) != made_from:
                    about.unlink()
            if not about.exists():
                path.unlink(missing_ok=True)
                replace_file(str(about), orjson.dumps(made_from))
            size = path.stat().st_size if path.exists() else 0
            done = int(np.searchsorted(ends, size, "right")) - 1
            done = done if done == len(ends) - 1 else done // BLOCK * BLOCK
            with open(path, "ab") as file:
                file.truncate(int(ends[done]))
        except OSError as error:
            raise failed_below(str(path), error) from None
        return done

    def _compute(self, path: Path, samples: Samples, done: int, dtype: np.dtype[Any], keep: str) -> None:
        parts, world = self._parts, self._parts.world
        if not self._loaded:
            self._loaded.append(self._load())
        name, responses = path.stem, _RESPONSES[path.stem]
        parts.phase.begin(f"reference model: {done:,} of {len(samples):,} {responses}")
        what, why = f"{len(samples) - done:,} {responses}", _WHY if name in (OTHERS, HELD_OUT_OTHERS) else ""
        parts.console.note(f"computes the reference model's log-probabilities of {what}{why}")
        for begin in range(done, len(samples), BLOCK):
            block = range(begin, min(begin + BLOCK, len(samples)))
            batch = StepBatch(samples, [(i,) for i in block], Annotations(dict.fromkeys(block, 0.0)))
            found = measured_log_probs(
                parts.model.engine, parts.model.batches, batch, world, self._loaded[0], self._stop_if_asked
            )
            arrays = [found[i] if keep == "tokens" else found[i].sum(dtype=np.float64, keepdims=True) for i in block]
            data = np.concatenate(arrays).astype(dtype).tobytes()
            world.on_rank0(lambda data=data: _append(path, data))  # type: ignore[misc]
            parts.phase.begin(f"reference model: {block.stop:,} of {len(samples):,} {responses}")

    def _stop_if_asked(self) -> None:
        """Ends the run on all ranks together, whichever of them received the signal."""
        status = int(self._parts.world.all_max([float(self._parts.stop.status or 0)])[0])
        if not status:
            return

        def stop() -> None:
            raise Fatal(Exit(status), f"stopped before the first step; {self._parts.phase.cure}")

        self._parts.world.on_all_ranks(stop)


def _append(path: Path, data: bytes) -> None:
    """Adds to the file, and waits until that is on the disk."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    except OSError as error:
        raise write_failed(str(path), error, begun=True) from None
    try:
        write_all(descriptor, data, str(path))
        os.fsync(descriptor)
    except OSError as error:
        raise write_failed(str(path), error, begun=True) from None
    finally:
        os.close(descriptor)
