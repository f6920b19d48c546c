"""`libra doctor`: what is installed here, what works, and what to add."""

from __future__ import annotations

import click

from libra_cli.cli.command import option, plain


@plain("doctor", examples=("libra doctor", "libra doctor --probe", "libra doctor --json | jq .engines"))
@option("--json", is_flag=True, help="Write one JSON object, for bug reports and scripts.")
@option("--probe", is_flag=True,
        help="Import every package that is installed (vLLM takes a while) and ask torch for its devices.")  # fmt: skip
def command(json: bool, probe: bool) -> int:
    """Show versions, engines and devices, and what is missing.

    Packages are looked up, not imported, unless --probe is given. The verifier is tried on pairs with a known verdict.
    The status is 0 where what is installed works, as far as was looked, and 6 where something is broken or where a
    package of the base install is missing. A missing extra is no fault: its line says which one it is.
    """
    from libra_cli.exits import Exit
    from libra_cli.stages.doctor import run

    found = run.examine(probe)
    click.echo(run.as_json(found) if json else run.text(found))
    return int(Exit.BACKEND if found["problems"] else Exit.DONE)
