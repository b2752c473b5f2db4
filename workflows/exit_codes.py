"""Exit codes of `agenticrs`, for scripts. They are part of the interface: add, never renumber."""

from enum import IntEnum


class ExitCode(IntEnum):
    DONE = 0  # the run ended with a verdict or a smoke result, whatever it says
    INTERNAL = 1  # a fault of ours
    USAGE = 2  # options or settings do not make sense
    OUT_OF_SCOPE = 3  # the paper proposes nothing that can be trained here
    UNREADABLE = 4  # the paper or the data cannot be read
    NO_CANDIDATE = 5  # no model passes policy, smoke tests and training
    SANDBOX = 6  # no sandbox is available for this code
    BUDGET = 7  # a budget was reached; resume with a larger one
    MODEL = 8  # the language model's provider is missing, refuses or does not answer
    WAITING = 9  # the run waits for approval
    MEMORY = 10  # the long-term memory cannot be opened or written
    INTERRUPTED = 130  # stopped from the keyboard; resume goes on
