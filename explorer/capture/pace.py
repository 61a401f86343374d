"""How fast this machine trains a GPT of a configuration: `python -m explorer.capture.pace` reads it as JSON and prints steps and seconds.

The first step is not counted: it takes what later ones find in place. "mixed" is torch's autocast to bfloat16.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from typing import Any

import torch
import torch.nn.functional as F

from explorer.capture.programs.gpt import GPTModel

__all__ = ["main", "pace"]


def pace(config: dict[str, Any], *, tied: bool, optimizer: str, precision: str, device: str, seconds: float) -> dict[str, float]:
    """Steps that were done, and the seconds that they took together; at least one, however long it takes."""
    torch.manual_seed(0)
    model = GPTModel(config, tie_weights=tied).to(device, torch.bfloat16 if precision == "bfloat16" else torch.float32)
    takes = {"sgd": torch.optim.SGD, "sgd_momentum": lambda all: torch.optim.SGD(all, momentum=0.9), "adam": torch.optim.Adam}
    steps_with = takes[optimizer](model.parameters())  # type: ignore[operator]
    text = torch.randint(config["vocab_size"], (1, config["context_length"] + 1), device=device)
    kind = torch.device(device).type

    def step() -> None:
        with torch.autocast(kind, torch.bfloat16) if precision == "mixed" else contextlib.nullcontext():
            logits = model(text[:, :-1])
            loss = F.cross_entropy(logits.flatten(0, 1), text[:, 1:].flatten())
        steps_with.zero_grad()
        loss.backward()
        steps_with.step()
        next(model.parameters()).flatten()[0].item()  # until the device is done

    step()
    done, began = 0, time.perf_counter()
    while done == 0 or time.perf_counter() - began < seconds:
        step()
        done += 1
    return {"steps": done, "seconds": time.perf_counter() - began}


def main() -> None:
    """Answer in one line: what was measured, or why it could not be."""
    asked = json.loads(sys.stdin.read())
    try:
        print(json.dumps(pace(asked.pop("config"), **asked)))
    except (RuntimeError, NotImplementedError, MemoryError) as error:
        print(json.dumps({"error": (str(error).strip().splitlines() or ["MemoryError"])[0][:300]}))


if __name__ == "__main__":
    main()
