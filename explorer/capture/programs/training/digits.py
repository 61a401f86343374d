"""A small convolutional network learns to read handwritten digits of 8 × 8 pixels."""

import csv
import gzip

import torch
import torch.nn.functional as F
from torch import nn

from explorer.capture.programs.training.choices import clip, make_optimizer, make_schedule
from explorer.files import assets_folder


class DigitNet(nn.Module):
    def __init__(self, dropout):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(32 * 4 * 4, 10)

    def forward(self, images):
        x = torch.relu(self.conv1(images))
        x = self.pool(torch.relu(self.conv2(x)))
        return self.fc(self.dropout(x.flatten(1)))


def read_digits():
    """1,797 images of 1 × 8 × 8 from 0 to 1, and the digit that each shows."""
    with gzip.open(assets_folder() / "digits" / "digits.csv.gz", "rt") as file:
        table = torch.tensor([[float(word) for word in row] for row in csv.reader(file)])
    return table[:, :64].reshape(-1, 1, 8, 8) / 16, table[:, 64].long()


def train(*, run, device="cpu", dtype=torch.float32, seed=0, steps=500, optimizer="adam", learning_rate=0.003, schedule="constant",
          batch_size=64, weight_decay=0.0, dropout=0.2, clip_norm=0.0, validate_every=50):  # fmt: skip
    torch.manual_seed(seed)
    images, labels = read_digits()
    order = torch.randperm(len(images))
    kept, learned = order[:360], order[360:]  # a fifth is not learned from
    model = DigitNet(dropout).to(device, dtype)
    stepper = make_optimizer(model, optimizer=optimizer, learning_rate=learning_rate, weight_decay=weight_decay)
    rates = make_schedule(stepper, schedule=schedule, steps=steps)

    run.register(model, stepper, rates=rates)
    for step in range(run.start + 1, steps + 1):
        some = learned[torch.randint(len(learned), (batch_size,))]
        wanted = labels[some].to(device)
        stepper.zero_grad()
        scores = model(images[some].to(device, dtype))
        loss = F.cross_entropy(scores, wanted)
        loss.backward()
        clip(model, clip_norm)
        stepper.step()
        rates.step()
        metrics = {"loss": loss, "accuracy": (scores.argmax(1) == wanted).float().mean()}
        if step == 1 or step % validate_every == 0 or step == steps:
            metrics |= validate(model, images[kept].to(device, dtype), labels[kept].to(device))
        yield metrics


def validate(model, images, labels):
    model.eval()
    with torch.no_grad():
        scores = model(images)
    model.train()
    return {"validation_loss": F.cross_entropy(scores, labels), "validation_accuracy": (scores.argmax(1) == labels).float().mean()}
