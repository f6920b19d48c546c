# Pairs of a right and a wrong response to the same problem; every other pair has the right one first.
[group_by(.index)[] | [map(select(.label == 1)), map(select(.label == 0))] | transpose[] | select(all)] | to_entries[]
| .key as $n | .value | {id: "\(.[0].id)-\($n)", index: .[0].index, question: .[0].question, subset: .[0].subset, level: .[0].level}
  + (if $n % 2 == 0 then {response_a: .[0].response, response_b: .[1].response, preference: "A>>B"}
     else {response_a: .[1].response, response_b: .[0].response, preference: "B>>A"} end)
