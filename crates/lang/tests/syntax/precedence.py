"""How Python reads the expressions that both languages share: the witness for `python.rs`.

Writes precedence.tsv beside itself: an expression in the .grad language, a tab, and its tree as an S-expression.
Run with Python 3.11.7; it needs nothing else.
"""

import ast
import pathlib
import random

OPERATORS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@", ast.Pow: "^",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}


def tree(node):
    match node:
        case ast.Constant(value):
            return str(value)
        case ast.Name(name):
            return name
        case ast.UnaryOp(ast.USub(), operand):
            return f"(neg {tree(operand)})"
        case ast.UnaryOp(ast.UAdd(), operand):
            return tree(operand)
        case ast.BinOp(left, operator, right) | ast.Compare(left, [operator], [right]):
            return f"({OPERATORS[type(operator)]} {tree(left)} {tree(right)})"
        case ast.Attribute(value, "T"):
            return f"(T {tree(value)})"
        case ast.Call(ast.Name(function), args, keywords):
            parts = ["call " + function, *map(tree, args), *(f"{k.arg}={tree(k.value)}" for k in keywords)]
            return f"({' '.join(parts)})"
        case ast.List(items) | ast.Tuple(items):
            return f"[{' '.join(map(tree, items))}]"
        case ast.Subscript(value, ast.Tuple(items)):
            return f"(at {tree(value)} [{' '.join(map(item, items))}])"
        case ast.Subscript(value, only):
            return f"(at {tree(value)} [{item(only)}])"
    raise ValueError(ast.dump(node))


def item(node):
    match node:
        case ast.Slice(start, stop, step):
            return ":".join("" if part is None else tree(part) for part in (start, stop, step))
        case ast.Constant(value) if value is Ellipsis:
            return "..."
        case ast.Constant(None):
            return "new"
    return tree(node)


def expression(depth):
    """Random text, with brackets and signs where chance puts them."""
    if depth == 0:
        return random.choice(["a", "b", "W", "x", "2", "0.5", "f(x)", "x[1]"])
    inner = lambda: expression(random.randrange(depth))
    space = random.choice(["", " "])
    match random.randrange(14):
        case 0 | 1 | 2 | 3 | 4:
            operator = random.choice(["+", "-", "*", "/", "@", "**", "**"])
            return f"{inner()}{space}{operator}{space}{inner()}"
        case 5 | 6:
            return random.choice(["-", "-", "+"]) + inner()
        case 7 | 8 | 9:
            return f"({inner()})"
        case 10:
            return f"({inner()}).T"
        case 11:
            return f"f({inner()}, axis={inner()})"
        case 12:
            return f"x[{inner()}:{inner()}, ::{inner()}, ..., None]"
        case _:
            return f"({inner()} {random.choice(['<', '<=', '>', '>=', '==', '!='])} {inner()})"


def main():
    random.seed(0)
    lines = []
    while len(lines) < 600:
        text = expression(5)
        try:
            parsed = ast.parse(text, mode="eval").body
        except SyntaxError:  # a number before `.T`
            continue
        if any(isinstance(node, ast.Compare) and len(node.ops) > 1 for node in ast.walk(parsed)):
            continue
        # Both spellings of the power are read.
        text = text.replace("**", random.choice(["**", "^"]))
        lines.append(f"{text}\t{tree(parsed)}\n")
    pathlib.Path(__file__).with_name("precedence.tsv").write_text("".join(sorted(set(lines))))


main()
