"""Run a line of code of another library and return its rates, in float64."""

import importlib.metadata
import importlib.util
import os
import sys
import types
import warnings

os.environ["KERAS_BACKEND"] = "numpy"
os.environ["JAX_ENABLE_X64"] = "true"
os.environ["HF_HUB_OFFLINE"] = "1"

# timm itself wants torchvision; its schedulers don't.
stub = types.ModuleType("timm")
stub.__path__ = list(importlib.util.find_spec("timm").submodule_search_locations)
sys.modules["timm"] = stub

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import optax  # noqa: E402
import timm.scheduler  # noqa: E402
import torch  # noqa: E402
import transformers.optimization  # noqa: E402
from torch.optim import lr_scheduler  # noqa: E402

NAMES = {
    "torch": vars(lr_scheduler),
    "transformers": vars(transformers.optimization),
    "timm": vars(timm.scheduler),
    "optax": {"optax": optax},
    "keras": {"keras": keras},
}
VERSIONS = {
    library: importlib.metadata.version(library).split("+")[0] for library in (*NAMES, "jax")
}


def build(library, code, peak_lr):
    """Return what a line of code makes, and the optimizer that it is for."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=peak_lr, momentum=0.9)
    return eval(code, {**NAMES[library], "optimizer": optimizer}), optimizer


def rates(library, code, peak_lr, n):
    """Return the rates of the first n updates under a line of code."""
    with warnings.catch_warnings():
        # PyTorch warns of step() before the optimizer's, and of its own use of step(epoch).
        warnings.simplefilter("ignore")
        thing, optimizer = build(library, code, peak_lr)
        if library == "optax":
            # Always of one length, so that what JAX has compiled serves again.
            return np.broadcast_to(jax.vmap(thing)(jnp.arange(750)), 750)[:n].copy()
        if library == "keras":
            return np.array([float(thing(step)) for step in range(n)])
        found = []
        for step in range(n):
            if library == "timm":
                thing.step_update(step)
            found.append(float(optimizer.param_groups[0]["lr"]))
            if library != "timm" and step < n - 1:
                thing.step()
        return np.array(found)
