"""SimpleNet learns whether ten numbers add up to more than nothing."""

import torch
from torch import nn

from explorer.capture.programs.simple_net import SimpleNet
from explorer.capture.programs.training.choices import clip, make_optimizer, make_schedule


def train(*, run, device="cpu", dtype=torch.float32, seed=0, steps=500, optimizer="sgd", learning_rate=0.1, schedule="constant",
          batch_size=16, weight_decay=0.0, clip_norm=0.0):  # fmt: skip
    torch.manual_seed(seed)
    model = SimpleNet().to(device, dtype)
    criterion = nn.BCELoss()
    stepper = make_optimizer(model, optimizer=optimizer, learning_rate=learning_rate, weight_decay=weight_decay)
    rates = make_schedule(stepper, schedule=schedule, steps=steps)

    run.register(model, stepper, rates=rates)
    for _ in range(run.start, steps):
        numbers = torch.randn(batch_size, 10)  # the same on every device and in every data type
        x, label = numbers.to(device, dtype), (numbers.sum(dim=1, keepdim=True) > 0).to(device, dtype)

        stepper.zero_grad()
        output = model(x)
        loss = criterion(output, label)
        loss.backward()
        clip(model, clip_norm)
        stepper.step()
        rates.step()
        yield {"loss": loss, "accuracy": ((output > 0.5) == (label > 0.5)).float().mean()}
