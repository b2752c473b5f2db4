"""Columns that may know the label beforehand: one rule a file, each judged against chance."""
