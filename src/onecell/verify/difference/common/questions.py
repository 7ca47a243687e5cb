"""The common matters: a question each that can be put to the cell of any framework.

To add one, add a function here. Its body, without its one `return`, is the program that the table
shows and that a framework runs; its names are those of `asking`.
"""

from __future__ import annotations

import numpy as np

from onecell.language import Text
from onecell.verify.difference.common.asking import (
    ORDER,
    array,
    ask,
    call,
    definition,
    draw,
    drawn,
    fill,
    gradients,
    kind,
    largest,
    layout,
    make,
    names,
    ones,
    parameters,
    parts,
    plain,
    put,
    shapes,
    shown,
    signature,
    state,
    step,
    tensor,
    with_zeros,
)
from onecell.verify.difference.common.matter import matter


@matter(
    "signature",
    "parameters",
    ("the signature", "签名"),
    Text(
        "The names, the order and the defaults of what the constructor and the call take.",
        "构造函数与调用所接受参数的名称、顺序与默认值。",
    ),
)
def _() -> object:
    return {part: names(given) for part, given in signature().items()}


@matter(
    "without-biases",
    "parameters",
    ("a cell without biases", "不含偏置的单元"),
    Text(
        "The parameters of a cell that is asked to have no biases; a framework without that choice "
        "is given zeros.",
        "要求不含偏置时单元的参数；没有这一选项的框架由 onecell 写入全零偏置。",
    ),
)
def _() -> object:
    return ask(lambda: list(parameters(make(3, 2, bias=False))))


@matter(
    "state-order",
    "inputs",
    ("order of the state", "状态的顺序"),
    Text(
        "Which part comes first, found by changing one and by the values that come back. A port "
        "that passes the state on as it is swaps h and c where this differs.",
        "状态的哪一部分在前，通过单独改变其中之一并观察返回值得到。"
        "若此处不同，照原样传递状态的移植会把 h 与 c 对调。",
    ),
)
def _() -> object:
    cell, x, three = with_zeros(make(3, 2)), tensor(ones(1, 3)), tensor(3 * ones(1, 2))
    zero = tensor(0 * ones(1, 2))
    first = [array(part) for part in parts(call(cell, x, *state(three, zero)))]
    second = [array(part) for part in parts(call(cell, x, *state(zero, three)))]
    moves_c, stays = (first, second) if np.any(first[0]) else (second, first)
    if np.any(stays):  # without weights h counts for nothing, and a c of 0 stays 0
        raise ValueError("both parts move c'")
    return {
        "in": "c, h" if moves_c is first else "h, c",
        "out": "c, h" if moves_c[0].max() > 1 else "h, c",  # h' is below 1/2
    }


@matter(
    "state-forms",
    "inputs",
    ("how the state is given", "状态的传入方式"),
    Text(
        "The two parts as a tuple, as a list, or as two arguments, in the framework's own order.",
        "两部分以元组、列表或两个参数的形式传入，顺序为该框架自己的顺序。",
    ),
)
def _() -> object:
    cell, x, part = make(3, 2), tensor(ones(1, 3)), tensor(ones(1, 2))
    return {
        "tuple": ask(lambda: (parts(call(cell, x, (part, part))), "accepted")[1]),
        "list": ask(lambda: (parts(call(cell, x, [part, part])), "accepted")[1]),
        "apart": ask(lambda: (parts(call(cell, x, part, part)), "accepted")[1]),
    }


@matter(
    "state-omitted",
    "inputs",
    ("state left out", "省略状态"),
    Text(
        "A first step without a state: zeros, or an error.",
        "第一步不传状态：视为零，或者报错。",
    ),
)
def _() -> object:
    cell, x = make(3, 2), ones(1, 3)
    want = step(cell, x, 0 * ones(1, 2), 0 * ones(1, 2))
    got = ask(lambda: list(map(array, parts(call(cell, tensor(x))))))
    in_order = want if ORDER == "hc" else want[::-1]
    zeros = isinstance(got, list) and largest(got, in_order) < 1e-6
    return "zeros" if zeros else got if isinstance(got, str) else "something else"


@matter(
    "return-form",
    "outputs",
    ("what comes back", "返回值"),
    Text(
        "How h' and c' are nested in what a step returns, found by their values.",
        "h' 与 c' 在返回值中的嵌套方式，通过其数值识别。",
    ),
)
def _() -> object:
    cell, three = with_zeros(make(3, 2)), tensor(3 * ones(1, 2))
    returned = call(cell, tensor(ones(1, 3)), *state(three, three))
    values = {float(array(part).max()) for part in parts(returned)}

    def leaf(given: object) -> str:
        value = float(array(given).max())
        return ("h'" if value == min(values) else "c'") if value in values else "other"

    return kind(returned, leaf)


@matter(
    "repr",
    "construction",
    ("repr", "repr"),
    Text(
        "What a cell of 3 inputs and 4 units is shown as.", "3 个输入、4 个单元的 cell 显示成什么。"
    ),
)
def _() -> object:
    text = shown(make(3, 4))
    return "an operator, no object" if text is None else plain(text)


