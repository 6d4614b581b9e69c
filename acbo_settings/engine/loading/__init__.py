"""From inputs to a resolved configuration; the only importer of pydantic and pydantic-settings."""
