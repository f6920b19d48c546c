"""`libra score`: figures of judges from their judged rows.

`reading` detects the kind of the rows of each file (`row_kinds`) and gives them to a collector per judge: `pointwise`,
`reasoning` or `benchmark` (rules of `libra_cli.rm_benchmarks`). A collector makes a report (`report`) of sections;
`comparison` compares two judges; `libra_cli.reports` renders the reports.
"""
