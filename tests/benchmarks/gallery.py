"""The pictures of the README: `python tests/benchmarks/gallery.py [NAME …] [--to FOLDER]` draws them anew.

Small pictures are SVG, whose text can be selected; those of a thousand boxes are PNG, no wider than a page needs. The models are recorded
here with random weights, small in width and whole in structure; GPT-2 is the sample that is shipped.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch
from PIL import Image
from torch import nn

import explorer
from explorer import layout
from explorer.export import svg_text, view_of
from explorer.files import assets_folder, load
from explorer.model import Trace
from explorer.palette import PALETTE
from tests.benchmarks.layout import ROWS, recorded
from tests.benchmarks.unet import UNet, noisy

FOLDER = assets_folder() / "gallery"


class Experts(nn.Module):
    """A layer of four experts; a router sends each token to the best two and weighs what they answer."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.router = nn.Linear(width, 4)
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(width, 32), nn.SiLU(), nn.Linear(32, width)) for _ in range(4))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        weights, chosen = self.router(tokens).softmax(-1).topk(2)
        mixed = torch.zeros_like(tokens)
        for number, expert in enumerate(self.experts):
            share = (weights * (chosen == number)).sum(-1, keepdim=True)
            mixed = mixed + share * expert(tokens)
        return tokens + mixed


class Mixture(nn.Module):
    """Two layers of experts over an embedding, and a loss."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(50, 16)
        self.layers = nn.ModuleList(Experts() for _ in range(2))
        self.head = nn.Linear(16, 50)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        tokens = self.embedding(words)
        for layer in self.layers:
            tokens = layer(tokens)
        return nn.functional.cross_entropy(self.head(tokens), words)


def sample(name: str) -> Trace:
    return load(assets_folder() / "samples" / f"{name}.trace")


def mixture() -> Trace:
    torch.manual_seed(0)
    model, words = Mixture(), torch.randint(50, (12,))
    with explorer.record("mixture of experts") as recording:
        model(words).backward()
    return recording.trace


def unet() -> Trace:
    torch.manual_seed(0)
    model = UNet()
    with explorer.record("denoising U-Net") as recording:
        model(**noisy())["loss"].backward()
    return recording.trace


@dataclass(frozen=True)
class Entry:
    """A picture: what is drawn, how, and in which format; a PNG is so many pixels wide."""

    make: Callable[[], Trace]
    options: dict[str, Any] = field(default_factory=dict)
    pixels: int | None = None


ENTRIES = {
    "gpt2": Entry(lambda: sample("gpt2"), {"flow": "right"}),
    "gpt2-block": Entry(lambda: sample("gpt2"), {"opened": ("trf_blocks.3",)}),
    "gpt2-all": Entry(lambda: sample("gpt2"), {"expand": "all"}, 1500),
    "resnet50": Entry(lambda: recorded(ROWS["resnet50"]), {"expand": "all"}, 800),
    "lstm": Entry(lambda: recorded(ROWS["lstm"]), {"opened": ("cell",)}, 400),
    "t5": Entry(lambda: recorded(ROWS["t5"])),
    "unet": Entry(unet),
    "experts": Entry(mixture),
}


def _palette() -> Image.Image:
    """The colours that pictures are drawn in, and what lies between them and paper."""
    colors = [tuple(int(color[place : place + 2], 16) for place in (1, 3, 5)) for color in dict.fromkeys(PALETTE["light"].values())]
    mixed = [tuple(255 - (255 - part) * share // 4 for part in color) for share in (4, 3, 2, 1) for color in colors][:256]
    found = Image.new("P", (1, 1))
    found.putpalette([part for color in mixed for part in color])
    return found


def draw(name: str, folder: Path) -> Path:
    """One picture, as a file."""
    entry = ENTRIES[name]
    trace = entry.make()
    if entry.pixels is None:
        path = folder / f"{name}.svg"
        path.write_text(svg_text(trace, **entry.options), encoding="utf-8")
        return path
    path = folder / f"{name}.png"
    drawn = Image.open(io.BytesIO(layout.png(view_of(trace, **entry.options), width=entry.pixels)))
    drawn.convert("RGB").quantize(palette=_palette(), dither=Image.Dither.NONE).save(path, optimize=True)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=" ".join(ENTRIES))
    parser.add_argument("--to", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    arguments.to.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or ENTRIES:
        path = draw(name, arguments.to)
        print(f"{path.name}: {path.stat().st_size:,} bytes", flush=True)


if __name__ == "__main__":
    main()
