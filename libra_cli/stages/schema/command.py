"""`libra schema`: the JSON Schema of each kind of record."""

from __future__ import annotations

import click

from libra_cli.cli.command import plain


@plain("schema", examples=("libra schema", "libra schema judged", "libra schema messages | jq .properties"))
@click.argument("kind", required=False, metavar="[NAME]")
def command(kind: str | None) -> int:
    """Print the JSON Schema of a kind of record; without a name, list the kinds.

    A schema (draft 2020-12) names each field with its type and its meaning. Rows may have further fields: every stage
    passes on those that it does not know. Most JSON Schema validators read the schemas as they are.
    """
    import json

    from libra_cli.records.schemas import ORDER, schema

    if kind is None:
        width = max(map(len, ORDER))
        for name in ORDER:
            click.echo(f"{name:{width}}  {schema(name)['title']}")
        return 0
    if kind not in ORDER:
        raise click.UsageError(f"there is no schema {kind}; there are: {', '.join(ORDER)}")
    click.echo(json.dumps(schema(kind), indent=2, ensure_ascii=False))
    return 0
