"""An LSTM that reads a sequence one step at a time and answers once at its end: backpropagation through time.

The same weights are used at each of the five steps, and each step adds its part to their gradients.
"""

import torch
import torch.nn.functional as F
from torch import nn


class SequenceClassifier(nn.Module):
    def __init__(self, input_size, hidden_size, classes):
        super().__init__()
        self.hidden_size = hidden_size
        self.cell = nn.LSTMCell(input_size, hidden_size)
        self.head = nn.Linear(hidden_size, classes)

    def forward(self, sequence):
        hidden = sequence.new_zeros(sequence.shape[1], self.hidden_size)
        memory = torch.zeros_like(hidden)
        for x in sequence:  # over time, the first dimension
            hidden, memory = self.cell(x, (hidden, memory))
        return self.head(hidden)


def main(*, seed=0):
    torch.manual_seed(seed)
    model = SequenceClassifier(input_size=4, hidden_size=6, classes=3)
    sequence = torch.randn(5, 2, 4)  # five steps, two sequences, four features
    labels = torch.tensor([0, 2])

    scores = model(sequence)
    loss = F.cross_entropy(scores, labels)
    return loss
