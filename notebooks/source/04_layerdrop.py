# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] lang="en"
# # 4 · LayerDrop: practise the cut in training
#
# Lesson 3 let every sentence choose its depth while the network ran. This lesson makes the network itself smaller, *before* it runs, and trains it so that it bears the cut.
#
# | | |
# |---|---|
# | Time | {{class_minutes}} minutes in class, {{home_minutes}} minutes at home, {{exercise_minutes}} of exercises in them |
# | Necessary | a Transformer layer, expectation of a coin toss, lesson 3 (exits, the worlds, FLOPs and measured time) |
# | Helpful | lesson 2 (pre-training) |
# | The code runs in | {{runtime}} |

# %% [markdown] lang="zh"
# # 4 · LayerDrop（随机深度）：在训练中练习裁层
#
# 第 3 课让每个句子在运行时自己选择深度。这一课在运行**之前**就把网络本身变小，并且让它在训练时就学会承受裁层。
#
# | | |
# |---|---|
# | 时间 | 课堂 {{class_minutes}} 分钟，课后 {{home_minutes}} 分钟，其中练习 {{exercise_minutes}} 分钟 |
# | 必备 | Transformer 层、抛硬币的期望、第 3 课（出口、玩具世界、FLOPs 与实测用时） |
# | 有帮助 | 第 2 课（预训练） |
# | 代码运行时间 | {{runtime}} |

# %% [markdown] lang="en"
# **You will be able to**
#
# 1. say what LayerDrop does in a training step, in evaluation, and after training;
# 2. compute the expected depth, and implement a pass with dropped layers;
# 3. choose the layers that stay, by rule, by search or by learned rates, and name the price of each;
# 4. cut a network, save it, and load it without this course's code;
# 5. measure what LayerDrop buys, with an interval around it, and name the cases in which it buys nothing.

# %% [markdown] lang="zh"
# **学完这一课，你能够**
#
# 1. 说出 LayerDrop 在一个训练步里、评估时、训练之后各做什么；
# 2. 计算期望深度，并实现一次有层被丢弃的前向传播；
# 3. 用规则、搜索或学到的丢弃率选择留下的层，并说出各自的代价；
# 4. 给一个网络剪枝，保存它，不用本课程的代码也能加载；
# 5. 测出 LayerDrop 换来了什么（连同它的区间），并指出哪些情况下什么也换不来。

# %% [markdown] lang="en"
# ## The lesson in one picture (2 min, class)

# %% [markdown] lang="zh"
# ## 一张图看懂这一课（2 分钟，课堂）

# %% tags=["nbval-ignore-output"]
from course_lib import figures, show

show(figures.layerdrop_schematic())

# %% [markdown] lang="en"
# In every step of training, coins leave some layers out; what enters such a layer travels past it and on to the next. The step after that leaves out others. When training is over, layers are taken away for good, by a rule and for all inputs alike: the network has met such gaps before.

# %% [markdown] lang="zh"
# 每个训练步里，由硬币决定去掉哪几层；本该进入这一层的状态绕过它，直接交给下一层。再下一步去掉的又是另外几层。训练结束后，按一条规则真正拿掉一些层，对所有输入都一样：这样的缺口，网络在训练中早就遇到过。

# %% tags=["nbval-ignore-output"]
import torch

from course_lib import LayerDrop, checks, cuts, language, load_fastbert, only_layers, say, t, worlds

torch.manual_seed(0)
torch.set_grad_enabled(False)
print("torch", torch.__version__, "·", torch.get_num_threads(), "threads ·", language())

# %% [markdown] lang="en"
# ## 4.1 A layer is missing (5 min, class)
#
# A Transformer layer *adds* to what it gets: each of its two sub-layers (attention, feed-forward) computes something, adds its own input to it, and normalises the sum. The way on which the input gets past the sub-layer is called a **residual connection** or **skip connection**. Thanks to it, all layers read and write the same kind of state, and where one is missing the next can still read what comes.
#
# The worlds network of lesson 3 says who has the ball after 1 to 4 passes in a toy world. Its last exit reads the state of **[CLS]**, the token before every text, and puts out **logits**: a number for each answer, of which a softmax makes probabilities. It was trained *without* LayerDrop. Leave out its layer 3; by hand that is one `if`:

# %% [markdown] lang="zh"
# ## 4.1 少了一层（5 分钟，课堂）
#
# Transformer 的一层是在输入上**加**东西：它的两个子层（注意力、前馈）各算出一个结果，与自己的输入相加，再做归一化。输入绕过子层的这条路，叫**残差连接**（residual connection），也叫**跳跃连接**（skip connection）。正因为有它，各层读写的是同一种状态；少了一层，下一层也还读得懂送来的东西。
#
# 第 3 课的玩具世界模型要回答：在一个玩具世界里传球 1 到 4 次之后，球在谁手里。它的最后一个出口读 **[CLS]**（放在每段文本最前面的词元）的状态，给出 **logits**：每个答案一个数，经 softmax 变成概率。这个网络训练时**没有**用 LayerDrop。去掉它的第 3 层；手写的话，一个 `if` 就够了：

# %%
worlds_model, worlds_tokenizer = load_fastbert("worlds-fastbert")
few_worlds = worlds()["test"].select(range(800))
ids = worlds_tokenizer(few_worlds["text"][:32], return_tensors="pt")["input_ids"]  # [B, T]
layers = worlds_model.bert.encoder.layer

hidden = worlds_model.bert.embeddings(ids)  # [B, T, H]
for depth, layer in enumerate(layers, start=1):
    if depth != 3:
        hidden = layer(hidden)
by_hand = worlds_model.exits[-1](hidden)  # logits [B, C]

# %% [markdown] lang="en"
# The course's `only_layers` does the same to a whole model, for as long as the `with` lasts:

# %% [markdown] lang="zh"
# 课程库的 `only_layers` 对整个模型做同样的事，只在 `with` 之内有效：

# %% tags=["nbval-check-output"]
with only_layers(worlds_model, [1, 2, 4, 5, 6]):
    torch.testing.assert_close(worlds_model(ids).logits, by_hand)
print("equal")

# %% [markdown] lang="en"
# The same logits. **Predict.** One of the six layers is left out. What percentage of the worlds is still answered correctly if it is the layer that is missed *least*?

# %% [markdown] lang="zh"
# logits 完全相同。**先预测。** 六层里去掉一层。假如去掉的是**最不要紧**的那一层，还能答对百分之几的玩具世界？

# %%
my_percent = None  # your number, for example 90

# %%
from course_lib import share_right, shares_without

without = shares_without(worlds_model, worlds_tokenizer, few_worlds)
checks.compare_guess(my_percent, 100 * without.max())
cuts.shares_table({t("lesson04.without", layer=gone): each for gone, each in without.items()})

# %%
whole = share_right(worlds_model, worlds_tokenizer, few_worlds, range(1, 7))
say("lesson04.missing", whole=whole, worst=without.min(), layer=without.idxmin())

# %% [markdown] lang="en"
# ## 4.2 A coin for every layer (9 min, class)
#
# LayerDrop lets the network meet gaps *in training*. In every step a coin is tossed for every layer: with probability $p$, the **drop rate**, the layer is left out of this step.
#
# Leaving out whole layers at random is called **stochastic depth** (Huang et al. 2016, who trained very deep networks for images so). LayerDrop does it to Transformers, for another purpose: the cut afterwards. Its paper speaks of **structured dropout**: where dropout sets single numbers to 0, structured dropout leaves out whole parts.
#
# By hand, four layers, $p = 0.5$, coins say *run, drop, run, run*: the states go through layers 1, 3 and 4. What enters layer 2 goes on to layer 3 unchanged. Nothing is rescaled.
#
# **Exercise 1** (★, 3 min). How many layers run on average, by the coins alone? The layers may have different drop rates.

# %% [markdown] lang="zh"
# ## 4.2 给每一层抛一枚硬币（9 分钟，课堂）
#
# LayerDrop 让网络**在训练时**就遇到缺口。每一步都给每一层抛一枚硬币：以概率 $p$（**丢弃率**，drop rate）把这一层从这一步里去掉。
#
# 随机去掉整层的做法叫**随机深度**（stochastic depth；Huang 等 2016 年用它训练很深的图像网络）。LayerDrop 把它用到 Transformer 上，目的却不同：为了训练之后的裁层。论文把它归入**结构化丢弃**（structured dropout）：普通的 dropout 把单个的数置零，结构化丢弃去掉的是整块的结构。
#
# 手算一遍：四层，$p = 0.5$，硬币的结果是“运行、丢弃、运行、运行”，隐藏状态就经过第 1、3、4 层。第 2 层不运行，本该进入它的隐藏状态原样传给第 3 层，不做任何缩放。
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
# **Exercise 2** (★★, 8 min, home). The pass itself: `layers` is a list of functions, `runs` a list of True and False, `x` what enters.

