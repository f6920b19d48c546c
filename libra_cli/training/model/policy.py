"""Loads or initialises the model to train, and wraps it to return log-probabilities of targets."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from libra_cli import miniature
from libra_cli.engines.damage import damaged_file, refused_settings
from libra_cli.exits import Exit, Fatal
from libra_cli.training.data.micro_batch import MicroBatch
from libra_cli.training.model import attention, lm_head
from libra_cli.training.settings import ModelSettings

DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


class PolicyModel(nn.Module):
    """A causal language model whose forward pass returns log-probabilities of targets instead of logits."""

    def __init__(self, model: Any, packed: bool):
        super().__init__()
        self.model, self.packed = model, packed
        """`packed`: a row holds several documents."""
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._base = [base]  # in a list, so that torch does not register it a second time
        config = base.config.get_text_config()
        self.vocabulary: int = config.vocab_size
        self._temperature = 1.0
        head = base.get_output_embeddings()
        self.chunked_head = type(head) is nn.Linear and hasattr(base, base.base_model_prefix)
        """Log-probabilities are computed chunk by chunk, without the model's own logits."""
        if self.chunked_head:
            lm_head.make_log_prob_head(head, lm_head.LogitShape.of(config))

    def set_temperature(self, temperature: float) -> None:
        """Log-probabilities become those of sampling at this temperature."""
        model = self._base[0]
        self._temperature = temperature
        if self.chunked_head:
            shape = replace(lm_head.LogitShape.of(model.config.get_text_config()), temperature=temperature)
            lm_head.make_log_prob_head(model.get_output_embeddings(), shape)

    def forward(
        self,
        inputs: dict[str, torch.Tensor],
        positions: torch.Tensor,
        targets: torch.Tensor,
        slope_N: torch.Tensor | None = None,
    ) -> Any:
        """Log-probabilities of the targets in nats (float32 [N]), differentiable.

        Given slope_N = d loss / d log_probs: the log-probabilities without gradient, and the scalar
        sum(slope_N * log_probs), which has the gradient of the loss (see `lm_head`).
        """
        model = self._base[0]
        if self.chunked_head:
            hidden = getattr(model, model.base_model_prefix)(**inputs, use_cache=False).last_hidden_state
            return model.get_output_embeddings()(hidden.flatten(0, 1).index_select(0, positions), targets, slope_N)
        logits = model(**inputs, use_cache=False).logits.flatten(0, 1).index_select(0, positions).float()
        logits = logits / self._temperature
        log_probs = -nn.functional.cross_entropy(logits, targets, reduction="none")
        return log_probs if slope_N is None else (log_probs.detach(), (log_probs * slope_N).sum())

    @property
    def embedding_ids(self) -> set[int]:
        """`id` of each weight of the embeddings and the head, which may be one."""
        model = self._base[0]
        parts = (model.get_input_embeddings(), model.get_output_embeddings())
        return {id(parameter) for part in parts for parameter in part.parameters()}

    def document_layout(self, micro_batch: MicroBatch) -> AbstractContextManager[None]:
        """The context of the forward and the backward pass of a micro-batch."""
        return attention.laid_out(micro_batch.layout) if self.packed else nullcontext()


class ScoreModel(nn.Module):
    """A sequence classification model whose forward pass returns the score at each target: a value for the token.

    An objective reads scores where those of a language model read log-probabilities.
    """

    chunked_head = False

    def __init__(self, model: Any, packed: bool):
        super().__init__()
        self.model, self.packed = model, packed
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._base = [base]
        self.vocabulary: int = base.config.get_text_config().vocab_size

    def forward(
        self, inputs: dict[str, torch.Tensor], positions: torch.Tensor, targets: torch.Tensor, slope_N: Any = None
    ) -> Any:
        """As that of PolicyModel, with scores (float32 [N]); `positions` are those before the targets."""
        model = self._base[0]
        hidden = getattr(model, model.base_model_prefix)(**inputs, use_cache=False).last_hidden_state
        scores = model.score(hidden.flatten(0, 1).index_select(0, positions + 1)).squeeze(-1).float()
        return scores if slope_N is None else (scores.detach(), (scores * slope_N).sum())

    @property
    def embedding_ids(self) -> set[int]:
        """`id` of each weight of the embeddings and the head."""
        model = self._base[0]
        return {
            id(parameter) for part in (model.get_input_embeddings(), model.score) for parameter in part.parameters()
        }

    def document_layout(self, micro_batch: MicroBatch) -> AbstractContextManager[None]:
        """The context of the forward and the backward pass of a micro-batch."""
        return attention.laid_out(micro_batch.layout) if self.packed else nullcontext()


