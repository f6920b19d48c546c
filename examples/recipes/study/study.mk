# The stages of the study, and what each one needs. `make` beside this file starts it, in the folder of the study.
# A stage leaves NAME.done when it is complete, and its CPU-seconds in NAME.cpu; each seed has a folder of its own.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.SECONDARY:
.SECONDEXPANSION:

# Sizes. Problems of each kind and level: CELL for judges, QUERIES for policies.
ifeq ($(FORM),full)
CELL := 120
QUERIES := 20
TRIES := 4
TRIES_OTHER := 8
PER_CELL := 40
OTHER := 1000
BASE_STEPS := 100
SFT := 240
ROLLOUTS := 20
DPO := 24
SAMPLES := 4
HELD_OUT := true
endif
ifeq ($(FORM),quick)
CELL := 60
QUERIES := 10
TRIES := 4
TRIES_OTHER := 4
PER_CELL := 24
OTHER := 600
BASE_STEPS := 100
SFT := 120
ROLLOUTS := 10
DPO := 12
SAMPLES := 1
HELD_OUT := true
endif
ifeq ($(FORM),smoke)
CELL := 4
QUERIES := 2
TRIES := 2
TRIES_OTHER := 8
PER_CELL := 4
OTHER := 40
BASE_STEPS := 2
SFT := 3
ROLLOUTS := 1
DPO := 1
SAMPLES := 1
HELD_OUT := index % 10 == 0
endif
# More fine-tuning in place of a rollout with its two steps, and rollouts in place of fine-tuning: as many CPU-seconds.
STEPS_OF_ROLLOUT := 11
LONG = $(shell echo $$(($(SFT) + $(STEPS_OF_ROLLOUT) * $(ROLLOUTS))))
ZERO = $(shell echo $$(($(ROLLOUTS) + $(SFT) / $(STEPS_OF_ROLLOUT))))

# As each seed sees it.
BASE := ../pretrained
TEACHER := libra-mini/strong
FAMILY := --model libra-mini/weak --model libra-mini/medium --model libra-mini/strong
POLICIES := weak other
JUDGES := base direct implicit scalar judge-only sft sft-long sft-rl rl-zero
TUNERS := $(JUDGES) rule
TOKENS := --max-tokens 200

# The first line of a stage: what it is, and its CPU-seconds when it ends.
define begin
@echo "== $(notdir $(CURDIR)): $(basename $@)"
trap 'times > $(basename $@).times; tail -1 $(basename $@).times >> $(basename $@).cpu; rm $(basename $@).times' EXIT
endef
# Longer problems than the judges learn from, those of level 4, are a subset of their own. Level 5, and equations of level 4,
# are left out: no judge of this size follows them.
SPLIT := select(.level < 4 or (.level == 4 and .subset != "mini-linear")) | .subset += (if .level > 3 then "-hard" else "" end)

.PHONY: study seed
study: report.done
	@:

# The judges' base: medium, a little further in its pretraining.
pretrained.done:
	$(begin)
	python $(HERE)/../miniature/corpus.py $$((32 * $(BASE_STEPS))) --seed 5 > pretrained-corpus.jsonl
	libra sft -q --config $(HERE)/../miniature/policy.yaml --schedule linear --save-dtype bf16 --model libra-mini/medium \
		-o pretrained pretrained-corpus.jsonl > pretrained.log
	touch $@

bench.done:
	$(begin)
	libra collect -q --preset libra-mini --where '$(HELD_OUT)' --overwrite -o held-out.jsonl
	libra rollout -q $(FAMILY) $(TOKENS) -n $(TRIES) --seed 7 -o bench-responses.jsonl held-out.jsonl
	libra verify -q bench-responses.jsonl | jq -c '$(SPLIT)' |
		libra balance -q --per-cell $(PER_CELL) | jq -c '.part = "bench"' > bench.jsonl
	touch $@

.PHONY: $(addprefix seed-,$(SEEDS))
$(addprefix seed-,$(SEEDS)): seed-%: bench.done pretrained.done
	@mkdir -p $*
	$(MAKE) --no-print-directory -C $* -f $(HERE)/study.mk HERE=$(HERE) FORM=$(FORM) SEED=$* seed

