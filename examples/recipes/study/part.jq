# The judgments of a part of the benchmark, with the seed in their ids: jq --arg part PART --arg seed SEED -f part.jq
select(if $part == "hard" then .part == "bench" and (.subset | endswith("-hard")) else .part == $part end)
| .id += "-" + $seed