@dataclass(frozen=True)
class ModelKind:
    """What a training run makes of a folder of weights."""

    auto: str
    """The class of transformers that loads it."""
    wrap: type[PolicyModel] | type[ScoreModel]
    scores: bool = False
    """A head with one output takes the place of the one over the vocabulary."""


LANGUAGE_MODEL = ModelKind("AutoModelForCausalLM", PolicyModel)
REWARD_MODEL = ModelKind("AutoModelForSequenceClassification", ScoreModel, scores=True)


def pad_id_of(tokenizer: Any) -> int | None:
    """The padding token of a reward model with this tokenizer: EOS if there is no other, None without either."""
    padding: int | None = tokenizer.pad_token_id
    return tokenizer.eos_token_id if padding is None else padding


def quiet_libraries() -> None:
    """Silence the libraries' progress bars, advice, and retries of a hub: stderr belongs to the run."""
    import warnings

    from libra_cli.engines.chat_template import silence_libraries

    silence_libraries()
    warnings.filterwarnings("ignore", category=FutureWarning)  # from DeepSpeed's calls of torch


def dtype_of(name: str) -> torch.dtype:
    """`auto` is bf16 on a GPU and fp32 on a CPU."""
    if name == "auto":
        return torch.bfloat16 if torch.cuda.is_available() else torch.float32
    return DTYPES[name]


def path_of(name: str) -> str:
    """Path of an embedded model; a directory or hub name stays as it is."""
    return str(miniature.resolve(name) or name)


def load_tokenizer(settings: ModelSettings) -> Any:
    """The model's tokenizer, or the one given instead. Raises Fatal(2) if it cannot be loaded."""
    from transformers import AutoTokenizer

    name = path_of(settings.tokenizer or settings.model)
    try:
        return AutoTokenizer.from_pretrained(
            name, revision=settings.revision, trust_remote_code=settings.trust_remote_code
        )
    except Exception as error:  # noqa: BLE001 -- a damaged file raises any exception
        raise _load_failed(name, "tokenizer", error, "name another one with --tokenizer") from None


def load_config(settings: ModelSettings) -> Any:
    """The configuration of the model. Raises Fatal(2) if it cannot be loaded."""
    from transformers import AutoConfig

    name = path_of(settings.model)
    try:
        return AutoConfig.from_pretrained(
            name, revision=settings.revision, trust_remote_code=settings.trust_remote_code
        )
    except Exception as error:  # noqa: BLE001 -- a damaged file raises any exception
        raise _load_failed(name, "configuration", error, "--model takes a directory or a hub name") from None


def config_file(settings: ModelSettings) -> dict[str, Any]:
    """The config.json of a model whose configuration has been loaded, in its own names."""
    from transformers import PretrainedConfig

    fields: dict[str, Any] = PretrainedConfig.get_config_dict(path_of(settings.model), revision=settings.revision)[0]
    return fields


def load(
    settings: ModelSettings,
    config: Any,
    attn_implementation: str | None,
    ds_config: Mapping[str, Any] | None = None,
    kind: ModelKind = LANGUAGE_MODEL,
) -> nn.Module:
    """The model, with adapters and activation checkpointing as set, for an engine with DeepSpeed's `ds_config`.

    `attn_implementation`: None for the model's own choice. Raises ValueError if the model does not support it, Fatal(2)
    if the model cannot be loaded at all.
    """
    import transformers

    auto = getattr(transformers, kind.auto)
    if attn_implementation == attention.NAME:
        attention.register()
    if settings.liger:
        _apply_liger(config)
    extra: dict[str, Any] = {"trust_remote_code": settings.trust_remote_code}
    extra |= {"attn_implementation": attn_implementation} if attn_implementation else {}
    name, dtype = path_of(settings.model), dtype_of(settings.dtype)
    hf_config = None
    if (ds_config or {}).get("zero_optimization", {}).get("stage") == 3 and not settings.from_scratch:
        from transformers.integrations import HfDeepSpeedConfig

        # While this object lives, transformers partitions weights as it reads them: no rank holds the whole model.
        hf_config = HfDeepSpeedConfig(dict(ds_config or {}))
    config = copy.deepcopy(config)  # transformers writes the attention implementation into it
    has_head = kind.scores and _has_one_score(name, config) and not settings.from_scratch
    torch.manual_seed(settings.seed)
    try:
        if settings.from_scratch:
            model = auto.from_config(config, **extra)
            model, info = model.to(dtype), {}
        else:
            model, info = auto.from_pretrained(
                name, config=config, dtype=dtype, revision=settings.revision, output_loading_info=True, **extra
            )
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        if attn_implementation and isinstance(error, ValueError):
            raise  # the model may not support this attention implementation
        raise _load_failed(name, "model", error, "weights are not needed with --from-scratch") from None
    del hf_config
    if kind.scores and not has_head:
        _draw_head(name, model, settings.seed)
    _refuse_missing(name, info, {"score.weight"} if kind.scores and not has_head else set())
    model.config.use_cache = False
    if settings.lora_rank is not None:
        model = _with_lora(model, settings, kind.scores)
    if settings.activation_checkpointing:
        if settings.lora_rank is not None:
            model.enable_input_require_grads()
        model.gradient_checkpointing_enable({"use_reentrant": False})
    return model.train()


