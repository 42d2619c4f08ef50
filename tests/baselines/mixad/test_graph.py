"""The graph: solved by hand where it is small."""

import math

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_baselines.mixad import graph  # noqa: E402 - it needs torch
from tsad_core import nn  # noqa: E402


def test_an_edge_is_as_likely_as_its_ends_are_alike() -> None:
    source = torch.tensor([[2.0, 0.0], [0.0, 3.0]])
    target = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    expected = torch.tensor([[1.0, 0.0], [0.5, 0.5]])
    torch.testing.assert_close(graph.likelihood(source, target), expected, rtol=0, atol=1e-5)


def test_the_settled_graph_has_the_edges_that_are_more_likely_than_not_and_no_loops() -> None:
    likely = torch.tensor([[0.9, 0.6, 0.5], [0.4, 0.9, 0.51], [1.0, 0.0, 0.9]])
    assert graph.settled(likely).tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]


def test_edges_are_drawn_about_as_often_as_gumbel_noise_says() -> None:
    random = nn.generator(0, "cpu")
    likely = torch.tensor([[0.5, 0.9], [0.2, 0.5]])
    drawn = torch.stack([graph.drawn(likely, graph.gumbel(2, random)[0]) for _ in range(4000)]).mean(dim=0)
    expected = torch.sigmoid(2 * likely - 1) * (1 - torch.eye(2))
    torch.testing.assert_close(drawn, expected, rtol=0, atol=0.03)


def test_a_drawn_graph_has_the_gradient_of_the_likelihoods() -> None:
    likely = torch.rand(3, 3, generator=nn.generator(0, "cpu")).requires_grad_()
    edges = graph.drawn(likely, graph.gumbel(3, nn.generator(1, "cpu"))[0])
    assert set(edges.detach().round(decimals=6).flatten().tolist()) == {0.0, 1.0}
    weight = torch.arange(9.0).view(3, 3)
    (edges * weight).sum().backward()
    assert torch.equal(likely.grad, weight * (1 - torch.eye(3)))


def test_noise_is_finite_and_differs_between_both_graphs() -> None:
    noise = graph.gumbel(50, nn.generator(0, "cpu"))
    assert noise.shape == (2, 50, 50, 2)
    assert noise.isfinite().all()
    assert not torch.equal(noise[0], noise[1])


def test_the_laplacian_of_one_edge_by_hand() -> None:
    # degrees 1 and 0: entries from -1 to 1, so twice the Laplacian over 2, less the identity
    assert graph.laplacian(torch.tensor([[0.0, 1.0], [0.0, 0.0]])).tolist() == [[0, -1], [0, -1]]


@pytest.mark.parametrize("nodes", [1, 4])
def test_without_edges_each_node_is_by_itself(nodes: int) -> None:
    edges = torch.zeros(nodes, nodes, requires_grad=True)
    scaled = graph.laplacian(edges)
    assert torch.equal(scaled, -torch.eye(nodes))
    scaled.square().sum().backward()
    assert edges.grad.isfinite().all()


def test_entries_that_tie_for_the_range_share_its_gradient() -> None:
    edges = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64, requires_grad=True)
    graph.laplacian(edges)[0, 1].backward()
    # -2 a / (max - min) with two degrees at the maximum and two edges at the minimum: half of each is each one's
    assert edges.grad.tolist() == [[0.0, -0.5], [0.5, 0.0]]


@pytest.mark.parametrize("order", [2, 3, 5])
def test_chebyshev_terms_are_cosines_of_multiples(order: int) -> None:
    angles = torch.tensor([[0.3, 1.1], [2.0, 0.7]], dtype=torch.float64)
    terms = graph.chebyshev([torch.diag(angle.cos()) for angle in angles], order)
    expected = torch.stack([torch.diag((k * angle).cos()) for angle in angles for k in range(1, order)])
    torch.testing.assert_close(terms, expected)


def test_the_likelihood_never_leaves_its_range() -> None:
    ends = torch.randn(2, 40, 3, generator=nn.generator(0, "cpu"))
    likely = graph.likelihood(*ends)
    assert 0 <= likely.min() < likely.max() <= 1
    assert 1 / (1 + math.e) <= torch.sigmoid(2 * likely - 1).min()
