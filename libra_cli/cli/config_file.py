"""Reads YAML: the file of `--config`, in which each key has its line, and single values of options.

Only what JSON has: no dates, no anchors and aliases (which make a small file a large value), no tags.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from libra_cli.cli.nearest import did_you_mean

CONFIG_FILE = "libra.config_file"
"""Key of `ctx.meta`: the path of the configuration file, if one is given."""
CONFIG_PLACES = "libra.config_places"
"""Key of `ctx.meta`: parameter name -> `--config FILE:LINE`, for those that the configuration file sets."""
MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_SHOWN = 60
"""Characters of a value in a message."""
_CONTENT_FILES = ("deepspeed", "rewards")
"""Keys that name a file of settings, which one may take for a place for the settings themselves."""
_OPTIONAL_START = re.compile(r"\[[^\[\]]*\](?=[^.])")
"""What may be left out before the rest of a metavar."""
_KINDS = {"timestamp": "a date", "binary": "binary data", "set": "a set", "omap": "a map", "pairs": "a map"}


class YamlError(ValueError):
    """A text cannot be read; `line` counts from 1, and is 0 for the whole text."""

    def __init__(self, line: int, reason: str):
        super().__init__(reason)
        self.line, self.reason = line, reason


@dataclass(frozen=True)
class ConfigValue:
    """What a key of the configuration file is set to, and on which line."""

    line: int
    text: Any
    """As the command line would give it: a scalar as it is written, a list of such texts, None for null."""
    value: Any
    """As YAML has it: with numbers and truth values."""


def load_config(ctx: click.Context, _param: click.Parameter, path: str | None) -> str | None:
    """Makes the values in the YAML file at `path` the defaults of this command. Raises UsageError for unknown keys."""
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            loaded = read_config(file.read())
    except OSError as error:
        raise click.UsageError(f"--config {path}: cannot be read ({error.strerror})") from None
    except YamlError as error:
        place = f"{path}:{error.line}" if error.line else path
        raise click.UsageError(f"--config {place}: {error}") from None
    ctx.meta[CONFIG_FILE] = path
    places = ctx.meta.setdefault(CONFIG_PLACES, {})
    settings = {}
    for key, given in loaded.items():
        place = f"--config {path}:{given.line}"
        param = option_of_key(ctx, place, key)
        if param.name in settings:
            raise click.UsageError(f"{place}: {key} is set by another spelling, too; keep one of them")
        places[param.name], settings[str(param.name)] = place, setting_of_key(ctx, param, place, key, given)
    ctx.default_map = {**(ctx.default_map or {}), **settings}
    return path


def option_of_key(ctx: click.Context, place: str, key: str) -> click.Parameter:
    """The option, or the inputs, that `key` sets; raises UsageError if there are none."""
    params = {key_of(param): param for param in ctx.command.params if key_of(param) not in ("config", "print_config")}
    name = key.replace("-", "_")
    if name in params:
        return params[name]
    hint = did_you_mean(key.replace("_", "-"), [known.replace("_", "-") for known in params])
    if "rewards" in params and _is_of_recipe(key):
        hint = ": it belongs in the recipe that rewards names; write rewards: FILE"
    hint = hint or f"; see libra {ctx.info_name} --help-all"
    raise click.UsageError(f"{place}: there is no option {key}{hint}")


def _is_of_recipe(key: str) -> bool:
    """Whether a key, or what stands before its first dot, is one of a reward recipe."""
    from libra_cli.training.rewards.plan import DEFAULTS

    return key.partition(".")[0] in DEFAULTS


def setting_of_key(ctx: click.Context, param: click.Parameter, place: str, key: str, given: ConfigValue) -> Any:
    """What click takes for the value of `key`: text, as on the command line, or lists of it.

    None for null, which means that the option is not given, and so is refused where it always has a value.
    """
    is_structured = getattr(param.type, "structured", False)
    value = given.value if is_structured else given.text
    if value is None:
        default = param.get_default(ctx, call=True)
        if isinstance(default, (bool, int, float, str, tuple)):
            raise click.UsageError(f"{place}: {key} is null; leave the key out for its default ({_shown(default)})")
        return None
    if isinstance(param.type, click.types.BoolParamType) and type(given.value) is not bool:
        raise click.UsageError(f"{place}: {key} takes true or false, not {_shown(given.value)}")
    if param.multiple or param.nargs == -1:
        values = value if isinstance(value, list) else [value]
        nested: list[Any] = [one for one in (value, *values) if isinstance(one, dict)]
        nested += [one for one in values if isinstance(one, list)]
        if nested and not is_structured:
            raise click.UsageError(f"{place}: {_wrong_shape(param, key, nested[0])}")
        return values
    if param.nargs > 1:
        if not isinstance(value, list) or len(value) != param.nargs:
            raise click.UsageError(f"{place}: {key} takes {param.nargs} values: {key}: [A, B]")
    elif isinstance(value, (list, dict)):
        raise click.UsageError(f"{place}: {_wrong_shape(param, key, value)}")
    return value


def _wrong_shape(param: click.Parameter, key: str, value: Any) -> str:
    """What is wrong with a mapping or list as (or in) the value of `key`, with a line that is right."""
    if isinstance(param.type, click.Choice):
        word = str(param.type.choices[0])
    else:
        metavar = str(getattr(param, "metavar", None) or param.type.name.upper())
        required = _OPTIONAL_START.sub("", metavar).lstrip("[")  # N of [SUBSET=]N, FILE of [FILE]...
        word = re.split(r"[|\[\]]", required)[0].strip(".")  # the first of several spellings
    takes_list = param.multiple or param.nargs == -1
    wanted, example = ("a list of values", f"[{word}, {word}]") if takes_list else ("one value", word)
    given = "keys and values" if isinstance(value, dict) else "a list in a list" if takes_list else "a list"
    is_content = key in _CONTENT_FILES and isinstance(value, dict)
    other_file = f", a file that holds these {given}" if is_content else ""
    return f"{key} takes {wanted}, not {given}; write {key}: {example}{other_file}"


def _shown(value: Any) -> str:
    """A value as YAML has it, shortened: true, 7, "text"."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def key_of(param: click.Parameter) -> str:
    """Key of an option or argument in a configuration file: its long name with underscores."""
    longest = max(param.opts, key=len)
    return longest.lstrip("-").replace("-", "_")


