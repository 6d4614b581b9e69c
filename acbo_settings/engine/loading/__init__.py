"""From inputs to a resolved configuration: read, lay over one another, judge, build.

Law 1: nobody else imports pydantic and pydantic-settings. Law 2: one room for each source; what they have in common is
in `source`. Law 3: whatever is wrong is a `Problem` in one list that is handed on; the end of the way raises it, once.
"""
