"""Rejection sampling (section 3 of the paper): what models generated, kept where it agrees with the golden one."""
