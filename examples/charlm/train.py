"""Train the model until it knows the text by heart, and save its state_dict."""

from __future__ import annotations

import argparse
import random

import torch
import torch.nn.functional as F
from data import Vocabulary, load_text
from model import CharLM

LENGTH = 128
BATCH = 8


def main() -> None:
    """Train and save."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("checkpoint", help="where to save the state_dict")
    arguments.add_argument("--steps", type=int, default=300)
    options = arguments.parse_args()

    random.seed(0)
    torch.manual_seed(0)
    text = load_text()
    vocabulary = Vocabulary(text)
    numbers = vocabulary.encode(text)
    model = CharLM(len(vocabulary))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)

    model.train()
    for step in range(options.steps):
        starts = [random.randrange(len(numbers) - LENGTH) for _ in range(BATCH)]
        windows = torch.tensor([numbers[start : start + LENGTH + 1] for start in starts]).T
        inputs, targets = windows[:-1], windows[1:]

        scores = model(inputs)
        loss = F.cross_entropy(scores.reshape(-1, len(vocabulary)), targets.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 99:
            print(f"step {step + 1}: loss {loss.item():.3f}")

    torch.save(model.state_dict(), options.checkpoint)


if __name__ == "__main__":
    main()
