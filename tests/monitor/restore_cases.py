"""All cases of restoring."""

from tests.monitor.restore_classes import CLASSES
from tests.monitor.restore_functions import FUNCTIONS
from tests.monitor.restore_kinds import KINDS
from tests.monitor.restore_losses import LOST
from tests.monitor.restore_subclasses import SUBCLASSES
from tests.monitor.restore_values import PLAIN

CASES = [*PLAIN, *FUNCTIONS, *CLASSES, *KINDS, *SUBCLASSES, *LOST]
