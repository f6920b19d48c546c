"""The table of kinds of answers on the reference page of `verify`; a test checks each of its examples."""

from __future__ import annotations

from typing import NamedTuple


class Example(NamedTuple):
    """A kind of answer, and a reference with what is accepted, refused and left undecided for it."""

    kind: str
    reference: str
    accepted: str
    refused: str
    undecided: str | None = None
    """None where every answer of the kind is decided."""


EXAMPLES = (
    Example("percent", r"25\%", "The share is 25.", r"\boxed{2.5\%}"),
    Example("percent, without a question", "25", r"\boxed{25.0}", r"\boxed{0.25}", r"\boxed{25\%}"),
    Example("units", r"1.2\text{ kJ}", r"\boxed{1200\text{ J}}", r"\boxed{1.2\text{ J}}", r"\boxed{1.2\text{ blorps}}"),
    Example("prefixes", r"5\text{ mW}", r"\boxed{0.005\text{ W}}", r"\boxed{5\text{ MW}}"),
    Example(
        "units in a sentence",
        r"5\text{ m/s}",
        "The speed is 18 km/h.",
        "The speed is 5 kilometres per hour.",
        "The speed is 5 blorps.",
    ),
    Example("temperature", r"25^\circ\text{C}", r"\boxed{298.15\text{ K}}", r"\boxed{25\text{ K}}"),
    Example("money", r"\$1.20", r"\boxed{120\text{ cents}}", r"\boxed{1.20\text{ euros}}"),
    Example(
        "counted nouns", r"4\text{ apples}", r"\boxed{4}", r"\boxed{5\text{ oranges}}", r"\boxed{4\text{ oranges}}"
    ),
    Example("chemistry", r"\mathrm{H_2O}", r"\boxed{\ce{H2O}}", r"\boxed{\ce{H2O2}}", None),
    Example("ions", r"\text{Fe}^{3+}", r"\boxed{\ce{Fe^3+}}", r"\boxed{\ce{Fe^2+}}"),
    Example("rounding", "22.36", r"\boxed{22.360}", r"\boxed{22.35}", r"\boxed{10\sqrt{5}}"),
    Example("sentences", r"(2, 3)", "Hence P = (2, 3).", "Hence P = (3, 2)."),
    Example("several values", "7", "So x = 7.", "So x = 3 or x = 7.", "There are 7 men and 3 women."),
    Example(
        "options", "B", "So I choose B, because C is too large.", "It is D, not B.", "The answer is B, or possibly A."
    ),
    Example("options with a text", "B. 7 m", r"\boxed{B}", r"\boxed{C}"),
    Example(
        "taken back", "6", r"\boxed{5}. I made a mistake. The answer is 6.", r"\boxed{6}. No, wait: the answer is 5."
    ),
    Example("leftovers", "B", "Answer: B<|im_end|>", "Answer: C<end_of_turn>"),
    Example("terms", "It diverges", "La serie es divergente.", "所以级数收敛。", "级数不收敛。"),
    Example("languages", "42", "答えは42です。", "答えは43です。"),
    Example("numerals", "123", "所以答案是一百二十三。", "所以答案是一百三十二。"),
    Example("decimal comma", "2.5", "Die Antwort ist 2,5.", "Die Antwort ist 3,5.", r"\boxed{2,5}"),
    Example("case and order", "AaBB", r"\boxed{\text{AaBB}}", r"\boxed{\text{AABB}}"),
    Example("products that do not commute", r"P^{-1}AP", r"\boxed{P^{-1} A P}", r"\boxed{A}"),
    Example("permutations", r"(1\,2\,3)", r"\boxed{(2\,3\,1)}", r"\boxed{(1\,3\,2)}"),
    Example("positions", "perpendicular", r"\boxed{AB\perp CD}", r"\boxed{AB\parallel CD}"),
    Example("chemistry in prose", "Mn^{2+}", "It becomes Mn²⁺, the manganese(II) ion.", "It becomes Mn⁺, an ion."),
    Example(
        "names of compounds", "iron(III) oxide", r"\boxed{\ce{Fe2O3}}", r"\boxed{\ce{FeO}}", r"\boxed{\text{rust}}"
    ),
    Example("text that is cut", "6", "So the product is 6.", "So the product is 7.", r"The product is $2\cdot 3 ="),
    Example("families", r"x\equiv 3\pmod 7", r"\boxed{x\equiv 10\pmod 7}", r"\boxed{x\equiv 4\pmod 7}"),
    Example("remainders in words", "x odd", r"So $x\equiv1,3\pmod4$.", r"So $x\equiv1,2\pmod4$."),
    Example("inferences", r"(-\infty,3]", "2x - 1 ≤ 5 ⟹ x ≤ 3", "2x - 1 ≤ 5 ⟹ x < 3"),
    Example(
        "coordinates in words",
        "(4,2)",
        "M has x-coordinate 4 and y-coordinate 2.",
        "M has x-coordinate 2 and y-coordinate 4.",
    ),
    Example("chains of equations", "2 mA", "I = V/R = 10 V / 5 kΩ = 0.002 A", "I = V/R = 10 V / 5 kΩ = 2 μA"),
    Example("arbitrary constants", r"C_1e^x+C_2e^{-x}", r"\boxed{Ae^{-x}+Be^x}", r"\boxed{(A+Bx)e^x}"),
    Example("points with a parameter", "(t, 2t)", r"\boxed{(s, 2s)}", r"\boxed{(s, 3s)}", r"\boxed{(2t, 4t)}"),
    Example(
        "symbols of physics", r"\frac{\hbar\omega}{2}", r"\boxed{\frac{h\omega}{4\pi}}", r"\boxed{\frac{h\omega}{2}}"
    ),
    Example("named values", "mean = 12, median = 11", "Median: 11, mean: 12", "Median: 12, mean: 11"),
    Example(
        "pieces",
        r"1\text{ if }n\text{ is even, }0\text{ if }n\text{ is odd}",
        r"\boxed{\begin{cases}0&n\text{ odd}\\1&n\text{ even}\end{cases}}",
        r"\boxed{\begin{cases}1&n\text{ odd}\\0&n\text{ even}\end{cases}}",
    ),
    Example("names", "Marie Curie", "It was Marie Curie who found it.", r"\boxed{\text{Pierre Curie}}"),
    Example("displays", "42", r"So $$20 + 22 = 42$$ as desired.", r"So $$20 + 22 = 24$$ as desired."),
    Example("inequalities in words", r"[2,\infty)", "So x must be at least 2.", "So x must be greater than 2."),
    Example("dates", "2025-03-14", r"\boxed{\text{March 14, 2025}}", r"\boxed{\text{March 15, 2025}}"),
    Example("counts", "120", r"\boxed{C_{10}^3}", r"\boxed{C_{10}^4}"),
    Example("columns", r"(1,2)^T", r"\boxed{\begin{pmatrix}1\\2\end{pmatrix}}", r"\boxed{(2,1)^T}"),
    Example(
        "comparisons",
        "3",
        "Tom has 8 - 5 = 3 marbles.",
        "Tom has 4 marbles.",
        "Tom has 3 more marbles than Ben.",
    ),
    Example("none left", "0", "She has no apples left.", "She has one apple left.", r"\boxed{\text{none}}"),
    Example("dozens", "18", "That is a dozen and a half.", "That is a dozen.", r"\boxed{\text{a couple of dozen}}"),
    Example("lines", "2, 3", "The roots are:\n- x = 2\n- x = 3", "The roots are:\n- x = 2\n- x = 4"),
    Example("parts of a question", "(a) 3 (b) 5", "(a) 3\n(b) 5", "(a) 5\n(b) 3", r"\boxed{3}"),
    Example("damaged LaTeX", r"\frac{1}{2}", r"\boxed{\\frac{1}{2}}", r"\boxed{\\frac{1}{3}}"),
    Example("calculations", "0.02", "F = qE = (1.0e-6)(2.0e4) = 2.0e-2 N", "F = qE = (1.0e-6)(2.0e4) = 2.0e-3 N", None),
    Example("terms of science", "red blood cells", r"\boxed{\text{erythrocytes}}", r"\boxed{\text{platelets}}"),
    Example("isotopes", "carbon-14", r"\boxed{{}^{14}\mathrm{C}}", r"\boxed{\text{carbon-12}}"),
    Example("intervals that open outwards", r"(-1,2]", r"\boxed{]-1;2]}", r"\boxed{[-1;2]}"),
    Example("points with names", "(3, 2)", "So $(y, x) = (2, 3)$.", "So $(x, y) = (2, 3)$."),
    Example("slips", "7", "It is 8, no, 7.", "It is 7, no, 8."),
    Example("dates of Europe", "7. Oktober 1949", "Es war am 7.10.1949.", "Es war am 8.10.1949."),
    Example("scale words", "$250,000", "It costs 250 thousand dollars.", "It costs 25 thousand dollars."),
    Example(
        "absent numbers",
        "13",
        "We need 13 boxes.",
        "We need 12 boxes, with 6 eggs left over.",
        "We need 12 boxes and one more.",
    ),
)


def _cell(text: str) -> str:
    """A text as code in one line."""
    return f"`{text}`".replace("\n", " \u23ce ")


TABLES = {
    "Kinds of answers": (
        ("kind", "reference", "accepted", "refused", "undecided"),
        *(tuple(_cell(text) if at and text else text or "" for at, text in enumerate(row)) for row in EXAMPLES),
    )
}
"""Title of a section of the page -> its table, whose first row is the head."""
