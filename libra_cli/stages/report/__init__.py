"""`libra report`: the curves of training runs, side by side.

`run` reads the events of each run and sums them up; `libra_cli.reports` shows them.
"""
