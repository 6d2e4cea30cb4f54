#!/usr/bin/env bash
# Compare methods as in table 3 of the paper (arXiv 2410.01504): make data with each, train on it, score the models.
#
#   export OPENAI_API_KEY=...
#   bash recipes/compare.sh              # data at equal budget, equal rows, equal optimizer steps, three training seeds
#   bash recipes/compare.sh --scaling    # figure 4: every method at 12.5, 25, 50 and 100 % of the budget, all its rows
#   bash recipes/compare.sh --tiny       # all of it on the CPU in minutes: simulated teacher, tiny model, no key
#
# If it stops, run it again: every step continues where it stopped, or sees that it is done. Another setting needs
# another OUT. Set these variables to change the grid:
#
#   METHODS  e.g. "persona direct rejection metamath"         TEACHER  the teacher's name at its endpoint
#   BUDGET   of each method: usd:20, tokens:5M, rows:20000    AUGMENT  more options of `personamath augment`
#   MIX      rows, coverage, or none for all rows             RECIPE   of training: a name or a YAML file
#   STEPS    optimizer steps of every training                TRAIN    more options of `personamath train`
#   SEEDS    training seeds, e.g. "42 43 44"                  LM_EVAL  options of lm_eval, e.g. "--model vllm"
#   OUT      where everything is written                      MODEL_ARGS  more of lm_eval's, e.g. ",dtype=float32"
#
# With the method program, programs of the teacher and of every model run on this machine, in a sandbox.
# The last steps print which methods cannot be told apart, and write OUT/compared/index.html about the data.
set -euo pipefail
SHARES=100
TINY= SUFFIX= SCORE=()
for option in "$@"; do
    case $option in
        --scaling) SHARES="100 50 25 12.5" MIX=none ;;
        --tiny) TINY=yes ;;
        --help) sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0"; exit ;;
        *) echo "compare.sh: no option $option; see --help" >&2; exit 2 ;;
    esac
done
PYTHON=${PYTHON:-python}
[ ! "$TINY" ] || METHODS=${METHODS:-persona direct} OUT=${OUT:-runs/compare-tiny}
METHODS=${METHODS:-persona direct rejection metamath} OUT=${OUT:-runs/compare}
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
# Models trained on programs are scored by tasks that run programs, which score the others' chains of thought, too.
case " $METHODS " in
    *" program "*) SUFFIX=_pot SCORE=(--confirm_run_unsafe_code) ;;
esac
if [ "$TINY" ]; then
    BUDGET=${BUDGET:-questions:24} TEACHER=simulated-teacher SEEDS=${SEEDS:-42 43} STEPS=${STEPS:-10} RECIPE=sft-demo
    TASKS=personamath_gsm8k$SUFFIX LM_EVAL="--model hf --device cpu" MODEL_ARGS=,dtype=float32
    ready=$OUT/teacher.url
    rm -f "$ready"
    # Sums to learn from and to be scored on, and a teacher on this machine, which ends with this script.
    "$PYTHON" - "$OUT" <<'TEACHER' &
import asyncio, json, sys
from pathlib import Path
from personamath.files import written_whole
from personamath.sources.problems import ProblemSource
from personamath.teachers.simulated import SimulatedTeacher, application, serve

out = Path(sys.argv[1])
rows = [{"question": f"What is {a} + {b}?", "answer": f"It is {a + b}.\n#### {a + b}"} for a in range(8) for b in range(8)]
for name, part in (("train", rows[::2]), ("test", rows[1:16:2])):
    with written_whole(out / f"{name}.jsonl") as partial:
        partial.write_text("".join(json.dumps(row) + "\n" for row in part))

async def main():
    async with serve(application(SimulatedTeacher([ProblemSource.parse(f"gsm8k:{out}/train.jsonl")]))) as url:
        with written_whole(out / "teacher.url") as partial:
            partial.write_text(url)
        await asyncio.Event().wait()

