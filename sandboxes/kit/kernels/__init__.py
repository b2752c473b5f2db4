"""Compiled inner loops of the kit, each with a version in plain torch that gives the same results where no compiler is."""
