"""Both stages and the scores equal a reconstruction of the authors' code: its numbers lie beside the real data.

The prior there is the authors' pinned transformer; the README beside the arrays says what was compared.
"""

import os
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch.nn.functional import cross_entropy  # noqa: E402 - it needs torch
from tsad_baselines.timevqvae_ad import prior, tokenizer  # noqa: E402
from tsad_baselines.timevqvae_ad.masking import odd, stretches  # noqa: E402
from tsad_baselines.timevqvae_ad.scoring import on_steps, smoothed, surprises, tokens_of  # noqa: E402
from tsad_baselines.timevqvae_ad.training import prior_loss  # noqa: E402
from tsad_baselines.timevqvae_ad.windows import Windows  # noqa: E402

TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-5}
L, _, D, K, FFT, BLOCKS, _, HALVINGS, WIDTH, LAYERS, HEADS, HEAD_WIDTH, EXPANSION = range(13)
COLUMNS = 6
QUANTISER = {"codebook": "codebook", "total": "codebook_sum", "count": "codebook_count"}
PRIOR = {
    "embed": "embed.weight",
    "position": "position.weight",
    "bias": "head.bias",
    "norm.gain": "embed_norm.gain",
    "last.gain": "final_norm.gain",
    "into.weight": "in.weight",
    "head.weight": "head.fc.weight",
    "head.bias": "head.fc.bias",
    "head_norm.weight": "head.norm.weight",
    "head_norm.bias": "head.norm.bias",
}


class Given:
    """The numbers of the reconstruction, and the same models of ours."""

    def __init__(self, arrays, dtype) -> None:
        self.arrays, self.dtype, self.cfg = arrays, dtype, arrays["cfg"].tolist()

    def __getitem__(self, key: str):
        return self.arrays[key]

    def tensor(self, key: str):
        values = torch.from_numpy(self[key])
        return values.to(self.dtype) if values.is_floating_point() else values

    def tokenizer(self):
        cfg = self.cfg
        sizes = tokenizer.Sizes(
            window=cfg[L],
            fft=cfg[FFT],
            halvings=cfg[HALVINGS],
            width=cfg[D],
            codes=cfg[K],
            blocks=cfg[BLOCKS],
        )
        return self.loaded(tokenizer.Tokenizer(sizes, revive=False), self.of_tokenizer, "w.")

    def prior(self):
        cfg = self.cfg
        sizes = prior.Sizes(
            tokens=3 * COLUMNS,
            codes=cfg[K],
            embedded=cfg[D],
            width=cfg[WIDTH],
            layers=cfg[LAYERS],
            heads=cfg[HEADS],
            head_width=cfg[HEAD_WIDTH],
            expansion=cfg[EXPANSION],
        )
        return self.loaded(prior.Prior(sizes), of_prior, "w.prior.")

    def loaded(self, model, theirs, prefix: str):
        model = model.to(self.dtype)
        state = {
            name: torch.from_numpy(self[prefix + theirs(name)]) if prefix + theirs(name) in self.arrays.files else value
            for name, value in model.state_dict().items()
        }
        model.load_state_dict(state)
        return model

    def of_tokenizer(self, name: str) -> str:
        """Return their name of a parameter or a buffer of ours."""
        part, _, rest = name.partition(".")
        if part in {"linear", "quantiser"}:
            return f"dec.{name}" if part == "linear" else QUANTISER[rest]
        number, _, rest = rest.partition(".")
        named = f"{part[:3]}.{number}.{rest}"
        # the last two convolutions stand alone
        return named if rest.count(".") else f"{part[:3]}.{number}.conv.{rest}"

    def equal(self, ours, key: str) -> None:
        theirs = self[key]
        ours = ours.detach().double().numpy() if isinstance(ours, torch.Tensor) else ours
        # of the largest value: some slopes are large, and those before a norm are zero but for rounding
        tolerance = TOLERANCE[self.dtype] * max(np.abs(theirs).max(), 1e-2)
        np.testing.assert_allclose(ours.reshape(theirs.shape), theirs, rtol=0, atol=tolerance, err_msg=key)


