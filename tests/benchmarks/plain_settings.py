"""The program that `start.py` compares with: the same 36 settings with pydantic-settings alone, plainly used."""

from typing import Literal

from pydantic import BaseModel, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource


class GRPO(BaseModel):
    """The table `grpo`."""

    group_size: int = Field(default=64, ge=8, le=256)
    num_iterations: int = Field(default=4, ge=1, le=10)
    learning_rate: float = Field(default=3e-4, gt=0, le=0.01)
    max_grad_norm: float = Field(default=1.0, gt=0, le=10)
    clip_ratio: float = Field(default=0.2, gt=0, le=1)
    entropy_coeff: float = Field(default=0.01, ge=0)
    kl_penalty_coeff: float = Field(default=0.0, ge=0)
    scale_rewards: bool = True


class Rewards(BaseModel):
    """The table `rewards`."""

    optimization_weight: float = Field(default=1.0, ge=0)
    structure_weight: float = Field(default=0.5, ge=0)
    parent_weight: float = Field(default=0.3, ge=0)
    exploration_weight: float = Field(default=0.1, ge=0)
    reward_scaling: Literal["tanh", "clip", "none"] = "tanh"
    reward_clip_value: float = Field(default=10.0, gt=0)


class Exploration(BaseModel):
    """The table `exploration`."""

    strategy_type: Literal["uncertainty_guided", "adaptive"] = "adaptive"
    uncertainty_weight: float = Field(default=1.0, ge=0)
    count_weight: float = Field(default=0.1, ge=0)
    variable_uncertainty_weight: float = Field(default=0.5, ge=0)
    temperature: float = Field(default=1.0, gt=0)
    initial_temperature: float = Field(default=2.0, gt=0)
    final_temperature: float = Field(default=0.1, gt=0)
    adaptation_steps: int = Field(default=1000, ge=1)
    stagnation_threshold: int = Field(default=100, ge=1)


class Evaluation(BaseModel):
    """The table `evaluation`."""

    eval_frequency: int = Field(default=100, ge=1)
    checkpoint_frequency: int = Field(default=500, ge=1)
    track_optimization: bool = True
    track_structure_learning: bool = True
    track_intervention_diversity: bool = True
    early_stopping_enabled: bool = False
    early_stopping_patience: int = Field(default=200, ge=1)
    early_stopping_threshold: float = Field(default=1e-4, gt=0)


class Settings(BaseSettings):
    """All settings: defaults < `acbo.toml` < environment variables."""

    model_config = SettingsConfigDict(env_prefix="ACBO_", env_nested_delimiter="__", toml_file="acbo.toml")

    total_steps: int = Field(default=5000, ge=1)
    warmup_steps: int = Field(default=100, ge=0)
    surrogate_update_frequency: int = Field(default=50, ge=1)
    log_frequency: int = Field(default=10, ge=1)
    save_trajectory_data: bool = True
    grpo: GRPO = GRPO()
    rewards: Rewards = Rewards()
    exploration: Exploration = Exploration()
    evaluation: Evaluation = Evaluation()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The sources, highest first."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)
