"""The definitions that programs are made of: the operations of the op table, and the idioms that people write with them.

Each function draws operands that fit from a program and adds a definition to it, or several; it returns the newest name, or
nothing where no value fits. A rule states the derivative in text, by hand: PyTorch's autograd knows nothing of it. Where it is long
there is none, and what operands get is claimed in numbers.
"""

from algebra import *
from elementwise import *
from expression import *
from loops import *
from moving import *
from networks import *
from operands import *
from products import *
from program import Node
from reductions import *
from training import *


def joined(p, end, loose):
    """What the program came to, and the mean of a value that nothing uses yet."""
    dims, left = p.dims_of(end), p.dims_of(loose)
    if left:
        every = tuple(range(len(left)))
        rule = lambda g, y, x: [spread(g, left, every, False) / product(left)]
        loose = p.add(Node(p.fresh("m"), [loose], [], lambda x: mean(x), rule))
    rule = lambda g, y, a, b: [g, total(g) if dims else g]
    return p.add(Node(p.fresh("y"), [end, loose], dims, lambda a, b: a + b, rule))


# Each with how often it is drawn beside the others.
CATALOGUE = [
    (unary, 16), (choosing, 9), (above, 2), (binary_op, 14), (linear, 10), (gram, 2), (matrix_vector, 3), (batched, 2),
    (outer_product, 2), (dot, 2), (kronecker, 2), (convolution, 2), (inverse, 2), (reduction, 9), (softmax_op, 3),
    (alias, 7), (residual, 4), (rearranged, 4), (sliced, 4), (gathered, 4), (scattered, 2), (diagonal, 2), (dropout, 3),
    (compared_mask, 1), (diagonal_mask, 2), (masked_softmax, 2), (cross_entropy, 2), (cross_entropy_at_once, 2),
    (binary_cross_entropy, 2), (centred, 3), (normalised, 2), (pooled, 3), (branches, 2), (concatenated, 3),
    (running_sum, 2), (log_determinant, 1), (layer_normalised, 2),

    (within_domain, 8), (jumping, 4), (three_factors, 1), (added_product, 1), (cross_product, 1), (deviation, 3), (norm, 4),
    (product_of_elements, 2), (running, 4), (ranked, 5), (log_softmax_op, 2), (turned, 2), (multiplied, 2), (padded, 2),
    (stacked, 2), (parts, 2), (taken, 2), (added_by_index, 1), (triangle, 2), (beside_diagonal, 1), (filled_by_mask, 2),
    (paired, 2), (strided, 2), (by_order, 2), (fitted, 4), (narrowed, 1), (blocks, 1), (determinant, 2), (factored, 2), (factorisation, 3),
    (matrix_function, 2), (solved, 1), (distances, 1), (regression, 3), (classification, 1), (divergence, 1), (labelled, 3),
    (similarity, 1), (held, 2), (convolved, 3), (pooled_windows, 3), (normalised_by_name, 3), (attention, 2), (cell, 1),
    (gated, 1), (recurrent, 3), (moving_average, 1), (two_carries, 1), (recurrence, 1), (function_of_statements, 1),
]
