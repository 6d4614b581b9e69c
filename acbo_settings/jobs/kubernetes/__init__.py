"""Manifests of Kubernetes: what the containers of pods are given.

Law 1: what is text, and which of two values wins, is for kubectl and Kubernetes to say, and not for a YAML library.
Law 2: an embedded file keeps its own lines: a mistake in it is shown where it stands in the manifest.
"""
