"""The settings of a training as the `GRPOConfig` of TRL 1.8 or newer takes them: the policy is a language model."""

from __future__ import annotations

from typing import Any

from acbo_settings import GRPOTrainingConfig, TrainingConfig


def to_trl_arguments(config: TrainingConfig) -> dict[str, Any]:
    """The keyword arguments for TRL: `trl.GRPOConfig(**to_trl_arguments(config), output_dir="...")`.

    One completion of one token is one intervention, and one process with one device trains. Whatever else `GRPOConfig`
    takes keeps TRL's default. The trainer needs an `eval_dataset`, and exactly one reward function, which weights, sums
    and scales as the section `rewards` says: TRL can weight, but not scale. `reward_weights` = [1.0] makes it refuse
    more functions than one. With N processes, divide both batch sizes of a device by N; until then TRL refuses. To
    spare memory, divide that of training by N, and set `gradient_accumulation_steps` to N.

    These have no counterpart: `surrogate_update_frequency`, `save_trajectory_data` (`log_completions` keeps only the
    last group before each log line), the sections `rewards` and `exploration` (TRL's `temperature` divides all logits,
    and has no schedule), and of the section evaluation `track_optimization`, `track_structure_learning` and
    `track_intervention_diversity`. Early stopping is a callback and no argument: hand `early_stopping_patience` and
    `early_stopping_threshold` to `transformers.EarlyStoppingCallback` if `early_stopping_enabled`, and add
    `metric_for_best_model`, which it needs.

    TRL acts differently where no argument helps:

    - Its warmup rises with each update, ours with each step. The rates agree in the first update of a step; the last
      one is ahead by (`num_iterations` - 1) / `num_iterations` of what a step adds. For our rates, give the trainer an
      optimizer of your own, with a `LambdaLR` that calls `acbo_settings.learning_rate` for update // `num_iterations`.
    - It evaluates and saves after every `eval_frequency` and `checkpoint_frequency` steps, and after the last one. Ours
      does so as often, but the first time after the first step. TRL's log has no line for the first step.
    - It divides advantages by a deviation over n - 1, plus 1e-4; ours is over n, plus 1e-8.
    - It clips the ratio of each token, and its entropy is the mean over tokens. With one token that is no difference.
    - With `kl_penalty_coeff` above 0 it loads the reference policy from where the model was loaded from, so a model
      that was made in memory has to be saved and loaded first.

    Args:
        config: A validated configuration.

    Returns:
        A new dict with TRL's names as keys. Counts of steps are multiplied by `num_iterations`, since TRL counts
        optimizer updates.

    The mapping was read from the code of TRL 1.16 and transformers 5.24, and counted in trainings with them.

    >>> to_trl_arguments(TrainingConfig())["max_steps"]
    20000
    """
    return _schedule(config) | _update(config.grpo) | _one_group(config.grpo.group_size)


def _schedule(config: TrainingConfig) -> dict[str, Any]:
    """When something happens, in optimizer updates."""
    updates = config.grpo.num_iterations
    return {
        "max_steps": config.total_steps * updates,
        "lr_scheduler_type": "constant_with_warmup",
        "warmup_steps": config.warmup_steps * updates,
        "logging_strategy": "steps",
        "logging_steps": config.log_frequency * updates,
        "eval_strategy": "steps",
        "eval_steps": config.evaluation.eval_frequency * updates,
        "save_strategy": "steps",
        "save_steps": config.evaluation.checkpoint_frequency * updates,
    }


def _update(grpo: GRPOTrainingConfig) -> dict[str, Any]:
    """The loss of one update and its step of the optimizer: AdamW without weight decay is Adam."""
    return {
        "num_iterations": grpo.num_iterations,
        "learning_rate": grpo.learning_rate,
        "weight_decay": 0.0,
        "max_grad_norm": grpo.max_grad_norm,
        "epsilon": grpo.clip_ratio,
        "entropy_coef": grpo.entropy_coeff,
        "beta": grpo.kl_penalty_coeff,
        "use_bias_correction_kl": False,  # since 1.10 TRL multiplies the KL term by the probability ratio
        "scale_rewards": "group" if grpo.scale_rewards else "none",
        "loss_type": "grpo",  # the mean over completions; "dapo", the default, is the mean over tokens
        "reward_weights": [1.0],
    }


def _one_group(size: int) -> dict[str, Any]:
    """Sizes with which one batch of generations is one group, and each update uses all of it."""
    return {
        "num_generations": size,
        "generation_batch_size": size,
        "per_device_train_batch_size": size,
        "per_device_eval_batch_size": size,
        "gradient_accumulation_steps": 1,
    }