def of_prior(name: str) -> str:
    """Return their name of a parameter of our prior."""
    if not name.startswith("layers."):
        return PRIOR.get(name, name)
    _, number, rest = name.split(".", 2)
    return f"layer{number}.{rest}".replace("attention", "attn").replace("feed", "ff")


@pytest.fixture(scope="module")
def arrays():
    if "TSAD_DATA" not in os.environ:
        pytest.skip("TSAD_DATA is not set: the parity arrays lie beside the real data sets")
    path = Path(os.environ["TSAD_DATA"]).parent / "parity" / "timevqvae_ad_reconstruction.npz"
    if not path.exists():
        pytest.skip(f"{path.name} is not beside TSAD_DATA")
    return np.load(path)


@pytest.fixture(params=list(TOLERANCE), ids=["float64", "float32"])
def given(request, arrays) -> Given:
    return Given(arrays, request.param)


def test_all_their_weights_have_a_place(given) -> None:
    ours = {given.of_tokenizer(name) for name in given.tokenizer().state_dict()}
    ours |= {f"prior.{of_prior(name)}" for name in given.prior().state_dict()}
    theirs = {name[2:] for name in given.arrays.files if name.startswith("w.")}
    assert {name for name in ours if "num_batches" not in name} - {"prior.channel"} == theirs


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_every_intermediate_result_of_stage_1_is_theirs(given, mode: str) -> None:
    model = given.tokenizer().train(mode == "train")
    values = model.spectrum(given.tensor("s1.x")[:, 0])
    given.equal(values, f"s1.{mode}.stft")
    for number, block in enumerate(model.encoder):
        values = block(values)
        given.equal(values, f"s1.{mode}.enc.{number}")
    tokens = model.quantiser(values.permute(0, 2, 3, 1).flatten(0, 2)).view(6, -1)
    np.testing.assert_array_equal(tokens, given[f"s1.{mode}.tokens"])
    values = model.vectors(tokens)
    given.equal(values, f"s1.{mode}.zq")
    for number, block in enumerate(model.decoder):
        values = block(values)
        given.equal(values, f"s1.{mode}.dec.{number}")
    given.equal(model.spectrum.inverse(values), f"s1.{mode}.istft")


def test_windows_from_tokens_are_theirs(given) -> None:
    given.equal(given.tokenizer().eval().decode(given.tensor("s1.eval.tokens")), "s1.eval.recon")


def test_losses_slopes_and_what_follows_a_step_of_stage_1_are_theirs(given) -> None:
    model = given.tokenizer().train()
    losses = model.losses(given.tensor("s1.x")[:, 0])
    given.equal(losses.rebuilt, "s1.train.loss_recon")
    given.equal(losses.commitment, "s1.train.loss_commit")
    sum(losses).backward()
    slopes = {f"s1.train.grad.{given.of_tokenizer(name)}": value.grad for name, value in model.named_parameters()}
    after = {f"s1.train.after.{given.of_tokenizer(name)}": value for name, value in model.state_dict().items()}
    stored = {name for name in given.arrays.files if name.startswith(("s1.train.grad.", "s1.train.after."))}
    assert len(stored) > 60
    for name in stored:
        given.equal((slopes | after)[name], name)


def test_every_intermediate_result_of_stage_2_is_theirs(given) -> None:
    model, hidden = given.prior().eval(), torch.from_numpy(given["s2.known"] == 0)
    values = model.embedding(model.masked(given.tensor("s2.tokens"), hidden), torch.zeros(6, dtype=torch.long))
    given.equal(values, "s2.embed")
    values = model.enter(values)
    given.equal(values, "s2.embed_norm")
    for number, layer in enumerate(model.layers):
        seen = layer.attention.look(*layer.attention.read(values, given.dtype).chunk(3, dim=2))
        given.equal(seen, f"s2.layer{number}.attn_out")
        fed = layer.feed(values + seen, given.dtype)
        given.equal(fed, f"s2.layer{number}.ff_out")
        values = values + seen + fed
    given.equal(model.out(model.last(values)), "s2.blocks_out")
    given.equal(model.heads(values), "s2.head")
    given.equal(model.logits(values, torch.arange(18)), "s2.logits")


