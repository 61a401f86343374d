"""Op -> the page of PyTorch's documentation that tells of it; None where there is none that fits.

An op of autograd often has another name than the function that people call: `native_layer_norm` is `torch.nn.functional.layer_norm`.
"""

from __future__ import annotations

__all__ = ["ALIASES", "DOCUMENTED", "page_of"]

BASE = "https://docs.pytorch.org/docs/stable/generated/"

# Where functions of this name are documented.
DOCUMENTED: dict[str, tuple[str, ...]] = {
    "torch": tuple(
        "abs acos add addbmm addcdiv addcmul addmm addmv addr all amax amin any arange argmax argmin argsort asin atan atan2 "
        "baddbmm bernoulli bmm bucketize cat ceil cholesky_solve chunk clamp clone complex conj cos cosh cross cummax cummin "
        "cumprod cumsum deg2rad diag diag_embed diagonal diff digamma dist div dot einsum empty eq erf erfc erfinv exp exp2 "
        "expm1 eye flatten flip floor fmax fmin fmod frac full full_like gather ge gt histc hypot imag index_add index_copy "
        "index_select isfinite isinf isnan kron kthvalue le lerp lgamma linspace log log10 log1p log2 logaddexp logcumsumexp "
        "logdet logical_and logical_not logical_or logspace logsumexp lt masked_select matmul max maximum mean median min "
        "minimum mm mode movedim mul multinomial mv nan_to_num nansum narrow ne neg nonzero norm normal ones ones_like outer "
        "permute polar pow prod quantile rad2deg rand rand_like randint randn randn_like randperm real reciprocal remainder "
        "renorm repeat_interleave reshape roll rot90 round rsqrt scatter scatter_add searchsorted select sign sin sinc sinh "
        "sort split sqrt square squeeze stack std std_mean sub sum svd swapaxes t take take_along_dim tan tensordot tile topk "
        "trace transpose tril triu trunc unbind unique unsqueeze var var_mean vdot where zeros zeros_like".split()
    ),
    "torch.nn.functional": tuple(
        "adaptive_avg_pool1d adaptive_avg_pool2d avg_pool1d avg_pool2d avg_pool3d batch_norm binary_cross_entropy "
        "binary_cross_entropy_with_logits celu cosine_similarity dropout elu embedding embedding_bag fold gelu glu grid_sample "
        "group_norm hardsigmoid hardswish hardtanh huber_loss instance_norm interpolate kl_div l1_loss layer_norm leaky_relu "
        "linear log_softmax logsigmoid max_pool1d max_pool2d max_pool3d mish mse_loss nll_loss normalize one_hot pad "
        "pixel_shuffle prelu relu relu6 rms_norm scaled_dot_product_attention selu sigmoid silu smooth_l1_loss softmax softplus "
        "softshrink softsign tanh threshold unfold".split()
    ),
    "torch.Tensor": tuple("as_strided contiguous copy_ detach expand fill_ index_fill masked_fill new_zeros repeat to view".split()),
}

# Other names of ops, by what is documented.
ALIASES: dict[str, str] = {
    "_adaptive_avg_pool2d": "adaptive_avg_pool2d", "_embedding_bag": "embedding_bag", "_log_softmax": "log_softmax",
    "_reshape_alias": "reshape", "_scaled_dot_product_attention_math": "scaled_dot_product_attention",
    "_scaled_dot_product_efficient_attention": "scaled_dot_product_attention",
    "_scaled_dot_product_flash_attention": "scaled_dot_product_attention",
    "_scaled_dot_product_flash_attention_for_cpu": "scaled_dot_product_attention", "_softmax": "softmax", "_to_copy": "to",
    "_unsafe_view": "view", "constant_pad_nd": "pad", "cudnn_batch_norm": "batch_norm",
    "log_sigmoid_forward": "logsigmoid", "max_pool2d_with_indices": "max_pool2d", "native_batch_norm": "batch_norm",
    "native_dropout": "dropout", "native_group_norm": "group_norm", "native_layer_norm": "layer_norm", "nll_loss2d_forward": "nll_loss",
    "nll_loss_forward": "nll_loss", "rsub": "sub", "unsafe_split": "split", "upsample_bilinear2d": "interpolate",
    "upsample_nearest2d": "interpolate",
}  # fmt: skip

_HOME = {name: home for home, names in DOCUMENTED.items() for name in names}


def page_of(op: str | None) -> str | None:
    """The address of the page on `op`; an op in place ("add_") has that of the other ("add")."""
    if op is None:
        return None
    for name in (op, op.removesuffix("_")):
        known = ALIASES.get(name, name)
        if known in _HOME:
            return f"{BASE}{_HOME[known]}.{known}.html"
    return None