# %% [markdown] lang="zh"
# **练习 2**（★★，8 分钟，课后）。前向传播本身：`layers` 是函数的列表，`runs` 是 True 和 False 的列表，`x` 是输入。

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
depths = cuts.drawn_depths(0.2, 12)
checks.compare_guess(my_percent, 100 * depths[12].iloc[0])
depths

# %% [markdown] lang="en"
# Only in one step of about fifteen does such a network see itself whole: in effect many sub-networks are trained at once, with shared weights. (If the coins drop every layer, one is run after all, for a step without layers teaches nothing. fairseq's code allows that step.)
#
# The class of the course attaches to any BERT-like model from outside. In training mode, its draw and the loop by hand agree:

# %% [markdown] lang="zh"
# 这样训练的网络，大约十五步里只有一步见到完整的自己：相当于同时训练许多共享权重的子网络。（如果硬币把所有层都丢了，仍会运行其中一层，因为一层都不运行的训练步什么也学不到。fairseq 的代码则允许出现那样的一步。）
#
# 课程库里的 `LayerDrop` 从外部就能挂到任何一种 BERT 类模型上。在训练模式下，按它抽签的结果手写循环，输出与它一致：

# %% tags=["nbval-check-output"]
whole_states = worlds_model.bert(ids).last_hidden_state
drop = LayerDrop(rate=0.5, seed=1).attach(worlds_model)
states = worlds_model.train().bert(ids).last_hidden_state  # this network has no other dropout
in_evaluation = worlds_model.eval().bert(ids).last_hidden_state
drop.detach()

# %% tags=["nbval-check-output"]
by_hand = worlds_model.bert.embeddings(ids)
for layer, on in zip(layers, drop.runs):
    by_hand = layer(by_hand) if on else by_hand
torch.testing.assert_close(states, by_hand)
print(drop.runs.tolist(), torch.equal(in_evaluation, whole_states))

# %% [markdown] lang="en"
# The list is the draw. True says that in *evaluation* nothing is dropped: the same numbers, to the bit, as without LayerDrop. **LayerDrop by itself makes no answer quicker.** (Training does get quicker: 4.8.)

# %% [markdown] lang="zh"
# 列表是这次抽签的结果。True 表示：**评估时**什么也不丢，输出与没有 LayerDrop 时逐位相同。**LayerDrop 本身并不会让推理变快。**（训练倒是会变快，见 4.8。）

# %% [markdown] lang="en"
# ## 4.3 Demo: the drop-rate slider (5 min, class)
#
# Left: training steps, one a column; a coin decides for every layer whether it runs. Right: three networks that *were* trained at a rate, then cut to every other layer and not trained again. They went through the same pre-training and **fine-tuning** (training on the task itself; here: is a hotel review praise or complaint?), but for the rate. A line is the mean over the seeds, three of them (at rate 0.5 two); each faint point is a seed.
#
# **Predict.** How many points does the network trained at rate 0.2 lose when it is cut to 6 of its 12 layers? And when cut to 3?

# %% [markdown] lang="zh"
# ## 4.3 演示：丢弃率滑块（5 分钟，课堂）
#
# 左图：每一列是一个训练步，逐层抽签决定是否运行。右图：三个**真正**按某个丢弃率训练过的网络，按隔层保留裁层、不再训练。除了丢弃率，它们的预训练和**微调**（fine-tuning：在任务本身上训练；这里的任务是判断酒店评论是好评还是差评）完全一样。线是各个种子的平均（三个种子；丢弃率 0.5 的只有两个），每个浅色的点是一个种子。
#
# **先预测。** 按丢弃率 0.2 训练的网络，12 层裁到 6 层，会损失几个百分点？裁到 3 层呢？

# %%
my_points_at_6 = None  # your number, for example 10
my_points_at_3 = None

# %% tags=["nbval-ignore-output"]
from course_lib import DropRateSlider, compare_cuts, cut_table

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
lost = cuts.points_lost(table, "layerdrop")
for guess, keep in ((my_points_at_6, 6), (my_points_at_3, 3)):
    checks.compare_guess(guess, lost[keep], about=t("cut.to", keep=keep))
say("lesson04.practised", **cuts.practised_shares(12, few=6, fewest=3))

# %% tags=["test"]
# What the answer below says; should a new training change it, the words must follow.
pairs = (("layerdrop", "plain"), ("half", "plain"), ("half", "layerdrop"))
assert not any(compare_cuts(table, 12, *pair, way="whole").clear for pair in pairs)
assert compare_cuts(table, 3, "half", "plain").low > 0
assert not compare_cuts(table, 3, "layerdrop", "plain").clear

# %% [markdown] lang="en"
# **Think.** At which rate is the uncut network best, at which the one cut to three layers? What would you choose if you did not know yet how far you will have to cut?
#
# <details><summary>Answer</summary>
#
# Uncut, these seeds cannot tell the three apart. Cut to three layers, rate 0.5 is clearly ahead of no LayerDrop; of rate 0.2 the seeds lie too far apart to say. A network bears the cuts that its training has practised: so the deepest cut one may need decides, and one takes a rate that practises it, if its price uncut can be borne.
#
# </details>

# %% [markdown] lang="zh"
# **想一想。** 哪个丢弃率下，没有裁层的网络最好？哪个丢弃率下，裁到三层的最好？如果还不知道将来要裁多少，你选哪一个？
#
# <details><summary>答案</summary>
#
# 没有裁层时，这几个种子分不出三者的高下。裁到三层时，丢弃率 0.5 明显好于没有 LayerDrop；丢弃率 0.2 的几个种子相差太远，还说不清。网络承受得住的，是训练中练过的那种裁层：所以由可能需要的最深的一刀来定，只要不裁层时的代价还能接受，就选训练中练得到那一刀的丢弃率。
#
# </details>

# %% [markdown] lang="en"
# ## 4.4 Which layers stay? (4 min, class)
#
# A network of $N$ layers is to be cut to $r$. The paper derives the matching drop rate: $p^* = 1 - r/N$, so that training draws, on average, networks of the size wanted. Then **Every Other**: drop the depths $d$ with $d \equiv 0 \bmod \lfloor 1/p \rfloor$.
#
# By hand, 12 layers to 6: $p = 0.5$, $\lfloor 1/p \rfloor = 2$, so depths 2, 4, …, 12 go, and 1, 3, 5, 7, 9, 11 stay.
#
# **Exercise 3** (★★, 8 min, home). The rule as a function. (Use `num_layers // (num_layers - keep)` for $\lfloor 1/p \rfloor$: it is exact.)

# %% [markdown] lang="zh"
# ## 4.4 留下哪些层？（4 分钟，课堂）
#
# 要把 $N$ 层的网络裁到 $r$ 层。论文推导出与之相配的丢弃率：$p^* = 1 - r/N$，使训练中抽到的网络平均就是想要的大小。然后是**隔层保留**（Every Other）：丢弃满足 $d \equiv 0 \bmod \lfloor 1/p \rfloor$ 的深度 $d$。
#
# 手算，12 层裁到 6 层：$p = 0.5$，$\lfloor 1/p \rfloor = 2$，所以去掉第 2、4、……、12 层，留下 1、3、5、7、9、11。
#
# **练习 3**（★★，8 分钟，课后）。把规则写成函数。（用 `num_layers // (num_layers - keep)` 计算 $\lfloor 1/p \rfloor$，它是精确的。）

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
checks.compare_guess(my_layers, len(cuts.by_the_rule(12, 7)), ".0f")
cuts.rule_table(12, wanted=[10, 9, 8, 7, 6, 3, 2])

# %% [markdown] lang="en"
# With 12 layers the rule is exact only where $1/p$ is whole. For 7 layers it leaves 6; above $p = 0.5$ it leaves none, since every depth is a multiple of 1. The course's `every_other` keeps to the rule where the rule gives the number wanted, and spaces the layers evenly elsewhere. And $p^*$ is a guide: in the paper's own experiments the rate is 0.2, however far the network is cut afterwards (0.5 only for a 48-layer RoBERTa).
#
# The paper has two more ways. **Search on Valid** tries sets of layers on validation data. **Data-Driven** learns a drop rate for each layer and keeps the layers with the lowest. Both are at work in the slider of 4.7; 4.10 takes them apart.

# %% [markdown] lang="zh"
# 对 12 层来说，只有 $1/p$ 是整数时规则才准。要 7 层，它只留下 6 层；$p$ 超过 0.5，每个深度都是 1 的倍数，它一层不留。规则给出的层数正好时，课程库的 `every_other` 照规则办，其余情况下均匀取层。另外，$p^*$ 只供参考：论文自己的实验不管之后裁多少，丢弃率都是 0.2（只有 48 层的 RoBERTa 用 0.5）。
#
# 论文还有两种办法。**验证集搜索**（Search on Valid）在验证数据上试各种层的组合。**数据驱动**（Data-Driven）为每一层学一个丢弃率，留下丢弃率最低的层。4.7 的滑块里两种都能看到，4.10 再细讲。

