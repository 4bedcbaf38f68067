"""Draws a program for a seed, and writes it."""

import random
import warnings

import torch
from safetensors.torch import save_file

from dumps import dump_of
from files import file_of
from operands import draw_dims, fresh_input
from operations import CATALOGUE, joined
from program import Program, Unfit
from scene import Scene

torch.set_num_threads(1)
warnings.filterwarnings("ignore")
# Bounds of what a program holds: it is judged in milliseconds, and read by who looks for what failed.
VALUES = 700
ENTRIES = 160


def write(seed, folder):
    attempt = 0
    while True:
        try:
            program, scene, written = draw(f"{seed}/{attempt}", seed)
            break
        except Unfit:
            attempt += 1
    entries, zero = dump_of(program, scene)
    written.zero |= zero
    (folder / f"{seed}.grad").write_text(f"# Program {seed} of the battery.\n" + written.text())
    save_file(entries, folder / f"{seed}.safetensors")


def draw(key, seed):
    """A program, its numbers and its claims; `Unfit` where it is nothing that can be judged."""
    program = Program(seed, random.Random(key))
    rng = program.rng
    for _ in range(rng.choice([1, 1, 2])):
        fresh_input(program, draw_dims(program, rng.choice([0, 1, 2, 2, 2, 3])))
    functions, weights = zip(*CATALOGUE)
    for _ in range(rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 10, 12])):
        made = rng.choices(functions, weights)[0](program)
        if made and size(program, made) > ENTRIES:
            raise Unfit("large")
    if not program.nodes:
        raise Unfit("empty")
    program.output = list(program.nodes)[-1]
    used = {operand for node in program.nodes.values() for operand in node.operands}
    loose = [name for name in program.nodes if name not in used and name != program.output]
    for name in loose[-2:]:
        program.output = joined(program, program.output, name)
    program.ending = rng.choice(["sum", "square", "square", "given", "given"])
    program.prune()
    if not program.is_bound():
        raise Unfit("a size that nothing binds")
    if sum(size(program, name) for name in [*program.inputs, *program.nodes]) > VALUES:
        raise Unfit("large")
    try:
        scene = Scene(program)
    except torch.linalg.LinAlgError as error:
        raise Unfit("a matrix without the factors that are asked for") from error
    written = file_of(program, scene)
    if written is None:
        raise Unfit("kinks too near to one another")
    return program, scene, written


def size(program, name):
    count = 1
    for dim in program.dims_of(name):
        count *= dim.size
    return count
