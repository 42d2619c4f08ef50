"""Spectra, convolutions, codes: each against torch's own or against a hand-made case."""

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_baselines.timevqvae_ad.blocks import Snake  # noqa: E402
from tsad_baselines.timevqvae_ad.quantiser import Quantiser  # noqa: E402
from tsad_baselines.timevqvae_ad.spectrum import Spectrum  # noqa: E402
from tsad_baselines.timevqvae_ad.tokenizer import Sizes, halvings, new_tokenizer  # noqa: E402
from tsad_core import nn  # noqa: E402


@pytest.mark.parametrize(("size", "window"), [(4, 8), (4, 49), (8, 64), (16, 160)])
def test_a_spectrum_is_torchs_and_its_inverse_gives_the_window_back(size: int, window: int) -> None:
    windows_BL = torch.randn(3, window, dtype=torch.float64, generator=nn.generator(0, "cpu"))
    made = Spectrum(size)
    hann = torch.hann_window(size, dtype=torch.float64)
    options = {"n_fft": size, "hop_length": size // 4, "window": hann, "normalized": True}
    theirs = torch.stft(windows_BL, **options, return_complex=True)
    spectra = made(windows_BL)
    torch.testing.assert_close(spectra, torch.stack([theirs.real, theirs.imag], dim=1))
    inverse = made.inverse(spectra)
    torch.testing.assert_close(inverse, windows_BL[:, : inverse.shape[1]])
    noise = torch.randn(spectra.shape, dtype=torch.float64, generator=nn.generator(1, "cpu"))
    wanted = torch.istft(torch.complex(noise[:, 0], noise[:, 1]), **options)
    torch.testing.assert_close(made.inverse(noise), wanted)


def test_a_snake_has_its_own_slopes() -> None:
    snake = Snake(3).double()
    values = torch.randn(2, 3, 3, 5, dtype=torch.float64, generator=nn.generator(0, "cpu")).requires_grad_()
    wanted = values + (snake.a * values).sin().square() / snake.a
    torch.testing.assert_close(snake(values), wanted)
    assert torch.autograd.gradcheck(snake, values)
    weights = torch.randn(wanted.shape, dtype=torch.float64, generator=nn.generator(1, "cpu"))
    slopes = [torch.autograd.grad((made * weights).sum(), snake.a)[0] for made in (wanted, snake(values))]
    torch.testing.assert_close(*slopes)


@pytest.mark.parametrize(
    ("window", "columns"),
    [(8, 4), (31, 16), (48, 24), (78, 39), (164, 41), (408, 25), (958, 29), (1756, 27), (3028, 23)],
)
def test_columns_are_those_of_the_published_periods(window: int, columns: int) -> None:
    sizes = Sizes(window=window, halvings=halvings(window, 4), blocks=0)
    assert sizes.columns == columns
    tokenizer = new_tokenizer(sizes, nn.generator(0, "cpu")).eval()
    tokens = tokenizer.tokens(torch.zeros(2, window))
    assert tokens.shape == (2, 3 * columns)
    assert tokenizer.decode(tokens).shape == (2, window)


def clouds(generator):
    """Return 90 vectors around three places, and the places."""
    centres = torch.tensor([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]])
    return centres.repeat(30, 1) + 0.1 * torch.randn(90, 2, generator=generator), centres


def test_codes_start_at_the_means_of_clouds() -> None:
    generator = nn.generator(1, "cpu")
    vectors, centres = clouds(generator)
    quantiser = Quantiser(12, 2)
    quantiser.start(vectors, generator)
    assert torch.cdist(centres, quantiser.codebook).min(1).values.max() < 0.1
    assert quantiser.count.sum() == 90
    # nothing is left to move: each code in use is the mean of what it stands for
    code = quantiser(vectors)
    for used in code.unique():
        torch.testing.assert_close(quantiser.codebook[used], vectors[code == used].mean(0))


def test_codes_follow_running_means() -> None:
    quantiser = Quantiser(2, 1, decay=0.5, revive=False)
    quantiser.codebook.copy_(torch.tensor([[0.0], [10.0]]))
    quantiser.total.copy_(torch.tensor([[0.0], [10.0]]))
    quantiser.count.fill_(1)
    vectors = torch.tensor([[1.0], [2.0], [12.0]])
    code = quantiser(vectors)
    assert code.tolist() == [0, 0, 1]
    quantiser.follow(vectors, code)
    # half of what was, half of what came: sums 1.5 and 11, numbers 1.5 and 1
    torch.testing.assert_close(quantiser.codebook, torch.tensor([[1.0], [11.0]]), atol=1e-3, rtol=0)


@pytest.mark.parametrize("revive", [True, False])
def test_an_unused_code_is_revived_unless_that_is_off(revive: bool) -> None:
    generator = nn.generator(0, "cpu")
    vectors, _ = clouds(generator)
    quantiser = Quantiser(2, 2, revive=revive)
    quantiser.codebook.copy_(torch.tensor([[1.0, 1.0], [1e3, 1e3]]))
    quantiser.total.copy_(quantiser.codebook)
    quantiser.count.fill_(1)
    for _ in range(20):
        quantiser.follow(vectors, quantiser(vectors), generator)
    used = quantiser(vectors).unique()
    assert len(used) == (2 if revive else 1)


def test_codes_and_running_statistics_follow_in_training_alone() -> None:
    sizes = Sizes(window=16, halvings=1, width=8, codes=4, blocks=1)
    model = new_tokenizer(sizes, nn.generator(0, "cpu"))
    windows_BL = torch.randn(4, 16, generator=nn.generator(1, "cpu"))
    changed = {}
    for training in (False, True):
        before = {name: value.clone() for name, value in model.state_dict().items()}
        losses = model.train(training).losses(windows_BL, nn.generator(2, "cpu"))
        changed[training] = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed[False] == set()
    assert {"quantiser.codebook", "quantiser.count", "encoder.0.bn.running_mean"} <= changed[True]
    sum(losses).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
