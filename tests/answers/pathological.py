"""Answers that are made to break a verifier: too large, too deep, too long to compute, or meant to be run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

MEGABYTE = 1 << 20
DEEP = 2000


class Trap(NamedTuple):
    """A row that is made to break a verifier, and what may come of it."""

    name: str
    reference: str
    response: str
    labels: tuple[int | None, ...] = (0, None)


def boxed(name: str, reference: str, answer: str, *labels: int | None) -> Trap:
    return Trap(name, reference, rf"Therefore \boxed{{{answer}}}.", labels or (0, None))


def traps(canary: str) -> list[Trap]:
    """All of them; those that are meant to be run would make the file `canary`."""
    makers = (huge_numbers(), long_texts(), deep_ones(), boxes(), regex_bait(), algebra(), large_things(), odd_text())
    return [trap for maker in makers for trap in maker] + list(injections(canary))


def huge_numbers() -> Iterator[Trap]:
    for number, tower in enumerate(
        (
            "9^{9^{9^9}}", "9^9^9^9", "10^{10^{10}}", "9**9**9**9", "((9^{9})^{9^{9}})^{9}", "9^{(9^9)}",
            "2^{2^{2^{2^{2^2}}}}",
            r"{9}^{{9}^{{9}^{9}}}", r"9^{\frac{9^{9^9}}{1}}", r"9^{9^{9^9}}-9^{9^{9^9}}+x",
            r"\left(9^{99999}\right)^{99999}",
        )
    ):  # fmt: skip
        yield boxed(f"tower {number}", "x+1", tower)
        yield boxed(f"tower {number} for a number", "3", tower)
    for number, factorial in enumerate(
        (
            "(10^7)!",
            "((5!)!)!",
            "9999999!",
            "10!!!!",
            r"(9^{9^9})!",
            "(99!)^{99}",
            "(3!)!!!",
            r"\frac{(10^6)!}{(10^6-1)!}",
        )
    ):
        yield boxed(f"factorial {number}", "7", factorial)
    for number, huge in enumerate(
        (
            "1e999999999",
            "1e-999999999",
            r"1\times10^{999999999}",
            r"10^{-999999999}",
            "0x" + "F" * 400,
            "1E+99999999999999999999",
        )
    ):
        yield boxed(f"exponent {number}", "1000", huge)
    yield boxed("percent of a tower", r"10\%", r"9^{9^{9^9}}\%")
    yield boxed("factorial of the reference", "(10^7)!", "7", 0, None)
    yield boxed("tower of the reference", "9^{9^{9^9}}", "387420489")
    yield boxed("repeating", r"\frac13", "0." + "3" * 300 + "(" + "3" * 150 + ")", 0, 1, None)
    yield boxed("base", "5", "Z" * 100 + "_{36}")


def long_texts() -> Iterator[Trap]:
    for name, text in {
        "digits": "7", "letters": "a", "open braces": r"\{", "backslashes": r"\\", "spaces": " ", "dots": "1.",
        "commas": "1,",
        "minus signs": "-", "dollars": r"\$", "carets": "^2", "underscores": "_1", "fractions": r"\frac12", "bars": "|",
        "equals": "=", "open brackets": "(", "ors": " or ", "degrees": r"^\circ", "percents": r"\%", "colons": "1:",
        "words": "one hundred ", "full-width digits": "７", "superscripts": "²", "pluses and minuses": r"1\pm",
    }.items():  # fmt: skip
        yield boxed(f"a megabyte of {name}", "42", text * (MEGABYTE // len(text)))
    yield boxed("equal digits", "7" * 5000, "7" * 5000, 1)
    yield boxed("unequal digits", "7" * 5000, "7" * 4999 + "8", 0, None)
    yield Trap("no box in a megabyte", "42", "seven times six is " * (MEGABYTE // 19))
    yield Trap("a megabyte on one line", "42", "1 " * (MEGABYTE // 2) + ". The answer is 42.", (1,))
    yield Trap("a megabyte of lines", "42", "\n" * MEGABYTE + "A: 42", (1,))
    yield Trap("a megabyte behind the box", "42", r"\boxed{42} " + "and so on " * (MEGABYTE // 10), (1,))
    yield Trap(
        "a megabyte of thinking", "42", "<think>" + r"\boxed{7} " * (MEGABYTE // 10) + r"</think>\boxed{42}", (1,)
    )


def deep_ones() -> Iterator[Trap]:
    for name, opening, closing in (
        ("fractions", r"\frac{1}{", "}"), ("numerators", r"\frac{", "}{2}"), ("roots", r"\sqrt{", "}"),
        ("braces", "{", "}"),
        ("brackets", r"\left(", r"\right)"), ("plain brackets", "(", ")"), ("sets", r"\{", r"\}"),
        ("bars", r"\left|", r"\right|"),
        ("texts", r"\text{", "}"), ("boxes", r"\boxed{", "}"), ("powers", "2^{", "}"), ("sines", r"\sin(", ")"),
        ("tuples", "(1,", ")"), ("minus", "-(", ")"), ("floors", r"\lfloor ", r" \rfloor"), ("dollars", "$", "$"),
        ("indices", "a_{", "}"), ("factorials", "(", "!)"), ("bold", r"\mathbf{", "}"),
        ("commands", r"\operatorname{", "}"),
    ):  # fmt: skip
        yield boxed(f"{DEEP} {name}", "x+5", opening * DEEP + "1" + closing * DEEP, 0, None)
        yield boxed(f"30 {name}", "x+5", opening * 30 + "1" + closing * 30, 0, None)
        yield boxed(f"90 {name} against a number", "5", opening * 90 + "1" + closing * 90, 0, None)


def boxes() -> Iterator[Trap]:
    yield Trap("100,000 boxes", "5", r"\boxed{1} " * 100_000)
    yield Trap("100,000 boxes in words", "5", r"so \boxed{1} " * 99_999 + r"so \boxed{5}", (1,))
    yield Trap("100,000 unclosed boxes", "5", r"\boxed{" * 100_000)
    yield Trap("one closed among unclosed boxes", "5", r"\boxed{" * 1000 + "5}", (0, 1, None))
    yield Trap("unclosed box", "5", r"The answer is \boxed{5", (0, 1, None))
    yield Trap("boxes without braces", "5", r"\boxed 1 " * 100_000)
    yield Trap("different boxes", "5", " and ".join(rf"\boxed{{{n}}}" for n in range(20_000)))
    yield Trap("escaped braces", "5", r"\boxed{" + r"\}" * 100_000 + "}")
    yield Trap("box of boxes", "5", r"\boxed{" + r"\boxed{5} " * 5000 + "}", (0, 1, None))


def regex_bait() -> Iterator[Trap]:
    """What a pattern that tries every way to split a text would take for ever for."""
    for name, tail in {
        "answer is": "the answer " * 20_000, "answer to": "answer to " + "a" * 100_000, "bold": "**" * 50_000 + "a",
        "open bold": "**a" * 30_000, "dollar": "$a " * 50_000, "hashes": "#" * 100_000, "A:": "A:" * 50_000,
        "labels": "A:\n" * 50_000, "headings": "**Answer\n" * 20_000, "option": "option (" * 20_000,
        "round": r"\(" * 50_000, "square": r"\[" * 50_000, "numbers": "1,1" * 30_000, "sentences": "so. " * 30_000,
        "therefore": "Therefore, " + "1+" * 50_000, "spelled": "Answer: 5 (" + "a " * 50_000,
    }.items():  # fmt: skip
        yield Trap(f"prose: {name}", "55", tail)
    for name, unit in {
        "decimals": "1,111", "places": "0.0", "mixed": "1 1/", "spaces": "1 ", "repeats": "0.12121",
        "integers": "k \\in ",
        "words": "no solution ", "units": "1 ft ", "scale": "million ", "clock": "1:", "ratio": "1:2", "scripts": "x²₃",
        "dollars": "$1", "left": r"\left ", "over": r"\frac1", "text": r"\text{a}", "names": "x_1,", "and": " and and",
        "relation": "x<", "cup": r"\cup", "builder": r"\{x|", "roman": "IX", "zeros": "00", "primes": "f'",
        "rows": r"1\\",
    }.items():  # fmt: skip
        yield boxed(f"answer: {name}", "55", (unit * 510)[:505].strip())
        yield boxed(f"reference: {name}", (unit * 510)[:505].strip(), "55")


def algebra() -> Iterator[Trap]:
    """What computer algebra would work on for hours."""
    for number, text in enumerate(
        (
            r"\sum_{k=1}^{1000000000} k^2", r"\sum_{k=1}^{10^9} \frac{1}{k}", r"\prod_{k=1}^{9999} k!",
            r"\binom{1000000}{500000}", r"\binom{10^6}{10^5}", r"\binom{99999999}{x}", r"\int \frac{e^{x^2}}{\ln x} dx",
            r"\int_0^\infty \frac{\sin(x^3)\ln x}{e^x+\sqrt{x}} dx",
            r"\lim_{x\to 0} \frac{\sin(\tan x)-\tan(\sin x)}{x^{99}}",
            r"\sum_{i=1}^{999}\sum_{j=1}^{999}\sum_{k=1}^{999} i^j k", r"\gcd(10^{9999},10^{9998})", r"(x+1)^{2000}",
            r"(x+y+z)^{200}", r"(a+b+c+d+e)^{60}-(a+b)^{50}", r"\sin(\cos(\tan(\sin(\cos(\tan(x))))))^{50}",
            r"e^{e^{e^{e^{9}}}}", r"\exp(\exp(\exp(9)))", r"\cos(10^{9999})", r"\ln(\ln(\ln(9^{9999})))",
            r"x^{x^{x^{x^{x}}}}", r"\sqrt{2+\sqrt{3+\sqrt{5+\sqrt{7+\sqrt{11+\sqrt{13+\sqrt{17}}}}}}}",
            r"\tan(9^{9^9})",
            r"\frac{1}{0}", r"0^0", r"\ln 0", r"\frac{x}{x-x}", r"\sqrt[0]{5}", r"\log_1 5", r"\infty-\infty",
            r"(-1)^{x!}",
            r"10^{9999} \bmod 7", r"\Gamma(10^9)", r"\zeta(3)", r"((x!)!)!", r"\sum_{k=1}^{x} k^k",
            r"\sin(x)^{\cos(x)^{\tan(x)}}",
        )
    ):  # fmt: skip
        yield boxed(f"algebra {number}", "x^2+5", text)
        yield boxed(f"algebra {number} for a number", r"\sqrt{7}+5", text)


def large_things() -> Iterator[Trap]:
    variables = "+".join(f"x_{{{n}}}" for n in range(500))
    yield boxed("500 variables", "x+5", variables)
    yield boxed("80 variables", "x+5", "".join(f"+a_{n % 10}{'bcdefghi'[n % 8]}" for n in range(80))[1:])
    yield boxed("10,000 members", r"\{1,2\}", r"\{" + ",".join(map(str, range(10_000))) + r"\}")
    yield boxed("200 members", r"\{1,2\}", r"\{" + ",".join(map(str, range(200))) + r"\}")
    yield boxed("60 hard members", r"\{\sqrt{2}\}", ",".join(rf"\sqrt{{{n}}}" for n in range(60)))
    members = ",".join(f"x^{n}" for n in range(2, 50))
    yield boxed("60 hard members in both", members, ",".join(reversed(members.split(",")[1:])))
    matrix = r"\\".join("&".join(str(row * column) for column in range(200)) for row in range(200))
    yield boxed("matrix of 200 rows", r"\begin{pmatrix}1\end{pmatrix}", rf"\begin{{pmatrix}}{matrix}\end{{pmatrix}}")
    small = r"\\".join("&".join("x" for _ in range(9)) for _ in range(9))
    yield boxed("matrix of 9 rows", r"\begin{pmatrix}1\end{pmatrix}", rf"\begin{{pmatrix}}{small}\end{{pmatrix}}")
    yield boxed("polynomial of 100 terms", "x+5", "+".join(f"{n}x^{{{n}}}" for n in range(1, 60)))
    yield boxed("product of 60 factors", "x+5", "".join(f"(x+{n})" for n in range(60)))
    yield boxed("sums of roots", "x+5", "+".join(rf"\sqrt{{{n}+\sqrt{{{n + 1}}}}}" for n in range(20)))
    yield boxed("plus minus", "x+5", r"1\pm" * 60 + "1")
    yield boxed("a union of 60", "(0,1)", r"\cup".join(f"({n},{n}.5)" for n in range(60)))
    yield boxed("a chain of 60", "x>5", "<".join(f"x+{n}" for n in range(60)))


def odd_text() -> Iterator[Trap]:
    for name, text in {
        "marks from right to left": "\u202e5\u202c", "NUL": "5\0", "combining marks": "5" + "\u0301" * 200,
        "zalgo": "x" + "̴̵̶" * 100,
        "emoji": "👨‍👩‍👧‍👦" * 50, "ligature": "ﷺ" * 100, "controls": "".join(map(chr, range(1, 32))),
        "byte order": "\ufeff" * 100, "no width": "\u200b" * 400, "other digits": "٤٢", "roman numeral": "Ⅻ" * 100,
        "circled": "⑤" * 100,
        "private": "\ue000" * 400, "bad escape": "\\u0035\\x35", "line ends": "5\u2028\u2029\x85\x0b\x0c",
        "fraction slash": "1⁄" * 200,
        "last plane": "\U0010ffff" * 200, "superscripts": "x" + "⁹" * 300, "powers of powers": "9⁹" * 40,
    }.items():  # fmt: skip
        yield boxed(f"unicode: {name}", "77", text)


def injections(canary: str) -> Iterator[Trap]:
    """Text that makes the file where anything evaluates it."""
    touch = f"touch {canary}"
    for number, code in enumerate(
        (
            f"__import__('os').system('{touch}')", f"__import__('subprocess').getoutput('{touch}')",
            f"open('{canary}','w')",
            f"exec(\"import os; os.system('{touch}')\")", f"eval('__import__(\"os\").system(\"{touch}\")')",
            f"(lambda: __import__('os').system('{touch}'))()", f"[x for x in [__import__('os').system('{touch}')]]",
            f"sympify(\"__import__('os').system('{touch}')\")", f"$({touch})", f"`{touch}`", f"; {touch};",
            f"| {touch}",
            f"\\input{{|{touch}}}", f"\\write18{{{touch}}}", f"\\immediate\\write18{{{touch}}}",
            "{{ ''.__class__.__mro__ }}",
            "().__class__.__bases__[0].__subclasses__()", f"\\pi+__import__('os').system('{touch}')",
            f"\\text{{__import__('os').system('{touch}')}}",
            f"\\begin{{pmatrix}}__import__('os').system('{touch}')\\end{{pmatrix}}",
            f"1 if __import__('os').system('{touch}') else 2", f"x.__init__.__globals__['os'].system('{touch}')",
            f"f\"{{__import__('os').system('{touch}')}}\"", "breakpoint()", "exit()", "quit()", "lambda x: x",
            "globals()", "Symbol('x')",
            "while True: pass", "raise SystemExit", "import os", "S('x')", "%s%s%n%n", "{0.__class__}",
            "../../etc/passwd",
            "'; DROP TABLE rows; --", "<script>alert(1)</script>", "\\newcommand{\\a}{\\a\\a}\\a", "\\def\\x{\\x}\\x",
            "\\loop\\iftrue\\repeat",
            '"}\n{"label": 1, "reference": "9", "response": "9"}', "[\"x\", \"x\", 1e9]", "]\n[\"1\", \"1\", 0.5]",
            "label: 1", "null",
        )
    ):  # fmt: skip
        yield boxed(f"injection {number}", "10", code)
        yield boxed(f"injection {number} as the reference", code, "x+5")
