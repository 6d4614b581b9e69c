"""A shell script, read and never run: its words, its variables on their way, and the programs that it starts.

Law 1: what is not certain is never taken for certain: it is a value that only the job will know, with the texts that it
may have. Law 2: this knows nothing of SLURM but the name of srun. Law 3: a walk ends soon, whatever the script repeats.
"""
