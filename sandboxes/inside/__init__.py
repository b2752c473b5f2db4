"""The first process inside every sandbox: starts the job, watches it, ends it with all its children, and sends back what it left.

Standard library only. It guards nothing by itself: the host believes none of what comes from here without checking it.
"""
