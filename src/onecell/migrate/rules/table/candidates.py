"""What comes near in the other framework, where no row leads: for the advice in a mark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CANDIDATES: Final[Mapping[str, str]] = {
    "torch.einsum": "`mindspore.ops.einsum`, which has no kernel on a CPU: use `ops.matmul`",
    "torch.nn.functional.selu": "`mindspore.ops.selu`, whose gradient is another below zero",
    "torch.nn.functional.logsigmoid": "`mindspore.ops.logsigmoid`, which is -Inf below -88",
    "torch.std": "`mindspore.ops.std(…, ddof=1)`: it divides by N unless told otherwise",
    "torch.var": "`mindspore.ops.var(…, ddof=1)`: it divides by N unless told otherwise",
    "torch.normal": "`mindspore.ops.normal(shape, mean, stddev)`",
    "torch.dot": "`(a * b).sum()`: `mindspore.ops.dot` wants two axes",
    "torch.baddbmm": "`mindspore.ops.baddbmm`; its arguments are the same",
    "torch.outer": "`mindspore.ops.outer`",
    "torch.ger": "`mindspore.ops.outer`",
    "torch.diag": "`mindspore.ops.diag` for one axis; `mindspore.ops.diagonal` for two",
    "torch.median": "`mindspore.ops.median(input, axis)`, which gives a pair",
    "torch.unique": "`mindspore.ops.sort(mindspore.ops.unique(x)[0])[0]`",
    "torch.clamp_min": "`mindspore.ops.clamp(x, min=…)`",
    "torch.clamp_max": "`mindspore.ops.clamp(x, max=…)`",
    "torch.detach": "`mindspore.ops.stop_gradient`",
    "torch.fmod": "`mindspore.ops.fmod`, which is NaN where the divisor is infinite",
    "torch.index_add": "`x.index_add(axis, index.int(), y)`",
    "torch.lerp": "`a + w * (b - a)`: `mindspore.ops.lerp` takes float32 alone",
    "torch.select": "`x[:, i]`, with a colon for each axis before",
    "torch.take": "`x.reshape(-1)[indices]`",
    "torch.trace": "`mindspore.ops.trace`, which keeps int32",
    "torch.cdist": "`mindspore.ops.cdist`",
    "torch.nn.functional.conv_transpose2d": "the layer `mindspore.nn.Conv2dTranspose`: the function"
    " has no kernel on a CPU",
    "torch.nn.functional.conv_transpose1d": "the layer `mindspore.nn.Conv1dTranspose`",
    "torch.nn.functional.grid_sample": "`mindspore.ops.grid_sample`, called alike",
    "torch.nn.functional.layer_norm": "the layer `mindspore.nn.LayerNorm`: the function has no"
    " kernel on a CPU",
    "torch.nn.functional.pairwise_distance": "`mindspore.ops.norm(a - b + 1e-6, dim=-1)`",
    "torch.nn.functional.scaled_dot_product_attention": "two products and a softmax between them",
    "torch.nn.functional.interpolate": "`mindspore.ops.interpolate(x, size)`, with the size in"
    " numbers: factors have no kernel on a CPU",
    "torch.nn.Upsample": "`mindspore.nn.Upsample(size)`, with the size in numbers: factors have no"
    " kernel on a CPU",
    "torch.nn.CosineSimilarity": "the function `mindspore.ops.cosine_similarity`",
    "torch.nn.InstanceNorm1d": "`mindspore.nn.GroupNorm(C, C)`: its own has no kernel on a CPU",
    "torch.nn.InstanceNorm2d": "`mindspore.nn.GroupNorm(C, C)`: its own has no kernel on a CPU",
    "torch.nn.KLDivLoss": "the function `mindspore.ops.kl_div`: the layer has no gradient",
    "torch.nn.LogSigmoid": "`mindspore.nn.LogSigmoid`, which is -Inf below -88",
    "torch.nn.SELU": "`mindspore.nn.SeLU`, whose gradient is another below zero",
    "torch.nn.Unfold": "the function `mindspore.ops.unfold`, called alike",
    "torch.meshgrid": "`mindspore.ops.meshgrid(…, indexing='ij')`",
    "torch.roll": "slices put together by `mindspore.ops.cat`: `roll` has no kernel on a CPU",
    "torch.nn.init.calculate_gain": "the number itself: 5 / 3 for tanh, the square root of 2 for"
    " relu",
    "torch.nn.functional.normalize": "`x / mindspore.ops.norm(x, dim=…, keepdim=True)`",
    "torch.nn.functional.embedding": "`weight[indices]`",
    "torch.nn.functional.avg_pool2d": "`mindspore.ops.avg_pool2d`, whose stride is 1 by default",
    "torch.nn.ConvTranspose1d": "`mindspore.nn.Conv1dTranspose(…, pad_mode='pad')`",
    "torch.nn.ConvTranspose2d": "`mindspore.nn.Conv2dTranspose(…, pad_mode='pad')`",
    "torch.nn.GroupNorm": "`mindspore.nn.GroupNorm`, which calls its parameters gamma and beta",
    "torch.nn.PReLU": "`mindspore.nn.PReLU`, which calls its parameter `a`",
    "torch.nn.Bilinear": "`mindspore.nn.BiDense`",
    "torch.nn.ModuleDict": "`mindspore.nn.CellDict`",
    "torch.nn.ParameterList": "`mindspore.ParameterTuple`, which cannot grow",
    "torch.nn.Dropout2d": "`mindspore.nn.Dropout2d`, in the mode that is set by `set_train`",
    "torch.nn.MultiheadAttention": "`mindspore.nn.MultiheadAttention`, with `has_bias`, and called"
    " without `need_weights=False`, for which it gives a tuple of one",
    "torch.nn.Embedding": "`mindspore.nn.Embedding`, whose `padding_idx` row is trained all the"
    " same",
    "torch.optim.Adam": "`mindspore.experimental.optim.Adam`, which puts `eps` elsewhere",
    "mindspore.nn.Adam": "`torch.optim.Adam`, which puts `eps` elsewhere",
    "mindspore.nn.SGD": "`torch.optim.SGD`",
    "mindspore.ops.Concat": "`torch.cat`",
    "mindspore.ops.Stack": "`torch.stack`",
    "mindspore.ops.TopK": "`torch.topk`, whose indices are int64",
    "mindspore.ops.equal": "`torch.eq`",
    "mindspore.ops.clip_by_value": "`torch.clamp`",
    "mindspore.ops.GradOperation": "`backward` of what the function gives",
}
"""Import path → what to write, or what it differs from."""


_PARTS: Final[Mapping[str, str]] = {
    "torch.Size": "write a plain tuple",
    "torch.__version__": "leave it out, or ask `mindspore.__version__`",
    "torch.ByteTensor": "write `mindspore.tensor(…, mindspore.uint8)`",
    "torch.nn.modules.rnn.RNNCellBase": "derive from `mindspore.nn.Cell`, and make the four"
    " parameters yourself",
    "torch.nn.Embedding": "keep an Embedding in an attribute instead of deriving from it",
    "torch.nn.modules": "import it from `torch.nn` before",
    "torch.quantization": "leave it out: the result runs in float32",
    "torch.get_rng_state": "leave it out, or seed by `mindspore.set_seed`",
    "torch.set_rng_state": "leave it out, or seed by `mindspore.set_seed`",
    "torch.random": "write `mindspore.set_seed(…)`",
    "torch.set_num_threads": "leave it out, or see `mindspore.runtime.set_cpu_affinity`",
    "torch.get_num_threads": "leave it out",
    "torch.set_default_tensor_type": "leave it out where it says float32; else name each `dtype`",
    "torch.set_default_dtype": "leave it out where it says float32; else name each `dtype`",
    "torch.set_printoptions": "leave it out: it only prints",
    "torch.backends": "leave it out: it only chooses kernels",
    "torch.sparse": "keep the full tensor, of which zeros are part",
    "torch.sparse_coo_tensor": "keep the full tensor, of which zeros are part",
    "torch.view_as_complex": "keep real and imaginary parts as two tensors",
    "torch.view_as_real": "keep real and imaginary parts as two tensors",
    "torch.complex": "keep real and imaginary parts as two tensors",
    "torch.fft": "see the same name in `mindspore.ops`",
    "torch.utils.backcompat": "leave it out",
    "torch._utils": "write it out",
    "torch.nn._functions": "write it out, or use the layer",
    "torch.nn.AlphaDropout": "write it out",
    "torch.optim.SparseAdam": "write `mindspore.experimental.optim.Adam`",
    "torch.optim.optimizer": "derive from `mindspore.experimental.optim.Optimizer`, called with the"
    " gradients",
    "torch.allclose": "write `numpy.allclose(a.asnumpy(), b.asnumpy())`",
    "torch.device": "write `str`, which a device is in MindSpore",
    "torch.as_tensor": "write `mindspore.tensor(…)`, which copies",
    "torch.enable_grad": "leave it out: MindSpore differentiates what it is told to",
    "torch.equal": "write `a.shape == b.shape and bool((a == b).all())`",
    "torch.set_grad_enabled": "leave it out: MindSpore differentiates what it is told to",
    "torch.optim.LBFGS": "write the step out",
    "torch.autograd.Function": "write a `mindspore.nn.Cell` whose gradient is its method `bprop`",
    "torch.autograd.profiler": "leave it out: it only measures",
    "torch.autograd": "write `mindspore.grad` of a function that gives the number",
    "torch.cuda.amp": "leave it out where numbers are float32; else see `mindspore.amp`",
    "torch.cuda": "leave it out: MindSpore has one device for the process",
    "torch.distributed": "leave it out in one process; for more see `mindspore.communication`",
    "torch.distributions": "write the density out, or see `mindspore.nn.probability`",
    "torch.hub": "download the file and give it to `onecell convert`",
    "torch.jit": "leave it out: MindSpore runs the plain code",
    "torch.multiprocessing": "use Python's `multiprocessing`, with arrays instead of tensors",
    "torch.nn.DataParallel": "use the module itself",
    "torch.nn.parallel": "use the module itself",
    "torch.nn.modules.utils": "write the tuple out, `(k, k)` for `_pair(k)`",
    "torch.nn.utils.clip_grad_norm": "hand the optimizer `ops.clip_by_global_norm(grads, most)`",
    "torch.nn.utils.clip_grad_norm_": "hand the optimizer `ops.clip_by_global_norm(grads, most)`",
    "torch.nn.utils.clip_grad_value_": "hand the optimizer `ops.clip_by_value(grads, -a, a)`",
    "torch.nn.utils.rnn": "keep padded rows and hand `seq_length` to the layer",
    "torch.nn.utils": "write it out in `construct`, with the layer's parameters",
    "torch.onnx": "write `mindspore.export(…, file_format='ONNX')`",
    "torch.optim.lr_scheduler": "see the same name in `mindspore.experimental.optim.lr_scheduler`",
    "torch.optim.Optimizer": "derive from `mindspore.experimental.optim.Optimizer`, called with the"
    " gradients",
    "torch.profiler": "leave it out: it only measures",
    "torch.testing": "write `numpy.testing.assert_allclose` of both sides' `asnumpy()`",
    "torch.utils.checkpoint": "call the function: it only saves memory",
    "torch.utils.data": "use `mindspore.dataset.GeneratorDataset`, or a plain loop over arrays",
    "torch.utils.tensorboard": "use `tensorboardX`, which needs no framework",
}
"""Import path of what is in it → what to write; the longest that fits holds."""

_SAME_FUNCTIONS: Final = (
    "absolute acos acosh adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d "
    "adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d addbmm addcdiv addcmul addmv "
    "addr adjoint affine_grid aminmax angle arccos arccosh arcsin arcsinh arctan arctan2 arctanh "
    "argwhere asin asinh atan atan2 atanh atleast_1d atleast_2d atleast_3d avg_pool1d avg_pool2d "
    "avg_pool3d baddbmm batch_norm binary_cross_entropy_with_logits bincount bitwise_and "
    "bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor blackman_window block_diag "
    "broadcast_to bucketize cartesian_prod cdist celu channel_shuffle cholesky cholesky_inverse "
    "cholesky_solve clip column_stack combinations cond conj conv3d "
    "conv_transpose2d copysign cosh cosine_embedding_loss cov cross ctc_loss "
    "cummax cummin cumprod deg2rad det diag diag_embed diagflat diagonal diagonal_scatter diff "
    "digamma dist divide dot dropout dropout1d dropout2d dropout3d dsplit dstack eig einsum "
    "embedding equal erfc erfinv exp2 expm1 fill fliplr flipud float_power floor_divide fmax fmin "
    "fmod fold frac fractional_max_pool2d fractional_max_pool3d full_like gaussian_nll_loss gcd "
    "geqrf ger greater greater_equal grid_sample group_norm gumbel_softmax hamming_window "
    "hann_window hardshrink hardsigmoid hardswish heaviside hinge_embedding_loss histc hsplit "
    "hstack huber_loss hypot i0 igamma igammac imag index_add index_fill inner interpolate "
    "inverse is_complex is_floating_point is_nonzero isclose isneginf isposinf "
    "isreal kaiser_window kron layer_norm lcm ldexp lerp less less_equal lgamma log10 log2 "
    "logaddexp logaddexp2 logcumsumexp logdet logical_xor logit logsigmoid logspace logsumexp "
    "lp_pool1d lp_pool2d lstsq lu_solve lu_unpack margin_ranking_loss matrix_exp matrix_power "
    "max_pool2d max_pool3d max_unpool1d max_unpool2d max_unpool3d meshgrid mish moveaxis movedim "
    "msort multi_margin_loss multilabel_margin_loss multilabel_soft_margin_loss multiply mv "
    "mvlgamma nan_to_num nanmean nanmedian nanquantile nansum narrow negative nextafter normal "
    "not_equal orgqr ormqr outer pdist pixel_shuffle pixel_unshuffle poisson polar polygamma "
    "positive prelu qr quantile rad2deg randint_like range ravel real reciprocal remainder renorm "
    "repeat_interleave rms_norm roll rot90 row_stack rrelu searchsorted select "
    "select_scatter selu sgn signbit sinc sinh slice_scatter slogdet soft_margin_loss softmin "
    "softshrink softsign std_mean stft subtract svd swapaxes swapdims take tan tanhshrink "
    "tensor_split threshold trace trapz tril_indices triplet_margin_loss triu_indices true_divide "
    "trunc unfold unique unique_consecutive upsample vander var_mean view_as_real vmap vsplit "
    "vstack xlogy"
)
"""What `mindspore.ops` has by the same name; what it computes has not been compared."""
_SAME_LAYERS: Final = (
    "AdaptiveAvgPool1d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d "
    "AvgPool3d BatchNorm3d CELU CTCLoss ChannelShuffle ConstantPad1d ConstantPad2d ConstantPad3d "
    "Conv3d CosineEmbeddingLoss CosineSimilarity Dropout1d Dropout2d Dropout3d "
    "FractionalMaxPool2d FractionalMaxPool3d GaussianNLLLoss GroupNorm Hardtanh "
    "HingeEmbeddingLoss HuberLoss InstanceNorm1d InstanceNorm2d InstanceNorm3d KLDivLoss LPPool1d "
    "LPPool2d LogSigmoid MarginRankingLoss MaxPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d Mish "
    "MultiLabelSoftMarginLoss MultiMarginLoss MultiheadAttention PReLU PixelShuffle "
    "PixelUnshuffle PoissonNLLLoss RReLU ReflectionPad1d ReflectionPad2d ReflectionPad3d "
    "ReplicationPad1d ReplicationPad2d ReplicationPad3d SoftMarginLoss Softmax2d Softmin Softsign "
    "SyncBatchNorm Tanhshrink Threshold Transformer TransformerDecoder TransformerDecoderLayer "
    "TransformerEncoder TransformerEncoderLayer TripletMarginLoss TripletMarginWithDistanceLoss "
    "Unflatten Unfold Upsample ZeroPad2d"
)
"""What `mindspore.nn` has by the same name."""

_METHODS: Final[Mapping[str, str]] = {
    "add_module": "write `setattr(self, name, module)`",
    "apply": "write a loop over `cells_and_names()`",
    "bernoulli_": "write `x.copy_(mindspore.ops.bernoulli(mindspore.ops.full_like(x, p)))`",
    "copy_": "write `x[...] = other`; of a parameter `p.set_data(…)`, in its own shape",
    "detach_": "write `x = mindspore.ops.stop_gradient(x)`",
    "double": "say `dtype=mindspore.float64` where each layer is made",
    "exponential_": "write `x.copy_(-mindspore.ops.log(mindspore.ops.rand_like(x)))`",
    "fill_": "write `x.copy_(mindspore.ops.full_like(x, number))`",
    "float": "say `dtype=mindspore.float32` where each layer is made",
    "half": "say `dtype=mindspore.float16` where each layer is made",
    "get_device": "leave it out: MindSpore has one device for the process",
    "fmod": "write `mindspore.ops.fmod(x, y)`, which is NaN where the divisor is infinite",
    "named_children": "write `name_cells().items()`",
    "select": "write `x[:, i]`, with a colon for each axis before",
    "to_dense": "leave it out: all tensors are full",
    "index_copy_": "write `x[:, index] = other`, with a colon for each axis before",
    "modules": "write `[cell for _, cell in m.cells_and_names()]`",
    "named_buffers": "name the attributes themselves: buffers are parameters without a gradient",
    "named_modules": "write `cells_and_names()`",
    "new_tensor": "write `mindspore.tensor(…, x.dtype)`",
    "normal_": "write `p.set_data(initializer(Normal(std, mean), p.shape, p.dtype))`",
    "random_": "write `x.copy_(mindspore.ops.randint(low, high, x.shape))`",
    "register_forward_hook": "write the lines of the hook after the call",
    "register_hook": "read the gradient that `mindspore.value_and_grad` gives",
    "register_parameter": "write `self.name = mindspore.Parameter(…)`",
    "repeat": "write `mindspore.ops.tile(x, sizes)`",
    "requires_grad": "ask a parameter: other tensors lack it in MindSpore",
    "requires_grad_": "write `p.requires_grad = …` of a parameter; of others leave it out",
    "reset_parameters": "make the layer anew",
    "resize_": "make a new tensor",
    "share_memory": "leave it out, and hand arrays to other processes",
    "share_memory_": "leave it out, and hand arrays to other processes",
    "sort": "write `mindspore.ops.sort(x, axis)`, whose indices are int32",
    "topk": "write `mindspore.ops.topk(x, k)`, whose indices are int32",
    "type": "write `x.astype(…)` to change it, `x.dtype` to read it",
    "unfold": "put slices together by `mindspore.ops.stack`",
    "uniform_": "write `p.set_data(initializer(Uniform(a), p.shape, p.dtype))`, from -a to a",
    "zero_": "write `x.copy_(mindspore.ops.zeros_like(x))`",
    "zero_grad": "leave it out: gradients are values in MindSpore",
}
"""Methods and attributes of torch's tensors and modules → what to write."""


def advice(path: str, counterpart: str | None) -> str:
    """Return what to do about a use of `path`; `counterpart` is its row's other side, if any."""
    if path in CANDIDATES:
        return f"its like is {CANDIDATES[path]}"
    if counterpart is not None:
        return f"its like is `{counterpart}`, with other arguments"
    part = path
    while part.count(".") > 0:
        if part in _PARTS:
            return _PARTS[part]
        part = part.rpartition(".")[0]
    home, _, name = path.rpartition(".")
    if home in ("torch", "torch.nn.functional") and name in _SAME_FUNCTIONS.split():
        return f"`mindspore.ops.{name}` comes near: compare what both give"
    if home == "torch.nn" and name in _SAME_LAYERS.split():
        return f"`mindspore.nn.{name}` comes near: compare what both give"
    return ""


def of_method(name: str) -> str:
    """Return what to do about a method or attribute of torch's, empty where nothing is known."""
    if name in _METHODS:
        return _METHODS[name]
    if name.endswith("_") and not name.endswith("__"):
        return f"write `x.copy_(x.{name[:-1]}(…))`, or `x = …` if nothing else holds it"
    return ""
