"""The Fisher information of a language model's weights about a few texts."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from dataflow.operators._lib.scoring.held import Loaded

torch: Any = import_module("torch")
LEARNING_RATE = 5e-5
NOISE_STEPS, NOISE_RATE, NOISE_BETA = 100, 1e-2, 1e-7


class Probe:
    """A language model with an output layer of its own, about to be tuned on some texts; the model itself is not changed."""

    def __init__(self, loaded: Loaded, rows: list[list[int]], seed: int) -> None:
        self.body = loaded.network.base_model
        self.rows = [torch.tensor([row], device=loaded.device) for row in rows]
        output = loaded.network.get_output_embeddings()
        self.head = output.weight.detach().float().clone()
        self.bias = None if getattr(output, "bias", None) is None else output.bias.detach().float()
        self.draw = torch.Generator(loaded.device).manual_seed(seed)
        self.weights = {
            f"{name}.weight": (module.weight, type(module).__name__ == "Conv1D")
            for name, module in self.body.named_modules()
            if isinstance(module, torch.nn.Linear) or type(module).__name__ == "Conv1D"
        }
        """The weights of each linear layer, and whether its outputs are the columns."""

    def information(self, method: str, epochs: int) -> np.ndarray:
        """The diagonal of the Fisher information, averaged by output of a layer."""
        with torch.enable_grad():
            self._tune(epochs)
            made = self._from_labels() if method == "montecarlo" else self._from_noise()
        return np.asarray(torch.cat(made).double().cpu())

    def _logits(self, row: Any, changed: dict[str, Any] | None = None) -> Any:
        given = {"input_ids": row, "use_cache": False}
        made = torch.func.functional_call(self.body, changed or {}, (), given)
        return torch.nn.functional.linear(made.last_hidden_state[0, :-1].float(), self.head, self.bias)

    def _tune(self, epochs: int) -> None:
        """Fit the output layer to the texts."""
        with torch.no_grad():
            states = [
                self.body(input_ids=r, use_cache=False).last_hidden_state[0, :-1].float() for r in self.rows
            ]
        head = self.head.requires_grad_(True)
        optimiser = torch.optim.AdamW([head], lr=LEARNING_RATE)
        for _ in range(epochs):
            for state, row in zip(states, self.rows, strict=True):
                optimiser.zero_grad()
                logits = torch.nn.functional.linear(state, head, self.bias)
                torch.nn.functional.cross_entropy(logits, row[0, 1:]).backward()
                optimiser.step()
        self.head = head.detach()

    def _from_labels(self) -> list[Any]:
        """The mean squared gradient for labels that are drawn from the model."""
        weights = [w for w, _ in self.weights.values()]
        total = [torch.zeros_like(w, dtype=torch.float32) for w in weights]
        for row in self.rows:
            logits = self._logits(row)
            labels = torch.multinomial(torch.softmax(logits.detach(), -1), 1, generator=self.draw)[:, 0]
            loss = torch.nn.functional.cross_entropy(logits, labels)
            for sum_, grad in zip(total, torch.autograd.grad(loss, weights), strict=True):
                sum_ += grad.float() ** 2 / len(self.rows)
        return [
            t.mean(0 if columns else 1) for t, (_, columns) in zip(total, self.weights.values(), strict=True)
        ]

    def _from_noise(self) -> list[Any]:
        """The precision of the noise that the weights bear at equal loss, one variance an output of a layer."""
        spread = {
            n: w.detach().float().pow(2).mean(0 if c else 1, keepdim=True)
            for n, (w, c) in self.weights.items()
        }
        prior = {n: s.mean().clamp(min=1e-12) for n, s in spread.items()}
        logs = {n: s.clamp(min=1e-12).log().sub(4).requires_grad_(True) for n, s in spread.items()}
        optimiser = torch.optim.Adam(logs.values(), lr=NOISE_RATE)
        for step in range(NOISE_STEPS):
            row = self.rows[step % len(self.rows)]
            noisy = {
                n: w.detach() + self._noise(w) * (logs[n] / 2).exp().to(w.dtype)
                for n, (w, _) in self.weights.items()
            }
            loss = torch.nn.functional.cross_entropy(self._logits(row, noisy), row[0, 1:])
            apart = sum(0.5 * (g.exp() / prior[n] - 1 - g + prior[n].log()).sum() for n, g in logs.items())
            grads = torch.autograd.grad(loss + NOISE_BETA * apart, list(logs.values()))
            for log_variance, grad in zip(logs.values(), grads, strict=True):
                log_variance.grad = grad
            optimiser.step()
        return [(-g.detach()).exp().flatten() for g in logs.values()]

    def _noise(self, weight: Any) -> Any:
        return torch.randn(weight.shape, generator=self.draw, device=weight.device, dtype=weight.dtype)
