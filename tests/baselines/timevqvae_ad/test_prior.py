"""The prior: what it learns, and that its shortcuts change nothing."""

import itertools

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_baselines.timevqvae_ad.counterfactual import Sampler, resample  # noqa: E402
from tsad_baselines.timevqvae_ad.masking import stretches  # noqa: E402
from tsad_baselines.timevqvae_ad.prior import Chance, Sizes, new_prior  # noqa: E402
from tsad_baselines.timevqvae_ad.scoring import surprises  # noqa: E402
from tsad_baselines.timevqvae_ad.training import Recipe, hide, schedule, train_prior  # noqa: E402
from tsad_core import nn  # noqa: E402

SIZES = {"tokens": 12, "rows": 3, "codes": 5, "embedded": 8, "width": 16, "heads": 2, "head_width": 8}


def prior(layers: int = 2, channels: int = 1, **changes):
    model = new_prior(Sizes(**{**SIZES, **changes}, layers=layers, channels=channels), nn.generator(0, "cpu")).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=nn.generator(1, "cpu"), dtype=torch.float64))
    return model.eval()


def tokens(windows: int, seed: int = 0):
    return torch.randint(5, (windows, 12), generator=nn.generator(seed, "cpu"))


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("channels", [1, 3])
def test_surprise_is_that_of_one_plain_pass_for_each_set_of_hidden_tokens(layers: int, channels: int) -> None:
    model, tokens_BN, channel_B = prior(layers, channels), tokens(4), torch.arange(4) % channels
    found = surprises(model, tokens_BN, channel_B, stretches((0.2, 0.5), rows=3, columns=4))
    assert found.shape == (4, 2, 3, 4)
    for rate, half in enumerate((0, 1)):
        for centre in range(4):
            is_hidden_W = (torch.arange(4) - centre).abs() <= half
            hidden_BN = is_hidden_W.repeat(3).expand(4, 12)
            with torch.no_grad():
                logits = model.logits(model(model.masked(tokens_BN, hidden_BN), channel_B), torch.arange(12))
            plain_BN = -logits.log_softmax(-1).gather(2, tokens_BN[..., None])[..., 0]
            wanted_BH = plain_BN.view(4, 3, 4)[..., is_hidden_W].mean(2)
            torch.testing.assert_close(torch.from_numpy(found[:, rate, :, centre]), wanted_BH)


def test_windows_with_equal_tokens_are_scored_once(monkeypatch) -> None:
    model, asked = prior(), []
    plain = model.surprise
    monkeypatch.setattr(model, "surprise", lambda tokens, *rest: asked.append(len(tokens)) or plain(tokens, *rest))
    tokens_BN = tokens(3)[[0, 1, 0, 2, 0]]
    around = stretches((0.2,), rows=3, columns=4)
    found = surprises(model, tokens_BN, torch.zeros(5, dtype=torch.long), around)
    assert asked == [3]
    assert (found[0] == found[2]).all()
    assert (found[0] != found[1]).any()


def test_a_channels_embedding_tells_equal_tokens_apart() -> None:
    found = surprises(prior(channels=2), tokens(1)[[0, 0]], torch.arange(2), stretches((0.2,), rows=3, columns=4))
    assert (found[0] != found[1]).all()


def test_skipped_layers_change_nothing_that_goes_in() -> None:
    model, tokens_BN, channel_B = prior(), tokens(2), torch.zeros(2, dtype=torch.long)
    skipped = model(tokens_BN, channel_B, Chance(skips=lambda: True))
    torch.testing.assert_close(skipped, model.enter(model.embedding(tokens_BN, channel_B)))


def test_tokens_that_repeat_become_likely_and_others_do_not() -> None:
    pattern_BN = torch.tensor([[0, 1, 2, 3] * 3]).repeat(8, 1)
    model = new_prior(Sizes(**SIZES, layers=1), nn.generator(0, "cpu"))
    recipe = Recipe(steps=150, batch=8, learning_rate=1e-2, dropout=0.1, layer_dropout=0.1, token_dropout=0.1)
    train_prior(model, pattern_BN.to(torch.uint8), torch.zeros(8, dtype=torch.long), recipe, nn.generator(1, "cpu"))
    strange_BN = pattern_BN[:1].clone()
    strange_BN[0, 2] = 4
    both = torch.cat([pattern_BN[:1], strange_BN])
    found = surprises(model, both, torch.zeros(2, dtype=torch.long), stretches((0.2,), rows=3, columns=4))
    assert found[0].max() < 0.3
    assert found[1, 0, 0, 2] > 2


@pytest.mark.parametrize("columns", [True, False])
def test_every_other_window_has_columns_hidden_unless_that_is_off(columns: bool) -> None:
    model = prior()
    recipe = Recipe(steps=1, batch=1, learning_rate=1.0, columns=columns)
    hidden_BHW = hide(model, 400, recipe, nn.generator(0, "cpu")).view(400, 3, 4)
    whole_B = (hidden_BHW == hidden_BHW[:, :1]).all(2).all(1)
    assert whole_B[::2].all() == columns
    assert whole_B[1::2].float().mean() < 0.6


@pytest.mark.parametrize("steps", [1, 2, 9, 10, 200])
def test_a_schedule_rises_for_a_tenth_and_ends_where_it_should(steps: int) -> None:
    rates = schedule(steps, 1e-3)
    assert len(rates) == steps
    assert max(rates) == rates[max(1, steps // 10) - 1] == 1e-3
    if steps > 1:
        assert rates[-1] == pytest.approx(1e-6)
    falling = rates[max(1, steps // 10) - 1 :]
    assert falling == sorted(falling, reverse=True)


@pytest.mark.parametrize("steps", [1, 2, 8, 30])
@pytest.mark.parametrize("hidden", [0, 1, 5, 12])
def test_what_is_known_stays_and_all_that_is_hidden_is_drawn(monkeypatch, steps: int, hidden: int) -> None:
    model, tokens_BN = prior(), tokens(6)
    hidden_BN = torch.rand(6, 12, generator=nn.generator(3, "cpu")).argsort(1) < hidden
    left = []
    plain = model.masked
    monkeypatch.setattr(model, "masked", lambda tokens, hidden: left.append(hidden.sum(1)) or plain(tokens, hidden))
    sampler = Sampler(tokenizer=None, prior=model, random=nn.generator(4, "cpu"), steps=steps)
    drawn_BN = resample(sampler, tokens_BN, torch.zeros(6, dtype=torch.long), hidden_BN)
    assert torch.equal(drawn_BN[~hidden_BN], tokens_BN[~hidden_BN])
    assert drawn_BN.max() < 5
    assert len(left) == steps
    # ever fewer, of those that were hidden at first
    assert all((later <= earlier).all() for earlier, later in itertools.pairwise(left))
    assert (left[0] == hidden).all()


def test_draws_follow_what_is_likely() -> None:
    model = prior()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.bias[:, 2] = 1.0
    sampler = Sampler(tokenizer=None, prior=model, random=nn.generator(4, "cpu"), steps=1)
    hidden_BN = torch.ones(2000, 12, dtype=torch.bool)
    drawn_BN = resample(sampler, tokens(2000), torch.zeros(2000, dtype=torch.long), hidden_BN)
    wanted = torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0]).softmax(0)
    torch.testing.assert_close(drawn_BN.flatten().bincount(minlength=5) / drawn_BN.numel(), wanted, atol=0.02, rtol=0)
