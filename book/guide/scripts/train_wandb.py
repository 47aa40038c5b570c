import argparse
import math

import lrlab.sweep.wandb as wandb

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--momentum", type=float, default=0.0)
wandb.init(project="demo", config=vars(parser.parse_args()))

weight, speed = 5.0, 0.0
for _ in range(12):
    gradient = math.tanh(weight)
    speed = wandb.config.momentum * speed - wandb.config.lr * gradient
    weight += speed
    wandb.log({"loss": math.log(math.cosh(weight)), "weight": weight})
wandb.finish()
