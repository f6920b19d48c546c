"""Samples from the model in training: hands its weights to an engine on each rank, and proves that they arrived."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
import torch.distributed as dist

from libra_cli import miniature
from libra_cli.engines.base import (
    Completion,
    LocalModel,
    Pending,
    PolicyEngine,
    Request,
    RequestError,
    RequestList,
    Sampling,
)
from libra_cli.engines.chat_template import ChatTemplate
from libra_cli.engines.transformers import TransformersEngine
from libra_cli.exits import Exit, Fatal
from libra_cli.sampling.server_secrets import api_key
from libra_cli.stream.console import Console
from libra_cli.stream.sinks import write_failed
from libra_cli.tasks import thinking
from libra_cli.training.data.chat_format import TrainingChat
from libra_cli.training.distributed.deepspeed_engine import TrainEngine
from libra_cli.training.distributed.sampler_ranks import SamplerRanks
from libra_cli.training.distributed.world import World, device_of
from libra_cli.training.model import policy
from libra_cli.training.model.export import base_model, not_written, whole_weights
from libra_cli.training.rollouts.weight_proof import WeightProof
from libra_cli.training.settings import ModelSettings, RolloutSettings

if TYPE_CHECKING:
    from libra_cli.engines.vllm_server import VllmServers

Answer = Completion | RequestError

_AGREE_EVERY = 8
"""Answers after which ranks that share an engine ask one another whether to stop."""
SERVERS = "vLLM servers"
"""The name of the samplers of --sampler-url and --sampler-ranks."""
GPU_MEMORY_SHARE = 0.4
"""Of a GPU's memory that vLLM takes beside the trainer, unless --sampler-arg says otherwise."""


def local_model(model: ModelSettings, rollout: RolloutSettings, chat: TrainingChat, longest: int | None) -> LocalModel:
    """The model in training as an engine knows it; `longest`: tokens of a prompt and its response, at most."""
    embedded = miniature.resolve(model.model)
    tokenizer = {"tokenizer": policy.path_of(model.tokenizer)} if model.tokenizer else {}
    return LocalModel(
        name=model.model,
        path=policy.path_of(model.model),
        revision=model.revision,
        dtype={torch.bfloat16: "bfloat16", torch.float32: "float32"}[policy.dtype_of(model.dtype)],
        max_model_len=longest,
        trust_remote_code=model.trust_remote_code,
        small=embedded is not None,
        chat_template=chat.template,
        chat_args=chat.kwargs,
        markers=thinking.markers(rollout.thinking_markers),
        args={**tokenizer, **dict(rollout.sampler_arg)},
    )


class StopStatus(Protocol):
    """What says whether to stop; a StopRequest is one."""

    @property
    def status(self) -> Exit | None:
        """Not None: stop."""


