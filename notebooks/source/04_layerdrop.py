# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] lang="en"
# # 4 · LayerDrop: train once, cut to any depth
#
# Lesson 3 let every sentence choose its depth while the network ran. This lesson makes the network itself smaller, *before* it runs, and trains it so that it bears the cut.
#
# | | |
# |---|---|
# | Time | {{teaching_minutes}} minutes in class, {{exercise_minutes}} minutes of exercises |
# | Necessary | a Transformer layer and its residual connections, expectation of a coin toss, lesson 3 (exits, the worlds, FLOPs against the clock) |
# | Helpful | lesson 2 (pre-training) |
# | The code runs in | {{runtime}} |

# %% [markdown] lang="zh"
# # 4 · LayerDrop：训练一次，裁到任意深度
#
# 第 3 课让每个句子在运行时自己选择深度。这一课在运行**之前**就把网络本身变小，并且让它在训练时就学会承受裁剪。
#
# | | |
# |---|---|
# | 时间 | 课堂 {{teaching_minutes}} 分钟，练习 {{exercise_minutes}} 分钟 |
# | 必备 | Transformer 层与残差连接、抛硬币的期望、第 3 课（出口、小世界、FLOPs 与时钟） |
# | 有帮助 | 第 2 课（预训练） |
# | 代码运行时间 | {{runtime}} |

# %% [markdown] lang="en"
# **You will be able to**
#
# 1. say what LayerDrop does in a training step, in evaluation, and after training;
# 2. compute the expected depth, and implement a pass with dropped layers;
# 3. choose the layers that stay, by rule, by search or by learned rates, and name the price of each;
# 4. cut a network, save it, and load it without this course's code;
# 5. measure what LayerDrop buys against networks trained without it, and name the cases in which it buys nothing.

# %% [markdown] lang="zh"
# **学完这一课，你能够**
#
# 1. 说出 LayerDrop 在一个训练步里、评估时、训练之后各做什么；
# 2. 计算期望深度，并实现一次有层被丢弃的前向传播；
# 3. 用规则、搜索或学到的丢弃率选择留下的层，并说出各自的代价；
# 4. 裁剪一个网络，保存它，不用本课程的代码也能加载；
# 5. 与没有 LayerDrop 的网络对照，测出它换来了什么，并指出哪些情况下什么也换不来。

# %%
import math

import numpy as np
import pandas as pd
import torch

from course_lib import ExitTrace, LayerDrop, every_other, figures, load_fastbert, only_layers, prune
from course_lib.measures.cuts import above_chance, cut_table, in_words, masked_losses, over_seeds
from course_lib.measures.report import mean_and_deviation, seed_records
from course_lib.models.layerdrop import draw, drop_rates
from course_lib.style import show
from course_lib.teaching import checks
from course_lib.texts.worlds import worlds
from course_lib.words import language, say, t

# %% tags=["nbval-ignore-output"]
torch.manual_seed(0)
torch.set_grad_enabled(False)
print("torch", torch.__version__, "·", torch.get_num_threads(), "threads ·", language())

# %% [markdown] lang="en"
# ## 4.1 A layer is missing (5 min)
#
# Take the worlds network of lesson 3, which was trained *without* LayerDrop, and leave its layer 3 out. By hand that is one `if`:

# %% [markdown] lang="zh"
# ## 4.1 少了一层（5 分钟）
#
# 取第 3 课在小世界上训练的网络（训练时**没有**用 LayerDrop），去掉它的第 3 层。手写的话，一个 `if` 就够了：

# %%
worlds_model, worlds_tokenizer = load_fastbert("worlds-fastbert")
few_worlds = worlds()["test"].select(range(800))
ids = worlds_tokenizer(few_worlds["text"][:32], return_tensors="pt")["input_ids"]  # [B, T]
layers = worlds_model.bert.encoder.layer

hidden = worlds_model.bert.embeddings(ids)  # [B, T, H]
for depth, layer in enumerate(layers, start=1):
    if depth != 3:
        hidden = layer(hidden)
by_hand = worlds_model.exits[-1](hidden)  # [B, C]

# %% [markdown] lang="en"
# The course's `only_layers` does the same to a whole model, for as long as the `with` lasts:

# %% [markdown] lang="zh"
# 课程库的 `only_layers` 对整个模型做同样的事，只在 `with` 之内有效：

# %% tags=["nbval-check-output"]
with only_layers(worlds_model, [1, 2, 4, 5, 6]):
    torch.testing.assert_close(worlds_model(ids).logits, by_hand)
print("equal")

# %% [markdown] lang="en"
# **Predict.** One of the six layers is left out. What percentage of the worlds (1 to 4 steps) is still answered correctly if it is the layer that is missed *least*?

# %% [markdown] lang="zh"
# **先预测。** 六层里去掉一层。假如去掉的是**最不要紧**的那一层，还能答对百分之几的小世界（1 到 4 步）？

# %%
my_percent = None  # your number, for example 90


# %%
def share_right(model, keep, rows=few_worlds):
    with only_layers(model, keep):
        trace = ExitTrace.of(model, worlds_tokenizer, rows)
    return float(trace.accuracy_by_layer[max(keep) - 1])  # the exit of the last layer that stays answers


whole = share_right(worlds_model, range(1, 7))
without = {gone: share_right(worlds_model, [d for d in range(1, 7) if d != gone]) for gone in range(1, 7)}
checks.compare_guess(my_percent, 100 * max(without.values()))

# %%
for gone, share in without.items():
    print(f"{t('lesson04.without', layer=gone)}  {share:6.1%}")
say("lesson04.missing", whole=whole, worst=min(without.values()), layer=min(without, key=without.get))

# %% [markdown] lang="en"
# That network has never seen a gap. Each layer counts on what the one below it has written. And the reviews? Their network of lesson 3, cut to every other layer and *not trained again* (its run records hold it, all three seeds):
#
# **Predict.** 3 of 12 layers are left: what percentage of the reviews is answered correctly? (Guessing: 50.)

# %% [markdown] lang="zh"
# 这个网络从没见过缺口：每一层都指望下面那层写好了东西。评论呢？第 3 课的评论模型按隔层保留裁剪，之后**不再训练**（结果在运行记录里，共三个随机种子）：
#
# **先预测。** 12 层只剩 3 层，能答对百分之几的评论？（瞎猜是 50。）

# %%
my_percent = None  # your number, for example 80


# %%
def after_cuts(recipe):  # accuracy in per cent by layers kept: mean, and deviation over the seeds
    cuts = [record["metrics"]["cut"] for record in seed_records(recipe)]
    return {keep: mean_and_deviation([100 * cut[keep]["accuracy"] for cut in cuts]) for keep in cuts[0]}


left = after_cuts("reviews-fastbert")
checks.compare_guess(my_percent, left["3"][0])
pd.DataFrame(left, [t("axis.accuracy_percent"), "±"]).rename_axis(columns=t("axis.layers_kept")).round(1)

# %% [markdown] lang="en"
# The first cut is borne, the deep ones are not, and there the seeds lie far apart (±): what a deep cut does to a network that was not trained for it is partly luck.

# %% [markdown] lang="zh"
# 第一刀还承受得住，裁得深就不行了，而且随机种子之间相差很大（±）：没有为此训练过的网络，裁得深了会怎样，一部分要看运气。

# %% [markdown] lang="en"
# ## 4.2 A coin for every layer (9 min)
#
# LayerDrop lets the network meet gaps *in training*. In every step a coin is tossed for every layer: with probability $p$, the **drop rate**, the layer is left out of this step.
#
# By hand, four layers, $p = 0.5$, coins say *run, drop, run, run*: the states go through layers 1, 3 and 4. What enters layer 2 goes on to layer 3 unchanged. That works since a layer adds to what it gets (residual connections) and normalises the sum: its output lives in the same space as its input. Nothing is rescaled.
#
# **Exercise 1** (★, 3 min). How many layers run on average, by the coins alone? The layers may have different drop rates.

# %% [markdown] lang="zh"
# ## 4.2 给每一层抛一枚硬币（9 分钟）
#
# LayerDrop 让网络**在训练时**就遇到缺口。每一步都给每一层抛一枚硬币：以概率 $p$（**丢弃率**，drop rate）把这一层从这一步里去掉。
#
# 手算一遍：四层，$p = 0.5$，硬币的结果是“运行、丢弃、运行、运行”，隐藏状态就经过第 1、3、4 层。第 2 层不运行，本该进入它的隐藏状态原样传给第 3 层。这行得通，因为每一层只是在输入上加上一些东西（残差连接）再做归一化，输出与输入在同一个空间里。LayerDrop 不做任何缩放。
#
# **练习 1**（★，3 分钟）。只按硬币算，平均有几层在运行？各层的丢弃率可以不同。

# %% [markdown] lang="en"
# <details><summary>Hint</summary>
#
# One layer with drop rate $p$ runs $1 - p$ times a step, on average. Expectations add up.
#
# </details>

# %% [markdown] lang="zh"
# <details><summary>提示</summary>
#
# 丢弃率为 $p$ 的一层，平均每步运行 $1 - p$ 次。期望可以相加。
#
# </details>


# %% tags=["solution"]
def my_expected_depth(rates):
    return sum(1 - rate for rate in rates)


# %% tags=["starter"]
def my_expected_depth(rates):
    raise NotImplementedError("the number of layers that run, on average")


# %% tags=["nbval-check-output"]
passed = checks.check_expected_depth(my_expected_depth)

# %% [markdown] lang="en"
# **Exercise 2** (★★, 8 min). The pass itself: `layers` is a list of functions, `runs` a list of True and False, `x` what enters.

# %% [markdown] lang="zh"
# **练习 2**（★★，8 分钟）。前向传播本身：`layers` 是函数的列表，`runs` 是 True 和 False 的列表，`x` 是输入。


# %% [markdown] lang="en"
# <details><summary>Hint</summary>
#
# Go through both lists at once with `zip(layers, runs)`. Where a layer does not run, `x` stays as it is.
#
# </details>

