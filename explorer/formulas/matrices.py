"""Rules of products of matrices and vectors."""

from __future__ import annotations

from explorer.formulas.rules import Rule, rule

__all__ = ["MATRICES"]

PLAIN = {"beta": (1,), "alpha": (1,)}

MATRICES: tuple[Rule, ...] = (
    rule("mm", "MmBackward0", "A=self B=mat2", forward="A @ B", A="g @ T(B)", B="T(A) @ g"),
    rule("bmm", "BmmBackward0", "A=self B=mat2", forward="A @ B", A="g @ T(B)", B="T(A) @ g"),
    rule("mv", "MvBackward0", "A=self v=vec", forward="A @ v", A="outer(g, v)", v="T(A) @ g"),
    rule("dot", "DotBackward0", "a=self b=tensor", forward="total(a * b)", a="g * b", b="g * a"),
    rule("addmm", "AddmmBackward0", "C=self A=mat1 B=mat2; beta=1 alpha=1", when=PLAIN, forward="C + A @ B",
         C="g", A="g @ T(B)", B="T(A) @ g"),
    rule("addmm_scaled", "AddmmBackward0", "C=self A=mat1 B=mat2; beta=1 alpha=1", forward="beta * C + alpha * (A @ B)",
         C="beta * g", A="alpha * (g @ T(B))", B="alpha * (T(A) @ g)"),
    rule("addmm", "BaddbmmBackward0", "C=self A=batch1 B=batch2; beta=1 alpha=1", when=PLAIN, forward="C + A @ B",
         C="g", A="g @ T(B)", B="T(A) @ g"),
    rule("addmm_scaled", "BaddbmmBackward0", "C=self A=batch1 B=batch2; beta=1 alpha=1", forward="beta * C + alpha * (A @ B)",
         C="beta * g", A="alpha * (g @ T(B))", B="alpha * (T(A) @ g)"),
    rule("addmv", "AddmvBackward0", "c=self A=mat v=vec; beta=1 alpha=1", forward="beta * c + alpha * (A @ v)",
         c="beta * g", A="alpha * outer(g, v)", v="alpha * (T(A) @ g)"),
)  # fmt: skip