# %% [markdown] lang="en"
# ## 4.5 The cut (6 min, class)
#
# Cutting (**pruning**) is *renaming*: the weights of the layers that stay get new numbers, the others are left out, and the config says how many there are.
#
# **Exercise 4** (★★★, 12 min, home). What is a weight called in the smaller model? `keep` holds depths, counted from 1. For a weight whose layer is cut away, return None.

# %% [markdown] lang="zh"
# ## 4.5 裁层（6 分钟，课堂）
#
# 裁层是**剪枝**（pruning）的一种，做起来其实是**改名**：留下的层，其权重得到新的编号；其余的去掉；配置里写明还有几层。
#
# **练习 4**（★★★，12 分钟，课后）。一个权重在小模型里叫什么名字？`keep` 里是深度，从 1 数起。如果它的层被裁掉了，返回 None。

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
from course_lib import bench_depth, every_other, prune, reviews

model, tokenizer = load_fastbert("reviews-layerdrop-fastbert")
texts = [
    "房间很干净，但是服务太差",  # The room is clean, but the service is far too bad
    "还会再来",  # We will come again
]
inputs = tokenizer(texts, padding=True, return_tensors="pt")

# %% tags=["nbval-check-output"]
keep = every_other(12, 6)
small = prune(model, keep)
with only_layers(model, keep):
    skipped = model.layer_logits(**inputs)[keep[-1] - 1]  # the exit of the last layer that stays
torch.testing.assert_close(small(**inputs).logits, skipped)
print(small.config.num_hidden_layers, "/", model.config.num_hidden_layers)

# %% [markdown] lang="en"
# The outputs agree: skipping and cutting are one thing.
#
# **Predict.** A quarter of the layers, 3 of 12. How many times quicker is the smaller network when its time is measured?

# %% [markdown] lang="zh"
# 两者的输出一致：跳过与裁掉是一回事。
#
# **先预测。** 只剩四分之一的层，12 层里的 3 层。按实测用时，小网络比完整的网络快几倍？

# %%
my_speedup = None  # your number, for example 4

# %% tags=["nbval-ignore-output", "timing"]
test = reviews()["test"]
costs = bench_depth(model, tokenizer, test, [9, 6, 3, 2], sentences=64, rounds=5, at_most=20)
many = {cost.keep: cost for cost in costs}[3]
checks.compare_guess(my_speedup, many.speedup)
cuts.depth_time_table(costs)

# %% tags=["nbval-ignore-output", "timing"]
alone = bench_depth(model, tokenizer, test, [3], 1, sentences=32, rounds=5, at_most=20)[-1]
say("lesson04.clock", many=many.speedup / many.promised, alone=alone.speedup / alone.promised)
say("lesson04.rounds", rounds=many.rounds, wanted=5)

# %% [markdown] lang="en"
# Compare with lesson 3. A cut network is simply a smaller one: no exits on the way, no comparisons, no sentences to move about. Where measured time keeps less than 100 % of the promise, the rest went to what no cut touches: embeddings, the last exit, Python. Where it keeps more, something shrank that FLOPs do not count, such as the data moved to and from memory. And look at the parameters: they do *not* fall by four, for the embeddings stay.

# %% [markdown] lang="zh"
# 与第 3 课比一比。裁层之后的网络就是一个小一些的网络：途中没有出口，不用做比较，也不用搬动句子。实测用时兑现的不到 100% 时，差的部分花在裁层碰不到的地方：嵌入、最后一个出口、Python。超过 100% 时，是 FLOPs 没有计入的东西也变小了，例如要在内存里来回搬动的数据。再看参数量：它**没有**降到四分之一，因为嵌入还在。

# %% [markdown] lang="en"
# ## 4.6 What LayerDrop buys (9 min, class)
#
# The networks of the slider differ in the rate alone: from the same start, pre-trained for as many further steps on the same texts, then fine-tuned at the same rate, cut to every other layer, **not trained after the cut**.

# %% [markdown] lang="zh"
# ## 4.6 LayerDrop 换来了什么（9 分钟，课堂）
#
# 滑块里的几个网络只有丢弃率不同：从同一个起点出发，在同样的文本上再预训练同样多步，微调时沿用各自的丢弃率，然后按隔层保留裁层，**裁层之后不再训练**。

# %% tags=["nbval-ignore-output"]
show(figures.accuracy_by_kept(table))

# %%
from course_lib import compare_by_steps, cuts_of_fastbert, points

gain = compare_cuts(table, 6, "layerdrop", "plain")
say("lesson04.half", points=points(gain), verdict=cuts.verdict(gain))

# %% [markdown] lang="en"
# The **interval** holds the true mean difference in 95 of 100 such experiments (seeds in pairs, Student's t). It is wide because of the network *without* LayerDrop: its seeds, alike while whole, lie far apart at 6 layers. What a cut leaves of a network that never practised it is luck.
#
# So ask other networks: the FastBERTs of lesson 3, fine-tuned in another way on the same two backbones. Their exits were trained to answer at every depth; the last exit that stays answers. **Predict.** Cut to 6 layers: how many points is the one with LayerDrop ahead?

# %% [markdown] lang="zh"
# 这个**区间**的意思是：这样的实验做 100 次，约有 95 次的区间包含真正的平均差（种子两两配对，按 Student t 分布计算）。它之所以宽，是因为**没有** LayerDrop 的网络：完整时不相上下的几个种子，裁到 6 层后相差很大。从没练过裁层的网络，裁完还剩多少，要看运气。
#
# 再找一个旁证：第 3 课的 FastBERT，在同样的两个主干上用另一种方式微调。它们的出口在每个深度上都学过作答，由留下的最后一个出口回答。**先预测。** 裁到 6 层：有 LayerDrop 的高几个百分点？

# %%
my_points = None  # your number, for example 5

# %%
fastberts = cuts_of_fastbert(plain="reviews-fastbert", layerdrop="reviews-layerdrop-fastbert")
keeps = (12, 9, 6, 3, 2)
gains = cuts.cut_gains(fastberts, "layerdrop", "plain", keeps=keeps)
checks.compare_guess(my_points, 100 * gains[6].mean)
bare = cuts.cut_gains(table, "layerdrop", "plain", keeps=keeps)
cuts.gains_table({t("cuts.fastberts"): gains, t("cuts.bare"): bare}, t("axis.layers_kept"))

# %%
say("lesson04.ticks", ahead=cuts.clear_columns(gains, 1), behind=cuts.clear_columns(gains, -1))

# %% tags=["test"]
assert [keep for keep in keeps if gains[keep].low > 0] == [6, 3, 2]  # what the text says
assert gains[12].high < 0 and not any(each.clear for each in bare.values())

# %% [markdown] lang="en"
# Here seeds agree, and LayerDrop is clearly ahead where the cut is deep, at a small price where little or nothing is cut.
#
# Now the toy worlds, whose difficulty is known. **Predict.** The worlds network with LayerDrop is cut from 6 layers to 4. Which worlds does it lose first: those with few steps or with many?

# %% [markdown] lang="zh"
# 这里各个种子是一致的：裁得深时，LayerDrop 明显领先；裁得少或不裁时，则要付出一点代价。
#
# 再看难度已知的玩具世界。**先预测。** 有 LayerDrop 的玩具世界模型从 6 层裁到 4 层，最先答不出的是哪些：步数少的，还是步数多的？

# %%
my_answer = None  # "few" or "many"

# %% tags=["nbval-ignore-output"]
recipes = {"plain": "worlds-fastbert", "layerdrop": "worlds-layerdrop"}
by_steps = {study: figures.cut_by_steps(recipe) for study, recipe in recipes.items()}
show(figures.steps_by_layers_kept(by_steps))

# %%
lost_by_steps = by_steps["layerdrop"][6] - by_steps["layerdrop"][4]
most = "few" if lost_by_steps.iloc[0] > lost_by_steps.iloc[-1] else "many"
checks.compare_choice(my_answer, most, ("few", "many"))
gains = compare_by_steps("worlds-layerdrop", "worlds-fastbert", keep=4)
cuts.gains_table({t("cuts.minus"): gains}, t("axis.steps"))

# %% tags=["test"]
assert all(gains[steps].low > 0.5 for steps in (1, 2, 3)) and gains[4].high < 0  # what the text says

# %% [markdown] lang="en"
# At 4 layers, LayerDrop keeps the worlds with up to 3 steps and the other network loses them: a clear difference, in all seeds. But worlds with 4 steps need a fifth layer (the first one reads, each further one follows a pass), and they are gone: a network without LayerDrop, which guesses, is even ahead. **LayerDrop buys cuts that training has practised. It does not buy depth.** 4.11 goes on from here.

# %% [markdown] lang="zh"
# 留 4 层时，3 步以内的玩具世界，有 LayerDrop 的网络保住了，另一个丢掉了：差别明显，每个种子都是如此。可是 4 步的玩具世界需要第五层（第一层读题，之后每层跟一次传球），有 LayerDrop 也答不出了：没有 LayerDrop 的网络只是瞎猜，反而还高一些。**LayerDrop 换来的，是训练中练过的裁层；它换不来深度。** 4.11 接着讲。

