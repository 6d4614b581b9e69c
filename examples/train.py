"""The first lines of a training job: load the configuration, print it with its origins, or say what is wrong and stop.

The trainer itself stands here as two lines that print what it would get.
"""

from __future__ import annotations

import sys

from acbo_settings import ConfigurationError, resolve_training_config


def main() -> None:
    """Start the job."""
    try:
        resolved = resolve_training_config()
    except ConfigurationError as error:
        sys.exit(str(error))
    for path, sourced in resolved.values.items():
        if not sourced.is_default:
            key = ".".join(path)
            print(f"{key} = {resolved.explain(key)}")
    config = resolved.config
    print(f"training for {config.total_steps} steps with {config.grpo.to_grpo_config()}")
    print(f"reward weights {dict(config.rewards.get_reward_weights())}")


if __name__ == "__main__":
    main()
