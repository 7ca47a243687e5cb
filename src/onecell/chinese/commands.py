"""What the verbs print: headlines, tables, verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, str]] = {
    # Words of a table.
    "cell": "单元",
    "stored": "存储类型",
    "biases": "偏置",
    "as": "写法",
    "two": "两个",
    "none": "无",
    "all": "全部",
    "nothing": "（无）",
    "limit": "限值",
    "of what\nit guards": "占所保护\n大小之比",
    "largest error in": "最大误差",
    "where": "位置",
    "outcome": "结果",
    "rule": "规则",
    "what": "内容",
    "line": "行",
    "cell:line": "格:行",
    "machine": "机器",
    "instruction set": "指令集",
    "code": "代码",
    "port": "移植",
    "checkpoint": "检查点",
    "copied": "原样复制",
    "verdict": "结论",
    "Checkpoint": "检查点",
    "Proof": "证明",
    "not finite": "非有限数",
    "holds": "通过",
    "no proof": "不构成证明",
    "not installed": "未安装",
    "two biases": "两个偏置",
    "one bias": "一个偏置",
    "no bias": "无偏置",
    "file": "文件",
    "object": "对象",
    "weights": "权重",
    "function": "函数",
    "still {framework}": "仍是 {framework}",
    "asks for {framework}": "仍需 {framework}",
    "{framework}'s already": "已属 {framework}",
    "{label}, in limits": "{label}（以限值为单位）",
    "I = {inputs}, H = {hidden}, {stored}, {biases}": (
        "I = {inputs}，H = {hidden}，{stored}，{biases}"
    ),
    "{stored}, computed in {computed}": "{stored}，以 {computed} 计算",
    # Headings of quantities.
    "forward": "前向",
    "forward, far out": "远端输入的前向",
    "the weights themselves": "权重本身",
    "gradient, {gradient} steps": "梯度，{gradient} 步",
    "rollout, {steps} steps": "连续运行，{steps} 步",
    "{optimizer} steps of SGD": "SGD，{optimizer} 步",
    "{optimizer} steps of Adam": "Adam，{optimizer} 步",
    "{part}' after": "训练后的 {part}'",
    "{part}, moved by": "{part} 的改变量",
    # Counts.
    "{number} cell": "{number} 个单元",
    "{number} LSTM cell": "{number} 个 LSTM 单元",
    "{number} tensor": "{number} 个张量",
    "{number} other tensor": "其他 {number} 个张量",
    "{number} value": "{number} 个值",
    "{number} file": "{number} 个文件",
    "{number} use": "{number} 处用法",
    "{names} and {more} more": "{names} 等另 {more} 个",
    "{failing} of {cells}": "{cells}中有 {failing} 个",
    "{proved} of {cells}": "{cells}中的 {proved} 个",
    "{seconds:.1f} s": "{seconds:.1f} 秒",
    "({seconds:.1f} s)": "（{seconds:.1f} 秒）",
    "{name} (line {line})": "{name}（第 {line} 行）",
    "{name}: {text}": "{name}：{text}",
    "{sentence}.": "{sentence}。",
    # Verdicts.
    "HOLDS": "成立",
    "FAILS": "不成立",
    "SAME": "相同",
    "DIFFERENT": "不同",
    "BAD INPUT": "输入有误",
    "LEFT": "尚有遗留",
    "BAD SOURCE": "源代码有误",
    "NOT FINITE": "含非有限数",
    "NOTHING": "无事可做",
    "UNPROVED": "未证明",
    "{verdict}: {clauses}.": "{verdict}：{clauses}。",
    "{verdict}: {clauses} {took}.": "{verdict}：{clauses}{took}。",
    "{verdict} (exit status {status})": "{verdict}（退出状态 {status}）",
    # A proof.
    "Each number is a side's worst error in units of its limit; -v shows them all.": (
        "每个数是该计算方的最大误差，以限值为单位；-v 显示全部。"
    ),
    "Self-test: {seen} of {every} mistakes made on purpose are seen.": (
        "自检：{every} 个故意的错误中有 {seen} 个被发现。"
    ),
    "Self-test: {seen} of {every} mistakes made on purpose are seen": (
        "自检：{every} 个故意的错误中有 {seen} 个被发现"
    ),
    "Self-test: the proof does NOT SEE: {names}.": "自检：证明没有发现：{names}。",
    "Self-test: no difference on this cell: {names}.": "自检：在此单元上没有差别：{names}。",
    "{mutation} ({excess:.0e} limits)": "{mutation}（限值的 {excess:.0e} 倍）",
    "{number} about {kind}": "{kind} {number} 个",
    "{idle} quantities prove nothing: -v names them.": "{idle} 个量不构成证明：-v 列出。",
    "The four parameters have the same bits.": "四个参数逐比特相同。",
    "The four parameters have OTHER bits.": "四个参数的比特不同。",
    "{name}: left out, {why}{beside}.": "{name}：未参与，{why}{beside}。",
    "; the result runs on {side}": "；结果使用 {side}",
    "Beside the verdict: {fault}": "不影响结论：{fault}",
    "* {name}: its own tanh is off by up to {error:.0e}, so its limits are wider; see the proof.": (
        "* {name}：其 tanh 误差可达 {error:.0e}，因此限值较宽；见证明文件。"
    ),
    "Rollouts are compared for {least} to {most} steps: as far as rounding alone does not decide "
    "them.": "连续运行比较 {least} 至 {most} 步：再往后全由舍入决定。",
    "{side}: nothing is proved by {names}: here what they guard is not larger than what rounding "
    "may do.": "{side}：{names} 不构成证明：所保护的大小不大于舍入误差。",
    "Copied bit for bit, not proved: {others}": "逐比特复制、不作证明：{others}",
    "Of these called otherwise": "其中改名的",
    "Of these in another shape, the same numbers in order": "其中改变形状（数值与顺序不变）的",
    "May be Conv1d's, which the other framework keeps with one more axis": (
        "可能是 Conv1d 的权重（另一框架中多一个轴）"
    ),
    "Left behind, not tensors": "未保留（不是张量）",
    "Left behind, optimizer state, which only {source}'s optimizers read": (
        "未保留：优化器状态，只有 {source} 的优化器能读取"
    ),
    "Left behind, counters that {target}'s norms do not keep": (
        "未保留：{target} 的归一化层不保存的计数"
    ),
    "Left out, as asked": "按要求略去",
    "They keep their names and bits: only LSTM cells are proved. Without the code nobody knows "
    "what else is called otherwise there: docs/en/guides/checkpoints.md.": (
        "名称与比特都不变：只有 LSTM 单元得到证明。没有代码就无法知道还有什么名称不同："
        "docs/zh/guides/checkpoints.md。"
    ),
    "Nothing was ported: {source} to {target}. The new file is one flat dictionary of tensors; "
    "names from inside others are joined by dots.": (
        "没有移植：{source} 到 {target}。新文件是一个扁平的张量字典；嵌套的名称以点相连。"
    ),
    "The written file does NOT read back as it was to be.": "读回的文件与应写出的内容不符。",
    "{side} reads the file itself, the same bits.": "{side} 自行读取该文件，逐比特相同。",
    "{side} does NOT read the same bits.": "{side} 读到的比特不同。",
    "It holds no LSTM cell: nothing is proved; {kept} copied bit for bit.": (
        "其中没有 LSTM 单元：没有证明任何内容；{kept}逐比特复制。"
    ),
    "{cells} ({proved} of {tensors} tensors) proved in {took}": (
        "{cells}（{tensors} 个张量中的 {proved} 个）已证明，用时 {took}"
    ),
    "{kept} copied bit for bit, not proved": "{kept}逐比特复制，不作证明",
    "the file as a whole": "整个文件",
    "{why} ({broken} with numbers that are not finite)": "{why}（{broken} 个含有非有限的数）",
    "{verdict}: {why}, after {took}. No checkpoint was written; the proof says where.": (
        "{verdict}：{why}未通过，用时 {took}。没有写出检查点；证明文件指出在何处。"
    ),
    "Page: {path}": "报告：{path}",
    "proving": "证明中",
    "verifying": "比较中",
    "reading": "读取中",
    "asking": "询问中",
    "loading the frameworks": "正在加载框架",
    "{name} loads": "正在加载 {name}",
    # The port of a project.
    "to {out}": "到 {out}",
    "in place": "原处",
    "To be named by hand, the code does not tell the layer: ": (
        "需手工命名（代码没有说明所属的层）："
    ),
    "{name} keeps its name: {why}.": "{name} 保留原名：{why}。",
    "none found, so nothing is proved": "没有找到，因此没有证明任何内容",
    "Everything is in {out}": "全部内容在 {out}",
    "{changed} of {every} files changed": "{every} 个文件中改写 {changed} 个",
    "uses: {counts}": "用法：{counts}",
    "{failed} could not be migrated": "{failed} 个无法迁移",
    "{name}: the proof FAILS; {proof}": "{name}：证明不成立；{proof}",
    "no cell of a checkpoint to prove": "检查点中没有可证明的单元",
    "not proved: {names}": "未证明：{names}",
    "{uses} left to do by hand, each marked TODO(onecell)": (
        "{uses}需手工处理，均以 TODO(onecell) 标记"
    ),
    "{files} still {source}": "{files}仍使用 {source}",
    "{files} asking for {source}": "{files}仍需要 {source}",
    "{tensors} to be named by hand": "{tensors}需手工命名",
    "{cells} ({proved} of {tensors} tensors) proved, nothing of {source} left": (
        "{cells}（{tensors} 个张量中的 {proved} 个）已证明，不再留有 {source} 的用法"
    ),
    "a new checkpoint is not proved to compute the same; it was not written": (
        "某个新检查点未能证明计算相同；没有写出"
    ),
    "a cell holds NaN or infinity; its checkpoint was not written": (
        "某个单元含有 NaN 或无穷大；其检查点没有写出"
    ),
    "a checkpoint could not be ported": "某个检查点无法移植",
    "a source file could not be migrated": "某个源文件无法迁移",
    "nothing of {source} is in it; nothing was written": (
        "其中没有 {source} 的任何内容；没有写任何文件"
    ),
    "ported, nothing of {source} left": "已移植，不再留有 {source} 的用法",
    # A comparison.
    "{framework} {kind}": "{framework} {kind}",
    "cell {name}": "单元 {name}",
    "seen by what it computes only": "只能观察到其计算结果",
    "Errors are absolute, and in units in the last place (u), from {reference}.": (
        "误差为绝对误差，并以末位单位（u）表示；相对于 {reference}。"
    ),
    "* its own tanh is coarse, so its limits are wider; --json has them.": (
        "* 其 tanh 较粗略，因此限值较宽；--json 中有具体数值。"
    ),
    "A limit, here of {name}: {reason}.": "限值的由来（以 {name} 为例）：{reason}。",
    "The rollout is compared for {least} of {steps} steps: beyond them rounding alone decides.": (
        "连续运行 {steps} 步中比较 {least} 步：再往后全由舍入决定。"
    ),
    "Left out, {why}: {names}.": "未参与（{why}）：{names}。",
    "same": "相同",
    "same bits": "逐比特相同",
    "self-test FAILS": "自检未通过",
    "not comparable": "无法比较",
    "only in {label}": "只在 {label} 中",
    "{number} only in {label}": "{number} 个只在 {label} 中",
    "{number} cannot be compared": "{number} 个无法比较",
    "{cells} in both, all with the same bits, every quantity holds": (
        "双方共有 {cells}，全部逐比特相同，各量均通过"
    ),
    "{cells} in both, every quantity holds": "双方共有 {cells}，各量均通过",
    "{same} of {cells} in both is the same": "双方共有 {cells}，其中 {same} 个相同",
    "{same} of {cells} in both are the same": "双方共有 {cells}，其中 {same} 个相同",
    "the weights have the same bits, every quantity holds": "权重逐比特相同，各量均通过",
    "training was not compared": "未比较训练",
    "The same is wrong with {names}; -v prints these too.": (
        "{names} 的错误相同；-v 也会列出它们。"
    ),
    "To compare what they compute, without training, say --inference.": (
        "只比较计算结果而不比较训练，可加 --inference。"
    ),
    "every quantity holds": "各量均通过",
    "every quantity holds, and the self-test does not": "各量均通过，但自检未通过",
    " Of the weights: {said}.": "权重方面：{said}。",
    "Where: {where}.": "位置：{where}。",
    "self-test, wrong on purpose": "自检：故意的错误",
    "error in limits": "误差（以限值为单位）",
    "said of it": "诊断",
    "named": "已指明",
    "NOT NAMED": "未指明",
    "NOT SEEN": "未发现",
    "{caught} of {every} wrong ports are seen and named.": (
        "{every} 个错误移植中有 {caught} 个被发现并指明。"
    ),
    # What a checkpoint holds.
    "torch's format (.pt)": "torch 格式（.pt）",
    "MindSpore's format (.ckpt)": "MindSpore 格式（.ckpt）",
    "safetensors": "safetensors",
    "NumPy's format (.npz)": "NumPy 格式（.npz）",
    "torch.distributed.checkpoint": "torch.distributed.checkpoint",
    "written by {framework}": "由 {framework} 写出",
    "the file does not tell its framework; its names are read as {framework}'s": (
        "文件没有说明所属框架；名称按 {framework} 解读"
    ),
    "a frozen cell, {facts}, packed for onecell.FrozenCell.load": (
        "冻结单元，{facts}，供 onecell.FrozenCell.load 读取"
    ),
    "read from {folder}: {names}": "读自 {folder}：{names}",
    "{format}, {said}; {tensors}, {size:,} bytes": "{format}，{said}；{tensors}，{size:,} 字节",
    "Its pieces": "组成部分",
    "Other tensors": "其他张量",
    "Optimizer state": "优化器状态",
    "Optimizer settings": "优化器设置",
    "Not tensors": "不是张量",
    "{title}: {count} ({kinds}), {numbers:,} numbers": (
        "{title}：{count} 个（{kinds}），共 {numbers:,} 个数"
    ),
    "To be known:": "须知：",
    "No LSTM cell": "没有 LSTM 单元",
    "  and {more} more (-v shows all)": "  另有 {more} 个（-v 显示全部）",
    "note: {note}": "须知：{note}",
    "and {more} more notes": "另有 {more} 条须知",
    " (also here: {names}; ONECELL_ISA chooses)": "（另有 {names}；由 ONECELL_ISA 选择）",
    # A conversion.
    "{path}: {cells} in {framework}'s form": "{path}：{cells}，{framework} 的形式",
    ", {others} other tensors copied": "；另有 {others} 个张量原样复制",
    "other layers are copied as they are; {framework} may have their matrices turned": (
        "其他层原样复制；{framework} 中这些层的矩阵可能是转置的"
    ),
    "not chosen": "未选取",
    "the optimizer's, which only {framework}'s reads": (
        "优化器的内容，只有 {framework} 的优化器能读取"
    ),
    "not tensors": "不是张量",
    "left behind, {why}: {names}": "未保留（{why}）：{names}",
    # A difference table.
    "not compared, shown as stored: {sides}.": "未比较，按存档显示：{sides}。",
    "does not load": "无法加载",
    # A migration.
    "converted": "已改写",
    "assumed": "按假设改写",
    "already": "无需改写",
    "refused": "已拒绝",
    "marked": "已标记",
    "failed": "失败",
    "{number} converted": "已改写 {number}",
    "{number} assumed": "按假设改写 {number}",
    "{number} already": "无需改写 {number}",
    "{number} refused": "已拒绝 {number}",
    "{number} marked": "已标记 {number}",
    "stays": "不变",
    " By hand: {by_hand}": " 手工处理：{by_hand}",
    "{path}: not looked into, {why}.": "{path}：未查看，{why}。",
    "{path}: still {source}: {names}": "{path}：仍使用 {source}：{names}",
    "{path}: still {source}, as it comes out: {names}": "{path}：改写之后仍使用 {source}：{names}",
    "; --json has all": "；--json 列出全部",
    "{what} So is line {lines}.": "{what}第 {lines} 行同此。",
    "{what} So are line {lines}.": "{what}第 {lines} 行同此。",
    "Converted, by rule, the first of each (--diff shows all):": (
        "按规则统计的改写，各列出第一处（--diff 显示全部）："
    ),
    "Converted, by file: {names}.": "按文件统计的改写：{names}。",
    "Assumed, {uses}: {kind}: {places}": "按假设改写，{uses}：{kind}：{places}",
    "Uses: {uses}.": "用法：{uses}。",
    "Called anew, since {framework}'s modules have such names: {names}. Tensors in checkpoints "
    "are called so too: `onecell port` of code and checkpoints does it.": (
        "因 {framework} 的模块已有这些名称而改名：{names}。检查点中的张量也随之改名："
        "用 `onecell port` 一并移植代码与检查点即可。"
    ),
    "Left, by rule: {names}.": "按规则统计的遗留：{names}。",
    "Left, by file: {names}.": "按文件统计的遗留：{names}。",
    "{files}: {changed} changed": "{files}：改写 {changed} 个",
    "{files}: {changed} would change": "{files}：将改写 {changed} 个",
    "{number} still uses {source}": "{number} 个仍使用 {source}",
    "{number} still use {source}": "{number} 个仍使用 {source}",
    "written {where}": "已写{where}",
    "What is left, as a list to work through: {path}": "遗留事项的清单：{path}",
    "NOTHING to do: no {source} in what was looked into.": (
        "无事可做（NOTHING）：所查看的内容中没有 {source}。"
    ),
    "Nothing was written: --diff shows the change, --write or --out makes it.": (
        "没有写任何文件：--diff 显示改动，--write 或 --out 写出。"
    ),
    # A value of an option.
    " Did you mean {name}?": "是否想写 {name}？",
    "must be {one} or {other}, got {got}.": "必须是 {one} 或 {other}，却给了 {got}。",
    "must be one of {names}, got {got}.": "必须是 {names} 之一，却给了 {got}。",
}
