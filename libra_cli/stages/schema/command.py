"""`libra schema`: the JSON Schema of each kind of record."""

from __future__ import annotations

import click

from libra_cli.cli.command import plain
from libra_cli.cli.nearest import did_you_mean


@plain("schema", examples=("libra schema", "libra schema judged", "libra schema messages | jq .properties"))
@click.argument("kind", required=False, metavar="[NAME]")
def command(kind: str | None) -> int:
    """Print the JSON Schema of a kind of record; without a name, list the kinds.

    A schema (JSON Schema, draft 2020-12) gives the name, type and meaning of each field. Rows may have other fields;
    most stages pass unknown fields through.
    """
    import json

    from libra_cli.records.schemas import ORDER, schema

    if kind is None:
        width = max(map(len, ORDER))
        for name in ORDER:
            click.echo(f"{name:{width}}  {schema(name)['title']}")
        return 0
    if kind not in ORDER:
        hint = did_you_mean(kind, ORDER) or f"; there are: {', '.join(ORDER)}"
        raise click.UsageError(f"there is no schema {kind}{hint}")
    click.echo(json.dumps(schema(kind), indent=2, ensure_ascii=False))
    return 0
