"""What can go wrong above the sandboxes: each class says who is at fault and whether trying again helps."""


class AgentError(Exception):
    """Base of this package's errors; its text is one sentence for a person, with the remedy."""

    retry = False


class UnreadablePaper(AgentError):
    """The user's file or link is not a paper that can be read (missing, empty, encrypted, scanned, too large, wrong type)."""


class SourceUnreachable(AgentError):
    """The network did not give the paper; trying again later, or naming a local file, helps."""

    retry = True


class ModelUnavailable(AgentError):
    """The language-model provider refused or did not answer (missing package, wrong key, unreachable, overloaded)."""

    retry = True


class ModelAnswerInvalid(AgentError):
    """The language model answered, but not in the form asked for, after one re-ask naming the fault."""


class BudgetExhausted(AgentError):
    """A limit of the run is reached (money, tokens, minutes); its state is kept, and resuming with a larger one goes on."""


class Stopped(AgentError):
    """Jobs were ended by the user or at a limit; finished ones are kept, and running again goes on from them."""


class DoesNotTrain(AgentError):
    """The model by which features are judged does not train on the data as it is: name another, or look at the data."""


class NothingToBuild(AgentError):
    """The method needs what the data does not have (histories, scenarios, several tasks) or what no block implements."""
