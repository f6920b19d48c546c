"""`libra dpo-pairs`: preference pairs from judged responses, for DPO and its relatives (section 7 of the paper).

`reading` takes the verdicts from rows, `opinions` keeps them as records and merges those of several judges, `pairing`
chooses, `run` writes, and `report` tells the length bias and the expected share of flipped pairs.
"""
