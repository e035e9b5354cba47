"""The two models: the reader (or its teacher), an encoder with a head over the tokens and one over the whole pair; the
embedder, an encoder whose vectors are averaged."""

from __future__ import annotations

from torch import Tensor, nn


class Reader(nn.Module):
    """[B, T] ids of "[CLS] question [SEP] title. passage [SEP]" -> logits.

    `start`, `end` [B, T]: where the short answer begins and ends; position 0 stands for no answer.
    `relevance` [B, T]: whether the token belongs to a sentence that answers.
    `answerable`, `support` [B]: whether the passage answers the question; whether it entails a claim put in its place.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        width = encoder.config.hidden_size
        self.tokens = nn.Linear(width, 3)
        self.pair = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 2))

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> tuple[Tensor, ...]:
        types = {"token_type_ids": token_type_ids} if hasattr(self.encoder.config, "type_vocab_size") else {}
        hidden = self.encoder(input_ids, attention_mask=attention_mask, **types).last_hidden_state
        start, end, relevance = self.tokens(hidden).unbind(dim=-1)
        answerable, support = self.pair(hidden[:, 0]).unbind(dim=-1)
        return start, end, relevance, answerable, support


OUTPUTS = {"start": 2, "end": 2, "relevance": 2, "answerable": 1, "support": 1}


def prefix(title: str) -> str:
    """What stands in front of the passage."""
    return f"{title}. " if title else ""


class Embedder(nn.Module):
    """[B, T] token ids -> [B, 384] mean-pooled vectors of length 1."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        hidden = self.encoder(input_ids, attention_mask, token_type_ids).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1e-9)
        return nn.functional.normalize(mean, dim=1)
