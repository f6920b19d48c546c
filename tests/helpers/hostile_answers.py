"""Answers that are meant to hang, crash, flood or take over whoever compares them."""

from __future__ import annotations

from pathlib import Path

BOMBS = [
    "9^{9^{9^9}}",
    "9^9^9^9",
    "10^{10^{10}}",
    "(10^7)!",
    "((5!)!)!",
    "(x+1)^{2000}",
    "(x+y+z)^{200}",
    "(" * 200 + "1" + ")" * 200,
    r"\frac{1}{" * 60 + "2" + "}" * 60,
    "7" * 500,
    r"\begin{pmatrix}" + r"1&1\\" * 60 + r"\end{pmatrix}",
    r"\binom{1000000}{500000}",
    r"\sum_{k=1}^{1000000000} k^2",
    r"\prod_{k=1}^{9999} k!",
    r"\int \frac{e^{x^2}}{\ln x} dx",
    r"\sqrt{" * 60 + "2" + "}" * 60,
    r"\sum_{i=1}^{999}\sum_{j=1}^{999}\sum_{k=1}^{999} i^j k",
    r"\gcd(10^{9999},10^{9998})",
    r"e^{e^{e^{e^{9}}}}",
    r"\exp(\exp(\exp(9)))",
    r"\sin(\cos(\tan(\sin(\cos(\tan(x))))))^{50}",
    r"(a+b+c+d+e)^{60}-(a+b)^{50}",
    "9**9**9**9",
    "1e999999999",
    r"\cos(10^{9999})",
    r"((9^{9})^{9^{9}})^{9}",
    r"(99!)^{99}",
    r"\ln(\ln(\ln(9^{9999})))",
]

FLOODS = [
    r"\frac{1}{" * 2000 + "2" + "}" * 2000,
    r"\sqrt{" * 2000 + "2" + "}" * 2000,
    "(" * 5000 + "x" + ")" * 5000,
    "{" * 5000,
    "x^{" * 3000 + "2" + "}" * 3000,
    r"\left(" * 3000,
    "7" * 1_000_000,
    "x+" * 500_000 + "x",
    "1," * 500_000 + "1",
    r"\frac" * 200_000,
    "a" * 1_000_000,
    " " * 1_000_000 + "x",
    "-" * 100_000 + "1",
    r"\pm 1 " * 5000,
    r"1 \pm 2 \pm 3 \pm 4 \pm 5 \pm 6 \pm 7 \pm 8 \pm 9",
    "&" * 100_000,
    "\\\\" * 100_000,
    r"\begin{pmatrix}" * 3000,
    r"\cup ".join(f"({start},{start + 1})" for start in range(4000)),
    "{" + ",".join(map(str, range(20_000))) + "}",
    "=".join("xyz" * 300),
    "x!" * 300,
    "x" + "'" * 3000,
    "!" * 3000,
    r"\text{" * 2000 + "a" + "}" * 2000,
    "0." + "3" * 4000,
    r"0.\overline{" + "142857" * 500 + "}",
    "1" + ",000" * 2000,
    "\u0661" * 3000,
    "\x00" * 3000,
    "\u202e" + "2" * 50,
    "$" * 5000,
]
"""Too long, too deep or too many of something."""

INJECTIONS = [
    "__import__('os').system('touch {}')", "().__class__.__base__.__subclasses__()", "open('{}','w')", "exec('x=1')",
    r"\input{{{}}}", r"\write18{{touch {}}}", "eval('1')", "x.__class__", "lambda: 0", "`touch {}`", "$(touch {})",
]  # fmt: skip


def injections(canary: Path) -> list[str]:
    """Texts that would create `canary` if anybody ran them."""
    return [text.replace("{}", str(canary)).replace("{{", "{").replace("}}", "}") for text in INJECTIONS]
