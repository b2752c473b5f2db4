"""Reports as documents: typed blocks, rendered to one self-contained page or to Markdown."""
