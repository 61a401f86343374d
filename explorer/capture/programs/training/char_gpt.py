"""A small GPT learns to write, character by character: first from one text, then (`start_from`) from another.

Korean is learned in jamo, the letters that syllables are made of: ninety characters in place of fifteen hundred syllables.
"""

import unicodedata

import torch
import torch.nn.functional as F

from explorer.capture.checkpoints import load_weights
from explorer.capture.programs.gpt import GPTModel
from explorer.capture.programs.training.choices import clip, make_optimizer, make_schedule
from explorer.files import assets_folder

TEXTS = {"shakespeare": "english", "alice": "english", "korean_stories": "korean", "korean_goblin": "korean"}
BEGINNINGS = {"english": "\n", "korean": "\n"}


def read(text):
    whole = (assets_folder() / "texts" / f"{text}.txt").read_text(encoding="utf-8")
    return unicodedata.normalize("NFD", whole) if TEXTS[text] == "korean" else whole


def alphabet(text):
    """Every character of all texts in that language, so that what was learned from one text can go on with another."""
    return sorted(set("".join(read(other) for other, language in TEXTS.items() if language == TEXTS[text])))


def train(*, run, device="cpu", dtype=torch.float32, seed=0, steps=1000, text="shakespeare", start_from="", layers=4, heads=4, width=128,
          context=64, optimizer="adamw", learning_rate=0.003, schedule="warmup_cosine", batch_size=24, weight_decay=0.01, dropout=0.0,
          clip_norm=1.0, show_every=100):  # fmt: skip
    torch.manual_seed(seed)
    characters = alphabet(text)
    number = {character: place for place, character in enumerate(characters)}
    data = torch.tensor([number[character] for character in read(text)])
    border = len(data) * 9 // 10  # the last tenth is not learned from
    config = {"vocab_size": len(characters), "context_length": context, "emb_dim": width, "n_heads": heads, "n_layers": layers,
              "drop_rate": dropout, "qkv_bias": False}  # fmt: skip
    model = GPTModel(config, tie_weights=True).to(device, dtype)
    if start_from:
        load_weights(start_from, model)
    stepper = make_optimizer(model, optimizer=optimizer, learning_rate=learning_rate, weight_decay=weight_decay)
    rates = make_schedule(stepper, schedule=schedule, steps=steps)

    run.register(model, stepper, rates=rates)
    for step in range(run.start + 1, steps + 1):
        tokens, following = batch(data[:border], torch.randint(border - context - 1, (batch_size,)), context, device)
        stepper.zero_grad()
        loss = F.cross_entropy(model(tokens).flatten(0, 1), following.flatten())
        loss.backward()
        clip(model, clip_norm)
        stepper.step()
        rates.step()
        metrics = {"loss": loss}
        if step == 1 or step % show_every == 0 or step == steps:
            metrics["validation_loss"] = validate(model, data[border:], context, device)
            metrics["sample"] = sample(model, characters, number[BEGINNINGS[TEXTS[text]]], context, device, seed=step)
        yield metrics


def batch(data, starts, context, device):
    """Stretches of text, and the same one character further on."""
    places = starts[:, None] + torch.arange(context)
    return data[places].to(device), data[places + 1].to(device)


def validate(model, data, context, device, count=64):
    """The loss on stretches spread evenly over a text."""
    starts = torch.linspace(0, len(data) - context - 2, count).long()
    tokens, following = batch(data, starts, context, device)
    model.eval()
    with torch.no_grad():
        loss = F.cross_entropy(model(tokens).flatten(0, 1), following.flatten())
    model.train()
    return loss


def sample(model, characters, first, context, device, *, seed, length=300):
    """What the model writes by itself; drawn with numbers of its own, so that the training goes on as if it had not."""
    generator = torch.Generator().manual_seed(seed)
    written = [first]
    model.eval()
    with torch.no_grad():
        for _ in range(length):
            scores = model(torch.tensor([written[-context:]], device=device))[0, -1].cpu().float()
            if not scores.isfinite().all():
                break  # from NaN nothing is drawn
            written.append(int(torch.multinomial(torch.softmax(scores / 0.8, dim=0), 1, generator=generator)))
    model.train()
    return unicodedata.normalize("NFC", "".join(characters[place] for place in written[1:]))
