"""The error of this room."""


class EjectError(RuntimeError):
    """The source can't be handed over: what stands in the way, or in what the ejected file differed."""
