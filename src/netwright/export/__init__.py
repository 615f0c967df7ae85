"""export: what leaves the house as source.

`eject` hands over a trained design as a folder that needs no netwright, `eject_model` a network as one file.
"""

from netwright.export.errors import EjectError
from netwright.export.folder import eject
from netwright.export.model import eject_model, eject_source
from netwright.export.verify import example_inputs

__all__ = ["EjectError", "eject", "eject_model", "eject_source", "example_inputs"]