def test_loss_and_slopes_of_stage_2_are_theirs(given) -> None:
    model, hidden = given.prior(), torch.from_numpy(given["s2.known"] == 0)
    loss = prior_loss(model, given.tensor("s2.tokens"), torch.zeros(6, dtype=torch.long), hidden)
    given.equal(loss, "s2.loss")
    loss.backward()
    slopes = {f"s2.grad.prior.{of_prior(name)}": value.grad for name, value in model.named_parameters()}
    stored = {name for name in given.arrays.files if name.startswith("s2.grad.")}
    assert len(stored) > 10
    for name in stored:
        given.equal(slopes[name], name)


def test_attention_with_dropout_is_attention(given) -> None:
    model, hidden = given.prior(), torch.from_numpy(given["s2.known"] == 0)
    tokens = given.tensor("s2.tokens")
    features = model(model.masked(tokens, hidden), torch.zeros(6, dtype=torch.long), prior.Chance(drop=torch.clone))
    logits = model.logits(features, torch.arange(18))
    given.equal(cross_entropy(logits[hidden], tokens[hidden]), "s2.loss")


def part_of(given, part: str):
    """Return the windows of a part, the tokens of each, and how unlikely they are."""
    starts = given[f"score.{part}_starts"]
    end = int(given["score.end"]) if part == "test" else len(given["score.train_series"])
    spans = np.stack([starts, starts + given.cfg[L]], axis=1)
    series = given[f"score.{part}_series"][:end, None]
    windows = Windows(series, spans, (0,), window=given.cfg[L], least_C=np.full(1, 1e-4), device="cpu")
    tokens = tokens_of(given.tokenizer(), windows, windows.of(slice(0, 1)))
    around = stretches(tuple(given["score.rates"].tolist()), rows=3, columns=COLUMNS)
    return windows, tokens, surprises(given.prior(), tokens, torch.zeros(len(tokens), dtype=torch.long), around)


def test_widths_and_stride_are_theirs(given) -> None:
    assert [odd(rate * COLUMNS) for rate in given["score.rates"]] == given["score.kernel"].tolist()
    assert round(0.1 * given.cfg[L]) == given["score.stride"]


def test_scores_are_theirs(given) -> None:
    windows, tokens, surprise = part_of(given, "test")
    np.testing.assert_array_equal(tokens, given["score.test_tokens"])
    given.equal(surprise, "score.test_a_window")
    for rate in range(3):
        total = on_steps(surprise[:, [rate]], windows, 1, total=True)[:, 0]
        np.testing.assert_allclose(total.T, given["score.test_a_star"][rate], rtol=0, atol=20 * TOLERANCE[given.dtype])
    joint = on_steps(surprise, windows, 1, total=True)[:, 0]
    final = smoothed(joint.mean(axis=1)[:, None], window=given.cfg[L], starts=(0,))[:, 0]
    tolerance = 100 * TOLERANCE[given.dtype]
    np.testing.assert_allclose(joint.T, given["score.joint"], rtol=0, atol=tolerance)
    np.testing.assert_allclose(joint.mean(axis=1), given["score.bar"], rtol=0, atol=tolerance)
    np.testing.assert_allclose(2 * final - joint.mean(axis=1), given["score.barbar"], rtol=0, atol=tolerance)
    np.testing.assert_allclose(final, given["score.final"], rtol=0, atol=tolerance)


def test_thresholds_are_theirs(given) -> None:
    windows, _, surprise = part_of(given, "train")
    star = [on_steps(surprise[:, [rate]], windows, 1, total=True)[:, 0].T for rate in range(3)]
    tolerance = 20 * TOLERANCE[given.dtype]
    np.testing.assert_allclose(star, given["score.train_a_star"], rtol=0, atol=tolerance)
    thresholds = np.quantile(star, 0.99, axis=2)
    np.testing.assert_allclose(thresholds, given["score.thresholds"], rtol=0, atol=tolerance)
    assert thresholds.sum(0).mean() == pytest.approx(given["score.final_threshold"], abs=3 * tolerance)
