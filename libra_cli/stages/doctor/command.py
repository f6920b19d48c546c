"""`libra doctor`: what is installed here, what works, and what to add."""

from __future__ import annotations

import click

from libra_cli.cli.command import plain
from libra_cli.cli.stage_options import option


@plain("doctor", examples=("libra doctor", "libra doctor --probe", "libra doctor --json | jq .engines"))
@option("--json", is_flag=True, help="Print one JSON object instead of text.")
@option(
    "--probe",
    is_flag=True,
    help="Import every installed package instead of only locating it (vLLM takes a while); list devices. A terminal "
    "shows which package it is at.",
)
def command(json: bool, probe: bool) -> int:
    """Show versions, engines and devices, and what is missing.

    Packages are looked up but not imported unless --probe is given. The verifier is tried on pairs with known verdicts.

    The exit status is 0 if everything that is installed works, as far as it was checked, and 6 if something is broken
    or a package of the base installation is missing. A missing extra is not an error; its line names the extra to
    install.
    """
    from libra_cli.exits import Exit
    from libra_cli.stages.doctor.report import as_json, as_text
    from libra_cli.stages.doctor.run import examine
    from libra_cli.stream.console import Console
    from libra_cli.stream.progress import StageProgress

    now = ["starting"]
    with Console("doctor").showing(lambda: StageProgress("doctor", now[-1])):
        state = examine(probe, now.append)
    click.echo(as_json(state) if json else as_text(state))
    return int(Exit.BACKEND if state["problems"] else Exit.DONE)