# %% [markdown] lang="zh"
# <details><summary>提示</summary>
#
# 用 `zip(layers, runs)` 同时遍历两个列表。遇到不运行的层，`x` 保持不变。
#
# </details>


# %% tags=["solution"]
def my_pass(x, layers, runs):
    for layer, on in zip(layers, runs):
        if on:
            x = layer(x)
    return x


# %% tags=["starter"]
def my_pass(x, layers, runs):
    raise NotImplementedError("x, sent through the layers that run")


# %% tags=["nbval-check-output"]
passed = checks.check_pass(my_pass)

# %% [markdown] lang="en"
# Now many draws at once. **Predict.** 12 layers, drop rate 0.2: in how many per cent of the steps do *all* layers run?

# %% [markdown] lang="zh"
# 现在一口气抽很多次签。**先预测。** 12 层，丢弃率 0.2：**所有**层都运行的训练步占百分之几？

# %%
my_percent = None  # your number, for example 50

# %% tags=["nbval-check-output"]
generator = torch.Generator().manual_seed(0)
runs = torch.stack([draw(drop_rates(0.2, 12), generator) for _ in range(10_000)])  # [S, L]
depth = runs.sum(1)  # [S]
checks.compare_guess(my_percent, 100 * (depth == 12).float().mean().item())

# %%
seen = torch.bincount(depth, minlength=13)[5:] / len(depth)
expected = [math.comb(12, k) * 0.8**k * 0.2 ** (12 - k) for k in range(5, 13)]
counts = pd.DataFrame([seen.tolist(), expected], [t("draws.seen"), t("draws.binomial")], range(5, 13))
counts.rename_axis(columns=t("draws.layers")).round(3)

# %% [markdown] lang="en"
# Only in one step of about fifteen does such a network see itself whole: in effect many sub-networks are trained at once, all choices of layers, with shared weights. (If the coins drop every layer, one is run after all: a step without layers teaches nothing. fairseq's code allows that step.)
#
# The class of the course attaches to any BERT-like model from outside. In training mode, its draw and the loop by hand agree:

# %% [markdown] lang="zh"
# 这样训练的网络，大约十五步里只有一步见到完整的自己：相当于同时训练许多共享权重的子网络，每种层的组合各是一个。（如果硬币把所有层都丢了，仍会运行其中一层：一层都不运行的训练步，什么也学不到。fairseq 的代码则允许出现那样的一步。）
#
# 课程库里的 `LayerDrop` 从外部就能挂到任何一种 BERT 类模型上。在训练模式下，按它抽签的结果手写循环，输出与它一致：

# %% tags=["nbval-check-output"]
names_before = list(worlds_model.state_dict())
whole_states = worlds_model.bert(ids).last_hidden_state
drop = LayerDrop(rate=0.5, seed=1).attach(worlds_model)
states = worlds_model.train().bert(ids).last_hidden_state  # this network has no other dropout
in_evaluation = worlds_model.eval().bert(ids).last_hidden_state
same_names = list(worlds_model.state_dict()) == names_before
drop.detach()

# %% tags=["nbval-check-output"]
by_hand = worlds_model.bert.embeddings(ids)
for layer, on in zip(layers, drop.runs):
    by_hand = layer(by_hand) if on else by_hand
torch.testing.assert_close(states, by_hand)
print(drop.runs.tolist(), same_names)

# %% [markdown] lang="en"
# The list is the draw; True says that no weight was added or renamed. In evaluation nothing is dropped: the same numbers, to the bit, as without LayerDrop. **LayerDrop by itself makes no answer quicker.**

# %% [markdown] lang="zh"
# 列表是这次抽签的结果；True 表示没有增加权重，也没有改名。评估时什么也不丢：输出与没有 LayerDrop 时逐位相同。**LayerDrop 本身并不会让推理变快。**

# %% tags=["nbval-check-output"]
print(torch.equal(in_evaluation, whole_states))

# %% [markdown] lang="en"
# Training does get quicker, since a dropped layer is not computed. **Predict.** Drop rate 0.5: what percentage of its time does a whole training step still take?

# %% [markdown] lang="zh"
# 训练倒是变快了，因为被丢弃的层根本不计算。**先预测。** 丢弃率 0.5：整个训练步的用时是原来的百分之几？

# %%
my_percent = None  # your number, for example 50

# %% tags=["nbval-ignore-output", "timing"]
from course_lib.measures.bench_layerdrop import bench_layerdrop

with torch.enable_grad():
    steps = bench_layerdrop([0.0, 0.2, 0.5], steps=4, rounds=5, texts=16)
checks.compare_guess(my_percent, 100 * steps[-1].whole_step, ".0f")
columns = ["rate", "expected", "layer_part", "whole_step"]
pd.DataFrame(steps)[columns].rename(columns=lambda name: t(f"bench.{name}")).round(2)

# %% [markdown] lang="en"
# The layers' part should be near $1 - p$ (few steps are drawn, so it scatters); the whole step also pays for what no coin touches: the embeddings, the head over the vocabulary, and the optimizer's work on both. (The paper's training, with 16 much wider layers, also quickens with the rate: Figure 7.)

# %% [markdown] lang="zh"
# 各层那部分应当接近 $1 - p$（抽的步数少，会有起伏）；整个训练步还要付出不受抽签影响的时间：嵌入、词表上的输出头，以及优化器更新这两者的时间。（论文训练的是 16 层、宽得多的网络，丢弃率越高也越快，见图 7。）

# %% [markdown] lang="en"
# ## 4.3 Demo: the drop-rate slider (4 min)
#
# Left: training steps, one a column; a coin decides for every layer whether it runs. Right: three networks that *were* trained at a rate, then cut to every other layer and not trained again. They went through the same pre-training and fine-tuning, but for the rate.
#
# **Predict.** You have seen what the network of 4.1, trained without LayerDrop, lost. How many points does a network trained with drop rate 0.2 lose when it is cut to 6 of its 12 layers? And when cut to 3?

# %% [markdown] lang="zh"
# ## 4.3 演示：丢弃率滑块（4 分钟）
#
# 左图：每一列是一个训练步，逐层抽签决定是否运行。右图：三个**真正**按某个丢弃率训练过的网络，按隔层保留裁剪、不再训练。除了丢弃率，它们的预训练和微调完全一样。
#
# **先预测。** 4.1 里的网络训练时没有 LayerDrop，它损失多少已经看到了。按丢弃率 0.2 训练的网络，12 层裁到 6 层，会损失几个百分点？裁到 3 层呢？

# %%
my_points_at_6 = None  # your number, for example 10
my_points_at_3 = None

# %% tags=["nbval-ignore-output"]
from course_lib.widgets import DepthSlider, DropRateSlider

table = cut_table("plain", "layerdrop", "half")
drop_rate_slider = DropRateSlider(table)
drop_rate_slider

# %% tags=["test"]
pictures = set()
for value in (0.0, 0.9, 0.45, 0.2):  # both ends, the middle, and a rate that a network was trained at
    drop_rate_slider.rate.value = value
    assert f"<b>{1 - value + value**12 / 12:.0%}</b>" in drop_rate_slider.state.value
    pictures.add(drop_rate_slider.image.value)
assert len(pictures) == 4 and drop_rate_slider.curve(0.2) is not None

# %%
means = over_seeds(table)["mean"]
whole = {study: means[study, "whole", 12] for study in ("plain", "layerdrop", "half")}
for guess, keep in ((my_points_at_6, 6), (my_points_at_3, 3)):
    lost = 100 * (whole["layerdrop"] - means["layerdrop", "every_other", keep])
    checks.compare_guess(guess, lost, about=t("cut.to", keep=keep))

# %% tags=["test"]
# What the answer below says; should a new training change it, the words must follow.
assert max(whole.values()) - min(whole.values()) < 0.02
cut_to_3 = [means[study, "every_other", 3] for study in ("plain", "layerdrop", "half")]
assert cut_to_3[1] - cut_to_3[0] > 0.1 and cut_to_3[2] > cut_to_3[1]

# %% [markdown] lang="en"
# **Think.** At which rate is the uncut network best, at which the one cut to three layers? What would you choose if you did not know yet how far you will have to cut?
#
# <details><summary>Answer</summary>
#
# Uncut they lie so close together that a test split of this size can hardly tell them apart (4.6 gives the standard error). Cut to three layers, the higher the rate the better, and the network without LayerDrop is far behind. Without knowing how far one will cut, the deepest cut one may need decides: a rate that practises it, if its price uncut can be borne.
#
# </details>

# %% [markdown] lang="zh"
# **想一想。** 哪个丢弃率下，未裁剪的网络最好？哪个丢弃率下，裁到三层的最好？如果还不知道将来要裁多少，你选哪一个？
#
# <details><summary>答案</summary>
#
# 未裁剪时它们非常接近，这么大的测试集几乎分不出高下（标准误见 4.6）。裁到三层时，丢弃率越高越好，没有 LayerDrop 的则远远落后。不知道要裁多少时，由可能需要的最深的一刀来定：只要未裁剪时的代价还能接受，就选训练中练得到那一刀的丢弃率。
#
# </details>

# %% [markdown] lang="en"
# ## 4.4 Which layers stay? (8 min)
#
# A network of $N$ layers is to be cut to $r$. The paper derives the matching drop rate: $p^* = 1 - r/N$, so that training draws, on average, networks of the size wanted. Then **Every Other**: drop the depths $d$ with $d \equiv 0 \bmod \lfloor 1/p \rfloor$.
#
# By hand, 12 layers to 6: $p = 0.5$, $\lfloor 1/p \rfloor = 2$, so depths 2, 4, …, 12 go, and 1, 3, 5, 7, 9, 11 stay.
#
# **Exercise 3** (★★, 8 min). The rule as a function. (Use `num_layers // (num_layers - keep)` for $\lfloor 1/p \rfloor$: it is exact.)

