"""`libra schema`: the JSON Schema of each kind of record."""

from __future__ import annotations

from typing import Any

import click

from libra_cli.choices import SCHEMAS
from libra_cli.cli.command import plain
from libra_cli.cli.nearest import did_you_mean


class SchemaName(click.Choice[str]):
    """The name of a schema, which shells complete; a mistyped one is answered with the nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name; raises UsageError with those that are near, or all."""
        if value not in SCHEMAS:
            hint = did_you_mean(value, SCHEMAS) or f"; there are: {', '.join(SCHEMAS)}"
            raise click.UsageError(f"there is no schema {value}{hint}", ctx)
        return str(value)


@plain("schema", examples=("libra schema", "libra schema judged", "libra schema messages | jq .properties"))
@click.argument("kind", required=False, metavar="[NAME]", type=SchemaName(SCHEMAS))
def command(kind: str | None) -> int:
    """Print the JSON Schema of a kind of record; without a name, list the kinds.

    A schema (JSON Schema, draft 2020-12) gives the name, type and meaning of each field. Rows may have other fields;
    most stages pass unknown fields through.
    """
    import json

    from libra_cli.records.schemas import schema

    if kind is None:
        width = max(map(len, SCHEMAS))
        for name in SCHEMAS:
            click.echo(f"{name:{width}}  {schema(name)['title']}")
        return 0
    click.echo(json.dumps(schema(kind), indent=2, ensure_ascii=False))
    return 0