@matter(
    "one-row",
    "states",
    ("x of shape (I,), without a batch axis", "形状为 (I,) 的 x，没有批的轴"),
    Text("The shapes of h' and c', or an error.", "h' 与 c' 的形状，或者报错。"),
)
def _() -> object:
    cell = make(3, 2)
    return ask(shapes, cell, ones(3), ones(2), ones(2))


@matter(
    "wrong-shapes",
    "states",
    ("a state of the wrong shape", "形状不符的状态"),
    Text(
        "An error, or shapes: then the framework has spread a row or a column in silence.",
        "报错；若得到形状，说明框架不加提示地把一行或一列扩展了。",
    ),
)
def _() -> object:
    cell, x, full = make(3, 2), ones(2, 3), ones(2, 2)
    return {
        "state (1, H), batch 2": ask(shapes, cell, x, ones(1, 2), ones(1, 2)),
        "c (N, 1)": ask(shapes, cell, x, full, ones(2, 1)),
        "x of batch 1, state of batch 2": ask(shapes, cell, ones(1, 3), full, full),
        "h (N, H+1)": ask(shapes, cell, x, ones(2, 3), full),
        "x (N, I+1)": ask(shapes, cell, ones(2, 4), full, full),
    }


@matter(
    "empty-batch",
    "states",
    ("a batch of no rows", "零行的批"),
    Text("The shapes of h' and c', or an error.", "h' 与 c' 的形状，或者报错。"),
)
def _() -> object:
    cell = make(3, 2)
    return ask(shapes, cell, ones(0, 3), ones(0, 2), ones(0, 2))


@matter(
    "element-types",
    "numbers",
    ("element types", "数据类型"),
    Text(
        "A cell made in a type and given all in that type: the type of h', or an error.",
        "以某类型构造、输入也全为该类型时 h' 的类型，或者报错。",
    ),
)
def _() -> object:
    def result(dtype: str) -> str:
        x, part = np.ones((2, 3), dtype), np.ones((2, 2), dtype)
        return str(step(make(3, 2, dtype=dtype), x, part, part)[0].dtype)

    return {dtype: ask(result, dtype) for dtype in ("float16", "float32", "float64")}


@matter(
    "mixed-types",
    "numbers",
    ("a float32 cell and other types beside it", "float32 单元与其他类型混用"),
    Text(
        "The type of c' where one argument has another type than the cell, or an error.",
        "某一参数的类型与单元不同时 c' 的类型，或者报错。",
    ),
)
def _() -> object:
    cell = make(3, 2)

    def result(x: str, h: str, c: str) -> str:
        return str(step(cell, np.ones((2, 3), x), np.ones((2, 2), h), np.ones((2, 2), c))[1].dtype)

    half, single, double = "float16", "float32", "float64"
    return {
        "x float16": ask(result, half, single, single),
        "x float64": ask(result, double, single, single),
        "h float16": ask(result, single, half, single),
        "c float16": ask(result, single, single, half),
        "c float64": ask(result, single, single, double),
    }


@matter(
    "clip",
    "numbers",
    ("a large cell state", "很大的 cell 状态"),
    Text(
        "c' for c = 50 and no weights, by defaults: some operators clip it.",
        "没有权重、默认参数下 c = 50 时的 c'：有的算子会截断它。",
    ),
)
def _() -> object:
    _, c_next = step(with_zeros(make(3, 2)), ones(1, 3), 0 * ones(1, 2), 50 * ones(1, 2))
    return f"clipped to {c_next.max():g}" if c_next.max() < 24 else "kept"


@matter(
    "accuracy",
    "numbers",
    ("largest error of a step, against float64", "单步相对 float64 的最大误差"),
    Text(
        "Over 10 draws of weights from uniform(-1/√H, 1/√H).",
        "10 次抽样，权重取自 uniform(-1/√H, 1/√H)。",
    ),
)
def _() -> object:
    errors = []
    for seed in range(10):
        weights, x, h, c = draw(seed)
        cell = fill(make(10, 16), *weights)
        errors.append(largest(step(cell, x, h, c), definition(weights, x, h, c)))
    return max(errors)


@matter(
    "accuracy-wide",
    "numbers",
    ("largest error, weights from uniform(-1, 1)", "权重取自 uniform(-1, 1) 时的最大误差"),
    Text(
        "The same with wider weights, which reach the ends of sigmoid and tanh.",
        "同上，但权重范围更大，会触及 sigmoid 与 tanh 的两端。",
    ),
)
def _() -> object:
    errors = []
    for seed in range(10):
        weights, x, h, c = draw(seed, 1.0)
        cell = fill(make(10, 16), *weights)
        errors.append(largest(step(cell, x, h, c), definition(weights, x, h, c)))
    return max(errors)


