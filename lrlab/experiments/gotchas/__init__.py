"""What PyTorch's own schedulers do that their users don't expect, with our value beside it.

Each gotcha is a function that runs PyTorch here and now: ``GOTCHAS["cosine-climbs"].run()``. The
chapter of the handbook shows what it returns, and the tests pin it, so that they fail when a later
version of PyTorch behaves otherwise.
"""

from lrlab.experiments.gotchas import _rates as _rates
from lrlab.experiments.gotchas import resuming as resuming
from lrlab.experiments.gotchas.demonstration import GOTCHAS as GOTCHAS
from lrlab.experiments.gotchas.demonstration import Gotcha as Gotcha
from lrlab.experiments.gotchas.demonstration import Shown as Shown
