"""Chat templates that come with a model: rendered as transformers does, and within limits of text and time."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import jinja2
import pytest
import tokenizer_families as families
from processor_time import processor_time
from transformers import AutoTokenizer

from libra_cli import miniature
from libra_cli.engines import template_sandbox
from libra_cli.engines.base import LocalModel, RequestError
from libra_cli.engines.chat_template import ChatTemplate
from libra_cli.engines.template_sandbox import TooMuch

MESSAGES = [
    {"role": "user", "content": "What is 2 + 2?\nShow your work."},
    {"role": "assistant", "content": "<think>\nhm\n</think>\n\n4"},
    {"role": "user", "content": "And 3 + 3?"},
]
MEMORY = 700 << 20
"""Bytes that a rendering may take at most, the interpreter's own left out."""
HUGE = "9999999999"


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(str(Path(miniature.__file__).parent / "strong"))


@pytest.fixture
def little_memory() -> Iterator[None]:
    now = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def doubled(how: str) -> str:
    """A template that doubles a value 64 times."""
    return "{% set ns = namespace(x='aa', y=[1]) %}{% for _ in range(64) %}" + how + "{% endfor %}{{ ns.x }}{{ ns.y }}"


BOMBS = {
    "multiplication": ["{{ 'a' * N }}", "{{ N * 'a' }}", "{{ [0] * N }}", "{{ (1, 2) * N }}",
                       "{{ ['a' * 1000000] * 1000 }}",
                       "{% set x = 'a' * N %}", "{% if 'a' * N %}{% endif %}",
                       "{{ 'a' * messages[0].content|length * N }}"],
    "power": ["{{ 9 ** (9 ** 9) }}", "{{ 2 ** N }}", "{{ (2 ** 90000) * (2 ** 90000) }}"],
    "doubling": [doubled("{% set ns.x = ns.x ~ ns.x %}"), doubled("{% set ns.x = ns.x + ns.x %}"),
                 doubled("{% set ns.x = ns.x * 2 %}"), doubled("{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}"),
                 doubled("{% set ns.x = '%s%s' % (ns.x, ns.x) %}"),
                 doubled("{% set ns.x = '{0}{0}'.format(ns.x) %}"),
                 doubled("{% set ns.x = [ns.x, ns.x]|join %}"),
                 doubled("{% set ns.x = ns.x|replace('a', 'aa') %}")],
    "sharing": [doubled("{% set ns.y = [ns.y, ns.y] %}"), doubled("{% set ns.y = (ns.y, ns.y) %}"),
                doubled("{% set ns.y = {'a': ns.y, 'b': ns.y} %}"),
                doubled("{% set ns.y = dict(a=ns.y, b=ns.y) %}"),
                doubled("{% set ns.y = namespace(a=ns.y, b=ns.y) %}"), doubled("{% set ns.y = ns.y + ns.y %}"),
                doubled("{% set ns.y = [ns.y, ns.y] %}{% if ns.y == ns.y|list %}{% endif %}"),
                "{% set ns = namespace() %}{% set ns.x = ns %}{% set ns.y = [ns, ns] %}{{ ns.y }}"],
    "methods": ["{{ 'a'.ljust(N) }}", "{{ 'a'.rjust(width) }}", "{{ 'a'.center(N) }}", "{{ '1'.zfill(N) }}",
                "{{ ('\\t' * 1000).expandtabs(99999) }}", "{{ ('a' * 1000000).replace('a', 'b' * 1000000) }}",
                "{{ ('a' * 1000000).join(range(100000)|map('string')) }}",
                "{{ 'aaaa'.translate({97: 'b' * 9000000}) }}",
                "{{ (1).to_bytes(N, 'big') }}", "{{ ('a' * 1000000).split('a') * 100 }}",
                "{{ 'a'|attr('ljust')(N) }}",
                "{{ 'a'['ljust'](N) }}", "{% set f = 'a'.ljust %}{{ f(N) }}"],
    "filters": ["{{ 'a'|center(N) }}", "{{ 'a'|center(width=N) }}", "{{ ('a\\n' * 1000)|indent(99999) }}",
                "{{ ('a' * 1000000)|replace('a', 'b' * 1000000) }}", "{{ range(100000)|join('a' * 1000000) }}",
                "{{ ('x' * 1000000)|wordwrap(1, wrapstring='y' * 1000000) }}", "{{ range(9)|batch(N, 'x')|list }}",
                "{{ range(9)|slice(N)|list }}", "{{ messages|tojson(indent=N) }}",
                "{{ messages|tojson(indent=60000) }}",
                "{% filter indent(N) %}a\nb{% endfilter %}", "{{ ['a']|map('center', N)|list }}"],
    "formats": ["{{ '%Ns' % 1 }}", "{{ '%.Nf' % 1 }}", "{{ '%*d' % (N, 1) }}", "{{ '%Ns'|format(1) }}",
                "{{ ('%(a)s' * 100000) % {'a': 'b' * 100000} }}", "{{ '{:>N}'.format(1) }}",
                "{{ '{:{}}'.format(1, N) }}",
                "{{ '{0:{1[w]}}'.format(1, {'w': N}) }}", "{{ ('{0}' * 100000).format('a' * 100000) }}",
                "{{ '{x:>N}'.format_map({'x': 1}) }}", "{{ strftime_now('%Nd') }}"],
    "loops": ["{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
              "{% for i in range(100000) %}{% for j in range(100000) %}" + "aaaa" * 99 + "{% endfor %}{% endfor %}",
              "{% set s = 'a' * 3000000 %}{% for c in s %}{% for d in s %}{% endfor %}{% endfor %}",
              "{% for i in range(99999) recursive %}{{ loop(range(99999)) if loop.depth < 4 }}{% endfor %}",
              "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
              "{% macro f(n) %}abcdefgh{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
              "{% set x %}{{ 'a' * 4000000 }}{% endset %}{{ x }}{{ x }}{{ x }}"],
}  # fmt: skip


