"""Training: a recipe goes in, a run comes out, and the store trains nothing twice.

`train` is the loop, `train_many` runs it in parallel, `Store` keeps what was trained under the
key of all that can change its numbers. Probes (`lrlab.training.probes`) measure beside it.
"""

from lrlab.training._checkpoint import Checkpoint
from lrlab.training._stopping import EarlyStopping, Stop
from lrlab.training.loop import train
from lrlab.training.parallel import Job, WorkerKilled, in_parallel, train_many
from lrlab.training.record import Run
from lrlab.training.results import Results
from lrlab.training.state import TrainingState
from lrlab.training.store import Store, default_store, run_key

__all__ = [
    "Checkpoint",
    "EarlyStopping",
    "Job",
    "Results",
    "Run",
    "Stop",
    "Store",
    "TrainingState",
    "WorkerKilled",
    "default_store",
    "in_parallel",
    "run_key",
    "train",
    "train_many",
]
