"""`python -m acbo_settings` is `acbo-settings`."""

from .cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
