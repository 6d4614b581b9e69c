"""The hook in a real pre-commit, on a scratch repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import acbo_settings

from .test_readme import BLOCKS, ROOT

pytestmark = pytest.mark.heavy


def run(command: list[str], directory: Path) -> subprocess.CompletedProcess[str]:
    """Run a command with a home of its own, as somebody with a name."""
    person = {
        f"GIT_{role}_{part}": "test@example.com" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")
    }
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("ACBO_", "GIT_", "PRE_COMMIT"))}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environ = kept | person | {"HOME": str(directory.parent), "PATH": path, "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(
        command, cwd=directory, env=environ, capture_output=True, text=True, check=False, timeout=300, errors="replace"
    )


def make_repository(directory: Path) -> None:
    """Commit what lies in a directory to a repository there."""
    for command in (["init", "-q", "-b", "main"], ["add", "-A", "-f"], ["commit", "-q", "--no-verify", "-m", "First"]):
        ran = run(["git", *command], directory)
        assert ran.returncode == 0, ran.stderr


def test_a_commit_with_a_broken_file_is_refused(tmp_path: Path) -> None:
    """The README's configuration refuses a broken `acbo.toml` with the report, and lets a good one pass."""
    hooks, experiments = tmp_path / "hooks", tmp_path / "experiments"
    ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*cache", ".hypothesis", "dist")
    shutil.copytree(ROOT, hooks, ignore=ignored)
    make_repository(hooks)
    (block,) = [block for block in BLOCKS if (block.note, block.language) == ("config", "yaml")]
    (repository,) = yaml.safe_load(block.text)["repos"]
    assert repository["hooks"] == [{"id": "acbo-settings-check"}, {"id": "acbo-settings-check-jobs"}]
    assert repository["rev"] == f"v{acbo_settings.__version__}"
    assert run(["git", "tag", repository["rev"]], hooks).returncode == 0
    experiments.mkdir()
    text = re.sub(r"https://example.com/acbo-settings", str(hooks), block.text)
    (experiments / ".pre-commit-config.yaml").write_text(text)
    (experiments / "scm20").mkdir()
    (experiments / "scm20/acbo.toml").write_text("total_steps = 7000\n")
    make_repository(experiments)
    installed = run(["pre-commit", "install"], experiments)
    assert installed.returncode == 0, installed.stdout + installed.stderr
    (experiments / "scm20/acbo.toml").write_text("[grpo]\ngroup_size = 4\n")
    refused = run(["git", "commit", "-a", "-m", "Break"], experiments)
    assert refused.returncode == 1, refused.stdout + refused.stderr
    assert "scm20/acbo.toml:2" in refused.stdout + refused.stderr
    (experiments / "scm20/acbo.toml").write_text("[grpo]\ngroup_size = 32\n")
    (experiments / "scm20/job.sbatch").write_text("#!/bin/bash\nexport ACBO_GRPO__GROUP_SIZE=4\nsrun python train.py\n")
    (experiments / "values.yaml").write_text("group_size: 4\n")
    assert run(["git", "add", "-A"], experiments).returncode == 0
    refused = run(["git", "commit", "-a", "-m", "Add a job"], experiments)
    assert refused.returncode == 1, refused.stdout + refused.stderr
    assert "scm20/job.sbatch:2" in refused.stdout + refused.stderr
    (experiments / "scm20/job.sbatch").write_text(
        "#!/bin/bash\nexport ACBO_GRPO__GROUP_SIZE=64\nsrun python train.py\n"
    )
    taken = run(["git", "commit", "-a", "-m", "Repair"], experiments)
    assert taken.returncode == 0, taken.stdout + taken.stderr
    assert "Passed" in taken.stdout + taken.stderr