asyncio.run(main())
TEACHER
    trap 'kill '$!' 2>/dev/null || true' EXIT
    for _ in $(seq 600); do [ -f "$ready" ] && break; sleep 0.1; done
    PROBLEMS="--problems gsm8k:$OUT/train.jsonl"
    AUGMENT="--base-url $(cat "$ready") --max-usd 1000 --price-in 1 --price-out 1 --benchmark $OUT/test.jsonl:question"
    TRAIN="--allow_simulated true --disable_tqdm true --effective_batch_size 8 --per_device_train_batch_size 8"
    SCORE+=(--metadata "{\"files\": {\"gsm8k\": \"$OUT/test.jsonl\"}}" --gen_kwargs max_gen_toks=16 --batch_size 8)
fi
TEACHER=${TEACHER:-gpt-4o-mini-2024-07-18}
BUDGET=${BUDGET:-usd:20}
PROBLEMS=${PROBLEMS:---problems gsm8k@740312add88f781978c0658806c59bc2815b9866 --problems math@21a5633873b6a120296cce3e2df9d5550074f4a3}
MIX=${MIX:-rows}
RECIPE=${RECIPE:-sft-qwen2.5-7b}
STEPS=${STEPS:-3000}
SEEDS=${SEEDS:-42 43 44}
TASKS=${TASKS:-personamath_gsm8k$SUFFIX,personamath_math$SUFFIX}
LM_EVAL=${LM_EVAL:---model vllm}
personamath() { "$PYTHON" -m personamath "$@"; }

# Models and scores of other settings must not be taken for those of this grid.
settings="$METHODS | $TEACHER | $BUDGET | $PROBLEMS | $SHARES | $MIX | $RECIPE | $STEPS | $TASKS | ${TRAIN:-}"
if [ ! -f "$OUT/settings" ]; then
    printf '%s\n' "$settings" > "$OUT/settings"
    pwd > "$OUT/folder"
fi
if [ "$settings" != "$(cat "$OUT/settings")" ]; then
    echo "compare.sh: $OUT holds a grid with other settings: $(cat "$OUT/settings"); choose another OUT" >&2
    exit 1
fi
cd "$(cat "$OUT/folder")" # relative files are those of the folder in which the grid was begun

# Augment. Every method takes what earlier ones have already asked, and uses its budget as if it had asked itself.

runs=() reuse=()
for method in $METHODS; do
    for share in $SHARES; do
        name=$method
        [ "$share" = 100 ] || name=$method-$share
        options=
        [ "$method" != program ] || options=--run-programs
        amount=$(awk -v budget="${BUDGET#*:}" -v share="$share" 'BEGIN {
            unit = budget; sub(/^[0-9.]+/, "", unit); printf "%.10g%s", budget * share / 100, unit }')
        # shellcheck disable=SC2086  # the variables hold several options
        personamath augment --method "$method" $PROBLEMS --teacher "$TEACHER" --budget "${BUDGET%%:*}:$amount" \
            ${AUGMENT:-} $options "${reuse[@]}" --output "$OUT/runs/$name"
        runs+=("$OUT/runs/$name") reuse+=(--reuse "$OUT/runs/$name")
    done
done

# Cut the datasets to equal size, or to matching coverage of the seed problems.
data=$OUT/runs
if [ "$MIX" != none ]; then
    data=$OUT/mixed
    personamath mix "${runs[@]}" --by "$MIX" --output "$data"
fi

# Train and score each dataset with every training seed.
scores=()
for run in "${runs[@]}"; do
    name=$(basename "$run")
    for seed in $SEEDS; do
        model=$OUT/models/$name/$seed to=$OUT/scores/$name/$seed
        # shellcheck disable=SC2086
        personamath train --config "$RECIPE" --dataset_name "$data/$name/dataset" --dataset_revision null \
            --max_steps "$STEPS" --seed "$seed" --output_dir "$model" ${TRAIN:-}
        if [ ! -d "$to" ]; then
            rm -rf "$OUT/partial"
            # shellcheck disable=SC2086
            "$PYTHON" -m personamath.evaluation.tasks.lm_eval_command $LM_EVAL \
                --model_args "pretrained=$model${MODEL_ARGS:-}" --tasks "$TASKS" \
                --output_path "$OUT/partial" --log_samples "${SCORE[@]}"
            mkdir -p "$(dirname "$to")"
            mv "$OUT/partial" "$to"
        fi
    done
    scores+=("$OUT/scores/$name")
done

personamath compare "${runs[@]}" --output "$OUT/compared" > "$OUT/compared.txt"
personamath scores --grid "${scores[@]}" | tee "$OUT/scores.txt"
