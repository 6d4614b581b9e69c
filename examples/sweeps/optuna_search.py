"""A search with Optuna in several processes: `python optuna_search.py searches/lr 30 4`.

Optuna draws the points, so there is no file of a sweep. Each trial is a run of its own, held to its configuration; a
point that is not valid is a pruned trial, and the report is its reason.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from point import train

from acbo_settings import ConfigurationError, load_training_config


def storage(directory: Path) -> JournalStorage:
    """Where the processes of a search tell one another what they have tried."""
    return JournalStorage(JournalFileBackend(str(directory / "journal.log")))


def objective(trial: optuna.Trial, directory: Path) -> float:
    """Train one point of the search space, which has points that break a rule."""
    trial.suggest_float("grpo.learning_rate", 1e-5, 1e-2, log=True)
    trial.suggest_categorical("grpo.group_size", [32, 64, 128])
    trial.suggest_int("warmup_steps", 0, 3000, step=100)
    run_dir = directory / f"{trial.number:04d}"
    try:
        config = load_training_config(overrides=trial.params, run_dir=run_dir)
    except ConfigurationError as error:
        trial.set_user_attr("reason", str(error))
        raise optuna.TrialPruned(str(error)) from error
    return train(config, run_dir)


def search(directory: Path, trials: int, seed: int) -> None:
    """Run some of the trials in this process."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed)
    study = optuna.load_study(study_name=directory.name, storage=storage(directory), sampler=sampler)
    study.optimize(lambda trial: objective(trial, directory), n_trials=trials)


def main(name: str, trials: int, processes: int) -> None:
    """Share the trials among processes, and print what they have found."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    directory = Path(name)
    directory.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(study_name=directory.name, storage=storage(directory), load_if_exists=True)
    shares = [trials // processes + (number < trials % processes) for number in range(processes)]
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=search, args=(directory, share, seed)) for seed, share in enumerate(shares)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    pruned = study.get_trials(states=[optuna.trial.TrialState.PRUNED])
    print(f"{len(study.trials)} trials, {len(pruned)} of them not valid")
    if len(pruned) < len(study.trials):
        print(f"best: {study.best_value} in {study.best_trial.number:04d}")
    sys.exit(1 if any(worker.exitcode for worker in workers) else 0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
