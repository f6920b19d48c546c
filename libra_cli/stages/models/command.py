"""`libra models`: options and help."""

from __future__ import annotations

from typing import Any

from libra_cli.cli.command import plain
from libra_cli.cli.server_options import access_options
from libra_cli.cli.stage_options import option

EXAMPLES = (
    "libra models",
    "libra models --base-url http://localhost:8000/v1",
    """libra models | jq -r 'select(.model == "libra-mini/strong").serve' | sh   # serves it""",
)


@plain("models", examples=EXAMPLES)
@option(
    "--base-url",
    multiple=True,
    metavar="URL",
    help="List the models of this server, too; its address up to and including /v1. Repeatable.",
)
@option("--json", is_flag=True, help="Write a JSON object for each model, on a terminal, too.")
@access_options
def command(**options: Any) -> int:
    """List the embedded models and those of servers: path, size, and the command that serves them.

    A terminal gets tables; a pipe or file gets a JSON object for each model. `serve` is the command that serves an
    embedded model with vLLM, on GPUs or with the build for CPUs, at http://localhost:8000/v1. Any other model folder is
    served the same way; the options after --served-model-name are for tiny models.

    A server says what it likes of its models: vLLM gives their path there, and how many tokens a prompt and its
    response may have. If a server does not answer, the others are listed, and the status is 6.
    """
    from libra_cli.stages.models.run import list_all

    return list_all(options)
