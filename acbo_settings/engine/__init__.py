"""The engine: from what a start is given to a frozen configuration, for any schema."""
