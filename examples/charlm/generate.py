"""Continue a text, one character at a time."""

from __future__ import annotations

import argparse

import torch
import torch.nn.functional as F
from data import Vocabulary, load_text
from model import CharLM


def generate(
    model: CharLM, vocabulary: Vocabulary, prompt: str, length: int, temperature: float
) -> str:
    """Return `length` characters that follow `prompt`.

    At temperature 0 each is the likeliest one; above, it is drawn, and the higher the bolder.
    """
    model.eval()
    written: list[int] = []
    with torch.no_grad():
        states = model.start(1)
        for number in vocabulary.encode(prompt):
            scores, states = model.step(torch.tensor([number]), states)
        while len(written) < length:
            if temperature > 0:
                chances = F.softmax(scores / temperature, dim=-1)
                chosen = torch.multinomial(chances, num_samples=1).reshape(-1)
            else:
                chosen = torch.argmax(scores, dim=-1)
            written.append(int(chosen.item()))
            scores, states = model.step(chosen, states)
    return vocabulary.decode(written)


def main() -> None:
    """Load the model and print what it writes."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("checkpoint")
    arguments.add_argument("--prompt", default="Beautiful is ")
    arguments.add_argument("--length", type=int, default=200)
    arguments.add_argument("--temperature", type=float, default=0.0)
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()

    torch.manual_seed(options.seed)
    vocabulary = Vocabulary(load_text())
    model = CharLM(len(vocabulary))
    model.load_state_dict(torch.load(options.checkpoint, weights_only=True))
    print(
        options.prompt
        + generate(model, vocabulary, options.prompt, options.length, options.temperature)
    )


if __name__ == "__main__":
    main()
