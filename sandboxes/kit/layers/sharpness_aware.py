"""Sharpness-aware steps: the gradient is taken where the loss is worst within a small ball around the weights.

Notation: P parameters, U rows of a table that a batch looked up, D embedding width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.contract import Stage, Step
from sandboxes.kit.team import Team

TINY = 1e-12  # keeps a gradient of zero from dividing by zero

CARD = Card(
    name="sharpness_aware",
    block="SharpnessAware",
    slot="update",
    summary="Takes each gradient at weights moved uphill by a fixed distance, so that training ends in flat minima.",
    equation="e = rho g / ||g||_2 with g = grad L(w); Adam then follows grad L(w + e) from w"
    " (Foret et al., ICLR 2021, eq. 2 and algorithm 1)",
    cues=(
        "sharpness-aware minimization",
        "sharpness-aware minimisation",
        "sharpness-aware training",
        "sharpness of the loss landscape",
        "flat minima",
        "flatter minima",
        "flat minimum",
        "sharp minima",
        "flatness of the loss surface",
        "adversarial weight perturbation",
        "perturbation radius",
        "perturb the weights in the direction of the gradient",
        "neighborhoods with uniformly low loss",
        "worst-case loss in a neighbourhood of the weights",
        "ascent step on the parameters",
        "minimises both loss value and loss sharpness",
    ),
    descriptions=(
        (
            "At every step the weights are first moved a short way up the loss, and the gradient found there is applied to "
            "the weights."
        ),
        "The optimiser seeks flat minima by minimising the worst loss within a small ball around the current parameters.",
        (
            "Each update needs two forward and backward passes: one to find the perturbation of the weights, one to find the "
            "gradient."
        ),
        (
            "The parameters are perturbed by the normalised gradient scaled by a radius before the gradient of the update is "
            "computed."
        ),
        "Training penalises sharpness: loss must be low not only at the weights but everywhere near them.",
        "A min-max problem over weights and their perturbation replaces plain empirical risk minimisation.",
        (
            "To improve generalisation on sparse interactions, we optimise the model so that it lies in a region whose loss "
            "is uniformly low. In every iteration the parameters are shifted along the normalised gradient with a given "
            "radius, the gradient is evaluated at the shifted point, and the original parameters are updated by it."
        ),
        (
            "Recommenders trained by ordinary stochastic gradients tend to converge to narrow valleys of the loss surface. We "
            "replace the objective by the maximum of the loss over perturbations of the parameters with bounded Euclidean "
            "norm, solve the inner problem by a first-order approximation, and descend on the outer one with Adam."
        ),
        (
            "Our training algorithm differs from the base optimiser only in where the gradient is measured. The inner step "
            "climbs, by a length that is the same for all batches, and the outer step descends from the point before the "
            "climb."
        ),
        (
            "We observe that deep click models overfit after one epoch and relate this to sharp solutions. The proposed "
            "procedure smooths the landscape around the solution by a two-step update, at the cost of twice the computation "
            "per iteration."
        ),
        (
            "Before the player model takes a step downhill it looks for the nastiest spot within arm's reach and asks for the "
            "slope there. It then goes back to where it stood and walks by that slope."
        ),
        (
            "A song ranker that sits in a narrow gorge is ruined by the smallest shift of its numbers. We want it to settle "
            "on a broad plain instead, so the slope that guides it is read off at a slightly worse place than the one it "
            "occupies."
        ),
        (
            "Tersely: g is the slope at w; w' equals w plus r times g over its length; h is the slope at w'; w moves by minus "
            "eta times h. Nothing of w' is kept."
        ),
        (
            "The implementation runs the batch twice. After the first backward pass the weights are saved and nudged by a "
            "vector of fixed length along their derivative; after the second backward pass the saved weights are restored, "
            "and the derivative at the nudged place goes to the ordinary optimiser. An hour of training thus becomes two."
        ),
        (
            "Instead of asking how good the bank's scoring network is, ask how good it remains when an opponent with a small "
            "budget alters its weights. The opponent's best alteration points along the gradient, and we train against it in "
            "every step."
        ),
        (
            "For hotel bookings, two networks with equal training error may behave quite differently next month. The one "
            "whose error hardly grows when all coefficients are jostled a little is the safer bet, and our learning rule "
            "looks for it by jostling them in the worst direction before each correction."
        ),
        (
            "News models are retrained hourly and should bear small changes. So we do not descend at the present point: we "
            "step against the descent by a tiny, constant length, note which way is down from there, return, and go that way."
        ),
        (
            "The regulariser has no formula of its own in the objective. It comes from evaluating the derivative after an "
            "upward move of length rho in weight space, which, to first order, punishes directions in which the error curves "
            "strongly."
        ),
        (
            "Like a hiker who tests the ground around a tent site and not just the square metre below the tent, the algorithm "
            "prefers places where every neighbouring point is about as low as the site itself."
        ),
        (
            "In the advertising system each minibatch is used for two gradient computations. The first only tells in which "
            "direction the loss rises fastest; the parameters make an excursion that way, and the second computation, done at "
            "the excursion's end, supplies the update for the parameters as they were."
        ),
        (
            "The app store's embeddings are trained to be robust against displacement: with all weights displaced by the "
            "vector that hurts most among those of a given norm, the error should still be small. One extra pass per batch "
            "approximates that vector."
        ),
        (
            "Rather than adding noise at random to the network's coefficients, the method adds the most harmful shift of a "
            "certain size, which one gradient reveals, and lets the network learn under it. The shift is removed again before "
            "the step is made."
        ),
        (
            "When shops have few visits, the loss surface is jagged. We look for wide basins: a solution is accepted as good "
            "only if the highest loss nearby is low, and each iteration lowers that nearby peak instead of the loss "
            "underfoot."
        ),
        (
            "Two quantities are lowered at once, the loss and the amount by which it can grow inside a sphere around the "
            "weights. Their sum is the sphere's highest loss, whose gradient is approximated by the gradient at the point of "
            "the sphere that lies straight uphill."
        ),
    ),
    arguments=(
        Argument(
            "rho",
            0.05,
            ("rho", "perturbation radius", "neighborhood size", "neighbourhood size", "radius of the perturbation"),
            low=1e-6,
            high=10.0,
        ),
    ),
    example="stages = SharpnessAware(rho=0.1).staged((Stage('train'),))",
)


@dataclass(frozen=True)
class SharpnessAware:
    """An `Update`: Adam follows the gradient at the weights moved by `rho` along their normalised gradient.

    The norm is over all free parameters together. Of an embedding table only the U rows that the batch looked up move, since the
    others have no gradient. Weight decay is no part of the loss and is not perturbed. Both passes see the same rows; what a model
    draws while it trains, as dropout, it draws anew in the second, and running statistics move twice. A step costs two.
    """

    rho: float = 0.05

    def __post_init__(self) -> None:
        if not self.rho > 0:
            raise ValueError(f"the radius of the perturbation must be positive, not {self.rho}")

    def staged(self, stages: Sequence[Stage]) -> tuple[Stage, ...]:
        return tuple(stage.under(self) for stage in stages)

    def gradients(self, step: Step) -> Tensor:
        loss = step.backward()
        slopes = [(p, p.grad.coalesce() if p.grad.is_sparse else p.grad) for p in step.parameters if p.grad is not None]
        length = self.rho / (_norm([slope for _, slope in slopes], step.team) + TINY)
        before = [_climb(p, slope, length) for p, slope in slopes]
        step.backward()
        with torch.no_grad():
            for (p, _), (rows, values) in zip(slopes, before, strict=True):
                p[rows] = values
        return loss


def _norm(slopes: Sequence[Tensor], team: Team) -> Tensor:
    """Of all gradients as one vector (P,). Dense ones are the same on every member; sparse ones are of its own rows."""
    zero = torch.zeros((), device=slopes[0].device if slopes else "cpu")
    rows = sum((s.values().square().sum() for s in slopes if s.is_sparse), zero)
    dense = sum((s.square().sum() for s in slopes if not s.is_sparse), zero)
    return (dense + team.sum(rows.clone())).sqrt()


@torch.no_grad()
def _climb(parameter: nn.Parameter, slope: Tensor, length: Tensor) -> tuple[Tensor | slice, Tensor]:
    """Moves the parameter by `length` times its gradient; what moved (U,), and the values (U, D) that it had."""
    moved = slope.indices()[0] if slope.is_sparse else slice(None)
    before = parameter[moved].clone()
    parameter[moved] = before + length * (slope.values() if slope.is_sparse else slope)
    return moved, before
