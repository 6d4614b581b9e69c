"""One run, one configuration: starts that are held to what the run was frozen with."""
