"""Models of one's own for the tests, and how their whole state is compared."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from lrlab.tasks import from_module

X = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
Y = X.sum(1, keepdim=True)


def world():
    model = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = DataLoader(TensorDataset(X, Y), batch_size=16)
    return from_module(model, optimizer, loader, nn.functional.mse_loss)


def loss(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def build(seed):
    model = nn.Linear(4, 1)
    loader = DataLoader(TensorDataset(X, Y), batch_size=16, shuffle=True)
    return model, torch.optim.SGD(model.parameters(), lr=0.1), loader, loss, [(X, Y)]


def everything(*things):
    """Return all that training can change in modules and optimizers, for comparison by ==."""
    found = []
    for thing in things:
        if isinstance(thing, nn.Module):
            for name, tensor in (*thing.named_parameters(), *thing.named_buffers()):
                grad = None if tensor.grad is None else bits(tensor.grad)
                found.append((name, bits(tensor), grad, tensor.requires_grad))
            for name, module in thing.named_modules():
                found.append((name, module.training, sorted(vars(module))))
                found += [(k, id(v)) for k, v in vars(module).items() if k in ("last", "weight")]
                found += [len(v) for k, v in vars(module).items() if k == "seen"]
        else:
            found += [
                {
                    k: bits(v) if torch.is_tensor(v) else repr(v)
                    for k, v in group.items()
                    if k != "params"
                }
                for group in thing.param_groups
            ]
            found += [
                (k, bits(v) if torch.is_tensor(v) else repr(v))
                for state in thing.state.values()
                for k, v in state.items()
            ]
    return found


def bits(tensor):
    return tensor.detach().numpy().tobytes()