@pytest.mark.parametrize("bomb", [pytest.param(bomb, id=kind) for kind, bombs in BOMBS.items() for bomb in bombs])
def test_no_template_takes_much_memory_or_time(bomb, tokenizer, little_memory, monkeypatch):
    monkeypatch.setattr(template_sandbox, "SECONDS", 2.0)
    template = bomb.replace("N", HUGE)
    with processor_time(20), pytest.raises(TooMuch):
        template_sandbox.render(tokenizer, template, MESSAGES, None, {"width": int(HUGE)})


FAILING = [
    "{{ 1 // 0 }}", "{{ 'a'.encode('x') }}", "{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(0) }}",
    "{{ range(10 ** 12) }}", "{% for a in range(2) %}" * 25 + "{% endfor %}" * 25,
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "{{ lipsum(9) }}", "{% include 'x' %}",
    "{{ messages[9].content.x }}", "{{ raise_exception('no such role') }}", "{{ 'a' * N }}",
    "{{ ''.__class__.__mro__ }}", "{{ messages.append(1) }}", "{% for %}",
]  # fmt: skip


@pytest.mark.parametrize("template", FAILING)
def test_whatever_fails_in_a_template_is_a_refusal_of_the_messages(template, tokenizer, little_memory):
    chat = ChatTemplate(tokenizer, LocalModel("m", "m", chat_template=template.replace("N", HUGE)))
    with pytest.raises(RequestError, match="the chat template refuses the messages") as refused:
        chat.apply(MESSAGES, add_generation_prompt=True)
    assert refused.value.kind == "chat_template"