def read_config(data: bytes, levels: int = 1) -> dict[str, ConfigValue]:
    """The keys of a configuration file; raises YamlError.

    With more `levels`, the value of a key that is a map is itself a dictionary of ConfigValues, down to that depth.
    """
    if len(data) > MAX_BYTES:
        raise YamlError(0, f"is larger than {MAX_BYTES:,} bytes, and so no configuration file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise YamlError(line, "is not UTF-8; convert the file (iconv -t UTF-8)") from None
    root = _node(text)
    if root is None or (root.id == "scalar" and _kind(root) == "null"):
        return {}
    if root.id != "mapping":
        raise YamlError(_line(root), "write one `option: value` a line")
    return _keys_of(root, levels)


def _keys_of(node: Any, levels: int) -> dict[str, ConfigValue]:
    """The keys of a mapping with their values. Raises YamlError for a list of which an item is empty."""
    for key, value in node.value:
        items = value.value if value.id == "sequence" else ()
        empty = next((at for at, item in enumerate(items, 1) if item.id == "scalar" and _kind(item) == "null"), None)
        if empty is not None:
            cure = "remove its dash or comma, or write a value"
            raise YamlError(_line(items[empty - 1]), f"item {empty} of {key.value} is empty; {cure}")
    return {
        str(key.value): ConfigValue(_line(key), _text(value), _keys_of(value, levels - 1))
        if levels > 1 and value.id == "mapping"
        else ConfigValue(_line(key), _text(value), _value(value))
        for key, value in node.value
    }


def read_setting(text: str) -> ConfigValue:
    """The value in `NAME=text` of a command line, a date as its text; raises YamlError."""
    node = _node(text)
    return ConfigValue(0, None, None) if node is None else ConfigValue(0, _text(node), _value(node, True))


def line_of(data: bytes, place: str) -> int:
    """The line of `place` in a configuration file, such as `rewards[0].name`: of the deepest key that is there.

    0 if not even the first is.
    """
    node, line = _node(data.decode("utf-8-sig")), 0
    for part in place.replace("[", ".").replace("]", "").split("."):
        if node is None or node.id == "scalar":
            break
        if node.id == "mapping":
            found = next(((key, value) for key, value in node.value if key.value == part), None)
        else:
            items = node.value[int(part) : int(part) + 1] if part.isdigit() else ()
            found = next(((item, item) for item in items), None)
        if found is None:
            break
        line, node = _line(found[0]), found[1]
    return line


def read_value(text: str) -> Any:
    """The value of a YAML text of an option, a date as its text; raises YamlError."""
    node = _node(text)
    return None if node is None else _value(node, others_are_text=True)


def _node(text: str) -> Any:
    """The only document in `text`, of a bounded depth, without aliases and without keys given twice."""
    import yaml

    try:
        _check_events(yaml.parse(text, yaml.SafeLoader))
        node = yaml.compose(text, yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlError(line, f"not YAML: the character #x{error.character:04x} is not allowed") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(str(part) for part in (error.context, error.problem) if part)
        hint = _unquoted_reference(text, mark.index) if mark else ""
        begun = error.context_mark.line + 1 if error.context_mark else 0
        cure = next((cure for problem, cure in _NOT_YAML.items() if problem in what and not hint), None)
        reason = " ".join(what.split()) if cure is None else cure.format(begun=begun)
        raise YamlError(mark.line + 1 if mark else 0, f"not YAML: {reason}{hint}") from None
    if node is not None:
        _check_keys(node)
    return node


_NOT_YAML = {
    "expected <block end>, but found '<block mapping start>'": "the line stands farther right or left than those that "
    "it belongs to; let keys of one level begin in one column",
    "could not find expected ':'": "a key without its colon; write `key: value`",
    "but got '<stream end>'": "what opens with a bracket or brace in line {begun} is not closed; close it",
    "expected ',' or ": "between the brackets or braces that open in line {begun} a comma is missing, or a closing "
    "one; or put the value in quotation marks",
    "character '\\t' that cannot start": "a tab stands before the text; indent with spaces",
    "mapping values are not allowed here": "a value holds a colon and a space; put the value in quotation marks",
    "that cannot start any token": "a value begins with a character that YAML keeps for itself; put the value in "
    "quotation marks",
    "while scanning a quoted scalar": "a quotation mark opens in line {begun} and is never closed; close it",
}
"""What the parser says -> what it means, and the cure."""


def _unquoted_reference(text: str, index: int) -> str:
    """What to do if the character at `index`, at which YAML stops, is the brace of `${NAME}` between [ ] or { }."""
    if text[index - 1 : index + 1] != "${":
        return ""
    found = re.match(r"\$\{[^{}\n]*\}", text[index - 1 :])
    return f"; put {found[0] if found else '${'} in quotation marks, as it stands between brackets or braces"


def _check_events(events: Iterator[Any]) -> None:
    """Raises YamlError for an anchor, an alias, or deep nesting, before anything is built from it.

    The parser yields events one by one, in bounded memory.
    """
    import yaml

    depth = 0
    for event in events:
        line = event.start_mark.line + 1
        if getattr(event, "anchor", None) is not None:
            raise YamlError(line, f"{event.anchor} is an anchor or an alias; write the value out where it is used")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise YamlError(line, f"is nested more than {MAX_DEPTH} levels deep")


def _check_keys(node: Any) -> None:
    """Raises YamlError for a collection with a tag, and for a key that is no plain text or that a mapping has twice."""
    if node.id != "scalar" and _kind(node) not in ("seq", "map"):
        raise YamlError(_line(node), f"a value of type {_kind(node)} cannot be read; leave the tag out")
    if node.id == "sequence":
        for item in node.value:
            _check_keys(item)
    elif node.id == "mapping":
        first: dict[str, int] = {}
        for key, value in node.value:
            if key.id != "scalar" or _kind(key) == "merge":
                raise YamlError(_line(key), "a key is a name; write one `option: value` a line")
            if key.value in first:
                raise YamlError(_line(key), f"{key.value} is set on line {first[key.value]}, too; keep one of them")
            first[key.value] = _line(key)
            _check_keys(value)


def _value(node: Any, others_are_text: bool = False) -> Any:
    """The value of a node; what JSON has not, such as a date, is text or a YamlError."""
    if node.id == "sequence":
        return [_value(item, others_are_text) for item in node.value]
    if node.id == "mapping":
        return {key.value: _value(value, others_are_text) for key, value in node.value}
    import yaml

    kind = _kind(node)
    if kind not in ("null", "bool", "int", "float", "str"):
        if others_are_text:
            return node.value
        what = _KINDS.get(kind, f"of type {kind}")
        raise YamlError(_line(node), f"{node.value} is {what} to YAML; put it in quotation marks")
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (ValueError, KeyError):  # an integer of more than 4,300 digits, or a tag that does not fit
        reason = f"a value is too long for its type ({kind}), or not of it; put it in quotation marks"
        raise YamlError(_line(node), reason) from None


def _text(node: Any) -> Any:
    if node.id == "sequence":
        return [_text(item) for item in node.value]
    if node.id == "mapping":
        return {key.value: _text(value) for key, value in node.value}
    return None if _kind(node) == "null" else node.value


def _kind(node: Any) -> str:
    return str(node.tag).removeprefix("tag:yaml.org,2002:")


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1