def _refuse_missing(name: str, info: Mapping[str, Any], drawn: set[str]) -> None:
    """Raises Fatal(2) if the files lack weights besides `drawn`: the library would draw them at random."""
    missing = sorted(set(info.get("missing_keys", ())) - drawn)
    if missing:
        listed = ", ".join(missing[:3]) + (f" and {len(missing) - 3:,} more" if len(missing) > 3 else "")
        cure = "name a folder that has all, or --from-scratch draws all at random"
        raise Fatal(Exit.USAGE, f"{name}: the model has no weights for {listed}; {cure}")


def _with_lora(model: Any, settings: ModelSettings, scores: bool) -> Any:
    try:
        import peft
    except ImportError:
        raise Fatal(Exit.USAGE, "--lora-rank needs the package peft: pip install 'libra-cli[lora]'") from None
    if model.config.get_text_config().tie_word_embeddings and {"lm_head", "embed_tokens"} & set(settings.lora_target):
        raise Fatal(Exit.USAGE, "--lora-target: this model's head is its embedding, which no adapter can change alone")
    rank = settings.lora_rank or 0
    alpha: Any = settings.lora_alpha or 2 * rank  # peft takes fractions, despite its annotation
    adapted = peft.get_peft_model(
        model,
        peft.LoraConfig(
            r=rank,
            lora_alpha=alpha,
            lora_dropout=settings.lora_dropout,
            task_type=None if scores else "CAUSAL_LM",
            target_modules=list(settings.lora_target) or "all-linear",
            exclude_modules=["score"] if scores else None,
        ),
    )
    if scores:  # a new head is learned as it is
        adapted.get_base_model().score.requires_grad_(True)
    return adapted


def _has_one_score(name: str, config: Any) -> bool:
    """Whether the weights have a head with one output; makes it the configuration's. Raises Fatal(2) for another."""
    is_classifier = any("ForSequenceClassification" in each for each in config.architectures or ())
    if is_classifier and config.num_labels != 1:
        what = f"the model has {config.num_labels} scores, a reward model has one"
        raise Fatal(Exit.USAGE, f"{name}: {what}; begin with the language model that it was made of")
    config.num_labels = 1
    return is_classifier


def _draw_head(name: str, model: Any, seed: int) -> None:
    """Draws the head's weights from the seed, the same on all ranks and with any ZeRO stage."""
    if not hasattr(model, "score") or not hasattr(model, model.base_model_prefix):
        cure = "use one whose class in transformers has a linear head named score (Llama, Qwen, Gemma, Mistral, Phi-3)"
        raise Fatal(Exit.USAGE, f"{name}: the head of this model is of no form known here; {cure}")
    weight = model.score.weight
    shape = getattr(weight, "ds_shape", weight.shape)
    std = getattr(model.config.get_text_config(), "initializer_range", None) or 0.02
    drawn = torch.randn(tuple(shape), generator=torch.Generator().manual_seed(seed)) * std
    whole: AbstractContextManager[Any] = nullcontext()
    if hasattr(weight, "ds_shape"):
        import deepspeed

        whole = deepspeed.zero.GatheredParameters([weight], modifier_rank=0)
    with whole, torch.no_grad():
        if weight.numel():
            weight.copy_(drawn)


def _apply_liger(config: Any) -> None:
    try:
        from liger_kernel.transformers import _apply_liger_kernel
    except ImportError:
        raise Fatal(Exit.USAGE, "--liger needs the package liger-kernel: pip install 'libra-cli[liger]'") from None
    # Liger's losses would be patched into a forward pass that is never called: `lm_head` replaces it.
    _apply_liger_kernel(config.model_type, cross_entropy=False, fused_linear_cross_entropy=False)


def _load_failed(name: str, what: str, error: Exception, cure: str) -> Fatal:
    if found := damaged_file(name):
        return Fatal(Exit.USAGE, f"{name}: the {what} cannot be loaded ({found}); copy the model again")
    if what == "model" and (found := refused_settings(name)):
        return Fatal(Exit.USAGE, found)
    reason = str(error).strip().split("\n")[0]
    if isinstance(error, OSError) and not os.path.exists(name):
        what, cure = f"is no folder, and its {what}", "check the name"
        return Fatal(Exit.USAGE, f"{name}: {what} cannot be loaded from the hub ({reason}); {cure}")
    return Fatal(Exit.USAGE, f"{name}: the {what} cannot be loaded ({reason}); {cure}")
