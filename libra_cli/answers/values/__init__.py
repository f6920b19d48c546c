"""What an answer is: a number, a quantity with its unit, a date, a structure of these."""
