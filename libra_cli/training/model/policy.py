"""The model that is trained: loaded or begun anew, and wrapped so that a forward pass gives losses and no logits."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn

from libra_cli import miniature
from libra_cli.exits import Exit, Fatal
from libra_cli.training.data.micro_batch import Pass
from libra_cli.training.model import attention, lm_head
from libra_cli.training.settings import ModelSettings

DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


class Learner(nn.Module):
    """A causal language model whose forward pass gives the loss on the learned tokens of a `Pass`."""

    def __init__(self, model: Any, packed: bool):
        super().__init__()
        self.model, self.packed = model, packed
        """Whether a row holds several documents."""
        self._inner = [
            model.get_base_model() if hasattr(model, "get_base_model") else model
        ]  # a list hides it from torch
        config = self._inner[0].config.get_text_config()
        self.vocabulary: int = config.vocab_size
        last = self._inner[0].get_output_embeddings()
        self.fused = type(last) is nn.Linear and hasattr(self._inner[0], self._inner[0].base_model_prefix)
        """Whether losses are made chunk by chunk, without the model's logits."""
        if self.fused:
            lm_head.make_loss_head(last, lm_head.LogitShape.of(config))

    def forward(self, inputs: dict[str, torch.Tensor], positions: torch.Tensor, targets: torch.Tensor,
                scale: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
        """The summed loss times `scale`, and the loss of each target in nats (float32 [N], no gradient)."""
        model = self._inner[0]
        if not self.fused:
            logits = model(**inputs, use_cache=False).logits.flatten(0, 1).index_select(0, positions).float()
            losses = nn.functional.cross_entropy(logits, targets, reduction="none")
            return losses.sum() * scale, losses.detach()
        hidden = getattr(model, model.base_model_prefix)(**inputs, use_cache=False).last_hidden_state
        return model.get_output_embeddings()(hidden.flatten(0, 1).index_select(0, positions), targets, scale)

    @property
    def outer(self) -> set[int]:
        """Ids of the weights of the embeddings and the head, which may be one."""
        model = self._inner[0]
        return {
            id(p) for part in (model.get_input_embeddings(), model.get_output_embeddings()) for p in part.parameters()
        }

    def layout(self, given: Pass) -> AbstractContextManager[None]:
        """What has to surround the forward and the backward pass."""
        return attention.laid_out(given.layout) if self.packed else nullcontext()


def quiet_libraries() -> None:
    """No bars and no advice from transformers: stderr belongs to the run."""
    import warnings

    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    warnings.filterwarnings("ignore", category=FutureWarning)  # of DeepSpeed's calls of torch


def dtype_of(name: str) -> torch.dtype:
    """`auto` is bf16 on a GPU and fp32 on a CPU."""
    if name == "auto":
        return torch.bfloat16 if torch.cuda.is_available() else torch.float32
    return DTYPES[name]


def path_of(name: str) -> str:
    """A directory, a name of a hub, or one of the models that come with the package."""
    return str(miniature.resolve(name) or name)


def load_tokenizer(settings: ModelSettings) -> Any:
    """Raises Fatal(2) where there is none."""
    from transformers import AutoTokenizer

    name = path_of(settings.tokenizer or settings.model)
    try:
        return AutoTokenizer.from_pretrained(
            name, revision=settings.revision, trust_remote_code=settings.trust_remote_code
        )
    except (OSError, ValueError) as error:
        raise _cannot(name, "tokenizer", error, "name another one with --tokenizer") from None


def load_config(settings: ModelSettings) -> Any:
    """Raises Fatal(2) where there is none."""
    from transformers import AutoConfig

    name = path_of(settings.model)
    try:
        return AutoConfig.from_pretrained(
            name, revision=settings.revision, trust_remote_code=settings.trust_remote_code
        )
    except (OSError, ValueError) as error:
        raise _cannot(name, "configuration", error, "--model takes a directory or a name of a hub") from None


def load(
    settings: ModelSettings, config: Any, implementation: str | None, plan: Mapping[str, Any] | None = None
) -> nn.Module:
    """The model with `implementation` of attention (None: its own choice), for an engine of DeepSpeed's `plan`.

    Raises ValueError where it has no such implementation, Fatal(2) where it cannot be had at all.
    """
    from transformers import AutoModelForCausalLM

    if implementation == attention.NAME:
        attention.register()
    if settings.liger:
        _apply_liger(config)
    extra = {"attn_implementation": implementation} if implementation else {}
    name, dtype = path_of(settings.model), dtype_of(settings.dtype)
    partitioned = _partition_on_load(plan or {}, settings)  # as long as it is there, weights are read in parts
    config = copy.deepcopy(config)  # the kind of attention is written into it
    torch.manual_seed(settings.seed)
    try:
        if settings.from_scratch:
            model = AutoModelForCausalLM.from_config(config, trust_remote_code=settings.trust_remote_code, **extra)
            model = model.to(dtype)
        else:
            model = AutoModelForCausalLM.from_pretrained(
                name, config=config, dtype=dtype, revision=settings.revision,
                trust_remote_code=settings.trust_remote_code, **extra,
            )  # fmt: skip
    except (OSError, ValueError) as error:
        if implementation and isinstance(error, ValueError):
            raise  # the model may have no choice of attention
        raise _cannot(name, "model", error, "weights are not needed with --from-scratch") from None
    del partitioned
    return _prepared(model, settings)


def _partition_on_load(plan: Mapping[str, Any], settings: ModelSettings) -> Any:
    """Lets transformers read weights straight into the ranks' parts: none ever holds a whole ZeRO-3 model."""
    if plan.get("zero_optimization", {}).get("stage") != 3 or settings.from_scratch:
        return None
    from transformers.integrations import HfDeepSpeedConfig

    return HfDeepSpeedConfig(dict(plan))


def _prepared(model: Any, settings: ModelSettings) -> nn.Module:
    model.config.use_cache = False
    if settings.lora_rank is not None:
        model = _with_lora(model, settings)
    if settings.activation_checkpointing:
        if settings.lora_rank is not None:
            model.enable_input_require_grads()
        model.gradient_checkpointing_enable({"use_reentrant": False})
    return model.train()


def _with_lora(model: Any, settings: ModelSettings) -> Any:
    try:
        import peft
    except ImportError:
        raise Fatal(Exit.USAGE, "--lora-rank needs the package peft: pip install 'libra-cli[lora]'") from None
    if model.config.get_text_config().tie_word_embeddings and {"lm_head", "embed_tokens"} & set(settings.lora_target):
        raise Fatal(Exit.USAGE, "--lora-target: this model's head is its embedding, which no adapter can change alone")
    rank = settings.lora_rank or 0
    scale: Any = settings.lora_alpha or 2 * rank  # peft takes fractions, whatever its annotation says
    return peft.get_peft_model(model, peft.LoraConfig(
        r=rank, lora_alpha=scale, lora_dropout=settings.lora_dropout, task_type="CAUSAL_LM",
        target_modules=list(settings.lora_target) or "all-linear",
    ))  # fmt: skip


def _apply_liger(config: Any) -> None:
    try:
        from liger_kernel.transformers import _apply_liger_kernel
    except ImportError:
        raise Fatal(Exit.USAGE, "--liger needs the package liger-kernel: pip install 'libra-cli[liger]'") from None
    # The loss is our own: theirs would be patched into a forward pass that is not used.
    _apply_liger_kernel(config.model_type, cross_entropy=False, fused_linear_cross_entropy=False)


def _cannot(name: str, what: str, error: Exception, cure: str) -> Fatal:
    reason = str(error).strip().split("\n")[0]
    return Fatal(Exit.USAGE, f"{name}: the {what} cannot be loaded ({reason}); {cure}")
