"""The files of a job: what a batch script, or the manifests of Kubernetes, give the processes that they start.

Law 1: a job file is read and never executed. Law 2: here it is only worked out what each part of a job is given;
what that means, and what is wrong with it, the one loader of the engine says. Law 3: a room for each kind of file; what
they have in common is in `part`. tree-sitter is imported by `shell_syntax` alone, PyYAML by `yaml_text` alone.
"""
