"""Formulas with what is known put in its place, and without factors of 1 and terms of 0. Nothing else is multiplied out or cancelled."""

from __future__ import annotations

import ast
from collections.abc import Mapping

__all__ = ["ONE", "replaced", "simplified", "singular"]

ONE = ast.Constant(1)

# Words that give a single number back as it is.
SAME = set("total sum mean spread fit reshape spread_to T swap permute unpermute product tile untile by_channel sum_channels".split())


def replaced(tree: ast.expr, parts: Mapping[str, ast.expr]) -> ast.expr:
    """The formula with each symbol among `parts` replaced."""

    class Replace(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return parts.get(node.id, node)

        def visit_Call(self, node: ast.Call) -> ast.expr:
            return ast.Call(node.func, [self.visit(one) for one in node.args], [])

    return Replace().visit(_copied(tree))


def simplified(tree: ast.expr) -> ast.expr:
    """The formula without factors of 1 and terms of 0, and powers and differences of numbers worked out."""

    class Simplify(ast.NodeTransformer):
        def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
            left, right = self.visit(node.left), self.visit(node.right)
            match node.op:
                case ast.Sub() if _number(left) is not None and _number(right) is not None:
                    return ast.Constant(_number(left) - _number(right))  # type: ignore[operator]
                case ast.Pow() if _is(right, 1):
                    return left
                case ast.Mult() if _is(left, 1):
                    return right
                case ast.Mult() | ast.Div() if _is(right, 1):
                    return left
                case ast.Add() if _is(left, 0):
                    return right
                case ast.Add() | ast.Sub() if _is(right, 0):
                    return left
            return ast.BinOp(left, node.op, right)

    return Simplify().visit(_copied(tree))


def singular(tree: ast.expr) -> ast.expr:
    """The formula for single numbers: sums, shapes and transposes do nothing, a product of matrices is a product."""

    class Single(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.expr:
            word = getattr(node.func, "id", "")
            arguments = [self.visit(one) for one in node.args]
            if word in SAME:
                return arguments[0]
            if word in ("count", "size"):
                return ONE
            if word == "outer":
                return ast.BinOp(arguments[0], ast.Mult(), arguments[1])
            return ast.Call(node.func, arguments, [])

        def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
            op = ast.Mult() if isinstance(node.op, ast.MatMult) else node.op
            return ast.BinOp(self.visit(node.left), op, self.visit(node.right))

    return Single().visit(_copied(tree))


def _number(tree: ast.expr) -> float | None:
    """A number as written; a file may put anything else in its place."""
    if isinstance(tree, ast.Constant) and type(tree.value) in (int, float):
        return tree.value  # type: ignore[return-value]
    return None


def _is(tree: ast.expr, number: int) -> bool:
    return _number(tree) == number


def _copied(tree: ast.expr) -> ast.expr:
    """The same formula in nodes of its own: those of `parse` are kept and must not change."""
    return ast.parse(ast.unparse(tree), mode="eval").body
