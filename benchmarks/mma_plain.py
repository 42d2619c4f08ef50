"""The published MMA, written plainly: eager float32, copied windows, each view embedded and dropped out by itself.

What `benchmarks/mma.py` measures tsad-mma against; it shares no code with it. After the paper's description,
not the authors' code, which does more of the same.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

PATCH, WIDTH, LAYERS, EXPANSION, DROPOUT, DRAWS = 16, 64, 3, 6, 0.2, 5


class Mixing(nn.Module):
    """One mixer block over the last axis, or the one before it."""

    def __init__(self, size: int, *, over_patches: bool) -> None:
        super().__init__()
        self.over_patches = over_patches
        self.norm = nn.LayerNorm(WIDTH)
        self.first, self.second = nn.Linear(size, size * EXPANSION), nn.Linear(size * EXPANSION, size)
        self.gate = nn.Linear(size, size)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, tiles: Tensor) -> Tensor:
        """Return mixed tiles."""
        mixed = self.norm(tiles)
        mixed = mixed.transpose(-1, -2) if self.over_patches else mixed
        mixed = self.dropout(self.second(self.dropout(functional.gelu(self.first(mixed)))))
        mixed = mixed * functional.softmax(self.gate(mixed), dim=-1)
        return tiles + (mixed.transpose(-1, -2) if self.over_patches else mixed)


class Plain(nn.Module):
    """The whole model: windows (B, T, C) in, reconstruction and dissimilarity out."""

    def __init__(self, window: int) -> None:
        super().__init__()
        patches = window // PATCH
        self.embed, self.head = nn.Linear(PATCH, WIDTH), nn.Linear(WIDTH, PATCH)
        pairs = [(Mixing(patches, over_patches=True), Mixing(WIDTH, over_patches=False)) for _ in range(LAYERS)]
        self.blocks = nn.ModuleList(block for pair in pairs for block in pair)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return true patches, rebuilt ones and the product of their embeddings, under a mask drawn at random."""
        patches = windows.unfold(1, PATCH, PATCH).transpose(1, 2)
        noise = torch.rand(patches.shape[:-1])
        hidden = (noise.argsort(-1).argsort(-1) >= patches.shape[2] // 2)[..., None]
        rebuilt = self.decode(patches * ~hidden) * hidden + self.decode(patches * hidden) * ~hidden
        return patches, rebuilt, self.embedding(rebuilt) @ self.embedding(patches).transpose(-1, -2)

    def decode(self, patches: Tensor) -> Tensor:
        """Return what the model makes of one view."""
        tiles = self.embedding(patches)
        for k, block in enumerate(self.blocks):
            tiles = unit(block(tiles)) if k % 2 else block(tiles)
        return self.head(self.dropout(tiles))

    def embedding(self, patches: Tensor) -> Tensor:
        """Return the embedding of patches."""
        return unit(self.embed(patches))


def unit(tiles: Tensor) -> Tensor:
    """Return vectors divided by their length."""
    return tiles / torch.sqrt(tiles.square().sum(-1, keepdim=True) + 1e-4)


def train(model: Plain, batches: list[Tensor]) -> None:
    """Take one step a batch of windows."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-5)
    for windows in batches:
        patches, rebuilt, product = model(windows)
        logits = product.flatten(0, 1) / 0.1
        targets = torch.arange(logits.shape[1]).expand(len(logits), -1)
        loss = functional.mse_loss(rebuilt, patches) + 0.005 * functional.cross_entropy(logits, targets)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def score(model: Plain, batches: list[Tensor]) -> None:
    """Rebuild windows under five masks, one after the other."""
    model.eval()
    with torch.no_grad():
        for windows in batches:
            for _ in range(DRAWS):
                _, rebuilt, product = model(windows)
                1 - product.diagonal(dim1=-2, dim2=-1), rebuilt.flatten(2)
