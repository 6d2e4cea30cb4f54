"""What fine-tuning takes, by arithmetic: memory of each GPU, steps and hours, for each base model and machine.

    python -m benchmarks.training_plan

Nothing here is measured. Memory is that of weights, gradients and AdamW in mixed precision, 16 bytes a parameter,
shared out as the strategy says (one GPU without DeepSpeed: float32 weights, and autocast's copies in bf16, 18 bytes),
plus the activations that gradient checkpointing keeps. Hours assume the utilisation below.
"""

from typing import NamedTuple

GB = 1e9
ROWS, EPOCHS = 70_300, 3  # table 2 and appendix A of the paper
TOKENS_A_ROW = 450  # assumed: prompt, a problem of about 100 tokens, a solution of about 300
UTILISATION = 0.40  # assumed share of the peak, in model FLOPs
WEIGHT, GRADIENT, OPTIMIZER = 2, 2, 12  # bytes a parameter: bf16, bf16, and float32 master weights with Adam's moments
WORKSPACE = 8.0  # GB, assumed: CUDA's context, buffers of communication, fragmentation


class BaseModel(NamedTuple):
    """Sizes from the models' own configs."""

    name: str
    parameters: float
    layers: int
    hidden: int
    intermediate: int
    effective_batch: int
    max_length: int


class Machine(NamedTuple):
    """GPUs of one kind; peaks are dense bf16, from the makers' data sheets."""

    name: str
    gpus: int
    memory: float
    peak: float
    nodes: int = 1


MODELS = (
    BaseModel("LLaMA-2-7B", 6.74e9, 32, 4096, 11008, 16, 4096),
    BaseModel("LLaMA-2-13B", 13.02e9, 40, 5120, 13824, 128, 2048),
    BaseModel("LLaMA-3.1-8B", 8.03e9, 32, 4096, 14336, 16, 4096),
    BaseModel("Qwen2.5-7B", 7.62e9, 28, 3584, 18944, 16, 2048),
)
MACHINES = (
    Machine("1 x H200", 1, 141, 989e12),
    Machine("4 x A800-80G", 4, 80, 312e12),
    Machine("8 x 24 GB (RTX 4090)", 8, 24, 165e12),
    Machine("2 nodes of 8 x A800-80G", 16, 80, 312e12, nodes=2),
)


def state(model: BaseModel, gpus: int, strategy: str) -> float:
    """GB of weights, gradients and optimizer on one GPU."""
    shares = {
        "single_gpu": 18,  # 4 weights, 4 gradients, 8 moments, 2 autocast's copies
        "zero2": WEIGHT + (GRADIENT + OPTIMIZER) / gpus,
        "zero3": (WEIGHT + GRADIENT + OPTIMIZER) / gpus,
        "multi_node": (WEIGHT + GRADIENT + OPTIMIZER) / gpus,
        # Weights pass through one layer at a time.
        "zero3_offload": 2 * WEIGHT / model.layers,
    }
    return shares[strategy] * model.parameters / GB


def activations(model: BaseModel, tokens: int) -> float:
    """GB that checkpointing keeps of `tokens` tokens at once: every layer's input, and one layer in full."""
    one_layer = tokens * (16 * model.hidden + 6 * model.intermediate) * 2
    return (model.layers * tokens * model.hidden * 2 + one_layer) / GB


def choose(model: BaseModel, machine: Machine) -> tuple[str, float]:
    """The first strategy that fits with one example of full length at a time, and its GB."""
    several = ("multi_node",) if machine.nodes > 1 else ("zero2", "zero3", "zero3_offload")
    for strategy in several if machine.gpus > 1 else ("single_gpu", "zero2", "zero3_offload"):
        needed = state(model, machine.gpus, strategy) + activations(model, model.max_length) + WORKSPACE
        if needed <= machine.memory:
            return strategy, needed
    return "does not fit", 0.0


def hours(model: BaseModel, machine: Machine) -> float:
    """Hours of a whole run: 6 FLOPs a parameter and token, the forward pass that checkpointing repeats not counted."""
    flops = 6 * model.parameters * ROWS * EPOCHS * TOKENS_A_ROW
    return flops / (machine.gpus * machine.peak * UTILISATION) / 3600


def main() -> None:
    """Print the table of docs/training.md."""
    print("| base model | machine | accelerate config | GB a GPU | steps | hours |")
    print("|---|---|---|---:|---:|---:|")
    for model in MODELS:
        steps = ROWS // model.effective_batch * EPOCHS
        for machine in MACHINES:
            strategy, needed = choose(model, machine)
            time = "slower: see below" if strategy == "zero3_offload" else f"{hours(model, machine):.1f}"
            print(f"| {model.name} | {machine.name} | `{strategy}` | {needed:.0f} | {steps:,} | {time} |")


if __name__ == "__main__":
    main()
