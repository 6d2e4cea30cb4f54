#!/usr/bin/env bash
# PersonaMath (arXiv 2410.01504v1) on one page: make and publish the data, then train, score and publish a model.
#
#   export OPENAI_API_KEY=... HF_TOKEN=...
#   OWNER=me bash recipes/reproduce.sh
#
# If it stops, run it again: every step continues where it stopped, or sees that it is done.
set -euo pipefail
OWNER=${OWNER:?set OWNER to your name on the Hub}
NAME=${NAME:-qwen2.5-7b}  # or llama-2-7b, llama-3.1-8b, llama-2-13b with ACCELERATE=zero3
ACCELERATE=${ACCELERATE:-zero2}
VERSION=v1.0.0
MODEL=PersonaMath-$NAME
[ "$NAME" != llama-3.1-8b ] || MODEL=Llama-3.1-8B-PersonaMath  # its licence requires the name to come first

# Section 3: augment. About 148,000 requests; `personamath plan` estimates the cost, and --batch halves it.
personamath augment --config recipes/augment-paper-v1.yaml --output runs/v1

# Publish the dataset: one commit, one tag.
personamath publish runs/v1 --repo-id "$OWNER/PersonaMathQA" --version "$VERSION"

# Section 4: fine-tune on four GPUs of 80 GB. This takes hours; see docs/training.md for how many.
accelerate launch --config_file "accelerate_configs/$ACCELERATE.yaml" recipes/sft.py \
    --config "recipes/sft-$NAME.yaml" --dataset_name "$OWNER/PersonaMathQA" --dataset_revision "$VERSION"

# Evaluate on GSM8K and MATH with greedy decoding, with the training prompt and with the paper's. This takes minutes.
if [ ! -d "runs/scores-$NAME" ]; then
    rm -rf "runs/scores-$NAME.partial"
    lm_eval --model vllm --model_args "pretrained=runs/sft-$NAME" \
        --include_path "$(personamath tasks)" --tasks personamath,personamath_gsm8k_paper,personamath_math_paper \
        --output_path "runs/scores-$NAME.partial" --log_samples
    mv "runs/scores-$NAME.partial" "runs/scores-$NAME"
fi
personamath scores "runs/scores-$NAME"

# Publish the model, with its card.
personamath push "runs/sft-$NAME" --repo-id "$OWNER/$MODEL" --version "$VERSION" --scores "runs/scores-$NAME"
