"""The commands of `acbo-settings sweep`: one module for each.

Law 1: no command imports another; `sweep_file` reads what they are given. Law 2: those of `cli` hold here too.
"""
