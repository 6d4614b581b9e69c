"""Write what is generated from the schema: `acbo.toml.example` and the table of settings in the README.

Run from anywhere: python tests/generate.py
"""

from __future__ import annotations

import re
from pathlib import Path

from acbo_settings import TrainingConfig
from acbo_settings.engine.schema import Schema
from acbo_settings.reference import example_toml, settings_table

ROOT = Path(__file__).parent.parent


def main() -> None:
    """Rewrite both files."""
    (ROOT / "acbo.toml.example").write_text(example_toml(Schema.of(TrainingConfig)), encoding="utf-8")
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    table = re.compile(r"(?m)^\| setting \| type \|.*\n(?:\|.*\n)*")
    readme.write_text(table.sub(lambda _: settings_table(Schema.of(TrainingConfig)), text), encoding="utf-8")


if __name__ == "__main__":
    main()