# %% [markdown] lang="en"
# ## 4.7 Demo: the depth slider (5 min, class)
#
# How many layers stay, chosen by which strategy? Left, the layers; right, the accuracy that is left; below, the same cut in accuracy, layers, parameters, FLOPs and milliseconds together, and the difference with its interval. (FLOPs and times are those of 4.5, measured on the FastBERT of the same size; which layers stay makes no difference to them.)

# %% [markdown] lang="zh"
# ## 4.7 演示：深度滑块（5 分钟，课堂）
#
# 留几层，用哪种策略选？左图是层，右图是裁层后的准确率；下面把同一次裁层的准确率、层数、参数量、FLOPs 和用时（毫秒）放在一起，再给出差值和它的区间。（FLOPs 和用时取自 4.5，那是在同样大小的 FastBERT 上测的；留哪些层对它们没有影响。）

# %% tags=["nbval-ignore-output"]
from course_lib import DepthSlider

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

# %% [markdown] lang="en"
# **LayerDrop, or the choice of layers?** So far both networks were cut by the same rule. Now give the one *without* LayerDrop the search. **Predict.** Cut to 6 layers: how many points is LayerDrop by the plain rule ahead of it?

# %% [markdown] lang="zh"
# **是 LayerDrop 的功劳，还是选层的功劳？** 前面比较的两个网络，是按同一条规则裁层的。现在让**没有** LayerDrop 的网络用上搜索。**先预测。** 裁到 6 层：有 LayerDrop、只按规则裁层的网络，比它高几个百分点？

# %%
my_points = None  # your number, for example 3

# %%
ways = ("every_other", "search", "data_driven")
choice = {way: cuts.cut_gains(table, "layerdrop", "plain", way, their_way="search") for way in ways}
checks.compare_guess(my_points, 100 * choice["every_other"][6].mean)
cuts.gains_table({t(f"depth.{way}"): gains for way, gains in choice.items()}, t("axis.layers_kept"))

# %%
say("lesson04.choice")

# %% tags=["test"]
# What the text below says.
assert all(max(-each[keep].low, each[keep].high) < 0.02 for each in choice.values() for keep in (9, 6))
assert not any(each[keep].clear for each in choice.values() for keep in each)

# %% [markdown] lang="en"
# Down to half of the layers the intervals are narrow and hold 0: whatever is left of the lead is smaller than two points. A search on validation data does for the plain network about what LayerDrop did in training. Cut further, the intervals are too wide to say who is ahead. So on these reviews LayerDrop saves *the search*, or the training after the cut (4.12). On the worlds, where depth counts, its gain was clear.

# %% [markdown] lang="zh"
# 裁到一半为止，区间很窄，而且都包含 0：领先就算还有，也不到两个百分点。LayerDrop 在训练中做到的，普通网络靠在验证集上搜索也大致做得到。裁得更深，区间太宽，说不出谁领先。所以在这些评论上，LayerDrop 省下的是**搜索**，或者裁层之后的训练（4.12）。在用得上深度的玩具世界上，它的好处则很明显。

# %% [markdown] lang="en"
# ## 4.8 Training gets quicker (4 min, home)
#
# A dropped layer is not computed in this step, so training takes less time. We time steps of pre-training. BERT is pre-trained as a **masked language model**: some tokens are hidden, and a head over the whole vocabulary guesses them. **Predict.** Drop rate 0.5: what percentage of its time does a whole training step still take?

# %% [markdown] lang="zh"
# ## 4.8 训练变快了（4 分钟，课后）
#
# 被丢弃的层在这一步里根本不计算，所以训练用时更短。我们给预训练的训练步计时。BERT 是按**掩码语言模型**（masked language model）预训练的：遮住一些词元，由一个覆盖整个词表的输出头来猜。**先预测。** 丢弃率 0.5：整个训练步的用时是原来的百分之几？

# %%
my_percent = None  # your number, for example 50

# %% tags=["nbval-ignore-output", "timing"]
from course_lib import bench_layerdrop

with torch.enable_grad():
    steps = bench_layerdrop([0.0, 0.2, 0.5], steps=4, rounds=5, texts=16, at_most=30)
checks.compare_guess(my_percent, 100 * steps[-1].whole_step, ".0f")
cuts.training_time_table(steps)

# %% tags=["nbval-ignore-output", "timing"]
say("lesson04.rounds", rounds=steps[-1].rounds, wanted=5)

# %% [markdown] lang="en"
# The layers' part should be near $1 - p$ (few steps are drawn, so it scatters); the whole step also pays for what no coin touches: the embeddings, the head over the vocabulary, and the optimizer's work on both. (The paper's training, with 16 much wider layers, also quickens with the rate: Figure 7.)

# %% [markdown] lang="zh"
# 各层那部分应当接近 $1 - p$（抽的步数少，会有起伏）；整个训练步还要付出不受抽签影响的时间：嵌入、词表上的输出头，以及优化器更新这两者的时间。（论文训练的是 16 层、宽得多的网络，丢弃率越高也越快，见图 7。）

# %% [markdown] lang="en"
# ## 4.9 A plain smaller BERT (3 min, home)
#
# A cut backbone needs nothing from this course: pre-trained, cut and saved, it is a plain smaller BERT. `transformers` alone loads it, ready for fine-tuning at that depth. (A FastBERT still needs the course's class, for its exits.)

# %% [markdown] lang="zh"
# ## 4.9 一个普通的小 BERT（3 分钟，课后）
#
# 裁层之后的主干不需要本课程的任何代码：预训练的主干，裁层并保存之后，就是一个普通的、小一些的 BERT，单凭 `transformers` 就能加载，可以直接在这个深度上微调。（FastBERT 因为有出口，仍需要课程库里的类。）

# %% tags=["nbval-ignore-output"]
import tempfile

from transformers import BertForMaskedLM

from course_lib.paths import CHECKPOINTS

backbone = BertForMaskedLM.from_pretrained(CHECKPOINTS / "reviews-layerdrop", dtype=torch.float32).eval()
with tempfile.TemporaryDirectory() as folder:
    prune(backbone, keep=every_other(12, 6)).save_pretrained(folder)
    loaded = BertForMaskedLM.from_pretrained(folder).eval()

# %% tags=["nbval-ignore-output"]
with only_layers(backbone, every_other(12, 6)):
    torch.testing.assert_close(loaded(**inputs).logits, backbone(**inputs).logits)
megabytes = {name: 4 * net.num_parameters() / 1e6 for name, net in (("cut", loaded), ("uncut", backbone))}
say("lesson04.saved", layers=loaded.config.num_hidden_layers, **megabytes)

# %% [markdown] lang="en"
# ## 4.10 Looking for the layers that stay (10 min, home)
#
# **Search on Valid** tries sets of layers on validation data. We search on a worlds network that *was* trained with LayerDrop: 15 ways to keep 4 of 6 layers.
#
# **Predict.** Which four? Write their depths.

# %% [markdown] lang="zh"
# ## 4.10 寻找该留下的层（10 分钟，课后）
#
# **验证集搜索**（Search on Valid）在验证数据上试各种层的组合。我们用一个**有** LayerDrop 的玩具世界模型来搜索：6 层留 4 层，共 15 种选法。
#
# **先预测。** 会是哪四层？写下它们的深度。

# %%
my_four = None  # for example [1, 3, 5, 6]

# %%
from course_lib import search_on_valid

dropped_model, _ = load_fastbert("worlds-layerdrop")
validation = worlds()["validation"].select(range(400))
found = search_on_valid(
    lambda keep: share_right(dropped_model, worlds_tokenizer, validation, keep), 6, 4, "exhaustive"
)
tries = {"search": found, "every_other": every_other(6, 4), "first": [1, 2, 3, 4]}
if my_four:
    tries["yours"] = sorted(my_four)

# %%
found_shares = {
    name: share_right(dropped_model, worlds_tokenizer, few_worlds, keep) for name, keep in tries.items()
}
say("lesson04.searched", **found_shares)
cuts.shares_table({f"{t(f'depth.{name}')} {keep}": found_shares[name] for name, keep in tries.items()})

# %% tags=["test"]
assert found_shares["first"] == max(found_shares.values())  # as the text below says

# %% [markdown] lang="en"
# In this one network the first four win: exit 4 was distilled on just these states. The reviews' classifiers of 4.7 have one exit only, and there it is the other way round (below). Fifteen trials are nothing. For 6 of 12 layers there are 924, each a pass over all validation data; the greedy search of the course needs 57. Searching also fits the accidents of the validation split, which is why the shares above are measured on *test* worlds.
#
# **Data-Driven** learns instead: each layer gets a small network that looks at the layer's output and says how much it is needed; a softmax over the layers shares out the four places. The classifier's loss trains these small networks, while the big one stays as it is. The resulting set is fixed and does not depend on the input.

