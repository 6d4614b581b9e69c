"""What `start.py` measures in a process that has imported large packages before: a start from an unchanged run."""

from __future__ import annotations

import gc
import importlib
import json
import sys
import time

PACKAGES = ("jax", "torch", "matplotlib.pyplot", "hypothesis", "jsonschema", "pydantic")


def measure() -> None:
    """Import what is there of the packages, then start, and print the time as JSON.

    The import of acbo_settings is part of the start. jax and torch are taken where they are installed.
    """
    found = []
    for name in PACKAGES:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        found.append(name)
    gc.collect()  # else a collection of all that the packages have made may fall into the start, by chance
    modules, before = len(sys.modules), time.perf_counter()
    from acbo_settings import load_training_config

    load_training_config(run_dir="runs/resumed")
    print(json.dumps({"milliseconds": (time.perf_counter() - before) * 1e3, "modules": modules, "packages": found}))
