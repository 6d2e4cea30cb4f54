"""The commands on the card that train a model on the configs for trainers."""

from collections.abc import Collection
from textwrap import dedent

from personamath.folder.trainer_configs import PREFERENCE, RL, SFT

# Small enough for any GPU, and with a chat template.
MODEL = "Qwen/Qwen2.5-0.5B-Instruct"
# TRL cuts what is longer, and its own limits cut off solutions before their answer. Most teachers write at most this.
MAX_TOKENS = 2_048


def train_commands(configs: Collection[str], repo: str) -> str:
    """Return a command of TRL for each config; the later ones start from the model that the first one makes."""
    commands = {
        SFT: f"""\
            trl sft --model_name_or_path {MODEL} \\
              --dataset_name {repo} --dataset_config sft \\
              --max_length {MAX_TOKENS} --output_dir sft-model
            """,
        RL: f"""\
            trl grpo --model_name_or_path sft-model \\
              --dataset_name {repo} --dataset_config rl \\
              --reward_funcs personamath.rewards.correct \\
              --max_completion_length {MAX_TOKENS} --output_dir grpo-model
            """,
        PREFERENCE: f"""\
            trl dpo --model_name_or_path sft-model \\
              --dataset_name {repo} --dataset_config preference \\
              --max_length {MAX_TOKENS} --output_dir dpo-model
            """,
    }
    return "\n".join(dedent(command) for config, command in commands.items() if config.name in configs).strip()