# %% [markdown] lang="zh"
# 在这个网络里，最前面四层最好：出口 4 正是在这些状态上蒸馏的。4.7 里评论的分类器只有一个出口，情形正相反（见下文）。十五次不算什么。12 层留 6 层就有 924 种，每一种都要在全部验证数据上跑一遍；课程库的贪心搜索需要 57 次。搜索还会迎合验证集的偶然性，所以上面的比例是在**测试集**上测的。
#
# **数据驱动**（Data-Driven）则是去学：每一层配一个很小的网络，它看这一层的输出，判断有多需要这一层；再在各层之间做 softmax，把四个名额分配下去。分类器的损失训练这些小网络，大网络本身不变。选出的这组层从此固定，不随输入变化。

# %% tags=["nbval-ignore-output"]
from course_lib import data_driven, in_time, loss_by_step

loss_of = loss_by_step(dropped_model, worlds_tokenizer, worlds()["train"].select(range(512)))
with torch.enable_grad():  # at most 60 steps, and about 30 seconds
    (learned, keep_rates), steps = in_time(
        lambda number: data_driven(dropped_model, loss_of, keep=4, steps=number), 60, at_most=30
    )

# %% tags=["nbval-ignore-output"]
accuracy = share_right(dropped_model, worlds_tokenizer, few_worlds, learned, exit=6)
say("lesson04.learned", keep=str(learned), accuracy=accuracy, steps=steps)
cuts.rates_table(1 - keep_rates)

# %% [markdown] lang="en"
# The mean drop rate is 1 − 4/6, as the paper asks (unless a layer asks for more than one whole place: no layer can run more than always). The paper describes this way in five sentences and prints no code; the docstring of `data_driven` lists what that leaves open (how a layer's output can be known before it is decided whether the layer runs, how a gradient passes a coin), and what we decided.

# %% [markdown] lang="zh"
# 丢弃率的平均值是 1 − 4/6，与论文的要求一致（除非某一层想要不止一个名额：没有哪一层能比“每次都运行”更多）。论文只用五句话描述这种办法，没有给出代码；它没有说清的地方（还没决定一层是否运行，怎么知道它的输出？梯度怎么穿过一枚硬币？），`data_driven` 的文档字符串（docstring）逐一列出，并写明我们是怎么选的。

# %% [markdown] lang="en"
# On the reviews, all four ways, every one on the networks of 4.6 (mean accuracy in per cent):

# %% [markdown] lang="zh"
# 评论上的四种办法，用的都是 4.6 的网络（平均准确率，%）：

# %%
both = table[table["study"] != "half"]
cuts.cut_means(both, ["every_other", "first", "search", "data_driven"])

# %%
searching = {
    t(f"study.{study}"): cuts.cut_gains(table, study, study, "search", their_way="every_other")
    for study in ("plain", "layerdrop")
}
cuts.gains_table(searching, t("axis.layers_kept"))

# %%
say(
    "lesson04.strategies",
    **{f"at_{n}": cuts.clear_columns(each, 1) for n, each in enumerate(searching.values())},
)
means = cuts.mean_accuracy(table, 6, "first")
say("lesson04.first", **means)

# %% tags=["test"]
learned_six = searching[t("study.layerdrop")][6]  # what the text below says
assert max(-learned_six.low, learned_six.high) < 0.03 and not learned_six.clear
assert means["half"] > 0.8 and means["layerdrop"] < 0.7 and means["plain"] < 0.6

# %% [markdown] lang="en"
# **Does searching pay?** (Searched minus every other, in points.) The paper found only marginal gains for both ways that look at data. Here that holds where training practised the cut: with LayerDrop, at half of the layers. Farther down the means gain much, but the seeds differ so much that only the ticked ones are clear. The price: the greedy search makes dozens of passes over the validation data for each size, the learned rates take training steps of two passes each, anew for each size. The rule costs nothing.
#
# **Why are the first layers so bad a choice on the reviews?** At drop rate 0.2 the coins hardly ever leave out the last six layers together (at 0.5, in one step of 64), so that was not practised, and the classifier reads what the *last* layer writes. The paper sees the same: neighbouring layers are missed more than scattered ones, and the first and last layers most (Figure 5).

# %% [markdown] lang="zh"
# **搜索划算吗？**（上表：搜索减去隔层保留，百分点。）论文发现，两种要看数据的办法都只有微小的收益。在这里，只有训练中练过的裁层才是这样：有 LayerDrop，留下一半的层。裁得更深时，平均值提高很多，但种子之间相差太大，只有打勾的几项才算明显。代价是：每种大小，贪心搜索要在验证数据上跑几十遍；学丢弃率则要训练若干步，每步两次前向传播，换一种大小就要重来。按规则选则不花任何代价。
#
# **在评论上，为什么留下最前面几层这么糟？** 丢弃率 0.2 时，硬币几乎不会把最后六层一起丢掉（0.5 时每 64 步有一步），所以这种情形没有练过；而分类器读的正是**最后**一层写下的东西。论文看到的也一样：相邻的层一起缺，比分散的缺更糟；最前和最后的层最要紧（图 5）。

# %% [markdown] lang="en"
# ## 4.11 What needs depth (11 min, home)
#
# Reviews need little depth (lesson 3): a trained exit 1 nearly reaches the teacher there. The backbones' own task, guessing hidden tokens, should have more use for depth. Its **loss** is $-\ln$ of the probability that the network gave the right token, averaged over the hidden tokens. With the natural logarithm it is counted in **nats**: 1 nat means that the right token got the probability $1/e$, about 37 %. **Predict.** Cut to 6 layers, by how many nats a token does the loss rise without LayerDrop?

# %% [markdown] lang="zh"
# ## 4.11 什么需要深度（11 分钟，课后）
#
# 评论不太需要深度（第 3 课）：训练过的出口 1 就几乎赶得上教师。主干自己的任务（猜被遮住的词元）应该更用得上深度。它的**损失**是 $-\ln$（网络给正确词元的概率），对被遮住的词元取平均。用自然对数，单位就是**奈特**（nat）：1 奈特表示正确词元得到的概率是 $1/e$，约 37%。**先预测。** 裁到 6 层，没有 LayerDrop 时，损失上升多少奈特/词元？

# %%
my_nats = None  # your number, for example 0.3

# %% tags=["nbval-ignore-output"]
from course_lib import masked_losses

losses = masked_losses("plain", "layerdrop", "half")
rise = losses.loc[6] - losses.loc[12]
checks.compare_guess(my_nats, rise["plain"], ".2f")
show(figures.masked_loss_by_kept(losses))

# %%
price = losses.loc[12] - losses.loc[12, "plain"]
say("lesson04.masked", **rise, price=price["layerdrop"], price_half=price["half"])

# %% [markdown] lang="en"
# (Each backbone was pre-trained *once*: these are single networks, without an interval.)
#
# Back to the worlds of 4.6. With LayerDrop, the question put to each layer in training counted only the layers that had *run*, so a layer learned to take the *next* pass, wherever it stands. That is why the cut network follows as many passes as its layers allow.
#
# Two objections. The network with LayerDrop was trained for more steps: was it these? And nobody has to cut gaps: the network without LayerDrop can simply end after layer 4, with exit 4 to answer (it was distilled for that, lesson 3).

# %% [markdown] lang="zh"
# （每个主干只预训练过**一次**：这里都是单个网络，给不出区间。）
#
# 回到 4.6 的玩具世界。有 LayerDrop 时，训练中问每一层的传球次数，只按**运行过**的层来数，所以每一层学会的是：不管自己排在第几层，都接着传**下一次**。正因如此，裁层之后，留下的层够跟几次传球，网络就跟得上几次。
#
# 有两点可以质疑。有 LayerDrop 的网络训练了更多步，会不会是多训练的功劳？另外，不一定非要在中间留缺口：没有 LayerDrop 的网络可以干脆到第 4 层为止，由出口 4 作答（第 3 课正是为此蒸馏了它）。

# %%
longer, ended = figures.cut_by_steps("worlds-longer"), figures.first_by_steps("worlds-fastbert")
rows = {t(f"study.{study}"): shares[4] for study, shares in by_steps.items()}
rows |= {t("control.longer"): longer[4], t("control.ended"): ended[4]}
cuts.steps_table(rows)

# %% tags=["test"]
assert longer[6].min() > 0.9 and (longer[4] < 0.6).all()  # what the text below says
assert (ended[4].iloc[:2] > 0.95).all() and (by_steps["layerdrop"][4].iloc[:2] > 0.95).all()

# %% [markdown] lang="en"
# (4 layers, by number of steps.) It was not the training steps: trained as long, the network without LayerDrop answers while it is whole, and falls apart at the gaps. (One seed only.) And a network that simply *ends* earlier keeps what its depth allows, without LayerDrop too: its exit 4 has practised just that cut. Whoever knows the cut beforehand can practise it; LayerDrop practises many at once, those that its coins draw.
#
# **Predict.** The four layers of the rule, 1, 2, 4 and 5, are one too few for 4 steps. Whom does the cut network name there: the one who has the ball after how many passes?

