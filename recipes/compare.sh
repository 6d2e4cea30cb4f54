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
# An entry of METHODS is a method, or NAME=METHOD with options of `personamath augment` after it, each with its value
# after "=". NAME=METHOD/CONFIG trains only on that config of the dataset. So the persona ablations are grids, too:
#
#   METHODS="k1-1=persona --k1=1 --k2=3  k1-2=persona --k1=2 --k2=6  k1-5=persona"       # number of personas
#   METHODS="uniform=persona  by-occupation=persona --persona-draw=by-occupation"        # by occupation class
#   METHODS="both-stages=persona  stage1=persona/stage1"                                 # with and without stage 2
#
# With the method program, programs of the teacher and of every model run on this machine, in a sandbox.
# The last steps print which methods cannot be told apart, and write OUT/compared/index.html about the data.
set -euo pipefail

refuse() { echo "compare.sh: $1" >&2; exit "${2:-2}"; }

SHARES=100
TINY= SUFFIX= SCORE=()
for option in "$@"; do
    case $option in
        --scaling) SHARES="100 50 25 12.5" MIX=none ;;
        --tiny) TINY=yes ;;
        --help) sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0"; exit ;;
        *) refuse "no option $option; see --help" ;;
    esac
done
PYTHON=${PYTHON:-python}
[ ! "$TINY" ] || METHODS=${METHODS:-persona direct} OUT=${OUT:-runs/compare-tiny}
METHODS=${METHODS:-persona direct rejection metamath} OUT=${OUT:-runs/compare}

# The entries of METHODS: for each its name, its method, the config to train on, and options of augment.
names=() methods=() configs=() choices=()
for word in $METHODS; do
    case $word in
        --*=*)
            [ ${#names[@]} -gt 0 ] || refuse "METHODS: $word comes before any method"
            choices[${#choices[@]} - 1]+=" $word"
            continue ;;
        -*) refuse "METHODS: write $word with its value: $word=VALUE" ;;
    esac
    method=${word#*=} config=default
    case $method in */*) config=${method#*/} method=${method%%/*} ;; esac
    case $word in *=*) name=${word%%=*} ;; *) name=$method ;; esac
    case $name in "" | .* | *[!A-Za-z0-9._-]*) refuse "METHODS: $word: name it with letters, digits, '.', '_' and '-'" ;; esac
    case " ${names[*]-} " in *" $name "*) refuse "METHODS: two entries are named $name: write NAME=METHOD" ;; esac
    for share in ${SHARES#100}; do
        case $name in *-"$share") refuse "METHODS: $name: --scaling gives names that end in -$share; choose another" ;; esac
    done
    names+=("$name") methods+=("$method") configs+=("$config") choices+=("")
done
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
# Models trained on programs are scored by tasks that run programs, which score the others' chains of thought, too.
case " ${methods[*]} " in
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

# A share of the budget, in percent. Only dollars have fractions: 12.5 % of 100 questions are 12.
share_of_budget() {
    [ "$1" != 100 ] || { echo "$BUDGET"; return; }
    awk -v unit="${BUDGET%%:*}" -v amount="${BUDGET#*:}" -v share="$1" 'BEGIN {
        times["k"] = 1e3; times["m"] = 1e6; times["b"] = 1e9
        suffix = tolower(substr(amount, length(amount))); if (suffix in times) amount *= times[suffix]
        part = amount * share / 100
        if (tolower(unit) == "usd") printf "usd:%.10g", part; else printf "%s:%.0f", unit, int(part + 1e-6) }'
}

# Run `personamath augment` or `plan` with the options of an entry and a share of the budget.
with_entry() {
    local method=${methods[$2]} programs=
    [ "$method" != program ] || programs=--run-programs
    # shellcheck disable=SC2086  # the variables hold several options
    personamath "$1" --method "$method" $PROBLEMS --teacher "$TEACHER" --budget "$(share_of_budget "$3")" \
        ${AUGMENT:-} $programs ${choices[$2]} "${@:4}"
}

# Whether a dataset of a method has a config.
has_config() {
    [ "$2" = default ] || "$PYTHON" -c 'import sys
from personamath.folder.layout import Layout
from personamath.methods import METHODS
sys.exit(sys.argv[2] not in Layout(METHODS[sys.argv[1]].outline).configs)' "$1" "$2"
}

# Models and scores of other settings must not be taken for those of this grid.
settings="$METHODS | $TEACHER | $BUDGET | $PROBLEMS | $SHARES | $MIX | $RECIPE | $STEPS | $TASKS | ${TRAIN:-}"
if [ ! -f "$OUT/settings" ]; then
    # An entry that cannot be made is refused before the first one is paid for.
    for i in "${!names[@]}"; do
        said=$(with_entry plan "$i" 100 2>&1 >/dev/null) || refuse "METHODS: ${names[i]}: $said"
        has_config "${methods[i]}" "${configs[i]}" ||
            refuse "METHODS: ${names[i]}: ${methods[i]} has no config ${configs[i]}"
    done
    printf '%s\n' "$settings" > "$OUT/settings"
    pwd > "$OUT/folder"
fi
if [ "$settings" != "$(cat "$OUT/settings")" ]; then
    refuse "$OUT holds a grid with other settings: $(cat "$OUT/settings"); choose another OUT" 1
fi
cd "$(cat "$OUT/folder")" # relative files are those of the folder in which the grid was begun

# Augment. Every method takes what earlier ones have already asked, and uses its budget as if it had asked itself.

runs=() trained_on=() reuse=()
for i in "${!names[@]}"; do
    for share in $SHARES; do
        run=$OUT/runs/${names[i]}
        [ "$share" = 100 ] || run+=-$share
        with_entry augment "$i" "$share" "${reuse[@]}" --output "$run"
        runs+=("$run") trained_on+=("${configs[i]}") reuse+=(--reuse "$run")
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
for i in "${!runs[@]}"; do
    name=$(basename "${runs[i]}")
    for seed in $SEEDS; do
        model=$OUT/models/$name/$seed to=$OUT/scores/$name/$seed
        # shellcheck disable=SC2086
        personamath train --config "$RECIPE" --dataset_name "$data/$name/dataset" --dataset_revision null \
            --dataset_config "${trained_on[i]}" --max_steps "$STEPS" --seed "$seed" --output_dir "$model" ${TRAIN:-}
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
