"""One run, one configuration: a start is held to what the run was frozen with, however it is made.

Law 1: a file is written whole, once and durably, or not at all; a start that only has to read writes nothing. Law 2:
what differs from the frozen configuration is used only when the caller has named it, and never in silence.
"""