# %% [markdown] lang="zh"
# （都是 4 层，按步数分列。）不是多训练的功劳：训练同样久、没有 LayerDrop 的网络，完整时答得出，一有缺口就垮了。（只有一个种子。）而干脆**早些结束**的网络，即使没有 LayerDrop，深度够得着的本领也都保住了：它的出口 4 练的正是这一刀。事先知道怎么裁，就可以专门去练；LayerDrop 则一次练许多种，硬币抽到哪种就练哪种。
#
# **先预测。** 按规则留下的四层（1、2、4、5）对 4 步来说差一层。在 4 步的玩具世界上，裁层之后的网络会答谁：传了几次之后拿着球的那个人？

# %%
my_passes = None  # your number, 0 to 4

# %%
from course_lib import named_after_passes

named = named_after_passes(dropped_model, worlds_tokenizer, worlds()["test"], every_other(6, 4), steps=4)
checks.compare_guess(my_passes, int(named.argmax()), ".0f")
say("lesson04.as_far", passes=int(named.argmax()), share=named.max(), right=named[-1])

# %% [markdown] lang="en"
# The cut network is not confused: it goes as far as its layers reach, and answers from there. It does not *know* that it stopped short, and an answer that looks sure may be a step behind. FastBERT's exits face the same question (is this far enough?), but all except the last can hand a doubtful sentence on to the next layer (lesson 3).

# %% [markdown] lang="zh"
# 裁层之后的网络并没有乱：它的层够走到哪里，它就走到哪里，再从那里作答。它并不**知道**自己停早了；看起来很有把握的答案，也可能落后一步。FastBERT 的出口面对同样的问题（走到这里够了吗？），只是除了最后一个出口，没把握的句子都还可以交给下一层（第 3 课）。

# %% [markdown] lang="en"
# ## 4.12 Trained after the cut, and two rivals (8 min, home)
#
# What if one may train again after the cut? For classification the paper itself does so: it cuts the pre-trained network and *then* fine-tunes it (A.1.5). And then it has two rivals of the same size. One was **small from the start**: pre-trained with so few layers, for as many steps on the same texts. The other was **distilled** as DistilBERT was: it begins with evenly spaced layers of its teacher and learns by three losses (to answer as the teacher does, to guess the hidden tokens, to have its hidden states point the way the teacher's do), for half as many steps, since each costs a pass of the teacher as well. Both must be pre-trained anew for every size (here: 6 and 3 layers); LayerDrop pre-trains once for all of them. (The network with rate 0.5 was cut only, not trained after it.)
#
# **Predict.** 3 layers, trained after the cut: how many points is the network with LayerDrop ahead of the one without?

# %% [markdown] lang="zh"
# ## 4.12 裁层之后再训练，以及两个对手（8 分钟，课后）
#
# 如果裁层之后还可以再训练呢？对分类任务，论文自己就是这么做的：先裁掉预训练好的网络的一些层，**再**微调（A.1.5）。这时它就有了两个同样大小的对手。一个**一开始就小**：只用这么几层，在同样的文本上预训练同样多步。另一个按 DistilBERT 的办法**蒸馏**：以从教师中均匀取出的几层为起点，用三个损失学习（回答与教师一致、猜出被遮住的词元、隐藏状态的方向与教师一致），训练步数减半，因为每一步教师也要跑一遍。这两种每换一种大小都要重新预训练（这里是 6 层和 3 层）；LayerDrop 只预训练一次，各种大小都有了。（丢弃率 0.5 的网络只裁了层，之后没有再训练。）
#
# **先预测。** 3 层，裁层之后再训练：有 LayerDrop 的网络比没有的高几个百分点？

# %%
my_points = None  # your number, for example 3

# %%
rivals = cuts.small_networks()
tuned = compare_cuts(table, 3, "layerdrop", "plain", way="tuned")
checks.compare_guess(my_points, 100 * tuned.mean)
cuts.tuned_means(table, rivals)

# %%
everybody = cuts.together(table, rivals)
beside = {study: ("tuned" if study == "plain" else "whole") for study in ("plain", "small", "student")}
ahead = {
    study: cuts.cut_gains(everybody, "layerdrop", study, "tuned", way, keeps=(6, 3))
    for study, way in beside.items()
}
cuts.gains_table({t(f"study.{study}"): each for study, each in ahead.items()}, t("axis.layers_kept"))

# %%
say("lesson04.tuned", **{study: cuts.verdict_at(each, 3) for study, each in ahead.items()})

# %% tags=["test"]
# What the text below says.
assert max(abs(each.mean) for gains in ahead.values() for each in gains.values()) < 0.015

# %% [markdown] lang="en"
# All of these differences are about a point or less: once one may train after the cut, it matters little how one got to the size. (Of many intervals of 95 %, one in twenty misses by chance.)

# %% [markdown] lang="zh"
# 这些差别都只有一个百分点左右，甚至更小：只要裁层之后可以再训练，怎么得到这么大的网络，就不那么要紧了。（95% 的区间，平均每二十个也会有一个碰巧落空。）

# %% [markdown] lang="en"
# ## 4.13 The two together (4 min, home)
#
# Pruning gives every sentence the same smaller depth, early exit decides sentence by sentence. Do FastBERT's exits work better on a backbone pre-trained and fine-tuned with LayerDrop? No published result was found for the pair; this one is ours.
#
# **Predict.** At four times fewer FLOPs: how many points better (or worse) is the LayerDrop backbone?

# %% [markdown] lang="zh"
# ## 4.13 两种技术合起来（4 分钟，课后）
#
# 剪枝给所有句子同样的、较小的深度，提前退出则一句一句地决定。FastBERT 的出口放在预训练和微调都用了 LayerDrop 的主干上，会更好吗？没有找到把两者合起来的已发表结果；下面是我们自己的。
#
# **先预测。** FLOPs 降到四分之一时，LayerDrop 主干好（或差）几个百分点？

# %%
my_points = None  # your number, for example 1.0

# %% tags=["nbval-ignore-output"]
curves = {
    "plain": figures.curve_of("reviews-fastbert"),
    "layerdrop": figures.curve_of("reviews-layerdrop-fastbert"),
}
together = figures.gains_at_savings(curves["layerdrop"], curves["plain"], savings=(1, 2, 4, 7))
checks.compare_guess(my_points, 100 * together["4×"].mean, ".2f")
show(figures.trade_offs(curves))

# %%
say("lesson04.together", worse=cuts.clear_columns(together, -1), better=cuts.clear_columns(together, 1))
cuts.gains_table({t("cuts.minus"): together}, t("axis.flops_speedup"))

# %% [markdown] lang="en"
# With nothing saved (1×) the LayerDrop backbone is already behind by about as much as elsewhere: that is the price of 4.6, and no doing of the exits.

# %% [markdown] lang="zh"
# 一点也不省（1×）时，LayerDrop 主干就已经落后差不多同样多：这是 4.6 里说的代价，与出口无关。

# %% [markdown] lang="en"
# ## 4.14 Smaller units (8 min, home)
#
# Layers are not all that can be dropped: the attention or the feed-forward part of a layer, or single heads. The paper finds sub-layers about as good as layers, and heads worse. **Predict.** Drop rate 0.5: how much of a training step's layer time is left if *heads* are dropped, in per cent?

# %% [markdown] lang="zh"
# ## 4.14 更小的单位（8 分钟，课后）
#
# 可以丢的不只是整层：还有一层里的注意力或前馈部分，或者单个注意力头。论文发现，丢弃子层与丢弃整层差不多，丢弃头则更差。**先预测。** 丢弃率 0.5，如果丢弃的是**注意力头**，训练步里各层的用时还剩百分之几？

# %%
my_percent = None  # your number, for example 50

# %% tags=["nbval-ignore-output", "timing"]
sizes = {"num_layers": 6, "texts": 16, "tokens": 32, "rounds": 5, "at_most": 10}
with torch.enable_grad():
    units = {
        unit: bench_layerdrop([0.0, 0.5], unit, **sizes)[1] for unit in ("layer", "sublayer", "ffn", "head")
    }
checks.compare_guess(my_percent, 100 * units["head"].layer_part, ".0f")
cuts.unit_time_table(units)

# %% tags=["nbval-ignore-output", "timing"]
say("lesson04.rounds", rounds=min(found.rounds for found in units.values()), wanted=5)

# %% [markdown] lang="en"
# Each row left out half of its units. Layers, and sub-layers drawn one by one, save what the coin promises; feed-forwards alone save half of their share of a layer. Now the heads, in the last row: the feed-forward, by FLOPs the larger part of a layer, runs as before, so dropping heads can never save as much as dropping layers. How much quicker the narrower attention itself becomes depends on the machine: heads run side by side in one multiplication, and the paper, on graphics cards, found no gain in time at all. **What runs one after another is worth dropping.**

