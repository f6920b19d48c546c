"""Renders chat templates within limits: a template that comes with a model may not take all memory or time.

The environment is the one that transformers makes (its filters, globals and extensions), with a budget of characters
and of processor time for each rendering. Whatever can make a value larger than those it is made from is charged before
it does: operators, joining, literals, filters, calls, formatting, each turn of a loop, and what is written.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache, wraps
from typing import Any, cast

from jinja2 import Environment, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

BASE_CHARACTERS, CHARACTERS_EACH = 10_000_000, 100
"""Budget of a rendering: so many characters, and so many more for each that it is given."""
SECONDS = 10.0
"""Of processor time for a rendering; most take a millisecond."""
MAX_BITS = 100_000
"""Of an integer."""
MAX_INDENT = 64
"""Blanks for each level of JSON."""
ADORNING = ("urlize", "xmlattr", "pprint")
"""Filters for web pages and debugging, which no prompt needs and no budget can foresee."""

_clock: datetime | None = None
"""The moment that all templates see; None: now."""
_PRINTF = re.compile(r"%(?:\([^)]*\))?[-+ #0]*(\*|[0-9]*)(?:\.(\*|[0-9]*))?")
_FORMAT_SPEC = re.compile(r":([^{}]*)(\{?)")


class TooMuch(SecurityError):
    """A template exceeds its budget."""


class Budget:
    """What one rendering may still use."""

    def __init__(self, given: int):
        self._left = BASE_CHARACTERS + CHARACTERS_EACH * given
        self._until = time.thread_time() + SECONDS
        self._charges = 0

    def charge(self, characters: int) -> None:
        """Takes characters off; raises TooMuch if there are none left, or no time."""
        self._left -= characters + 1
        self._charges += 1
        if self._left < 0:
            raise TooMuch("it makes too much text")
        if self._charges % 64 == 0 and time.thread_time() > self._until:
            raise TooMuch("it takes too long")

    def charge_value(self, value: Any) -> None:
        """Takes off what a value would have as text."""
        self.charge(_size(value, self._left))


def render(
    tokenizer: Any, template: str, messages: Sequence[Any], tools: Sequence[Any] | None, values: Mapping[str, Any]
) -> str:
    """The text that `template` makes of `messages`, as `apply_chat_template` of transformers does.

    Raises whatever the template does, and TooMuch, a TemplateError, if it exceeds its limits.
    """
    given = {**tokenizer.special_tokens_map, "messages": messages, "tools": tools, "documents": None, **values}
    environment, compiled = _compiled(template)
    with environment.budget_for(_size(given, 1 << 40)):
        text: str = compiled.render(given)
        return text


@contextmanager
def clock_at(moment: str) -> Iterator[None]:
    """Meanwhile templates that write the date (`strftime_now`) take it from `moment`, a local time in ISO 8601."""
    global _clock
    before, _clock = _clock, datetime.fromisoformat(moment)
    try:
        yield
    finally:
        _clock = before


def _strftime_now(form: str) -> str:
    return (_clock or datetime.now()).strftime(form)


@lru_cache(maxsize=64)
def variables_of(template: str) -> frozenset[str]:
    """The variables that a template reads and does not set itself."""
    from jinja2 import meta

    return frozenset(meta.find_undeclared_variables(_compiled(template)[0].parse(template)))


@lru_cache(maxsize=64)
def _compiled(template: str) -> tuple[MeteredEnvironment, Any]:
    from transformers.utils.chat_template_utils import _compile_jinja_template

    environment = MeteredEnvironment(_compile_jinja_template("").environment)
    return environment, environment.from_string(template)


class MeteredEnvironment(ImmutableSandboxedEnvironment):
    """An environment like another one, in which everything that makes values is charged."""

    intercepted_binops = frozenset(("+", "*", "**", "%"))

    def __init__(self, like: Environment):
        extensions = [type(extension) for extension in like.extensions.values()]
        # Without the optimizer nothing is computed while the template is compiled.
        super().__init__(
            trim_blocks=like.trim_blocks, lstrip_blocks=like.lstrip_blocks, extensions=extensions, optimized=False
        )
        self._local = threading.local()
        self.globals.update({name: value for name, value in like.globals.items() if name not in ("range", "lipsum")})
        self.globals.pop("lipsum", None)
        self.globals["strftime_now"] = _strftime_now
        filters = {name: self._metered(name, function) for name, function in like.filters.items()}
        self.filters = {name: function for name, function in filters.items() if name not in ADORNING}
        self.filters |= {"libra_turns": self._turns, "libra_joined": self._joined, "libra_made": self._made}
        self.finalize = self._written

    def budget_for(self, given: int) -> _BudgetOfThread:
        """A context with a new budget for a rendering that is given so many characters."""
        return _BudgetOfThread(self._local, Budget(given))

    @property
    def _budget(self) -> Budget:
        budget: Budget = self._local.budget
        return budget

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        return super()._generate(_Metering().visit(source), *args, **kwargs)

    # -- what templates do --------------------------------------------------------------------------------------------

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """The result of an operator, charged before it is computed."""
        budget: Budget = self._local.budget
        if type(left) is type(right) is str and operator == "+":  # most are
            budget.charge(len(left) + len(right))
            return left + right
        if operator == "+":
            if not isinstance(left, (int, float)):
                budget.charge_value((left, right))
        elif operator == "*":
            for value, times in ((left, right), (right, left)):
                if isinstance(times, int) and not isinstance(value, (int, float)):
                    budget.charge(_size(value, 1 << 40) * max(0, times))
            _check_bits(left, right, lambda one, other: one + other)
        elif operator == "**":
            _check_bits(left, right, lambda one, _: one * abs(right))
        elif isinstance(left, (str, bytes)):
            budget.charge(_printf_size(str(left), right))
        result = super().call_binop(context, operator, left, right)
        budget.charge_value(result)
        return result

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """The result of a call, charged before and after it."""
        budget = __self._budget
        owner = getattr(__obj, "__self__", None)
        if isinstance(__obj, LoopContext):  # a recursive loop goes one level down
            args = (__self._turns(__context, args[0], 0), *args[1:]) if args else args
        elif isinstance(owner, (str, bytes, int)):
            args = __self._charge_arguments(__obj.__name__, owner, args, kwargs)
        elif __obj is _strftime_now and re.search(r"%[^a-zA-Z%]*[0-9]{4}", str(args)):
            raise TooMuch("a date is too wide")
        result = super().call(__context, __obj, *args, **kwargs)
        if not isinstance(result, (Iterator, Macro)):
            budget.charge_value(result)
        return result

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """`str.format`, charged for its widths and for each use of its arguments."""
        formatted = super().wrap_str_format(value)
        if formatted is None:
            return None
        text, budget, inner = value.__self__, self._budget, formatted

        @wraps(inner)
        def charged(*args: Any, **kwargs: Any) -> str:
            for spec, nested in _FORMAT_SPEC.findall(text):
                if nested:
                    raise TooMuch("a width is not a number")
                budget.charge(sum(map(int, re.findall("[0-9]{1,20}", spec))))
            budget.charge(text.count("{") * _size((args, kwargs), 1 << 40))
            return inner(*args, **kwargs)

        return charged

    def _metered(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A filter, charged before and after it works."""
        skipped = 1 if getattr(function, "jinja_pass_arg", None) is not None else 0

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            value, rest = args[skipped : skipped + 1], args[skipped + 1 :]
            if value:
                if name in ("join", "list", "sum", "sort", "unique") and isinstance(value[0], Iterator):
                    value = (list(self._turns(None, value[0], 0)),)
                rest = self._charge_arguments(name, value[0], rest, kwargs)
            if name == "tojson" and kwargs.get("indent") is not None:
                return self._indented_json(value[0], kwargs)
            result = function(*args[:skipped], *value, *rest, **kwargs)
            if not isinstance(result, Iterator):
                self._budget.charge_value(result)
            return result

        return call

    def _charge_arguments(self, name: str, own: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """Charges a method or filter of `own` for what its arguments will make of it; their iterators become lists."""
        budget = self._budget
        args = tuple(list(self._turns(None, one, 0)) if isinstance(one, Iterator) else one for one in args)
        given = [*args, *kwargs.values()]
        if name not in ("default", "d", "int", "float", "round"):
            wide = sum(abs(one) for one in given if isinstance(one, int))
            lines = own.count("\n") + own.count("\t") + 1 if isinstance(own, str) and name != "center" else 1
            budget.charge(wide * (lines if name in ("indent", "expandtabs") else 1))
        if name == "format" and isinstance(own, str):  # the filter; the method is charged where it is looked up
            budget.charge(_printf_size(own, given))
        texts = [one for one in given if isinstance(one, str)]
        if name == "replace" and len(given) >= 2:
            found = own.count(given[0]) if isinstance(given[0], type(own)) and isinstance(own, (str, bytes)) else 0
            budget.charge(found * _size(given[1], 1 << 40))
        elif name in ("indent", "wordwrap") and isinstance(own, str):
            budget.charge((own.count("\n") + 1) * sum(map(len, texts)))
            budget.charge(len(own) * sum(map(len, texts)) if name == "wordwrap" else 0)
        elif name == "translate":
            budget.charge(len(own) * _size(given, 1 << 40))
        elif name == "join":
            items, between = (
                (given[0] if given else (), own) if isinstance(own, (str, bytes)) else (own, "".join(texts))
            )
            budget.charge(len(between) * len(items) if hasattr(items, "__len__") else 0)
        return args

    def _indented_json(self, value: Any, kwargs: dict[str, Any]) -> str:
        if isinstance(kwargs["indent"], int) and kwargs["indent"] > MAX_INDENT:
            raise TooMuch("JSON is indented too far")
        self._budget.charge_value(value)
        parts = []
        for part in json.JSONEncoder(**{"ensure_ascii": False, **kwargs}).iterencode(value):
            self._budget.charge(len(part))
            parts.append(part)
        return "".join(parts)

    @pass_context
    def _turns(self, _context: Context | None, values: Iterable[Any], text: int) -> Iterator[Any]:
        """The values over which a loop runs; each turn can write `text` characters of the template itself."""
        budget = self._budget
        for value in values:
            budget.charge(text)
            yield value

    def _joined(self, values: Sequence[Any]) -> str:
        """The values as one text: the operator `~`."""
        self._budget.charge_value(values)
        return "".join(map(str, values))

    def _made(self, value: Any) -> Any:
        """A list, tuple or dictionary that the template writes out."""
        self._budget.charge_value(value)
        return value

    @pass_context
    def _written(self, _context: Context, value: Any) -> Any:
        budget: Budget = self._local.budget
        if type(value) is str:
            budget.charge(len(value))
        else:
            budget.charge_value(value)
        return value


class _BudgetOfThread:
    """Sets the budget of a thread for the length of a rendering."""

    def __init__(self, local: threading.local, budget: Budget):
        self._local, self._budget = local, budget

    def __enter__(self) -> Budget:
        self._local.budget = self._budget
        return self._budget

    def __exit__(self, *_: object) -> None:
        del self._local.budget


class _Metering(NodeTransformer):
    """Puts the filters of MeteredEnvironment into a template."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        text = sum(len(data.data) for data in node.find_all(nodes.TemplateData))
        node.iter = _filtered(cast("nodes.Expr", node.iter), "libra_turns", [nodes.Const(text)])
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _filtered(nodes.Tuple(node.nodes, "load", lineno=node.lineno), "libra_joined")

    def visit_List(self, node: Any) -> nodes.Node:
        self.generic_visit(node)
        loaded = not (isinstance(node, nodes.Tuple) and node.ctx != "load")
        varied = any(not isinstance(item, nodes.Const) for item in node.items)
        return _filtered(node, "libra_made") if loaded and varied else node

    visit_Tuple = visit_Dict = visit_List


def _filtered(node: nodes.Expr, name: str, args: Sequence[nodes.Expr] = ()) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)


def _size(value: Any, limit: int) -> int:
    """How long a value is as text, about; what is inside it twice counts twice. Ends beyond `limit`."""
    if isinstance(value, (str, bytes)):
        return len(value)
    total, left = 0, [value]
    while left and total <= limit:
        one = left.pop()
        total += 32  # an object of its own
        if isinstance(one, (str, bytes)):
            total += len(one)
        elif isinstance(one, int):
            total += one.bit_length() // 3
        elif isinstance(one, (list, tuple, set, frozenset)):
            left += one
        elif isinstance(one, Mapping):
            left += [*one.keys(), *one.values()]
        elif isinstance(one, Namespace):
            left.append(object.__getattribute__(one, "_Namespace__attrs"))
    return total


def _printf_size(text: str, arguments: Any) -> int:
    """A bound on what `text % arguments` adds to `text`."""
    widths = [width for pair in _PRINTF.findall(text) for width in pair if width]
    if "*" in widths:
        raise TooMuch("a width is not a number")
    return sum(int(width[:20]) for width in widths) + text.count("%") * _size(arguments, 1 << 40)


def _check_bits(left: Any, right: Any, bits_of: Callable[[int, int], int]) -> None:
    if isinstance(left, int) and isinstance(right, int) and bits_of(left.bit_length(), right.bit_length()) > MAX_BITS:
        raise TooMuch("a number is too large")
