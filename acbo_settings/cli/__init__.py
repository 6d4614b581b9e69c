"""The command line: one module for each command, thin over the library.

Law 1: a command asks the library, prints, and returns its exit code; it decides nothing. Law 2: results go to stdout;
reports, advice and notes to stderr. Law 3: what a command needs is imported when it is called.
"""