# %% [markdown] lang="zh"
# 每一行都丢弃了一半的单位。整层，以及逐个抽签的子层，省下的正是硬币所许诺的；只丢弃前馈层，省下的是它在一层里所占份额的一半。再看最后一行的注意力头：前馈层按 FLOPs 算是一层里较大的部分，它照常运行，所以丢弃头省下的时间，永远赶不上丢弃整层。变窄的注意力本身能快多少，要看机器：各个头在同一次乘法里并排计算，论文用的是显卡，发现时间上毫无收益。**值得丢弃的，是依次运行的部分。**

# %% [markdown] lang="en"
# Layers can also be *cut* narrower. A feed-forward keeps its strongest neurons: again a plain smaller model. The attention keeps its strongest heads: that runs, but no config can describe it. Here half of the neurons or half of the heads stay, and nothing is trained again. (One network, one seed.) **Predict.** How many points does the network with half of the neurons lose?

# %% [markdown] lang="zh"
# 每一层还可以裁**窄**。前馈层只留最强的神经元，得到的仍是一个普通的、小一些的模型。注意力部分只留最强的头：照样能运行，但没有哪种配置能描述这样的模型。这里分别试两种：神经元留一半，或者注意力头留一半，都不再训练。（一个网络，一个种子。）**先预测。** 神经元留一半的网络，会损失几个百分点？

# %%
my_points = None  # your number, for example 5

# %%
from course_lib import ExitTrace, full_flops, prune_feed_forward, prune_heads