@matter(
    "rollout",
    "numbers",
    ("largest error over 30 steps", "30 步中的最大误差"),
    Text(
        "The state is carried from step to step, against float64.",
        "状态逐步传递，与 float64 比较。",
    ),
)
def _() -> object:
    weights, x, h, c = draw(0)
    cell = fill(make(10, 16), *weights)
    got, want = (h, c), (h.astype(np.float64), c.astype(np.float64))
    errors = []
    for turn in range(30):
        now = np.roll(x, turn, axis=1) * np.float32(np.cos(turn))
        got, want = step(cell, now, *got), definition(weights, now, *want)
        errors.append(largest(got, want))
    return max(errors)


@matter(
    "gradients",
    "numbers",
    ("gradients", "梯度"),
    Text(
        "Whether the runtime has the gradients of sum(h') + sum(c'), and which of them are within "
        "1e-5 of differences in float64; the parameters' together, along a few directions.",
        "运行时能否给出 sum(h') + sum(c') 的梯度，以及哪些与 float64 差分相差不超过 1e-5；"
        "参数的梯度沿若干方向合并检验。",
    ),
)
def _() -> object:
    weights, x, h, c = draw(0)
    cell = fill(make(10, 16), *weights)
    held = parameters(cell)

    def loss(weights: list[np.ndarray], *inputs: np.ndarray) -> float:
        return float(sum(part.sum() for part in definition(weights, *inputs)))

    def right() -> list[str]:
        found = gradients(cell, x, h, c)
        rng, good = np.random.default_rng(1), []
        inputs = dict(zip("xhc", (x, h, c), strict=True))
        for name, value in inputs.items():
            way = rng.standard_normal(value.shape) / value.size**0.5
            two = [
                loss(weights, *({**inputs, name: value + e * way}).values()) for e in (1e-6, -1e-6)
            ]
            if abs((found[name] * way).sum() - (two[0] - two[1]) / 2e-6) < 1e-5:
                good.append(name)
        close = []
        for place in range(3):
            way = rng.standard_normal(weights[place].shape) / weights[place].size ** 0.5
            moved = [
                w.astype(np.float64) + (way if n == place else 0) for n, w in enumerate(weights)
            ]
            other = parameters(fill(make(10, 16), *(each.astype(np.float32) for each in moved)))
            got = sum((found[n] * (other[n].astype(np.float64) - held[n])).sum() for n in held)
            two = [
                loss([w + (e * way if n == place else 0) for n, w in enumerate(weights)], x, h, c)
                for e in (1e-6, -1e-6)
            ]
            close.append(abs(got - (two[0] - two[1]) / 2e-6) < 1e-5)
        return [*good, *(["parameters"] if all(close) else [])]

    found = ask(right)
    return "none" if found == "raises NotImplementedError" else found


@matter(
    "layout",
    "weights",
    ("parameters, shapes and gates", "参数、形状与门的顺序"),
    Text(
        "What each number does, found by setting it alone: its gate, its unit, and what it "
        "multiplies. This is what `onecell convert` turns.",
        "逐个设置每个数并观察其作用得到：属于哪个门、哪个单元、乘以什么。"
        "`onecell convert` 转换的正是这些。",
    ),
)
def _() -> object:
    return layout(make(3, 2))


@matter(
    "forget-bias-added",
    "weights",
    ("what is added to the forget gate", "运行时加到遗忘门上的数"),
    Text(
        "The forget gate of a cell whose parameters are all 0; its file has that much less.",
        "全部参数为 0 时遗忘门的值；文件中的偏置要少这么多。",
    ),
)
def _() -> object:
    _, c_next = step(with_zeros(make(3, 2)), ones(1, 3), 0 * ones(1, 2), ones(1, 2))
    return round(float(np.log(c_next.max() / (1 - c_next.max()))), 2)


@matter(
    "forget-bias-fresh",
    "weights",
    ("forget bias of a fresh cell", "新建单元的遗忘门偏置"),
    Text(
        "The mean of what a fresh cell's biases have for the forget gate, without what is added "
        "when it runs. 1 makes it remember at first; a port that draws anew loses that.",
        "新建单元中遗忘门偏置的平均值，不含运行时所加的数。"
        "取 1 时单元起初倾向于记住；移植后重新初始化会丢失这一点。",
    ),
)
def _() -> object:
    cell, x, zero = make(3, 200), 0 * ones(1, 3), 0 * ones(1, 200)
    held = parameters(cell)
    fresh = {n: value if value.squeeze().ndim == 1 else 0 * value for n, value in held.items()}
    gates = []
    for values in (fresh, {name: 0 * value for name, value in held.items()}):
        cell = put(cell, values)
        # c' = f c + i g: the difference of two states is f alone
        f = step(cell, x, zero, zero + 1)[1] - step(cell, x, zero, zero)[1]
        gates.append(np.log(f / (1 - f)))
    return abs(round(float((gates[0] - gates[1]).mean()), 1))


@matter(
    "initial-values",
    "weights",
    ("initial values", "初始值"),
    Text(
        "How the parameters of a cell of 100 inputs and 100 units are drawn, by what they are. An "
        "operator has none of its own: they are 0 here.",
        "100 个输入、100 个单元时各参数的分布，由其数值判断。算子自己没有初始值，此处为 0。",
    ),
)
def _() -> object:
    return {name: drawn(value) for name, value in parameters(make(100, 100)).items()}