report.done: | $(addprefix seed-,$(SEEDS))
	$(begin)
	rm -f part-*.jsonl
	for part in bench hard other; do
		for seed in $(SEEDS); do
			cat $(foreach judge,$(JUDGES),$$seed/judged-$(judge).jsonl) | jq -c --arg part $$part --arg seed $$seed \
				'select(if $$part == "hard" then .part == "bench" and (.subset | endswith("-hard")) else .part == $$part end)
				| .id += "-" + $$seed' > $$seed/part-$$part.jsonl
			[[ ! -s $$seed/part-$$part.jsonl ]] || libra score -q --json -o $$seed/$$part.json $$seed/part-$$part.jsonl
			cat $$seed/part-$$part.jsonl >> part-$$part.jsonl
		done
		[[ ! -s part-$$part.jsonl ]] || libra score -q --json -o $$part.json part-$$part.jsonl
	done
	python $(HERE)/report.py points $(SEEDS) > points.jsonl
	libra score correlate --json --x accuracy --y pass@1 --group group -o correlation.json points.jsonl
	python $(HERE)/report.py report $(SEEDS)
	touch $@

# ---- What follows runs in the folder of a seed.
seed: evaluated-weak.done evaluated-other.done
	@:

# The policy of the other family, and its responses to the benchmark's problems.
other.done:
	$(begin)
	python $(HERE)/other.py other-base
	python $(HERE)/other.py --corpus $$((32 * $(OTHER))) --seed $(SEED) > other-corpus.jsonl
	libra sft -q --config $(HERE)/other.yaml --seed $(SEED) --model other-base -o other other-corpus.jsonl > other.log
	touch $@
other-bench.done: other.done
	$(begin)
	libra rollout -q --model other $(TOKENS) -n $(TRIES_OTHER) --seed $(SEED) -o other-responses.jsonl ../held-out.jsonl
	libra verify -q other-responses.jsonl | jq -c '$(SPLIT)' |
		libra balance -q --per-cell $$((2 * $(PER_CELL))) | jq -c '.part = "other"' > other-bench.jsonl
	touch $@

# What judges learn: V2V on training problems, judgments of the teacher that agree with the label, and right answers.
train.done:
	$(begin)
	python $(HERE)/../miniature/world.py world.jsonl --training --seed $$((2000 + $(SEED))) --per-cell $(CELL)
	libra collect -q --where 'level <= 3' --overwrite -o problems.jsonl world.jsonl
	libra rollout -q $(FAMILY) $(TOKENS) -n 1 --seed $(SEED) -o responses.jsonl problems.jsonl
	libra verify -q --overwrite -o labelled.jsonl responses.jsonl
	libra balance -q --seed $(SEED) --overwrite -o train.jsonl labelled.jsonl
	libra dpo-pairs -q --unpaired --by label --overwrite -o labels.jsonl train.jsonl
	jq -c 'del(.response_with_cot)' train.jsonl | cat - problems.jsonl > tasks.jsonl
	touch $@
taught.done: train.done
	$(begin)
	libra judge -q --model $(TEACHER) $(TOKENS) -k 2 --seed $(SEED) -o taught.jsonl train.jsonl
	libra rs-filter -q --per-prompt 1 --even label taught.jsonl > score.jsonl
	libra rs-filter -q --per-prompt 1 labelled.jsonl > reason.jsonl
	libra mix -q --seed $(SEED) --overwrite -o sft.jsonl score.jsonl reason.jsonl
	jq -c 'if .task == "score" then .messages[-1].content |= sub("<think>.*</think>"; "<think></think>"; "m") else . end' \
		sft.jsonl > direct.jsonl
	touch $@

# The judges.
finetune = libra sft -q --config $(HERE)/sft.yaml --seed $(SEED) --model $(BASE)
reinforce = libra grpo -q --config $(HERE)/grpo.yaml --rewards $(HERE)/rewards.yaml --seed $(SEED)
base.done: taught.done
	@touch $@
sft.done: taught.done
	$(begin)
	$(finetune) --max-steps $(SFT) -o sft sft.jsonl > sft.log
	touch $@
sft-long.done: taught.done
	$(begin)
	$(finetune) --max-steps $(LONG) -o sft-long sft.jsonl > sft-long.log
	touch $@
judge-only.done: taught.done
	$(begin)
	$(finetune) --max-steps $(SFT) -o judge-only score.jsonl > judge-only.log
	touch $@
direct.done: taught.done
	$(begin)
	$(finetune) --max-steps $(SFT) -o direct direct.jsonl > direct.log
	touch $@