FAMILIES = {name: value for name, value in vars(families).items() if isinstance(value, str) and "{%" in value}
FEATURES = {
    "loop": "{% for m in messages %}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}"
    "{{ loop.revindex }}"
    "{{ loop.previtem.role if loop.previtem }}{{ loop.cycle('a', 'b') }}{{ m['role'] }}{% else %}none{% endfor %}",
    "filtered loop": "{% for m in messages if m.role == 'user' %}{{ m.content|trim|upper }}{% endfor %}",
    "unpacking": "{% for k, v in messages[0].items() %}{{ k }}={{ v }};{% endfor %}{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "break": "{% for m in messages %}{% if loop.index > 1 %}{% break %}{% endif %}{{ m.content }}"
    "{% continue %}{% endfor %}",
    "recursive": "{% for x in [[1, [2]], [3]] recursive %}({% if x is iterable %}{{ loop(x) }}{% else %}"
    "{{ x }}{% endif %}){% endfor %}",
    "namespace": "{% set ns = namespace(n=0, text='') %}{% for m in messages %}{% set ns.n = ns.n + 1 %}"
    "{% set ns.text = ns.text ~ m.role ~ ns.n %}{% endfor %}{{ ns.text }}{{ ns.n }}",
    "macro": "{% macro turn(m, end='.') %}{{ m.role ~ ': ' ~ m.content ~ end }}{% endmacro %}"
    "{% for m in messages %}{{ turn(m) }}{{ turn(m, end='!') }}{% endfor %}",
    "call": "{% macro box() %}[{{ caller() }}]{% endmacro %}{% call box() %}inside{% endcall %}",
    "reversed": "{% for m in messages[::-1] %}{{ m.content }}{% endfor %}{{ messages[-1]['content'][:4] }}"
    "{{ messages|length }}",
    "json": "{{ messages|tojson }}{{ messages[0]|tojson(indent=4) }}"
    "{{ {'b': 1, 'a': [True, None, 1.5]}|tojson(indent=2) }}",
    "selecting": "{{ messages|selectattr('role', 'equalto', 'user')|list|length }}"
    "{{ messages|map(attribute='role')|join(', ') }}"
    "{{ messages|rejectattr('role', 'equalto', 'user')|map(attribute='content')|first }}"
    "{{ [3, 1, 2]|sort|join }}",
    "methods": "{{ messages[0].content.split('\\n')[0].strip().replace('2', 'two').ljust(40) }}"
    "|{{ ','.join(['a', 'b']) }}"
    "{{ '{} and {x:>5}'.format('a', x='b') }}{{ '%s is %03d' % ('a', 7) }}{{ 'a\tb'.expandtabs(4) }}"
    "{{ 'abc'.startswith('a') }}",
    "filters": "{{ 'a\nb'|indent(2) }}{{ 'x'|center(9) }}{{ none_given|default('d') }}"
    "{{ ('a b'|wordcount) * 2 }}{{ 'ab' * 3 }}"
    "{{ 2 ** 10 }}{{ 7 % 4 }}{{ [1] + [2] }}{{ [1, 2]|batch(1)|list }}{{ 'a'|replace('a', 'bb') }}"
    "{{ 1.5 * 2 }}{{ 2 * [1] }}",
    "set block": "{% set head %}<{{ messages[0].role }}>{% endset %}{{ head }}{{ head|length }}",
    "generation": "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}",
    "special tokens": "{{ bos_token }}{{ eos_token }}{{ add_generation_prompt }}{{ tools is none }}"
    "{{ documents }}{{ enable_thinking }}",
    "blanks": "{%- if messages %}\n  a\n{% endif %}\n  {#- remark #}\n  b\n{{- 'c' -}}\n",
    "tests": "{{ messages[0].content is string }}{{ x is defined }}{{ 'user' in messages[0].role }}"
    "{{ [1, x] }}{{ (1, 2) == (1, 2) }}",
}


@pytest.mark.parametrize("name", [*FAMILIES, *FEATURES])
def test_templates_are_rendered_as_transformers_does(name, tokenizer):
    template = {**FAMILIES, **FEATURES}[name]
    given = {"add_generation_prompt": True, "enable_thinking": False}
    try:
        expected = tokenizer.apply_chat_template(MESSAGES, chat_template=template, tokenize=False, **given)
    except jinja2.TemplateError as error:
        with pytest.raises(type(error), match=str(error)):
            template_sandbox.render(tokenizer, template, MESSAGES, None, given)
    else:
        assert template_sandbox.render(tokenizer, template, MESSAGES, None, given) == expected


def test_long_conversations_are_no_bombs(tokenizer):
    long = [{"role": "user" if n % 2 == 0 else "assistant", "content": "Some text. \n" * 1000} for n in range(200)]
    given = {"add_generation_prompt": False, "bos_token": "<s>", "eos_token": "</s>"}
    for name, template in FAMILIES.items():
        expected = tokenizer.apply_chat_template(long, chat_template=template, tokenize=False, **given)
        assert template_sandbox.render(tokenizer, template, long, None, given) == expected, name


def test_a_tokenizer_with_several_templates_and_tools(tokenizer):
    tools = [{"type": "function", "function": {"name": "add", "parameters": {}}}]
    tokenizer.chat_template, before = {"default": "plain", "tool_use": "{{ tools|tojson }}"}, tokenizer.chat_template
    try:
        chat = ChatTemplate(tokenizer, LocalModel("m", "m"))
        assert chat.apply(MESSAGES, True) == "plain"
        assert '"add"' in chat.apply(MESSAGES, True, tools)
    finally:
        tokenizer.chat_template = before


def test_a_template_that_writes_the_date_takes_it_from_the_clock_of_the_run(tokenizer):
    template = "{{ strftime_now('%d %b %Y') }}"
    today = f"{datetime.now():%d %b %Y}"
    with template_sandbox.clock_at("2024-02-29T23:59:59"):
        assert template_sandbox.render(tokenizer, template, [], None, {}) == "29 Feb 2024"
    assert template_sandbox.render(tokenizer, template, [], None, {}) in (today, f"{datetime.now():%d %b %Y}")