# %% [markdown] lang="zh"
# ## 4.4 留下哪些层？（8 分钟）
#
# 要把 $N$ 层的网络裁到 $r$ 层。论文推导出与之相配的丢弃率：$p^* = 1 - r/N$，使训练中抽到的网络平均就是想要的大小。然后是**隔层保留**（Every Other）：丢弃满足 $d \equiv 0 \bmod \lfloor 1/p \rfloor$ 的深度 $d$。
#
# 手算，12 层裁到 6 层：$p = 0.5$，$\lfloor 1/p \rfloor = 2$，所以去掉第 2、4、……、12 层，留下 1、3、5、7、9、11。
#
# **练习 3**（★★，8 分钟）。把规则写成函数。（用 `num_layers // (num_layers - keep)` 计算 $\lfloor 1/p \rfloor$，它是精确的。）


# %% [markdown] lang="en"
# <details><summary>Hint</summary>
#
# First the period; then every depth from 1 to `num_layers` that it does not divide (`depth % period != 0`).
#
# </details>

# %% [markdown] lang="zh"
# <details><summary>提示</summary>
#
# 先算出间隔；再留下从 1 到 `num_layers` 中不能被它整除的深度（`depth % period != 0`）。
#
# </details>


# %% tags=["solution"]
def my_every_other(num_layers, keep):
    period = num_layers // (num_layers - keep)
    return [depth for depth in range(1, num_layers + 1) if depth % period != 0]


# %% tags=["starter"]
def my_every_other(num_layers, keep):
    raise NotImplementedError("the depths that stay, counted from 1")


# %% tags=["nbval-check-output"]
passed = checks.check_every_other(my_every_other)

# %% [markdown] lang="en"
# **Predict.** 12 layers to 7: how many layers does the rule keep?

# %% [markdown] lang="zh"
# **先预测。** 12 层裁到 7 层：这条规则会留下几层？

# %%
my_layers = None  # your number, for example 7


# %%
from course_lib import recommended_rate