few, tokens = test.select(range(400)), 64
networks = {
    "whole": model,
    "ffn": prune_feed_forward(model, model.config.intermediate_size // 2),
    "head": prune_heads(model, model.config.num_attention_heads // 2),
}
shares = {name: ExitTrace.of(net, tokenizer, few).accuracy_by_layer[-1] for name, net in networks.items()}
checks.compare_guess(my_points, 100 * (shares["whole"] - shares["ffn"]))

# %%
saving = float(full_flops(model.config, tokens) / full_flops(networks["ffn"].config, tokens))
say("lesson04.narrow", **shares, saving=saving, texts=len(few), tokens=tokens)

# %% tags=["nbval-ignore-output", "timing"]
from course_lib import answering_speed

batch = tokenizer(few["text"][:32], padding=True, truncation=True, return_tensors="pt")  # [B, T]
say("lesson04.narrow_clock", **answering_speed(networks, batch, rounds=9, at_most=15))

# %% [markdown] lang="en"
# Really cut out, both save some time, but less than cutting half of the layers (4.5): the rest of every layer stays, and just as many layers run one after another. Only cutting half of the *layers* halves that row.

# %% [markdown] lang="zh"
# 真的裁掉之后，两者都省一些时间，但都不如裁掉一半的层省得多（4.5）：每一层的其余部分都还在，要依次经过的层数也没有变。只有裁掉一半的**层**，才能让这一串层短一半。

# %% [markdown] lang="en"
# ## 4.15 What the paper reports, and where it loses (10 min, home)
#
# RoBERTa pre-trained with LayerDrop and cut to 6 or 3 layers, against networks of that size trained from scratch and DistilBERT (Table 7; accuracy on development sets, in per cent):

# %% [markdown] lang="zh"
# ## 4.15 论文报告的结果，以及它在哪里吃亏（10 分钟，课后）
#
# 带 LayerDrop 预训练的 RoBERTa 裁到 6 层或 3 层，与同样大小、从头训练的网络和 DistilBERT 比较（表 7；开发集准确率，%）：

# %%
cuts.paper_sizes_table()

# %%
say("lesson04.table_7", **cuts.better_than_scratch())

# %% [markdown] lang="en"
# The paper's claims on MNLI-m beside ours on the reviews, where seeds give an interval (the paper gives single numbers):

# %% [markdown] lang="zh"
# 论文在 MNLI-m 上的说法，与我们在评论上的结果并列。我们的有种子给出的区间（论文只给了单个数字）：

# %%
paper = cuts.paper_claims()
here = {
    "uncut": compare_cuts(table, 12, "layerdrop", "plain", way="whole"),
    "small": ahead["small"][6],
    "student": ahead["student"][6],
}
cuts.claims_table(paper, here)

# %%
from course_lib import published

rows = published(paper="LayerDrop", table="Table 8", setting="pruned to 8")
say("lesson04.claims", more=paper["more"])
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
# 按大小估计只是许诺，不是实测用时；4.5 才是实测。

# %% [markdown] lang="en"
# What has become of the idea? **LayerSkip** (2024) trains language models with layer dropout whose rate rises with the depth, and with a loss on every layer's answer; then early layers *draft* a text and the whole network checks it. Both techniques of this course in one. Its abstract names these speed-ups on the clock, each "up to"; none of them is ours:

# %% [markdown] lang="zh"
# 这个想法后来怎样了？**LayerSkip**（2024）训练语言模型时，层的丢弃率随深度上升，并且每一层的回答都有损失；生成时先由前面的层**起草**，再由整个网络检查：本课程的两种技术合到了一起。论文摘要给出的实测加速倍数（都是“最多”，不是我们测的）：

# %%
cuts.speedups_table(published(paper="LayerSkip (Elhoushi", table="Abstract"))

# %% [markdown] lang="en"
# And the static rivals, networks that are small for every input: the scores that the TinyBERT paper reports for 4 layers (average over GLUE's test sets), and its speed-ups on the clock:

# %% [markdown] lang="zh"
# 还有静态的对手，即对每个输入都同样小的网络：TinyBERT 论文报告的 4 层网络的分数（GLUE 测试集的平均分）和实测的加速倍数：

# %%
cuts.static_networks_table()

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
# | "searching is clearly better than every other" | marginal gains in the paper; ours are large in the mean where the cut was not practised, and seldom clear (4.10) | section 6 |
# | "dropping heads is quicker, too" | the paper found no gain in time, and worse quality; ours in 4.14 | section 6 |
# | "it is dropout on neurons", "LayerSkip is the same" | whole layers with their residual path; LayerSkip adds a rate that rises with the depth, a loss on every layer, and a check of early answers | section 3.1; LayerSkip |
# | "it beats distillation and training from scratch" | not on every task: the tables above; ours in 4.12 | Table 7 |

# %% [markdown] lang="zh"
# **常听到、其实不对的说法：**
#
# | 说法 | 实际情况 | 出处 |
# |---|---|---|
# | “LayerDrop 像 BERT 一样用自回归目标训练” | BERT 是掩码语言模型；LayerDrop 不改变训练目标：RoBERTa 用掩码语言建模，WikiText-103 用因果语言建模，翻译用序列到序列 | 第 4 节、A.1 |
# | “LayerDrop 让推理变快” | 评估时所有层都运行（4.2）；只有裁层才省时间，而且对每个输入省得一样多 | fairseq 代码 |
# | “它按输入调整深度” | 连数据驱动的办法也只留一组固定的层 | 3.2.2 节 |
# | “微调时加上就行” | 作者发现，这样得到的网络并不怎么经得起裁层；要在预训练时就用 | fairseq README，问题 3 |
# | “裁层之后根本不需要再训练” | 翻译和语言模型如此；GLUE 上裁层之后的网络要微调 | A.1.5 |
# | “实验用的就是 p* = 1 − r/N” | 不管裁多少，实验都用 0.2（48 层的 RoBERTa 用 0.5）；若要得到很小的网络，建议用 0.5 | 3.2.2 节 |
# | “搜索明显好于隔层保留” | 论文中收益微小；在我们这里，没有练过的裁层平均收益很大，但很少算得上明显（4.10） | 第 6 节 |
# | “丢弃注意力头也会变快” | 论文发现时间上没有收益，质量还更差；我们的实测见 4.14 | 第 6 节 |
# | “它就是对神经元做 dropout”、“LayerSkip 就是 LayerDrop” | 丢弃的是整层，残差通路保留；LayerSkip 另有随深度上升的丢弃率、每一层的损失，以及对早期回答的检查 | 3.1 节；LayerSkip |
# | “它胜过蒸馏和从头训练” | 并非每个任务都如此：见上面两张表；我们的结果见 4.12 | 表 7 |

# %% [markdown] lang="en"
# **Exercise 5** (★★★, open; you train it yourself). `data/recipes/reviews-layerdrop.toml` drops every layer at the same rate. Make two copies of it under new names and change both to `start = "reviews-backbone"` (which is shipped) and `steps = 1500`; one of them with `layer_drop = { rate = 0.37, profile = "linear" }`: the rate rises with the depth, its mean stays 0.2. For each, copy `pruning-layerdrop.toml` as well, with that backbone's name and the same `layer_drop`. Then `course train NAME` for the two backbones, `course train NAME --seed 1` for the two pruning studies, and `course report NAME` for each of these: which layers does the search keep now?
#
# <details><summary>What to look for</summary>
#
# With a rate that rises, the low layers are hardly ever missing in training and the high ones often. So expect the search to keep more of the low layers, and a cut at the top to hurt less. One seed of each tells you where to look, not whether it is so: for that, train further seeds and compare them by `compare_cuts`.
#
# </details>

# %% [markdown] lang="zh"
# **练习 5**（★★★，开放题；要自己训练）。`data/recipes/reviews-layerdrop.toml` 对每一层用同样的丢弃率。换名字复制两份，都改成 `start = "reviews-backbone"`（它随课程提供）和 `steps = 1500`；其中一份再改成 `layer_drop = { rate = 0.37, profile = "linear" }`：丢弃率随深度上升，平均仍是 0.2。再为这两个主干分别复制一份 `pruning-layerdrop.toml`（剪枝研究），填上相应的主干名和同样的 `layer_drop`。然后对两个主干运行 `course train 名字`，对两项剪枝研究运行 `course train 名字 --seed 1`，最后对它们运行 `course report 名字`：搜索现在留下哪些层？
#
# <details><summary>看什么</summary>
#
# 丢弃率随深度上升时，训练中低层几乎从不缺席，高层则常常缺席。所以预计搜索会多留低层，从上面裁掉几层的损失也会小一些。各训练一个种子，只告诉你该往哪里看，还不能下结论：要下结论，就多训练几个种子，再用 `compare_cuts` 比较。
#
# </details>

# %%
from course_lib import read_record

backbone_record, study_record = read_record("reviews-layerdrop"), read_record("pruning-layerdrop-seed1")
minutes = {"backbone": backbone_record["seconds"] / 60, "study": study_record["seconds"] / 60}
say("lesson04.minutes", steps=backbone_record["phases"][0]["steps"], **minutes)

# %% [markdown] lang="en"
# ## 4.16 Check yourself (4 min, home)
#
# 1. *From lesson 3:* which of the two techniques decides the depth sentence by sentence, and what does the other decide, and when?
# 2. 24 layers, drop rate 0.25: how many run on average in a training step? And in evaluation?
# 3. Which depths does the paper's rule keep of 12 layers for 8?
# 4. A network without LayerDrop is cut to half and fine-tuned afterwards; so is one with it. Where do you expect the larger difference: before or after that fine-tuning?
# 5. Why does a cut network keep more of its FLOPs' promise in measured time than early exit does?
# 6. A difference of +13 points has the interval −8 to +35. What may you say, and what not?
#
# <details><summary>Answers</summary>
#
# 1. FastBERT decides while a sentence runs, by its uncertainty. LayerDrop with pruning decides once, before anything runs, and alike for all.
# 2. 18; and all 24: in evaluation nothing is dropped.
# 3. $p = 1/3$, so every third goes: 1, 2, 4, 5, 7, 8, 10, 11 stay.
# 4. Before, one expects: fine-tuning lets the remaining layers learn to work without the others, LayerDrop or not. Hold it against the numbers of 4.6 and 4.12.
# 5. It is an ordinary smaller network: no exits to compute, nothing to compare, no slower sentence to wait for.
# 6. That these seeds do not tell whether there is a difference. Neither "13 points better" nor "no difference": more seeds, or other evidence, must decide.
#
# </details>

# %% [markdown] lang="zh"
# ## 4.16 自测（4 分钟，课后）
#
# 1. **第 3 课的内容：** 两种技术中，哪一种逐句决定深度？另一种决定什么，在什么时候？
# 2. 24 层，丢弃率 0.25：一个训练步里平均有几层运行？评估时呢？
# 3. 12 层留 8 层，论文的规则留下哪些深度？
# 4. 没有 LayerDrop 的网络裁掉一半的层，之后微调；有 LayerDrop 的也一样。你预计哪个时候差别更大：微调之前，还是之后？
# 5. 为什么裁层之后的网络比提前退出更能用实测用时兑现 FLOPs 的许诺？
# 6. 差值是 +13 个百分点，区间是 −8 到 +35。可以说什么，不可以说什么？
#
# <details><summary>答案</summary>
#
# 1. FastBERT 在处理句子的过程中按不确定性决定。LayerDrop 加剪枝则在运行之前一次决定，对所有句子都一样。
# 2. 18 层；评估时是全部 24 层，什么也不丢。
# 3. $p = 1/3$，每三层去掉一层：留下 1、2、4、5、7、8、10、11。
# 4. 预计是之前：微调让留下的层学会在没有其他层的情况下工作，有没有 LayerDrop 都一样。请与 4.6、4.12 的数字对照。
# 5. 它就是一个普通的小网络：没有出口要计算，不用做比较，也不用等更慢的句子。
# 6. 可以说：这几个种子还看不出有没有差别。既不能说“高 13 个百分点”，也不能说“没有差别”：要有更多种子或别的证据才能定。
#
# </details>

# %% [markdown] lang="en"
# ## What you saw
#
# - LayerDrop tosses a coin for every layer and training step; a dropped layer is the identity and is not computed; in evaluation nothing is dropped (4.2).
# - The rule of every other layer need not give the number wanted; searching costs passes, the rule nothing (4.4, 4.10).
# - A cut is a renaming of weights; what comes out is a plain smaller BERT; 4.5 measures how much of its FLOPs' promise is kept in milliseconds.
# - LayerDrop buys cuts that training has practised, not cuts anywhere, and not depth (4.6, 4.11). How much, depends on the network: with the FastBERTs and the worlds the gain is clear, with three bare classifiers it is not.
# - On these reviews a search, or training after the cut, does about as much for a network without LayerDrop (4.7, 4.12).
# - Layers run one after another and are worth dropping; dropping heads saves less (4.14).
#
# **What this lesson does not show.** Networks 64 and 128 wide, on one set of reviews and one constructed task. LayerDrop joined in the last phase of the pre-training only (`data/recipes/reviews-layerdrop.toml`). Every backbone was pre-trained *once*; the seeds are those of fine-tuning, so the intervals leave out the luck of pre-training. On the reviews, training steps were equal (the distilled student's fewer), computing time was not (on the worlds, LayerDrop took more steps, 4.11): dropped layers cost none, and the student learned on top of its teacher's training. The run records in `data/runs` say how many seeds stand behind a number.
#
# **Next:** lesson 5, training and optimisation: learning-rate schedules, clipping and regularisation, measured.
#
# **References.** Fan, Grave and Joulin (2020), *Reducing Transformer Depth on Demand with Structured Dropout*, ICLR: sections 3.1 (LayerDrop), 3.2 (pruning, drop rate), 6 (units, strategies), A.1.5 (GLUE), Tables 4, 7 and 8, Figures 5 and 7; the LayerDrop README of fairseq. Huang et al. (2016), *Deep Networks with Stochastic Depth*. Sanh et al. (2019), *DistilBERT*. Jiao et al. (2019), *TinyBERT*. Xin et al. (2020), *DeeBERT*. Elhoushi et al. (2024), *LayerSkip*.

# %% [markdown] lang="zh"
# ## 这一课看到了什么
#
# - LayerDrop 在每个训练步给每一层抛一枚硬币；被丢弃的层是恒等映射，不计算；评估时什么也不丢（4.2）。
# - 隔层保留的规则不一定给出想要的层数；搜索要在验证数据上跑一遍又一遍，按规则选则不花任何代价（4.4、4.10）。
# - 裁层就是给权重改名；得到的是普通的小 BERT；FLOPs 的许诺，实测用时能兑现多少，见 4.5。
# - LayerDrop 换来的是训练中练过的裁层，不是随便怎么裁，更不是深度（4.6、4.11）。换来多少，要看网络：在 FastBERT 和玩具世界上好处明显，只看三个普通分类器则还不能下结论。
# - 在这些评论上，没有 LayerDrop 的网络靠搜索、或者裁层之后再训练，也大致做得到（4.7、4.12）。
# - 各层依次运行，值得丢弃；丢弃注意力头省得少（4.14）。
#
# **这一课没有说明什么。** 网络的宽度只有 64 和 128，数据也只有一个评论数据集和一个人造任务。在预训练中，LayerDrop 到最后一个阶段才加入（`data/recipes/reviews-layerdrop.toml`）。每个主干只预训练过**一次**；种子是微调的种子，所以区间不包括预训练的运气。评论上的训练步数相同（蒸馏的学生较少），计算时间并不相同（玩具世界上，LayerDrop 用了更多训练步，见 4.11）：被丢弃的层不花时间，蒸馏的学生则还要另外算上教师的训练时间。一个数字背后有几个种子，见 `data/runs` 的运行记录。
#
# **下一课：** 第 5 课，训练与优化：学习率调度、梯度裁剪和正则化，逐一实测。
#
# **参考文献。** Fan、Grave、Joulin（2020），*Reducing Transformer Depth on Demand with Structured Dropout*，ICLR：3.1 节（LayerDrop）、3.2 节（剪枝、丢弃率）、第 6 节（单位、策略）、A.1.5（GLUE），表 4、7、8，图 5、7；fairseq 的 LayerDrop README。Huang 等（2016），*Deep Networks with Stochastic Depth*。Sanh 等（2019），*DistilBERT*。Jiao 等（2019），*TinyBERT*。Xin 等（2020），*DeeBERT*。Elhoushi 等（2024），*LayerSkip*。
