"""Batch scripts of SLURM: how they are submitted, and what srun passes on to their steps.

Law 1: what SLURM does is measured on a real one, and not taken from its manual alone. Law 2: a sentence about a script
stands in `script_findings` or beside what finds it out, and is told once.
"""