def rule(keep):  # the paper's, whatever it gives
    return [depth for depth in range(1, 13) if depth % (12 // (12 - keep))]


checks.compare_guess(my_layers, len(rule(7)), ".0f")
wanted = [10, 9, 8, 7, 6, 3, 2]
rows = [
    [round(recommended_rate(12, keep), 2), len(rule(keep)), str(every_other(12, keep))] for keep in wanted
]
pd.DataFrame(
    rows, pd.Index(wanted, name=t("rule.wanted")), [t("rule.rate"), t("rule.kept"), t("rule.course")]
)

# %% [markdown] lang="en"
# With 12 layers the rule is exact only where $1/p$ is whole. For 7 layers it leaves 6; above $p = 0.5$ it leaves none, since every depth is a multiple of 1. The course's `every_other` keeps to the rule where the rule gives the number wanted, and spaces the layers evenly elsewhere. And $p^*$ is a guide: in the paper's own experiments the rate is 0.2, however far the network is cut afterwards (0.5 only for a 48-layer RoBERTa).
#
# The paper has two more ways. **Search on Valid** tries sets of layers on validation data. **Data-Driven** learns a drop rate for each layer, with mean $p$, and keeps the layers with the lowest; that set is then fixed and does not depend on the input. We search, on a worlds network that *was* trained with LayerDrop: 15 ways to keep 4 of 6 layers.
#
# **Predict.** Which four? Write their depths.

# %% [markdown] lang="zh"
# 对 12 层来说，只有 $1/p$ 是整数时规则才准。要 7 层，它只留下 6 层；$p$ 超过 0.5，每个深度都是 1 的倍数，它一层不留。规则给出的层数正好时，课程库的 `every_other` 照规则办，其余情况下均匀取层。另外，$p^*$ 只供参考：论文自己的实验不管之后裁多少，丢弃率都是 0.2（只有 48 层的 RoBERTa 用 0.5）。
#
# 论文还有两种办法。**验证集搜索**（Search on Valid）在验证数据上试各种层的组合。**数据驱动**（Data-Driven）为每一层学一个丢弃率，平均为 $p$，留下丢弃率最低的层；这组层从此固定，不随输入变化。我们来搜索：用一个在小世界上训练、训练时**用了** LayerDrop 的网络，6 层留 4 层，共 15 种选法。
#
# **先预测。** 会是哪四层？写下它们的深度。

# %%
my_four = None  # for example [1, 3, 5, 6]

# %%
from course_lib import search_on_valid

dropped_model, _ = load_fastbert("worlds-layerdrop")
validation = worlds()["validation"].select(range(400))
found = search_on_valid(lambda keep: share_right(dropped_model, keep, validation), 6, 4, "exhaustive")
tries = {"search": found, "every_other": every_other(6, 4), "first": [1, 2, 3, 4]}
if my_four:
    tries["yours"] = sorted(my_four)
found_shares = {name: share_right(dropped_model, keep) for name, keep in tries.items()}
rows = [[str(keep), f"{found_shares[name]:.1%}"] for name, keep in tries.items()]
pd.DataFrame(rows, [t(f"depth.{name}") for name in tries], [t("axis.layers_that_stay"), t("axis.accuracy")])

# %%
say("lesson04.searched", **found_shares)

# %% tags=["test"]
assert found_shares["first"] == max(found_shares.values())  # as the text below says

# %% [markdown] lang="en"
# Here the first four win: exit 4 was distilled on just these states. The reviews' classifiers of 4.7 have one exit only, and there it is the other way round. Fifteen trials are nothing. For 6 of 12 layers there are 924, each a pass over all validation data; the greedy search of the course needs 57. Searching also fits the accidents of the validation split, which is why the last column is measured on *test* worlds.
#
# And the learned rates? Each layer gets a small network that looks at the layer's output and says how much it is needed; a softmax over the layers shares out the four places. The classifier's loss trains these small networks, while the big one stays as it is.

# %% [markdown] lang="zh"
# 在这里最前面四层最好：出口 4 正是在这些状态上蒸馏的。4.7 里评论的分类器只有一个出口，情形正相反。十五次不算什么。12 层留 6 层就有 924 种，每一种都要在全部验证数据上跑一遍；课程库的贪心搜索需要 57 次。搜索还会迎合验证集的偶然性，所以最后一列是在**测试集**上测的。
#
# 那么学到的丢弃率呢？每一层配一个很小的网络，它看这一层的输出，判断有多需要这一层；再在各层之间做 softmax，把四个名额分配下去。分类器的损失训练这些小网络，大网络本身不变。

# %% tags=["nbval-ignore-output"]
from course_lib import data_driven

train_worlds = worlds()["train"].select(range(512))
labels = torch.tensor(train_worlds["label"][:])  # [B]
batch = worlds_tokenizer(train_worlds["text"][:], padding=True, return_tensors="pt")  # [B, T]


def loss_of(step):
    part = slice(64 * (step % 8), 64 * (step % 8) + 64)
    return dropped_model(**{name: rows[part] for name, rows in batch.items()}, labels=labels[part]).loss


with torch.enable_grad():
    learned, keep_rates = data_driven(dropped_model, loss_of, keep=4, steps=60)

# %% tags=["nbval-ignore-output"]
rates = pd.DataFrame([1 - keep_rates.numpy()], ["p"], range(1, 7)).rename_axis(columns=t("axis.layer"))
with only_layers(dropped_model, learned):  # read at the last exit, for which the rates were learned
    at_the_end = ExitTrace.of(dropped_model, worlds_tokenizer, few_worlds).accuracy_by_layer[-1]
say("lesson04.learned", keep=str(learned), accuracy=at_the_end)
rates.round(2)

# %% [markdown] lang="en"
# The mean drop rate is 1 − 4/6, as the paper asks (unless a layer asks for more than one whole place: no layer can run more than always). The paper describes this way in five sentences and prints no code; the docstring of `data_driven` lists what that leaves open (how a layer's output can be known before it is decided whether the layer runs, how a gradient passes a coin), and what we decided.

# %% [markdown] lang="zh"
# 丢弃率的平均值是 1 − 4/6，与论文的要求一致（除非某一层想要不止一个名额：没有哪一层能比“每次都运行”更多）。论文只用五句话描述这种办法，没有给出代码；它没有说清的地方（还没决定一层是否运行，怎么知道它的输出？梯度怎么穿过一枚硬币？），`data_driven` 的文档字符串（docstring）逐一列出，并写明我们是怎么选的。

# %% [markdown] lang="en"
# ## 4.5 The cut (6 min)
#
# Cutting is *renaming*: the weights of the layers that stay get new numbers, the others are left out, and the config says how many there are.
#
# **Exercise 4** (★★★, 12 min). What is a weight called in the smaller model? `keep` holds depths, counted from 1. For a weight whose layer is cut away, return None.

# %% [markdown] lang="zh"
# ## 4.5 裁剪（6 分钟）
#
# 裁剪（即**剪枝**，pruning）其实是**改名**：留下的层，其权重得到新的编号；其余的去掉；配置里写明还有几层。
#
# **练习 4**（★★★，12 分钟）。一个权重在小模型里叫什么名字？`keep` 里是深度，从 1 数起。如果它的层被裁掉了，返回 None。

# %% [markdown] lang="en"
# <details><summary>Hint</summary>
#
# `"bert.encoder.layer.4.output.dense.weight".split(".")`; the fourth part is the number, from 0. `keep.index(depth)` is the new one. A name without `.layer.` stays as it is.
#
# </details>

# %% [markdown] lang="zh"
# <details><summary>提示</summary>
#
# `"bert.encoder.layer.4.output.dense.weight".split(".")` 的第四部分是编号，从 0 数起。`keep.index(depth)` 就是新编号。名字里没有 `.layer.` 的权重保持原名。
#
# </details>


# %% tags=["solution"]
def my_name(name, keep):
    if ".layer." not in name:
        return name  # embeddings, pooler, classifier
    parts = name.split(".")
    depth = int(parts[3]) + 1
    return ".".join([*parts[:3], str(keep.index(depth)), *parts[4:]]) if depth in keep else None


# %% tags=["starter"]
def my_name(name, keep):
    raise NotImplementedError("the new name, or None")


# %% tags=["nbval-check-output"]
passed = checks.check_renaming(my_name)

# %% [markdown] lang="en"
# `prune` of the course does that. Our reviews model trained with LayerDrop, cut from 12 layers to 6: the same answers as the whole one with six layers skipped. (The exits move with their layers; the last one kept answers.)

# %% [markdown] lang="zh"
# 课程库的 `prune` 做的就是这件事。把训练时用了 LayerDrop 的评论模型从 12 层裁到 6 层，它的回答与完整模型跳过那六层时一样。（出口跟着各自的层走，留下的最后一个出口负责回答。）

# %%
model, tokenizer = load_fastbert("reviews-layerdrop-fastbert")
inputs = tokenizer(["房间很干净，但是服务太差", "还会再来"], padding=True, return_tensors="pt")

# %% tags=["nbval-check-output"]
keep = every_other(12, 6)
small = prune(model, keep)
with only_layers(model, keep):
    skipped = model.layer_logits(**inputs)[keep[-1] - 1]  # the exit of the last layer that stays
torch.testing.assert_close(small(**inputs).logits, skipped)
print(small.config.num_hidden_layers, "/", model.config.num_hidden_layers)

# %% [markdown] lang="en"
# The outputs agree: skipping and cutting are one thing. And a cut backbone needs nothing from this course: pre-trained, cut and saved, it is a plain smaller BERT: `transformers` alone loads it, ready for fine-tuning at that depth. (A FastBERT still needs the course's class, for its exits.)

# %% [markdown] lang="zh"
# 两者的输出一致：跳过与裁掉是一回事。裁剪后的主干不需要本课程的任何代码：预训练的主干，裁剪并保存之后，就是一个普通的、小一些的 BERT，单凭 `transformers` 就能加载，可以直接在这个深度上微调。（FastBERT 因为有出口，仍需要课程库里的类。）

# %% tags=["nbval-ignore-output"]
import tempfile
from pathlib import Path

from transformers import BertForMaskedLM

from course_lib.paths import CHECKPOINTS

backbone = BertForMaskedLM.from_pretrained(CHECKPOINTS / "reviews-layerdrop", dtype=torch.float32).eval()
with tempfile.TemporaryDirectory() as folder:
    prune(backbone, keep).save_pretrained(folder)
    loaded = BertForMaskedLM.from_pretrained(folder).eval()
    megabytes = Path(folder, "model.safetensors").stat().st_size / 1e6
with only_layers(backbone, keep):
    torch.testing.assert_close(loaded(**inputs).logits, backbone(**inputs).logits)
uncut = 4 * backbone.num_parameters() / 1e6  # four bytes a number
say("lesson04.saved", layers=loaded.config.num_hidden_layers, megabytes=megabytes, uncut=uncut)

# %% [markdown] lang="en"
# **Predict.** A quarter of the layers, 3 of 12. How many times quicker is the smaller network on the clock?

# %% [markdown] lang="zh"
# **先预测。** 只剩四分之一的层，12 层里的 3 层。小网络的实测速度是完整网络的几倍？

# %%
my_speedup = None  # your number, for example 4

# %% tags=["nbval-ignore-output", "timing"]
from course_lib import reviews
from course_lib.measures.bench_depth import bench_depth

test = reviews()["test"]
costs = bench_depth(model, tokenizer, test, [9, 6, 3, 2], sentences=64, rounds=5)
checks.compare_guess(my_speedup, next(cost.speedup for cost in costs if cost.keep == 3))
columns = ["keep", "parameters", "milliseconds", "promised", "speedup"]
pd.DataFrame(costs)[columns].rename(columns=lambda name: t(f"bench.{name}")).round(2)

# %% tags=["nbval-ignore-output", "timing"]
alone = bench_depth(model, tokenizer, test, [3], batch_size=1, sentences=32, rounds=5)[-1]
many = next(cost for cost in costs if cost.keep == 3)
say("lesson04.clock", many=many.speedup / many.promised, alone=alone.speedup / alone.promised)

# %% [markdown] lang="en"
# Compare with lesson 3. A cut network is simply a smaller one: no exits on the way, no comparisons, no sentences to move about. Where the clock stays below 100 %, the rest went to what no cut touches: embeddings, the last exit, Python. Where it goes above, something shrank that FLOPs do not count, such as the data moved to and from memory. And look at the parameters: they do *not* fall by four, for the embeddings stay.

# %% [markdown] lang="zh"
# 与第 3 课比一比。裁剪后的网络就是一个小一些的网络：途中没有出口，不用做比较，也不用搬动句子。时钟不到 100% 时，差的部分花在裁剪碰不到的地方：嵌入、最后一个出口、Python。超过 100% 时，是 FLOPs 没有计入的东西也变小了，例如要在内存里来回搬动的数据。再看参数量：它**没有**降到四分之一，因为嵌入还在。

# %% [markdown] lang="en"
# ## 4.6 What LayerDrop bought (13 min)
#
# Networks that differ in the rate alone: from the same start, pre-trained for as many further steps on the same texts, one without and one with LayerDrop 0.2 (a third: 0.5), which also went on in fine-tuning. All layers are fine-tuned, then the network is cut to every other layer, **not trained after the cut**. The slider of 4.3 showed them; here are the numbers.

# %% [markdown] lang="zh"
# ## 4.6 LayerDrop 换来了什么（13 分钟）
#
# 几个网络只有丢弃率不同：从同一个起点出发，在同样的文本上再预训练同样多步，一个不用 LayerDrop，一个丢弃率为 0.2（还有第三个，0.5），微调时也沿用各自的丢弃率。所有层一起微调，然后按隔层保留裁剪，**裁剪之后不再训练**。4.3 的滑块已经展示过，这里看数字。

# %% tags=["nbval-ignore-output"]
show(figures.accuracy_by_kept(table))

# %%
half_cut = {study: means[study, "every_other", 6] for study in whole}
shares = {study: above_chance(half_cut[study], 2) / above_chance(whole[study], 2) for study in whole}
at_half = table.query("way == 'every_other' and keep == 6").pivot(
    index="seed", columns="study", values="accuracy"
)
ahead, spread = mean_and_deviation(100 * (at_half["layerdrop"] - at_half["plain"]).dropna())
say("lesson04.half", plain=shares["plain"], layerdrop=shares["layerdrop"], ahead=ahead, spread=spread)
third = in_words(over_seeds(table)).xs(("every_other", 3), level=("way", "keep"))
say("lesson04.third", **third)

# %% tags=["test"]
spreads = 100 * over_seeds(table)["std"].xs("every_other", level="way")  # what the text below says
assert spreads["layerdrop", 3] > 5 and spreads["layerdrop", 6] < 2 and spreads["plain", 6] > 5

# %% [markdown] lang="en"
# Mind the ±. How much a cut leaves of the network *without* LayerDrop is luck at 6 layers already: seeds that are alike while whole lie far apart. With LayerDrop they agree at 6. At 3 they do not: rate 0.2 hardly ever draws so deep a cut.

# %% [markdown] lang="zh"
# 注意 ±。**没有** LayerDrop 的网络裁剪之后剩下多少，6 层时就已经看运气了：完整时不相上下的几个种子，裁剪后相差很大。有 LayerDrop 时，6 层的几个种子是一致的；3 层时不一致，因为丢弃率 0.2 几乎抽不到这么深的裁剪。

# %% [markdown] lang="en"
# Is it the doing of these classifiers? A second witness, fine-tuned in another way on the same two backbones: the FastBERTs of 4.1 (without LayerDrop) and of 4.8 (with), cut alike, read at the last exit that stays:

# %% [markdown] lang="zh"
# 会不会只是这几个分类器才这样？再找一个证人：4.1 的 FastBERT（没有 LayerDrop）和 4.8 的（有），在同样的两个主干上用另一种方式微调，再用同样的办法裁剪，从留下的最后一个出口读答案：

# %%
pairs = {"plain": left, "layerdrop": after_cuts("reviews-layerdrop-fastbert")}
witness = {
    t(f"study.{study}"): {k: f"{m:.1f} ± {d:.1f}" for k, (m, d) in pair.items()}
    for study, pair in pairs.items()
}
gaps = {f"at_{keep}": pairs["layerdrop"][keep][0] - pairs["plain"][keep][0] for keep in ("6", "3")}
say("lesson04.witness", **gaps)
pd.DataFrame(witness).T.rename_axis(columns=t("axis.layers_kept"))

# %% [markdown] lang="en"
# Reviews need little depth (lesson 3): a trained exit 1 nearly reaches the teacher there. The pre-trained networks' own task, guessing hidden tokens, should have more use for depth. The same cut, seen there. **Predict.** Cut to 6 layers, by how many nats a token does the loss rise without LayerDrop?

# %% [markdown] lang="zh"
# 评论不太需要深度（第 3 课）：训练过的出口 1 就几乎赶得上教师。预训练网络自己的任务（猜被遮住的词元）应该更用得上深度。同样的裁剪，换到这个任务上看。**先预测。** 裁到 6 层，没有 LayerDrop 时，损失上升多少奈特/词元？

# %%
my_nats = None  # your number, for example 0.3

# %% tags=["nbval-ignore-output"]
losses = masked_losses("plain", "layerdrop", "half")
rise = {study: losses[study][6] - losses[study][12] for study in losses}
checks.compare_guess(my_nats, rise["plain"], ".2f")
show(figures.masked_loss_by_kept(losses))

# %%
losses.rename(columns=lambda study: t(f"study.{study}")).rename_axis(t("axis.layers_kept")).round(2)

# %%
price = {study: losses[study][12] - losses["plain"][12] for study in losses}
say("lesson04.masked", **rise, price=price["layerdrop"], price_half=price["half"])

# %% [markdown] lang="en"
# And the worlds, whose difficulty is known. **Predict.** A network trained with LayerDrop is cut from 6 layers to 4. Which worlds does it lose first: those with few steps or with many?

# %% [markdown] lang="zh"
# 还有难度已知的小世界。**先预测。** 训练时有 LayerDrop 的网络从 6 层裁到 4 层之后，最先答不出的是哪些小世界：步数少的，还是步数多的？

# %%
my_answer = None  # "few" or "many"

# %% tags=["nbval-ignore-output"]
by_steps = {
    "plain": figures.cut_by_steps("worlds-fastbert"),
    "layerdrop": figures.cut_by_steps("worlds-layerdrop"),
}
show(figures.steps_by_layers_kept(by_steps))

# %%
four = {study: shares[4] for study, shares in by_steps.items()}
six = {study: shares[6] for study, shares in by_steps.items()}
rows = {"whole": (six, -1), "few": (four, 0), "three": (four, 2), "many": (four, -1)}
parts = {f"{study}_{name}": each[study].iloc[row] for study in four for name, (each, row) in rows.items()}
say("lesson04.worlds", **parts)
lost = six["layerdrop"] - four["layerdrop"]
most = "few" if lost.iloc[0] > lost.iloc[-1] else "many"
checks.compare_choice(my_answer, most, ("few", "many"))

# %% [markdown] lang="en"
# Look at the LayerDrop half, column by column: how many steps can a network of $k$ layers follow? One pass a layer, after a first layer that reads: lesson 3 taught it so, layer by layer. With LayerDrop, the question put to each layer in training counted only the layers that had *run*, so a layer learned to take the *next* pass, wherever it stands. **A cut network has less depth, and what needs that depth is lost**, LayerDrop or not. What LayerDrop changes is whether the rest survives the gaps: compare the upper rows of both halves.
#
# Two objections. The network with LayerDrop was trained for more steps: was it these? And nobody has to cut gaps: the network without LayerDrop can simply end after layer 4, with exit 4 to answer (it was distilled for that, lesson 3).

# %% [markdown] lang="zh"
# 看有 LayerDrop 的那一半，一列一列地看：$k$ 层的网络能跟上几步？第一层读题，之后一层传一次：第 3 课就是这样一层一层教的。有 LayerDrop 时，训练中问每一层的传球次数，只按**运行过**的层来数，所以每一层学会的是：不管自己排在第几层，都接着传**下一次**。**裁剪后的网络深度变小，凡是需要那份深度的本领，也就丢掉了**，有没有 LayerDrop 都一样。LayerDrop 改变的，是中间有了缺口，其余的本领还保不保得住：比较两边上面几行。
#
# 有两点可以质疑。有 LayerDrop 的网络训练了更多步，会不会是多训练的功劳？另外，不一定非要在中间留缺口：没有 LayerDrop 的网络可以干脆到第 4 层为止，由出口 4 作答（第 3 课正是为此蒸馏了它）。

# %%
longer = figures.cut_by_steps("worlds-longer")
ended = figures.first_by_steps("worlds-fastbert")
rows = {t(f"study.{study}"): shares for study, shares in four.items()}
rows |= {t("control.longer"): longer[4], t("control.ended"): ended[4]}
pd.DataFrame(rows).T.rename_axis(columns=t("axis.steps")).map("{:.0%}".format)

# %% tags=["test"]
assert longer[6].min() > 0.9 and (longer[4] < 0.6).all()  # what the text below says
assert (ended[4].iloc[:2] > 0.95).all() and (four["layerdrop"].iloc[:2] > 0.95).all()

# %% [markdown] lang="en"
# (4 layers, by number of steps.) It was not the training steps: trained as long, the network without LayerDrop answers while it is whole, and falls apart at the gaps. But a network that simply *ends* earlier keeps what its depth allows, without LayerDrop too: no layer that stays misses one below it. **LayerDrop buys the freedom to take layers out anywhere. It does not buy depth.**
#
# **Predict.** The four layers of the rule, 1, 2, 4 and 5, are one too few for 4 steps. Whom does the cut network name there: the one who has the ball after how many passes?

# %% [markdown] lang="zh"
# （都是 4 层，按步数分列。）不是多训练的功劳：训练同样久、没有 LayerDrop 的网络，完整时答得出，一有缺口就垮了。不过，干脆**早些结束**的网络，即使没有 LayerDrop，深度够得着的本领也都保住了：留下的层，谁也不缺下面的层。**LayerDrop 换来的，是可以随处去掉几层的自由；它换不来深度。**
#
# **先预测。** 按规则留下的四层（1、2、4、5）对 4 步来说差一层。在 4 步的小世界上，裁剪后的网络会答谁：传了几次之后拿着球的那个人？

# %%
my_passes = None  # your number, 0 to 4

# %%
test_worlds = worlds()["test"]
hardest = test_worlds.select(np.flatnonzero(np.array(test_worlds["steps"]) == 4))
stay = every_other(6, 4)
with only_layers(dropped_model, stay):
    trace = ExitTrace.of(dropped_model, worlds_tokenizer, hardest)
answers = trace.probabilities[stay[-1] - 1].argmax(-1)  # [N]
holders = np.array(hardest["holders"])  # [N, 5]: who has the ball after 0, 1, …, 4 passes
named = (answers[:, None] == holders).mean(0)  # [5]

# %%
checks.compare_guess(my_passes, int(named.argmax()), ".0f")
say("lesson04.as_far", passes=int(named.argmax()), share=named.max(), right=named[-1])

# %% [markdown] lang="en"
# The cut network is not confused: it goes as far as its layers reach, and answers from there. It does not *know* that it stopped short, and an answer that looks sure may be a step behind. FastBERT's exits face the same question (is this far enough?), but all except the last can hand a doubtful sentence on to the next layer (lesson 3).

# %% [markdown] lang="zh"
# 裁剪后的网络并没有乱：它的层够走到哪里，它就走到哪里，再从那里作答。它并不**知道**自己停早了；看起来很有把握的答案，也可能落后一步。FastBERT 的出口面对同样的问题（走到这里够了吗？），只是除了最后一个出口，没把握的句子都还可以交给下一层（第 3 课）。

# %% [markdown] lang="en"
# What if one may train again after the cut? For classification the paper itself does so: it cuts the pre-trained network and *then* fine-tunes it (A.1.5). And then it has two rivals of the same size. One was **small from the start**: pre-trained with so few layers, for as many steps on the same texts. The other was **distilled** as DistilBERT was: it begins with evenly spaced layers of its teacher and learns by three losses (to answer as the teacher does, to guess the hidden tokens, to have its hidden states point the way the teacher's do), for half as many steps, since each costs a pass of the teacher as well. Both must be pre-trained anew for every size (here: 6 and 3 layers); LayerDrop pre-trains once for all of them. (The network with rate 0.5 was cut only, not trained after it.)

# %% [markdown] lang="zh"
# 如果裁剪之后还可以再训练呢？对分类任务，论文自己就是这么做的：先裁剪预训练好的网络，**再**微调（A.1.5）。这时它就有了两个同样大小的对手。一个**一开始就小**：只用这么几层，在同样的文本上预训练同样多步。另一个按 DistilBERT 的办法**蒸馏**：以从教师中均匀取出的几层为起点，用三个损失学习（回答与教师一致、猜出被遮住的词元、隐藏状态的方向与教师一致），训练步数减半，因为每一步教师也要跑一遍。这两种每换一种大小都要重新预训练（这里是 6 层和 3 层）；LayerDrop 只预训练一次，各种大小都有了。（丢弃率 0.5 的网络只裁剪，之后没有再训练。）

# %% [markdown] lang="en"
# **Predict.** 3 layers, trained after the cut: how many points is the network with LayerDrop ahead of the one without?

# %% [markdown] lang="zh"
# **先预测。** 3 层，裁剪之后再训练：有 LayerDrop 的网络比没有的高几个百分点？

# %%
my_points = None  # your number, for example 3

# %%
rivals = cut_table("small-6", "small-3", "student-6", "student-3")
rivals["study"] = rivals["study"].str.removesuffix("-6").str.removesuffix("-3")  # "small", "student"
tuned = over_seeds(pd.concat([table[table["way"] == "tuned"], rivals[rivals["way"] == "whole"]]))
of_size = {keep: tuned["mean"].xs(keep, level="keep").droplevel("way") for keep in (6, 3)}
checks.compare_guess(my_points, 100 * (of_size[3]["layerdrop"] - of_size[3]["plain"]))

# %%
compared = in_words(tuned).droplevel("way").unstack("keep", fill_value="")
compared = compared[sorted(compared.columns, reverse=True)].rename_axis(columns=t("axis.layers_kept"))
compared.rename(index=lambda study: t(f"study.{study}")).rename_axis(None)

# %%
differences = {
    keep: 100 * (shares["layerdrop"] - shares.drop("layerdrop")) for keep, shares in of_size.items()
}
say("lesson04.tuned")
ahead = pd.DataFrame(differences).map("{:+.1f}".format).replace("+nan", "")
ahead.rename(index=lambda study: t(f"study.{study}")).rename_axis(None).rename_axis(
    columns=t("axis.layers_kept")
)

# %%
right = of_size[3]["layerdrop"]
error = 100 * math.sqrt(2 * right * (1 - right) / len(test))  # of a difference of two accuracies
say("lesson04.tuned_error", seeds=tuned["count"].min(), error=error)

# %% [markdown] lang="en"
# ## 4.7 Demo: the depth slider (6 min)
#
# How many layers stay, chosen by which strategy? Left, the layers; right, the accuracy that is left; below, the same cut in accuracy, layers, parameters, FLOPs and milliseconds together. (FLOPs and times are those that 4.5 measured, on the FastBERT of the same size; which layers stay makes no difference to them.)

# %% [markdown] lang="zh"
# ## 4.7 演示：深度滑块（6 分钟）
#
# 留几层，用哪种策略选？左图是层，右图是裁剪后的准确率；下面把同一次裁剪的准确率、层数、参数量、FLOPs 和用时（毫秒）放在一起。（FLOPs 和时间取自 4.5，那是在同样大小的 FastBERT 上测的；留哪些层对它们没有影响。）

# %% tags=["nbval-ignore-output"]
depth_slider = DepthSlider(table[table["study"] != "half"], costs)
depth_slider

# %% tags=["test"]
pictures = set()
for keep in (2, 6, 12):  # both ends and the middle
    for strategy in ("every_other", "first", "search", "data_driven"):
        depth_slider.keep.value, depth_slider.strategy.value = keep, strategy
        found = depth_slider.figures(keep, strategy)
        assert all(f"<b>{share:.1%}</b>" in depth_slider.state.value for share in found["accuracy"])
        assert depth_slider.shares(keep, strategy).sum(0).round(6).tolist() == [keep] * len(found)
        pictures.add(depth_slider.image.value)
assert len(pictures) >= 6  # two strategies may keep the same layers
depth_slider.keep.value, depth_slider.strategy.value = 6, "every_other"

# %%
strategies = ["every_other", "first", "search", "data_driven"]
found = over_seeds(table).loc[["plain", "layerdrop"]]
cut = in_words(found).unstack("way")[strategies].drop(index=12, level="keep")
cut.index = [t("depth.row", study=t(f"study.{study}"), keep=keep) for study, keep in cut.index]
cut.rename(columns=lambda name: t(f"depth.{name}")).rename_axis(columns=None)

# %%
by_way = 100 * found["mean"].unstack("way")
gain = by_way["search"] - by_way["every_other"]
for study in ("plain", "layerdrop"):
    gains = {f"gain_{keep}": gain[study, keep] for keep in (6, 3, 2)}
    say("lesson04.strategies", study=t(f"study.{study}"), first=by_way["first"][study, 6], **gains)
say("lesson04.first", half=100 * means["half", "first", 6])

# %% [markdown] lang="en"
# **Does searching pay?** (± is the standard deviation over seeds, where there are several.) The paper found only marginal gains for both ways that look at data. Here that holds where training practised the cut: with LayerDrop, at half of the layers. The farther a cut goes beyond that, the more it matters which layers stay; drop rate 0.2 hardly ever draws 3 of 12 layers. Without LayerDrop no cut was practised, and it matters at half of the layers already. The price: the greedy search makes dozens of passes over the validation data for each size (57 for 6 of 12 layers), the learned rates take training steps of two passes each, anew for each size. The rule costs nothing.
#
# **Why are the first layers so bad a choice on the reviews?** At drop rate 0.2 the coins hardly ever leave out the last six layers together (at 0.5, in one step of 64), so that was not practised, and the classifier reads what the *last* layer writes. The paper sees the same: neighbouring layers are missed more than scattered ones, and the first and last layers most (Figure 5).

# %% [markdown] lang="zh"
# **搜索划算吗？**（有几个种子时，± 是种子之间的标准差。）论文发现，两种要看数据的办法都只有微小的收益。在这里，只有训练中练过的那种裁剪才是这样：有 LayerDrop，留下一半的层。裁得越是超出练过的范围，留下哪些层就越要紧；丢弃率 0.2 几乎不会抽到 12 层里只有 3 层运行。没有 LayerDrop 时，任何裁剪都没有练过，裁到一半就已经要紧了。代价是：每种大小，贪心搜索要在验证数据上跑几十遍（12 层留 6 层要 57 遍）；学丢弃率则要训练若干步，每步两次前向传播，换一种大小就要重来。按规则选则不花任何代价。
#
# **在评论上，为什么留下最前面几层这么糟？** 丢弃率 0.2 时，硬币几乎不会把最后六层一起丢掉（0.5 时每 64 步有一步），所以这种情形没有练过；而分类器读的正是**最后**一层写下的东西。论文看到的也一样：相邻的层一起缺，比分散的缺更糟；最前和最后的层最要紧（图 5）。

# %% [markdown] lang="en"
# **LayerDrop, or the choice of layers?** So far we compared networks cut by the same rule. Now give the network *without* LayerDrop the search, and compare. **Predict.** Cut to 6 layers: how many points is LayerDrop by the plain rule ahead of it?

# %% [markdown] lang="zh"
# **是 LayerDrop 的功劳，还是选层的功劳？** 前面比较的，是按同一条规则裁剪的网络。现在让**没有** LayerDrop 的网络用上搜索，再比一比。**先预测。** 裁到 6 层：有 LayerDrop、只按规则裁剪的网络，比它高几个百分点？

# %%
my_points = None  # your number, for example 3

# %%
searched = by_way["search"]["plain"]
gaps = {way: by_way[way]["layerdrop"] - searched for way in ("every_other", "search", "data_driven")}
checks.compare_guess(my_points, gaps["every_other"][6])
say("lesson04.choice")
choice = pd.DataFrame({t(f"depth.{way}"): gap[[9, 6, 3, 2]] for way, gap in gaps.items()}).T
choice.map("{:+.1f}".format).rename_axis(columns=t("axis.layers_kept"))

# %% tags=["test"]
assert all(abs(gap[[9, 6]]).max() < 2 * error for gap in gaps.values())  # what the text below says
assert (gaps["every_other"][[3, 2]] < -5).all()

# %% [markdown] lang="en"
# Down to half of the layers nothing is left of the lead: on these reviews, a search on validation data does for the plain network what LayerDrop does in training (4.6 gives the standard error of a difference). Cut further, the plain rule is even behind: *which* layers stay matters more there than how the network was trained. What LayerDrop saves on these reviews is the search, or the training after the cut. In the masked loss and on the worlds, where depth counts, it did more.

# %% [markdown] lang="zh"
# 裁到一半为止，领先完全消失：在这些评论上，LayerDrop 在训练中做到的，普通网络靠在验证集上搜索也做得到（差的标准误见 4.6）。裁得更深，按规则裁剪的反而落后：那里**留下哪些层**比怎么训练更要紧。在这些评论上，LayerDrop 省下的是搜索，或者裁剪之后的训练。在用得上深度的地方（掩码损失和小世界），它做到的更多。

# %% [markdown] lang="en"
# ## 4.8 The two together (3 min)
#
# Pruning gives every sentence the same smaller depth, early exit decides sentence by sentence. Do FastBERT's exits work better on a backbone pre-trained and fine-tuned with LayerDrop? No published result was found for the pair; this one is ours.
#
# **Predict.** At four times fewer FLOPs: how many points better (or worse) is the LayerDrop backbone?

# %% [markdown] lang="zh"
# ## 4.8 两种技术合起来（3 分钟）
#
# 剪枝给所有句子同样的、较小的深度，提前退出则一句一句地决定。FastBERT 的出口放在预训练和微调都用了 LayerDrop 的主干上，会更好吗？没有找到把两者合起来的已发表结果；下面是我们自己的。
#
# **先预测。** FLOPs 降到四分之一时，LayerDrop 主干好（或差）几个百分点？

# %%
my_points = None  # your number, for example 1.0

# %%
recipes = {"plain": "reviews-fastbert", "layerdrop": "reviews-layerdrop-fastbert"}
curves = {study: figures.curve_of(recipe) for study, recipe in recipes.items()}
at_four = {study: figures.at_saving(curve, 4) for study, curve in curves.items()}
points = 100 * (at_four["layerdrop"].mean() - at_four["plain"].mean())
checks.compare_guess(my_points, points, ".2f")

# %% tags=["nbval-ignore-output"]
show(figures.trade_offs(curves))

# %%
unsaved = {study: figures.at_saving(curve, 1).mean() for study, curve in curves.items()}
start = 100 * (unsaved["layerdrop"] - unsaved["plain"])
say("lesson04.together", points=points, start=start, seeds=min(map(len, curves.values())))


# %%
def difference(saving):  # points: LayerDrop's mean minus the plain one's, and its standard error
    pair = [100 * figures.at_saving(curves[study], saving) for study in ("layerdrop", "plain")]
    return pair[0].mean() - pair[1].mean(), math.sqrt(sum(each.var(ddof=1) / len(each) for each in pair))


found = {f"{saving}×": difference(saving) for saving in (1, 2, 4, 7)}
worse, better = ([at for at, (mean, se) in found.items() if sign * mean > 2 * se] for sign in (-1, 1))
listed = [t("list.comma").join(each) or t("verdict.nowhere") for each in (worse, better)]
say("lesson04.verdict", worse=listed[0], better=listed[1])
pd.DataFrame({at: ["{:+.2f} ± {:.2f}".format(*pair)] for at, pair in found.items()}, [t("verdict.points")])

# %% [markdown] lang="en"
# ## 4.9 Smaller units (3 min)
#
# Layers are not all that can be dropped: the attention or the feed-forward part of a layer, or single heads. The paper finds sub-layers about as good as layers, and heads worse. **Predict.** Drop rate 0.5: how much of a training step's layer time is left if *heads* are dropped, in per cent?

# %% [markdown] lang="zh"
# ## 4.9 更小的单位（3 分钟）
#
# 可以丢的不只是整层：还有一层里的注意力或前馈部分，或者单个注意力头。论文发现，丢弃子层与丢弃整层差不多，丢弃头则更差。**先预测。** 丢弃率 0.5，如果丢弃的是**注意力头**，训练步里各层的用时还剩百分之几？

# %%
my_percent = None  # your number, for example 50

# %% tags=["nbval-ignore-output", "timing"]
sizes = {"num_layers": 6, "texts": 16, "tokens": 32, "rounds": 5}
with torch.enable_grad():
    units = {
        unit: bench_layerdrop([0.0, 0.5], unit, **sizes)[1] for unit in ("layer", "sublayer", "ffn", "head")
    }
checks.compare_guess(my_percent, 100 * units["head"].layer_part, ".0f")
rows = {t(f"unit.{unit}"): [found.ran, found.layer_part] for unit, found in units.items()}
pd.DataFrame(rows, index=[t("bench.ran"), t("bench.layer_part")]).T.round(2)

# %% [markdown] lang="en"
# Each row left out half of its units. Layers, and sub-layers drawn one by one, save what the coin promises; feed-forwards alone save half of their share of a layer. Now the heads, in the last row: the feed-forward, by FLOPs the larger part of a layer, runs as before, so dropping heads can never save as much as dropping layers. How much quicker the narrower attention itself becomes depends on the machine: heads run side by side in one multiplication, and the paper, on graphics cards, found no gain in time at all. **What runs one after another is worth dropping.**

# %% [markdown] lang="zh"
# 每一行都丢弃了一半的单位。整层，以及逐个抽签的子层，省下的正是硬币所许诺的；只丢弃前馈层，省下的是它在一层里所占份额的一半。再看最后一行的注意力头：前馈层按 FLOPs 算是一层里较大的部分，它照常运行，所以丢弃头省下的时间，永远赶不上丢弃整层。变窄的注意力本身能快多少，要看机器：各个头在同一次乘法里并排计算，论文用的是显卡，发现时间上毫无收益。**值得丢弃的，是依次运行的部分。**

# %% [markdown] lang="en"
# Layers can also be *cut* narrower. A feed-forward keeps its strongest neurons: again a plain smaller model. The attention keeps its strongest heads: that runs, but no config can describe it. Here half of the neurons or half of the heads stay, and nothing is trained again. **Predict.** How many points does the network with half of the neurons lose?

# %% [markdown] lang="zh"
# 每一层还可以裁**窄**。前馈层只留最强的神经元，得到的仍是一个普通的、小一些的模型。注意力部分只留最强的头：照样能运行，但没有哪种配置能描述这样的模型。这里分别试两种：神经元留一半，或者注意力头留一半，都不再训练。**先预测。** 神经元留一半的网络，会损失几个百分点？

# %%
my_points = None  # your number, for example 5

# %%
from course_lib import full_flops, prune_feed_forward, prune_heads

few, tokens = test.select(range(400)), 64
networks = {
    "whole": model,
    "ffn": prune_feed_forward(model, model.config.intermediate_size // 2),
    "head": prune_heads(model, model.config.num_attention_heads // 2),
}
shares = {name: ExitTrace.of(net, tokenizer, few).accuracy_by_layer[-1] for name, net in networks.items()}
checks.compare_guess(my_points, 100 * (shares["whole"] - shares["ffn"]))
saving = float(full_flops(model.config, tokens) / full_flops(networks["ffn"].config, tokens))
say("lesson04.narrow", **shares, saving=saving, texts=len(few), tokens=tokens)

# %% tags=["nbval-ignore-output", "timing"]
from course_lib.measures.bench import alternate

batch = tokenizer(few["text"][:32], padding=True, truncation=True, return_tensors="pt")  # [B, T]
seconds = alternate({name: lambda net=net: net(**batch) for name, net in networks.items()}, rounds=9)
quicker = {name: np.median(seconds["whole"] / each) for name, each in seconds.items()}
say("lesson04.narrow_clock", **quicker)

# %% [markdown] lang="en"
# Really cut out, both save some time, but less than cutting half of the layers (4.5): the rest of every layer stays, and just as many layers run one after another. Only cutting half of the *layers* halves that row.

# %% [markdown] lang="zh"
# 真的裁掉之后，两者都省一些时间，但都不如裁掉一半的层省得多（4.5）：每一层的其余部分都还在，要依次经过的层数也没有变。只有裁掉一半的**层**，才能让这一串层短一半。

# %% [markdown] lang="en"
# ## 4.10 What the paper reports, and where it loses (5 min)
#
# RoBERTa pre-trained with LayerDrop and cut to 6 or 3 layers, against networks of that size trained from scratch and DistilBERT (Table 7; accuracy on development sets, in per cent):

# %% [markdown] lang="zh"
# ## 4.10 论文报告的结果，以及它在哪里吃亏（5 分钟）
#
# 带 LayerDrop 预训练的 RoBERTa 裁到 6 层或 3 层，与同样大小、从头训练的网络和 DistilBERT 比较（表 7；开发集准确率，%）：

# %%
from course_lib.measures.published import published

rows = pd.DataFrame(published(paper="LayerDrop", table="Table 7"))
rows["value"] = rows["value"].astype(float)
rows["setting"] = rows["setting"].str.slice(0, 1)  # the number of layers
published_7 = rows.pivot_table(index=["setting", "model"], columns="dataset", values="value", sort=False)
shown = published_7.rename_axis([t("axis.layers_kept"), ""]).rename_axis(None, axis=1)
shown.map("{:.1f}".format).replace("nan", "")

# %%
ours, scratch = (
    published_7.xs(name, level="model") for name in ("RoBERTa + LayerDrop, pruned", "RoBERTa (scratch)")
)
better = (ours > scratch).to_numpy()
say(
    "lesson04.table_7", better=int(better.sum()), cells=better.size, worst=float((ours - scratch).min().min())
)


# %%
def mnli(table, setting):  # the paper's accuracies on MNLI-m, by model
    rows = published(paper="LayerDrop", table=table, dataset="MNLI-m", setting=setting)
    return {row["model"]: float(row["value"]) for row in rows}


large, small = mnli("Table 4", "24 layers, Books"), mnli("Table 7", "6 layers")
pruned = small["RoBERTa + LayerDrop, pruned"]
paper = {
    "uncut": large["RoBERTa large + LayerDrop"] - large["RoBERTa large"],
    "small": pruned - small["RoBERTa (scratch)"],
    "student": pruned - small["DistilBERT (Sanh 2019)"],
}

# %%
here = {rival: 100 * (of_size[6]["layerdrop"] - of_size[6][rival]) for rival in ("small", "student")}
here["uncut"] = 100 * (whole["layerdrop"] - whole["plain"])
claims = pd.DataFrame({t("claim.paper"): paper, t("claim.here"): here}).map("{:+.1f}".format)
claims.rename(index=lambda name: t(f"claim.{name}"))

# %%
more = mnli("Table 4", "24 layers, more")
say("lesson04.claims", error=error, more=more["RoBERTa large + LayerDrop"] - more["RoBERTa large"])
rows = published(paper="LayerDrop", table="Table 8", setting="pruned to 8")
say("lesson04.table_8", cut=float(rows[0]["value"]), tuned=float(rows[1]["value"]))

# %% [markdown] lang="en"
# No inference time is reported anywhere in the paper. DeeBERT's authors, who cite it, estimate its time from the size of the model and find:

# %% [markdown] lang="zh"
# 论文没有报告任何推理时间。引用它的 DeeBERT 论文按模型大小估计它能省多少时间，结果是：

# %%
for row in published(paper="DeeBERT", model="LayerDrop"):
    points, saving = float(row["value"]), float(row["speedup"])
    say("lesson04.deebert", dataset=row["dataset"], points=points, saving=saving)

# %% [markdown] lang="en"
# An estimate from the size is a promise, not a time: 4.5 measured one.

# %% [markdown] lang="zh"
# 按大小估计只是许诺，不是时间：4.5 才是实测。

# %% [markdown] lang="en"
# What has become of the idea? **LayerSkip** (2024) trains language models with layer dropout whose rate rises with the depth, and with a loss on every layer's answer; then early layers *draft* a text and the whole network checks it. Both techniques of this course in one. Its abstract names these speed-ups on the clock, each "up to"; none of them is ours:

# %% [markdown] lang="zh"
# 这个想法后来怎样了？**LayerSkip**（2024）训练语言模型时，层的丢弃率随深度上升，并且每一层的回答都有损失；生成时先由前面的层**起草**，再由整个网络检查：本课程的两种技术合到了一起。论文摘要给出的实测加速倍数（都是“最多”，不是我们测的）：

# %%
rows = published(paper="LayerSkip (Elhoushi", table="Abstract")
pd.DataFrame({row["dataset"]: [f"{float(row['speedup']):.2f}×"] for row in rows}, ["LayerSkip"])

# %% [markdown] lang="en"
# And the static rivals, networks that are small for every input: the scores that the TinyBERT paper reports for 4 layers (average over GLUE's test sets), and its speed-ups on the clock:

# %% [markdown] lang="zh"
# 还有静态的对手，即对每个输入都同样小的网络：TinyBERT 论文报告的 4 层网络的分数（GLUE 测试集的平均分）和实测的加速倍数：

# %%
rows = published(paper="TinyBERT", dataset="GLUE test average")
static = {row["model"]: [row["value"], f"{float(row['speedup']):.1f}×"] for row in rows}
pd.DataFrame(static, [t("published.score"), t("bench.speedup")]).T

# %% [markdown] lang="en"
# TinyBERT, distilled with much more effort (layer by layer, on augmented data), loses least: a reminder that neither of our techniques is the only way to a small network.

# %% [markdown] lang="zh"
# TinyBERT 的蒸馏费力得多（逐层蒸馏，还扩充数据），损失最小：要得到小网络，我们的两种技术都不是唯一的路。

# %% [markdown] lang="en"
# **Often said, and not so:**
#
# | claim | what holds | source |
# |---|---|---|
# | "LayerDrop is trained with an autoregressive objective, like BERT" | BERT is a masked language model; LayerDrop changes no objective: masked for RoBERTa, causal for WikiText-103, sequence to sequence for translation | section 4, A.1 |
# | "LayerDrop makes inference faster" | in evaluation all layers run (4.2); only the cut saves, and the same for every input | fairseq's code |
# | "it adapts the depth to the input" | even the data-driven way keeps one fixed set | section 3.2.2 |
# | "it can simply be added when fine-tuning" | its authors saw little robustness from that; pre-train with it | fairseq README, question 3 |
# | "cutting never needs training afterwards" | so for translation and language models; for GLUE the cut networks are fine-tuned | A.1.5 |
# | "p* = 1 − r/N is what was used" | the experiments use 0.2 whatever the cut (a 48-layer RoBERTa: 0.5); 0.5 is advised for very small networks | section 3.2.2 |
# | "searching is clearly better than every other" | marginal gains in the paper; ours are large where the cut was not practised (4.7) | section 6 |
# | "dropping heads is quicker, too" | the paper found no gain in time, and worse quality; ours in 4.9 | section 6 |
# | "it is dropout on neurons", "LayerSkip is the same" | whole layers with their residual path; LayerSkip adds a rate that rises with the depth, a loss on every layer, and a check of early answers | section 3.1; LayerSkip |
# | "it beats distillation and training from scratch" | not on every task: the tables above; ours in 4.6 | Table 7 |

# %% [markdown] lang="zh"
# **常听到、其实不对的说法：**
#
# | 说法 | 实际情况 | 出处 |
# |---|---|---|
# | “LayerDrop 像 BERT 一样用自回归目标训练” | BERT 是掩码语言模型；LayerDrop 不改变训练目标：RoBERTa 用掩码语言建模，WikiText-103 用因果语言建模，翻译用序列到序列 | 第 4 节、A.1 |
# | “LayerDrop 让推理变快” | 评估时所有层都运行（4.2）；只有裁剪才省时间，而且对每个输入省得一样多 | fairseq 代码 |
# | “它按输入调整深度” | 连数据驱动的办法也只留一组固定的层 | 3.2.2 节 |
# | “微调时加上就行” | 作者发现，这样得到的网络并不怎么经得起裁剪；要在预训练时就用 | fairseq README，问题 3 |
# | “裁剪之后根本不需要再训练” | 翻译和语言模型如此；GLUE 上裁剪后的网络要微调 | A.1.5 |
# | “实验用的就是 p* = 1 − r/N” | 不管裁多少，实验都用 0.2（48 层的 RoBERTa 用 0.5）；若要得到很小的网络，建议用 0.5 | 3.2.2 节 |
# | “搜索明显好于隔层保留” | 论文中收益微小；在我们这里，裁剪没有练过时，收益很大（4.7） | 第 6 节 |
# | “丢弃注意力头也会变快” | 论文发现时间上没有收益，质量还更差；我们的实测见 4.9 | 第 6 节 |
# | “它就是对神经元做 dropout”、“LayerSkip 就是 LayerDrop” | 丢弃的是整层，残差通路保留；LayerSkip 另有随深度上升的丢弃率、每一层的损失，以及对早期回答的检查 | 3.1 节；LayerSkip |
# | “它胜过蒸馏和从头训练” | 并非每个任务都如此：见上面两张表；我们的结果见 4.6 | 表 7 |

# %% [markdown] lang="en"
# **Exercise 5** (★★★, open; you train it yourself). `data/recipes/reviews-layerdrop.toml` drops every layer at the same rate. Make two copies of it under new names and change both to `start = "reviews-backbone"` (which is shipped) and `steps = 1500`; one of them with `layer_drop = { rate = 0.37, profile = "linear" }`: the rate rises with the depth, its mean stays 0.2. For each, copy `pruning-layerdrop.toml` as well, with that backbone's name and the same `layer_drop`. Then `course train NAME` for the two backbones, `course train NAME --seed 1` for the two pruning studies, and `course report NAME` for each of these: which layers does the search keep now?

# %% [markdown] lang="zh"
# **练习 5**（★★★，开放题；要自己训练）。`data/recipes/reviews-layerdrop.toml` 对每一层用同样的丢弃率。换名字复制两份，都改成 `start = "reviews-backbone"`（它随课程提供）和 `steps = 1500`；其中一份再改成 `layer_drop = { rate = 0.37, profile = "linear" }`：丢弃率随深度上升，平均仍是 0.2。再为这两个主干分别复制一份 `pruning-layerdrop.toml`（裁剪研究），填上相应的主干名和同样的 `layer_drop`。然后对两个主干运行 `course train 名字`，对两项裁剪研究运行 `course train 名字 --seed 1`，最后对它们运行 `course report 名字`：搜索现在留下哪些层？

# %%
from course_lib.measures.records import read_record

backbone_record, study_record = read_record("reviews-layerdrop"), read_record("pruning-layerdrop-seed1")
minutes = {"backbone": backbone_record["seconds"] / 60, "study": study_record["seconds"] / 60}
say("lesson04.minutes", steps=backbone_record["phases"][0]["steps"], **minutes)

# %% [markdown] lang="en"
# ## 4.11 Check yourself (3 min)
#
# 1. *From lesson 3:* which of the two techniques decides the depth sentence by sentence, and what does the other decide, and when?
# 2. 24 layers, drop rate 0.25: how many run on average in a training step? And in evaluation?
# 3. Which depths does the paper's rule keep of 12 layers for 8?
# 4. A network without LayerDrop is cut to half and fine-tuned afterwards; so is one with it. Where do you expect the larger difference: before or after that fine-tuning?
# 5. Why does a cut network keep more of its FLOPs' promise on the clock than early exit does?
#
# <details><summary>Answers</summary>
#
# 1. FastBERT decides while a sentence runs, by its uncertainty. LayerDrop with pruning decides once, before anything runs, and alike for all.
# 2. 18; and all 24: in evaluation nothing is dropped.
# 3. $p = 1/3$, so every third goes: 1, 2, 4, 5, 7, 8, 10, 11 stay.
# 4. Before, one expects: fine-tuning lets the remaining layers learn to work without the others, LayerDrop or not. Hold it against the numbers of 4.6.
# 5. It is an ordinary smaller network: no exits to compute, nothing to compare, no slower sentence to wait for.
#
# </details>

# %% [markdown] lang="zh"
# ## 4.11 自测（3 分钟）
#
# 1. **第 3 课的内容：** 两种技术中，哪一种逐句决定深度？另一种决定什么，在什么时候？
# 2. 24 层，丢弃率 0.25：一个训练步里平均有几层运行？评估时呢？
# 3. 12 层留 8 层，论文的规则留下哪些深度？
# 4. 没有 LayerDrop 的网络裁掉一半，之后微调；有 LayerDrop 的也一样。你预计哪个时候差别更大：微调之前，还是之后？
# 5. 为什么裁剪后的网络比提前退出更能在时钟上兑现 FLOPs 的许诺？
#
# <details><summary>答案</summary>
#
# 1. FastBERT 在处理句子的过程中按不确定性决定。LayerDrop 加剪枝则在运行之前一次决定，对所有句子都一样。
# 2. 18 层；评估时是全部 24 层，什么也不丢。
# 3. $p = 1/3$，每三层去掉一层：留下 1、2、4、5、7、8、10、11。
# 4. 预计是之前：微调让留下的层学会在没有其他层的情况下工作，有没有 LayerDrop 都一样。请与 4.6 的数字对照。
# 5. 它就是一个普通的小网络：没有出口要计算，不用做比较，也不用等更慢的句子。
#
# </details>

# %% [markdown] lang="en"
# ## What you saw
#
# - LayerDrop tosses a coin for every layer and training step; a dropped layer is the identity and is not computed; in evaluation nothing is dropped (4.2).
# - The rule of every other layer need not give the number wanted; searching costs passes, the rule nothing (4.4, 4.7).
# - A cut is a renaming of weights; what comes out is a plain smaller BERT; 4.5 measures how much of its FLOPs' promise the clock keeps.
# - What LayerDrop buys must be measured twice, without and with training after the cut; what needs depth is lost with the depth (4.6).
# - On these reviews a search, or training after the cut, does as much for a network without LayerDrop; what LayerDrop buys is a cut anywhere that needs neither (4.6, 4.7).
# - Layers run one after another and are worth dropping; dropping heads saves less (4.9).
#
# **What this lesson does not show.** Networks 64 and 128 wide, on one set of reviews and one constructed task. LayerDrop joined in the last phase of the pre-training only (`data/recipes/reviews-layerdrop.toml`). Every backbone was pre-trained *once*; the seeds are those of fine-tuning, so ± leaves out the luck of pre-training. On the reviews, training steps were equal (the distilled student's fewer), computing time was not (on the worlds, LayerDrop took more steps, 4.6): dropped layers cost none, and the student learned on top of its teacher's training. The run records in `data/runs` say how many seeds stand behind a number.
#
# **Next:** lesson 5, training and optimisation: learning-rate schedules, clipping and regularisation, measured.
#
# **References.** Fan, Grave and Joulin (2020), *Reducing Transformer Depth on Demand with Structured Dropout*, ICLR: sections 3.1 (LayerDrop), 3.2 (pruning, drop rate), 6 (units, strategies), A.1.5 (GLUE), Tables 4, 7 and 8, Figures 5 and 7; the LayerDrop README of fairseq. Huang et al. (2016), *Deep Networks with Stochastic Depth*. Sanh et al. (2019), *DistilBERT*. Jiao et al. (2019), *TinyBERT*. Xin et al. (2020), *DeeBERT*. Elhoushi et al. (2024), *LayerSkip*.

# %% [markdown] lang="zh"
# ## 这一课看到了什么
#
# - LayerDrop 在每个训练步给每一层抛一枚硬币；被丢弃的层是恒等映射，不计算；评估时什么也不丢（4.2）。
# - 隔层保留的规则不一定给出想要的层数；搜索要在验证数据上跑一遍又一遍，按规则选则不花任何代价（4.4、4.7）。
# - 裁剪就是给权重改名；得到的是普通的小 BERT；FLOPs 的许诺，时钟能兑现多少，4.5 有实测。
# - LayerDrop 换来什么，要测两次：一次裁剪后不再训练，一次裁剪后再训练；需要深度的东西，随深度一起丢掉（4.6）。
# - 在这些评论上，没有 LayerDrop 的网络靠搜索、或者裁剪之后再训练，也做得一样好；LayerDrop 换来的，是随处都能裁、两样都不需要（4.6、4.7）。
# - 各层依次运行，值得丢弃；丢弃注意力头省得少（4.9）。
#
# **这一课没有说明什么。** 网络的宽度只有 64 和 128，数据也只有一个评论数据集和一个人造任务。在预训练中，LayerDrop 到最后一个阶段才加入（`data/recipes/reviews-layerdrop.toml`）。每个主干只预训练过**一次**；种子是微调的种子，所以 ± 不包括预训练的运气。评论上的训练步数相同（蒸馏的学生较少），计算时间并不相同（小世界上，LayerDrop 用了更多训练步，见 4.6）：被丢弃的层不花时间，蒸馏的学生则还要另外算上教师的训练时间。一个数字背后有几个种子，见 `data/runs` 的运行记录。
#
# **下一课：** 第 5 课，训练与优化：学习率调度、梯度裁剪和正则化，逐一实测。
#
# **参考文献。** Fan、Grave、Joulin（2020），*Reducing Transformer Depth on Demand with Structured Dropout*，ICLR：3.1 节（LayerDrop）、3.2 节（剪枝、丢弃率）、第 6 节（单位、策略）、A.1.5（GLUE）、表 4、7、8，图 5、7；fairseq 的 LayerDrop README。Huang 等（2016），*Deep Networks with Stochastic Depth*。Sanh 等（2019），*DistilBERT*。Jiao 等（2019），*TinyBERT*。Xin 等（2020），*DeeBERT*。Elhoushi 等（2024），*LayerSkip*。
