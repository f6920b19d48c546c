# Longer problems than the judges learn from, those of level 4, are a subset of their own. Level 5, and equations of level 4, are
# left out: no judge of this size follows them.
select(.level < 4 or (.level == 4 and .subset != "mini-linear")) | .subset += (if .level > 3 then "-hard" else "" end)
