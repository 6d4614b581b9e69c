"""Trainings in this process, each of them once, with what they have compiled kept on the disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .example import Training, train_here

Trainings = Callable[[dict[str, Any]], Training]


@pytest.fixture(scope="session")
def train(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trainings]:
    """Train with some settings changed; a second time with the same ones it is the training that there is."""
    jax = pytest.importorskip("jax")
    jax.config.update("jax_compilation_cache_dir", str(tmp_path_factory.mktemp("compiled")))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_disable_most_optimizations", True)  # compiling takes longer than training
    jax.clear_caches()  # of what other tests have compiled with optimizations, which rounds in another way
    there: dict[str, Training] = {}

    def train_once(settings: dict[str, Any]) -> Training:
        """One training; after each tenth, the memory maps of compiled functions are free, some 1,700 a training."""
        name = repr(sorted(settings.items()))
        if name not in there:
            there[name] = train_here(tmp_path_factory.mktemp("run"), settings)
            if len(there) % 10 == 0:
                jax.clear_caches()
        return there[name]

    yield train_once
    jax.config.update("jax_compilation_cache_dir", None)
    jax.config.update("jax_disable_most_optimizations", False)