implicit.done: train.done
	$(begin)
	libra dpo -q --config $(HERE)/implicit.yaml --seed $(SEED) --model $(BASE) --max-steps $(SFT) -o implicit labels.jsonl \
		> implicit.log
	touch $@
scalar.done: train.done
	$(begin)
	jq -c 'del(.response_with_cot)' train.jsonl |
		libra dpo-pairs -q --unpaired --by label --overwrite -o answers.jsonl
	libra train-rm -q --config $(HERE)/scalar.yaml --seed $(SEED) --model $(BASE) --max-steps $(SFT) -o scalar answers.jsonl \
		> scalar.log
	touch $@
sft-rl.done: sft.done
	$(begin)
	$(reinforce) --model sft --max-steps $$((2 * $(ROLLOUTS))) -o sft-rl tasks.jsonl > sft-rl.log
	touch $@
rl-zero.done: train.done
	$(begin)
	$(reinforce) --model $(BASE) --max-steps $$((2 * $(ZERO))) -o rl-zero tasks.jsonl > rl-zero.log
	touch $@

# Each judge on the benchmark, on that of the other family, and on four responses of each policy to each query.
queries.done: other.done
	$(begin)
	python $(HERE)/../miniature/world.py queries-world.jsonl --training --seed $$((3000 + $(SEED))) --per-cell $(QUERIES)
	libra collect -q --overwrite -o queries.jsonl queries-world.jsonl
	libra rollout -q --model libra-mini/weak --model other --model-name weak --model-name other $(TOKENS) -n 4 \
		--temperature 1 --seed $(SEED) -o query-responses.jsonl queries.jsonl
	libra verify -q query-responses.jsonl | jq -c '.part = "queries"' > queries-labelled.jsonl
	touch $@
asked.done: other-bench.done queries.done
	$(begin)
	cat ../bench.jsonl other-bench.jsonl queries-labelled.jsonl > asked.jsonl
	touch $@
as_base := --model $(BASE)
as_direct := --model direct --no-thinking
as_implicit := --model implicit --implicit --reference $(BASE) --beta 0.1 --threshold 0
as_scalar := --model scalar --threshold 0
judged-%.done: asked.done $$*.done
	$(begin)
	libra judge -q $(or $(as_$*),--model $*) --judge-name $* $(if $(filter implicit scalar,$*),,$(TOKENS)) --seed $(SEED) \
		-o judged-$*.jsonl asked.jsonl
	touch $@

# Both policies, tuned with each judge, and with the rule (which knows the reference) beside them, when all have judged. A
# judge without a pair leaves the policy as it is.
start_weak := libra-mini/weak
start_other := other
judged-rule.done: queries.done
	@cp queries-labelled.jsonl judged-rule.jsonl
	touch $@
tuned-%.done: judged-%.done | $(addprefix judged-,$(addsuffix .done,$(TUNERS)))
	$(begin)
	for policy in $(POLICIES); do
		start=$(start_other)
		[[ $$policy != weak ]] || start=$(start_weak)
		jq -c --arg policy $$policy 'select(.part == "queries" and .model == $$policy)' judged-$*.jsonl |
			libra dpo-pairs -q $(if $(filter rule,$*),--by label) --seed $(SEED) --overwrite -o pairs-$$policy-$*.jsonl \
			--report pairs-$$policy-$*.json
		if [[ -s pairs-$$policy-$*.jsonl ]]; then
			libra dpo -q --config $(HERE)/dpo-$$policy.yaml --seed $(SEED) --model $$start --max-steps $(DPO) -o tuned-$$policy-$* \
				pairs-$$policy-$*.jsonl > tuned-$$policy-$*.log
		fi
	done
	touch $@
evaluated-%.done: $(addprefix tuned-,$(addsuffix .done,$(TUNERS)))
	$(begin)
	asked=(--model $(start_$*) --model-name start)
	for judge in $(TUNERS); do
		[[ -e tuned-$*-$$judge/config.json ]] || continue
		asked+=(--model tuned-$*-$$judge --model-name $$judge)
	done
	libra rollout -q "$${asked[@]}" $(TOKENS) -n $(SAMPLES) --seed $(SEED) -o evaluated-$*-responses.jsonl ../held-out.jsonl
	libra verify -q --overwrite -o evaluated-$*.jsonl evaluated-$*-responses.jsonl
	touch $@
