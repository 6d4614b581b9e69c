"""Runs `acbo-settings` in forks of one process that has imported everything already, for `tests.command_line`.

A line of JSON on stdin is one command: its arguments, its variables, its directory, and the terminal that it runs in,
if it runs in one. What it prints goes there, or to the two open files whose numbers are the arguments of this program;
its exit code is a line on stdout.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import sys
from importlib import import_module
from pkgutil import walk_packages

import acbo_settings


def main(out: int, errors: int) -> bool:
    """Fork for each command: True in a fork, which is to run it, and False in the first process, at the end."""
    for module in walk_packages(acbo_settings.__path__, "acbo_settings."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    gc.collect()
    gc.freeze()  # what the collector does not touch need not be copied for a fork
    for line in sys.stdin:
        if process := os.fork():
            print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
            continue
        arguments, environ, directory, terminal = json.loads(line)
        outputs = [os.open(terminal, os.O_RDWR | os.O_NOCTTY) for _ in range(2)] if terminal else [out, errors]
        for target, file in enumerate((os.open(os.devnull, os.O_RDONLY), *outputs)):
            os.dup2(file, target)
            os.close(file)
        os.environ.clear()
        os.environ.update(environ)
        os.chdir(directory)
        sys.path[0] = directory  # as `python -m` has it
        sys.argv[1:] = arguments
        return True
    return False


if __name__ == "__main__" and main(*map(int, sys.argv[1:])):
    try:
        runpy.run_module("acbo_settings", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        if isinstance(end.code, int):
            os._exit(end.code)  # to take all modules down again would take longer than most commands
        raise
