"""How answers are written: LaTeX, keyboards, plain numbers, formulas, English words."""
