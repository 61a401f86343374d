"""Formulas with what is known put in its place, and without factors of 1 and terms of 0. Nothing else is multiplied out or cancelled."""

from __future__ import annotations

import ast
from collections.abc import Mapping

__all__ = ["replaced", "simplified"]


def replaced(tree: ast.expr, parts: Mapping[str, ast.expr]) -> ast.expr:
    """The formula with each symbol among `parts` replaced."""

    class Replace(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return parts.get(node.id, node)

        def visit_Call(self, node: ast.Call) -> ast.expr:
            return ast.Call(node.func, [self.visit(one) for one in node.args], [])

    return Replace().visit(_copied(tree))


def simplified(tree: ast.expr) -> ast.expr:
    """The formula without factors of 1 and terms of 0."""

    class Simplify(ast.NodeTransformer):
        def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
            left, right = self.visit(node.left), self.visit(node.right)
            match node.op:
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


def _is(tree: ast.expr, number: int) -> bool:
    return isinstance(tree, ast.Constant) and not isinstance(tree.value, bool) and tree.value == number


def _copied(tree: ast.expr) -> ast.expr:
    """The same formula in nodes of its own: those of `parse` are kept and must not change."""
    return ast.parse(ast.unparse(tree), mode="eval").body
