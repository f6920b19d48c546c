"""What weights a vLLM worker computes with, read from its layers and not from what it was sent."""

from __future__ import annotations

from typing import Any

import torch

from libra_cli.engines.weight_digest import HeldWeight, digest, drawn_columns


def held_weights(model: Any, draw: int) -> list[HeldWeight]:
    """The weights of a worker's model, without those that have no counterpart in a checkpoint (quantised, or experts).

    On a CPU a kernel keeps most matrices in a format of its own. These are read through the kernel: the product with a
    unit vector is a column, exactly. `draw` says which columns.
    """
    joined = getattr(model, "packed_modules_mapping", None) or {}
    held = []
    for path, module in model.named_modules():
        parent, _, leaf = path.rpartition(".")
        prefixes = [f"{parent}.{part}" if parent else part for part in joined.get(leaf, [leaf])]
        for kind, parameter in module.named_parameters(recurse=False):
            if not _is_plain(module) or not parameter.is_floating_point():
                continue
            through_kernel = kind == "weight" and hasattr(module, "cpu_linear")
            read: list[tuple[list[int] | None, torch.Tensor | None]] = []
            if not through_kernel or _is_looked_up(module):
                read.append((None, parameter))
            if through_kernel and (not _is_looked_up(module) or module is getattr(model, "lm_head", None)):
                columns = drawn_columns(_width(module), draw)
                read.append((columns, _columns_of(module, parameter.dtype, columns)))
            for columns_read, values in read:
                if values is not None:
                    names = [f"{prefix}.{kind}" for prefix in prefixes]
                    dtype = str(parameter.dtype).removeprefix("torch.")
                    held.append(HeldWeight(names, columns_read, dtype, digest(_own_rows(module, values))))
    return held


def _is_looked_up(module: Any) -> bool:
    """Whether a module takes rows of its weight, as it stands, for token ids."""
    from vllm.model_executor.layers.vocab_parallel_embedding import ParallelLMHead, VocabParallelEmbedding

    return isinstance(module, VocabParallelEmbedding) and not isinstance(module, ParallelLMHead)


def _is_plain(module: Any) -> bool:
    """Whether a module computes with weights as they stand in a checkpoint."""
    method = getattr(module, "quant_method", None)
    return method is None or type(method).__name__ in ("UnquantizedLinearMethod", "UnquantizedEmbeddingMethod")


def _width(module: Any) -> int:
    """Columns of the whole matrix, of which a worker may hold a part."""
    return int(getattr(module, "input_size", None) or module.embedding_dim)


def _columns_of(module: Any, dtype: torch.dtype, columns: list[int]) -> torch.Tensor | None:
    """This worker's rows of some columns, [rows, columns]; None if it has none of these columns."""
    first, stride = columns
    width = int(getattr(module, "input_size_per_partition", None) or module.embedding_dim)
    begin = module.tp_rank * width if width < _width(module) else 0
    own = [column - begin for column in range(first, _width(module), stride) if begin <= column < begin + width]
    if not own:
        return None
    units = torch.zeros(len(own), width, dtype=dtype)
    units[torch.arange(len(own)), own] = 1
    return module.quant_method.apply(module, units, bias=None).t()


def _own_rows(module: Any, values: torch.Tensor) -> torch.Tensor:
    """Rows of a layer that come from a checkpoint, each from one worker."""
    if (indices := getattr(module, "shard_indices", None)) is not None:  # a vocabulary is padded
        return values[: indices.num_org_elements]
    if getattr(module, "num_kv_head_replicas", 1) > 1 and module.tp_rank % module.num_kv_head_replicas:
        return values[: module.num_heads * module.head_size]  # an earlier worker has the same keys and values
    return values