class Sampler:
    """The engine of this rank that samples from the model in training.

    transformers generates with the trained module itself if that is whole on this rank; otherwise, and with vLLM, the
    engine has a copy of the weights, which `refresh` replaces. With --sampler-url or --sampler-ranks each rank
    asks the same servers for the responses to its prompts.
    """

    def __init__(
        self,
        engine: TrainEngine,
        model: LocalModel,
        rollout: RolloutSettings,
        template: ChatTemplate,
        closing: Sequence[int],
        world: World,
        console: Console,
    ):
        """`closing`: ids of the tokens that close a turn; a response ends there, as it will in the exported model."""
        self._engine, self._world, self._template = engine, world, template
        self._sampler: PolicyEngine
        sampling = Sampling(rollout.temperature, 1.0, rollout.max_tokens, extra={"stop_token_ids": list(closing)})
        self.name = SERVERS if rollout.has_servers else _chosen(rollout.sampler, world)
        if not rollout.has_servers:
            _check_arguments(self.name, dict(rollout.sampler_arg))
        self._has_copy = True
        self._asleep = False
        self._weights_device: torch.device | str = "cpu"
        self._servers: VllmServers | None = None
        self._ranks: SamplerRanks | None = None
        self._step: int | None = None
        """The steps after which the servers' weights were those in training."""
        self._proof = WeightProof(base_model(engine.policy.model), console.note)
        self._hand_overs = 0
        self._kept: dict[str, torch.Tensor] = {}
        self._kept_in: Path | None = None
        tensor_parallel = 1
        if rollout.has_servers:
            self._servers = self._sampler = self._connected(model, rollout, sampling, console)
        elif self.name == "vllm":
            from libra_cli.engines.vllm_policy import VllmPolicyEngine

            defaults: dict[str, Any] = {"load_format": "dummy"}
            if world.on_gpu:
                defaults["gpu_memory_utilization"] = GPU_MEMORY_SHARE
            args = {**defaults, **model.args}
            tensor_parallel = int(args.get("tensor_parallel_size") or 1)
            self._weights_device = world.device
            self._sampler = VllmPolicyEngine(replace(model, args=args), sampling, console.note)
        elif engine.stage < 3 and world.sp_size == 1:
            self._has_copy = False
            attention = "sdpa" if engine.policy.packed else None
            module = base_model(engine.policy.model)
            self._sampler = TransformersEngine.on(module, template, sampling, rollout.sampler_batch_size, attention)
        else:
            bare = replace(model, args={})
            self._sampler = TransformersEngine(bare, sampling, rollout.sampler_batch_size, template=template)
        if world.size % tensor_parallel:
            what = f"--sampler-arg tensor_parallel_size={tensor_parallel} does not divide {world.size} processes"
            raise Fatal(Exit.USAGE, f"{what}; --nproc says how many there are on a node")
        self.group, self.groups = world.rank // tensor_parallel, world.size // tensor_parallel
        """Ranks that sample together, and how many such groups there are."""
        self.answers_for_group = world.rank % tensor_parallel == 0
        self._stop_group = world.neighbours(tensor_parallel) if tensor_parallel > 1 else None

    def _connected(
        self, model: LocalModel, rollout: RolloutSettings, sampling: Sampling, console: Console
    ) -> VllmServers:
        """The servers that sample, once rank 0 has found that they can; rank 0 gives them the weights."""
        from libra_cli.engines.vllm_server import HTTP_BACKEND, VllmServers, WeightTransfer

        world, longest = self._world, model.max_model_len or 0
        urls, key = rollout.sampler_url, None
        if rollout.sampler_ranks:
            urls = world.on_rank0(lambda: self._addresses(rollout, console))
        else:
            key = api_key(rollout.api_key_env, rollout.api_key_file)
        servers = VllmServers(urls, sampling, self._template, key, console.note)
        facts = world.on_rank0(lambda: servers.facts(model.dtype, longest, world.on_gpu))
        transfer: WeightTransfer | None = None
        if world.is_rank0:
            from libra_cli.engines.vllm_weight_senders import HttpTransfer, NcclTransfer

            if facts.backend == HTTP_BACKEND:
                transfer = HttpTransfer(servers, base_model(self._engine.policy.model).config)
            else:
                transfer = NcclTransfer(servers, facts.workers, world.device)
        if facts.backend != HTTP_BACKEND:
            self._weights_device = world.device
        servers.use(facts, world.size, transfer)
        return servers

    def _addresses(self, rollout: RolloutSettings, console: Console) -> tuple[str, ...]:
        """The URLs of the servers of the sampling ranks, once they are up; if such a rank is lost, the run ends."""
        console.note(f"waits for the vLLM servers of --sampler-ranks {rollout.sampler_ranks}")
        self._ranks = SamplerRanks(rollout.sampler_ranks, rollout.server_devices)
        addresses = self._ranks.addresses()
        self._ranks.watch(console.stage)
        return addresses

    @property
    def place(self) -> dict[str, str | int | float]:
        """The devices that train, and what samples: for predictions of how long other devices take."""
        name, memory_gb = device_of(self._world)
        return {
            "devices": self._world.size,
            "device": name,
            "device_gb": memory_gb,
            "sampler": self.name,
            "engines": self.groups,
        }

    @property
    def is_remote(self) -> bool:
        """Whether servers sample, on devices of their own."""
        return self._servers is not None

    def refresh(self, step: int, keep: bool = False) -> bool:
        """Hands the current weights, those after `step` steps, to the engine; all ranks call it.

        Returns whether that was necessary: servers keep what they have. `keep`: rank 0 keeps what it gives to servers.
        """
        if self._asleep:
            self._sampler.wake()
            self._asleep = False
        if not self._has_copy or (self._servers is not None and self._step == step):
            return False
        gives = self._servers is None or self._world.is_rank0
        module, device = base_model(self._engine.policy.model), self._weights_device
        weights = whole_weights(module, self._engine, gives, None, device)
        if self._servers is None:
            self._sampler.update_weights(weights)
            return True
        self._step, self._kept, self._kept_in = None, {}, None
        failure: Fatal | None = None
        try:
            if gives:
                self._sampler.update_weights(self._keeping(weights) if keep else weights)
        except Fatal as error:
            failure = error
        for _ in weights:  # all ranks gather each weight, whoever gives it
            pass
        self._world.on_rank0(lambda: _raise(failure))
        self._step = step
        return True

    def prove(self, saved: bool = False) -> None:
        """Raises Fatal(6) on all ranks if the engine has a weight that is not the one in training; a collective.

        `saved`: not the one of `give_saved`. Servers must have been given weights; nothing is asked of some that do not
        tell them.
        """
        if not self._has_copy or (self._servers is not None and not self._servers.tells_weights):
            return
        self._hand_overs += 1
        gives = self._servers is None or self._world.is_rank0
        held = self._world.on_all_ranks(lambda: self._sampler.held_weights(self._hand_overs) if gives else {})
        if self._stop_group is not None:  # ranks that share an engine have a part of each weight
            parts: list[Any] = [None] * (self._world.size // self.groups)
            dist.all_gather_object(parts, held, group=self._stop_group)
            held = {"": [worker for part in parts for worker in part[""]]}
        module = base_model(self._engine.policy.model)
        weights: Iterable[tuple[str, torch.Tensor]] = iter(self._kept.items())
        if not saved:
            weights = whole_weights(module, self._engine, gives, None, self._weights_device)
        differing = self._proof.differing(held, weights)

        def refuse() -> None:
            if differing is not None:
                what = f"{differing}: the sampler has another weight than the model in training"
                raise Fatal(Exit.BACKEND, f"{what}; its last hand-over was incomplete; the same command continues")

        self._world.on_all_ranks(refuse)

    def _keeping(self, weights: Iterable[tuple[str, torch.Tensor]]) -> Iterator[tuple[str, torch.Tensor]]:
        for name, tensor in weights:
            self._kept[name] = tensor.cpu()
            yield name, tensor

    def save_kept(self, path: Path) -> None:
        """Rank 0 writes the weights that it kept, unless it has. Raises Fatal(74) on all ranks."""

        def write() -> None:
            from safetensors import SafetensorError
            from safetensors.torch import save_file

            if path == self._kept_in:  # a file of that name alone may be of a run that took another course
                return
            aside = path.with_name(f".{path.name}.partial")
            try:
                path.parent.mkdir(exist_ok=True)
                save_file(self._kept, aside, {"order": json.dumps(list(self._kept))})
                os.replace(aside, path)
                self._kept_in = path
            except OSError as error:
                raise write_failed(str(path), error) from None
            except SafetensorError as error:
                raise not_written(path, error) from None

        self._world.on_rank0(write)

    def give_saved(self, path: Path, step: int) -> None:
        """Rank 0 gives servers the weights after `step` steps, which `save_kept` wrote. Raises Fatal on all ranks."""

        def give() -> None:
            from safetensors import SafetensorError, safe_open

            try:
                with safe_open(path, "pt") as file:
                    order = json.loads(file.metadata()["order"])
                    self._kept = {name: file.get_tensor(name) for name in order}
            except (OSError, ValueError, LookupError, TypeError, SafetensorError) as error:
                cure = "delete the newest checkpoint to continue from the one before, or begin anew with --overwrite"
                raise Fatal(Exit.USAGE, f"{path}: these weights cannot be read ({error}); {cure}") from None
            device = self._weights_device
            self._sampler.update_weights((name, tensor.to(device)) for name, tensor in self._kept.items())

        self._world.on_rank0(give)
        self._step, self._kept_in = step, path

    def sample_of_each(self, requests: Sequence[Request], max_tokens: int) -> dict[str, list[Completion]]:
        """The completions of the same requests by each server, by its address. Raises Fatal(6) on all ranks."""
        servers = self._servers
        assert servers is not None
        return self._world.on_rank0(
            lambda: dict(zip(servers.names, servers.sample_of_each(requests, max_tokens), strict=True))
        )

    def check_version(self) -> None:
        """Raises Fatal(6) on all ranks if a server has other weights than it was given last."""
        if self._servers is not None:
            self._world.on_rank0(self._servers.check_version)

    def generate(self, requests: Sequence[Request], stop: StopStatus) -> list[Answer | None]:
        """The answer to each request; None for those that a request to stop left without one."""
        answers: list[Answer | None] = [None] * len(requests)
        pending = RequestList(Pending(request, number) for number, request in enumerate(requests))
        for answered in self._sampler.generate(pending):
            if answered is not None:
                answers[answered[0].token] = answered[1]
            if self._shall_stop(stop, answers, answered is not None):
                break
        return answers

    def _shall_stop(self, stop: StopStatus, answers: Sequence[Answer | None], is_answer: bool) -> bool:
        """Whether to leave the rest; ranks that share an engine leave at the same answer, or one waits for ever."""
        if self._stop_group is None:
            return stop.status is not None
        if not is_answer or sum(each is not None for each in answers) % _AGREE_EVERY:
            return False
        asked = torch.tensor([int(stop.status is not None)])
        dist.all_reduce(asked, dist.ReduceOp.MAX, group=self._stop_group)
        return bool(asked)

    def release(self) -> None:
        """Frees the device's memory for training; `refresh` takes it back."""
        if self._has_copy:
            self._sampler.sleep()
            self._asleep = True

    def prompt_ids(self, request: Request) -> list[int]:
        """The prompt of a request as the engine feeds it."""
        return self._template.render(request).token_ids

    def close(self) -> None:
        if self._ranks is not None:
            self._ranks.close()
        self._sampler.close()


def _raise(failure: Fatal | None) -> None:
    if failure is not None:
        raise failure


def _chosen(wanted: str, world: World) -> str:
    """vLLM on GPUs if it is installed, else transformers, unless an option decides."""
    if wanted == "transformers" or (wanted == "auto" and not world.on_gpu):
        return "transformers"
    from libra_cli.engines import vllm

    missing = vllm.unavailable(LocalModel("", ""))
    if missing is None:
        return "vllm"
    if wanted == "vllm":
        raise Fatal(Exit.USAGE, f"--sampler vllm: {missing}; install it: pip install 'libra-cli[vllm]'")
    return "transformers"


def _check_arguments(sampler: str, args: Mapping[str, Any]) -> None:
    """Raises Fatal(2) for engine arguments that a sampler inside the training processes cannot have."""
    if args and sampler != "vllm":
        raise Fatal(Exit.USAGE, f"--sampler-arg {next(iter(args))}: the sampler is {sampler}, which takes none")
    for name in ("pipeline_parallel_size", "prefill_context_parallel_size", "data_parallel_size"):
        if int(args.get(name) or 1) > 1:
            raise Fatal(Exit.USAGE, f"--sampler-arg {name}: ranks share a sampler by tensor_parallel_size only")


class Stopwatch:
    """Seconds of each phase of a rollout."""

    def __init__(self, seconds: Mapping[str, float] | None = None) -> None:
        """`seconds` of phases that are over."""
        self.seconds = dict(seconds or {})
        self._last = time.perf_counter()

    def lap(self, phase: str) -> None:
        """Counts the time since the last call to `phase`."""
        now = time.perf_counter()
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._last
        self._last = now
