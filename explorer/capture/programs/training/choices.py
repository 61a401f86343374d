"""What the training programs let one choose: an optimizer, a schedule of its learning rate, clipping of gradients."""

import math

import torch

OPTIMIZERS = {
    "sgd": torch.optim.SGD,
    "momentum": lambda parameters, **settings: torch.optim.SGD(parameters, momentum=0.9, **settings),
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
}
SCHEDULES = {  # the part of the learning rate that is used after a part of the steps
    "constant": lambda part: 1.0,
    "linear": lambda part: 1.0 - part,
    "cosine": lambda part: 0.5 * (1.0 + math.cos(math.pi * part)),
    "warmup_cosine": lambda part: part / 0.05 if part < 0.05 else 0.5 * (1.0 + math.cos(math.pi * (part - 0.05) / 0.95)),
}


def chosen(table, name):
    if name not in table:
        raise ValueError(f"{name!r} is none of {', '.join(table)}")
    return table[name]


def make_optimizer(model, *, optimizer, learning_rate, weight_decay):
    return chosen(OPTIMIZERS, optimizer)(model.parameters(), lr=learning_rate, weight_decay=weight_decay)


def make_schedule(optimizer, *, schedule, steps):
    part = chosen(SCHEDULES, schedule)
    # Counted so that neither the first nor the last step is lost to a learning rate of 0.
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: part(min(1.0, (step + 1) / (steps + 1))))


def clip(model, most):
    """Scale the gradients down to this norm at most; 0: leave them."""
    if most > 0:
        torch.nn.utils.clip_grad_norm_(model.parameters(), most)
