# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] lang="en"
# # 1 · What is a lightweight model?
#
# Smaller, cheaper, quicker: three words that sound alike and are not. This lesson counts and measures all three, and shows the two ideas of this course at work in real networks.
#
# | | |
# |---|---|
# | Time | {{class_minutes}} minutes in class, {{home_minutes}} minutes at home, {{exercise_minutes}} of exercises in them |
# | Necessary | matrix times vector, softmax, what a Transformer layer is made of |
# | Helpful | a little PyTorch |
# | The code runs in | {{runtime}} |

# %% [markdown] lang="zh"
# # 1 · 什么是轻量化模型？
#
# 更小、更省、更快：三个词听上去差不多，其实是三回事。这一课把三样都数一数、测一测，再在真实的网络上看看本课程的两个想法。
#
# | | |
# |---|---|
# | 时间 | 课堂 {{class_minutes}} 分钟，课后 {{home_minutes}} 分钟，其中练习 {{exercise_minutes}} 分钟 |
# | 必备 | 矩阵乘向量、softmax、Transformer 层由什么组成 |
# | 有帮助 | 会一点 PyTorch |
# | 代码运行时间 | {{runtime}} |

# %% [markdown] lang="en"
# **You will be able to**
#
# 1. count a network's weights by hand, and say where they stand;
# 2. tell memory, FLOPs and milliseconds apart, and measure each;
# 3. name the four families of lightweight models, and what each of them changes;
# 4. say in one sentence each what FastBERT and LayerDrop do, and show it on a network;
# 5. read a published speed-up: what was counted, what was timed, against what.

# %% [markdown] lang="zh"
# **学完这一课，你能够**
#
# 1. 手算一个网络有多少权重，并说出它们在哪里；
# 2. 分清内存、FLOPs 和毫秒，并逐一测量；
# 3. 说出轻量化模型的四个家族，以及每一族改变了什么；
# 4. 各用一句话说明 FastBERT 和 LayerDrop 做什么，并在网络上展示出来；
# 5. 读懂论文里的加速比：什么是数出来的，什么是计时得来的，与什么相比。

# %% [markdown] lang="en"
# ## The lesson in one picture (2 min, class)

# %% [markdown] lang="zh"
# ## 一张图看懂这一课（2 分钟，课堂）

# %% tags=["nbval-ignore-output"]
from course_lib import figures, show

show(figures.lightweight_schematic())

# %% [markdown] lang="en"
# A BERT is a stack of **layers**, and every sentence climbs all of them. Both ideas of this course spend fewer. **FastBERT** puts a classifier, an **exit**, after every layer, and lets each sentence leave at the first exit that is sure: the *sentence* decides, while the network runs. **LayerDrop** leaves layers out at random in training, so that afterwards some can be taken away for good: *we* decide, before anything runs, and for all sentences alike.

# %% [markdown] lang="zh"
# BERT 是一摞**层**，每个句子都要爬完所有的层。本课程的两个想法都是为了少用几层。**FastBERT** 在每一层之后放一个分类器，叫作**出口**（exit），让每个句子在第一个有把握的出口离开：由**句子**在运行时决定。**LayerDrop** 在训练时随机去掉一些层，这样训练之后就可以真的拿掉几层：由**我们**在运行之前决定，对所有句子都一样。

# %% tags=["nbval-ignore-output"]
import torch

from course_lib import checks, concepts, count_parameters, language, load_encoder, load_fastbert, say, t

torch.manual_seed(0)
torch.set_grad_enabled(False)  # nothing is trained in this lesson
print("torch", torch.__version__, "·", torch.get_num_threads(), "threads ·", language())

# %% [markdown] lang="en"
# ## 1.1 How big is a network? (10 min, class)
#
# The size of a network is the number of its **weights**, the numbers that training sets. Begin with one Transformer layer, tiny enough to count on paper: width $H = 4$, feed-forward of $F = 8$ neurons.
#
# - The attention has four maps from $H$ to $H$ (query, key, value, output), each with a bias: $4 \cdot (4 \cdot 4 + 4) = 80$.
# - The feed-forward goes from $H$ to $F$ and back: $(4 \cdot 8 + 8) + (8 \cdot 4 + 4) = 76$.
# - Two LayerNorms, each with a scale and a shift of length $H$: $2 \cdot (4 + 4) = 16$.
#
# Together 172. (Heads do not matter: they share out the same maps.) The same as a loop:

# %% [markdown] lang="zh"
# ## 1.1 一个网络有多大？（10 分钟，课堂）
#
# 网络的大小就是**权重**的个数，也就是由训练来确定的那些数。先看一个 Transformer 层，小到可以在纸上数：宽度 $H = 4$，前馈部分有 $F = 8$ 个神经元。
#
# - 注意力有四个从 $H$ 到 $H$ 的映射（查询、键、值、输出），各带偏置：$4 \cdot (4 \cdot 4 + 4) = 80$。
# - 前馈从 $H$ 到 $F$，再回来：$(4 \cdot 8 + 8) + (8 \cdot 4 + 4) = 76$。
# - 两个 LayerNorm，各有长度为 $H$ 的缩放和平移：$2 \cdot (4 + 4) = 16$。
#
# 一共 172。（有几个头没有关系：它们分用同样的映射。）写成循环：

# %%
hidden, inner = 4, 8
maps = [(hidden, hidden)] * 4 + [(hidden, inner), (inner, hidden)]  # attention; feed-forward
by_loop = 0
for inputs, outputs in maps:
    by_loop += inputs * outputs + outputs  # a matrix and a bias
for _ in range(2):
    by_loop += hidden + hidden  # a LayerNorm: scale and shift

# %% [markdown] lang="en"
# And as tensors: a real layer of that size, with the shapes of all its weights.

# %% [markdown] lang="zh"
# 再看张量：一个同样大小的真实的层，以及它所有权重的形状。

# %%
from course_lib import FastBertConfig, FastBertForSequenceClassification

sizes = {"hidden_size": 4, "intermediate_size": 8, "num_attention_heads": 2, "exit_hidden_size": 2}
toy = FastBertForSequenceClassification(FastBertConfig(num_hidden_layers=1, vocab_size=10, **sizes))
layer = toy.bert.encoder.layer[0]
for name, weights in layer.named_parameters():
    print(f"{name:36} {tuple(weights.shape)}")

# %% tags=["nbval-check-output"]
assert by_loop == count_parameters(layer) == 80 + 76 + 16
say("lesson01.toy", by_hand=80 + 76 + 16, loop=by_loop, torch=count_parameters(layer))

# %% [markdown] lang="en"
# **Exercise 1** (★, 5 min, home). The formula: how many weights has a layer of width `hidden` with `inner` neurons?

# %% [markdown] lang="zh"
# **练习 1**（★，5 分钟，课后）。写成公式：宽度为 `hidden`、前馈有 `inner` 个神经元的一层，有多少权重？

# %% [markdown] lang="en"
# <details><summary>Hint</summary>
#
# A linear map from $a$ to $b$ numbers has $a \cdot b$ weights and $b$ biases. There are six such maps, and two LayerNorms.
#
# </details>

# %% [markdown] lang="zh"
# <details><summary>提示</summary>
#
# 从 $a$ 个数到 $b$ 个数的线性映射有 $a \cdot b$ 个权重和 $b$ 个偏置。这样的映射有六个，另有两个 LayerNorm。
#
# </details>


# %% tags=["solution"]
def my_layer_weights(hidden, inner):
    attention = 4 * (hidden * hidden + hidden)
    feed_forward = (hidden * inner + inner) + (inner * hidden + hidden)
    norms = 2 * (hidden + hidden)
    return attention + feed_forward + norms


# %% tags=["starter"]
def my_layer_weights(hidden, inner):
    raise NotImplementedError("attention, feed-forward and LayerNorms")


# %% tags=["nbval-check-output"]
passed = checks.check_layer_weights(my_layer_weights)

# %% [markdown] lang="en"
# Under the layers stand the **embeddings**: a table with one row of $H$ numbers for each token of the vocabulary (and for each position). Above them stands a **head** that answers. Three networks of this course: `e5-small-cut` is a real pre-trained BERT (multilingual-e5-small with a vocabulary that was cut down to this course's texts), the other two are small ones of our own.
#
# **Predict.** What percentage of `e5-small-cut`'s weights stands in its embeddings?

# %% [markdown] lang="zh"
# 层的下面是**嵌入**：一张表，词表里的每个词元（以及每个位置）各占一行，每行 $H$ 个数。层的上面是作答的**输出头**。看本课程的三个网络：`e5-small-cut` 是真正预训练过的 BERT（multilingual-e5-small，词表缩减到本课程的文本所需），另外两个是我们自己的小网络。
#
# **先预测。** `e5-small-cut` 的权重有百分之几在嵌入里？

# %%
my_percent = None  # your number, for example 10

# %%
from course_lib import weights_by_part

e5, e5_tokenizer = load_encoder("e5-small-cut")
model, tokenizer = load_fastbert("reviews-fastbert")
worlds_model, worlds_tokenizer = load_fastbert("worlds-fastbert")
networks = {"e5-small-cut": e5, "reviews-fastbert": model, "worlds-fastbert": worlds_model}
parts = {name: weights_by_part(network) for name, network in networks.items()}
totals = {name: count_parameters(network) for name, network in networks.items()}
big, small = (parts[name]["embeddings"] / totals[name] for name in ("e5-small-cut", "reviews-fastbert"))
checks.compare_guess(my_percent, 100 * big)
concepts.weights_table(parts)

# %% tags=["nbval-ignore-output"]
show(figures.weight_shares(parts))

# %%
names = {"name": "e5-small-cut", "rows": e5.config.vocab_size, "embeddings": big, "small": small}
say(
    "lesson01.share",
    **names,
    total=totals["e5-small-cut"] / 1e6,
    small_total=totals["reviews-fastbert"] / 1e6,
)

# %% [markdown] lang="en"
# Does our formula hold for the real layers? One line tells:

# %% [markdown] lang="zh"
# 我们的数法对真实的层也成立吗？一行就知道：

# %% tags=["nbval-check-output"]
for name, network in networks.items():
    layers, config = network.base_model.encoder.layer, network.config
    width, neurons = config.hidden_size, config.intermediate_size
    counted = 4 * (width**2 + width) + 2 * width * neurons + neurons + width + 4 * width
    print(name, counted, "=", count_parameters(layers[0]), "·", len(layers), "layers")
    assert all(count_parameters(each) == counted for each in layers)

# %% [markdown] lang="en"
# Equal, in all layers of all three networks.

# %% [markdown] lang="zh"
# 三个网络的所有层都相等。

# %% [markdown] lang="en"
# ## 1.2 Three prices: memory, FLOPs, milliseconds (9 min, class)
#
# - **Memory**: weights times bytes. A 32-bit number takes 4 bytes.
# - **FLOPs**: additions and multiplications for one answer. They can be *counted* from the sizes, on no machine at all.
# - **Milliseconds**: *measured*, on one machine, with one batch size.
#
# One network trained with LayerDrop and exits can be used in three ways: **whole** (all 12 layers, one classifier), **cut** (every other layer taken away), with **exits** (FastBERT at speed 0.5: a threshold, explained in lesson 3).
#
# **Predict.** Which of the three has the most weights in memory? `"whole"`, `"cut"` or `"exits"`. And how many times quicker than whole, on the clock, is the one with exits?

# %% [markdown] lang="zh"
# ## 1.2 三种代价：内存、FLOPs、毫秒（9 分钟，课堂）
#
# - **内存**：权重数乘以字节数。一个 32 位的数占 4 字节。
# - **FLOPs**：得到一个回答要做的加法和乘法。由尺寸就能**数**出来，不需要任何机器。
# - **毫秒**：在某一台机器上、用某一种批大小**测**出来。
#
# 一个用 LayerDrop 训练、带出口的网络，有三种用法：**完整**（12 层全用，一个分类器）；**裁过**（每隔一层拿掉一层）；**带出口**（FastBERT，速度 0.5；这是个阈值，第 3 课解释）。
#
# **先预测。** 三者之中，哪一个在内存里的权重最多？填 `"whole"`（完整）、`"cut"`（裁过）或 `"exits"`（带出口）。按计时，带出口的比完整的快几倍？

# %%
my_biggest = None  # "whole", "cut" or "exits"
my_speedup = None  # your number, for example 2

# %% tags=["nbval-ignore-output", "timing"]
from course_lib import read_record, reviews, three_prices

both_model, both_tokenizer = load_fastbert("reviews-layerdrop-fastbert")
test = reviews()["test"]
prices = three_prices(both_model, both_tokenizer, test, keep=6, speed=0.5, rounds=5, at_most=12)
biggest = max(prices, key=lambda name: prices[name].weights)
checks.compare_choice(my_biggest, biggest, ("whole", "cut", "exits"))
checks.compare_guess(my_speedup, prices["exits"].quicker)
found = read_record("reviews-layerdrop-fastbert-seed1")["metrics"]
at_half = found["tradeoff"]["accuracy"][found["tradeoff"]["speed"].index(0.5)]
right = {"whole": found["teacher_accuracy"], "cut": found["cut"]["6"]["accuracy"], "exits": at_half}
concepts.prices_table(prices, right)

# %% tags=["nbval-ignore-output", "timing"]
show(figures.price_bars(prices))

# %% tags=["nbval-ignore-output", "timing"]
whole, cut, exits = prices["whole"], prices["cut"], prices["exits"]
say("lesson01.bigger", added=exits.weights / whole.weights - 1, cut=1 - cut.weights / whole.weights)
counted = {"flops": exits.fewer_flops, "cut_flops": cut.fewer_flops, "rounds": whole.rounds}
say("lesson01.promise", clock=exits.quicker, cut_clock=cut.quicker, **counted)

# %% tags=["test"]
assert biggest == "exits" and exits.weights > whole.weights > cut.weights  # what the text says
assert exits.fewer_flops > cut.fewer_flops > 1

# %% [markdown] lang="en"
# The prices disagree: the smallest network in memory is not the cheapest to ask. (The accuracies are of all test reviews, from the run record; lesson 3 and 4 put intervals around them, and rivals beside them.)
#
# **Exercise 2** (★, 3 min, home). How many megabytes (10^6 bytes) do so many weights of so many bits take?

# %% [markdown] lang="zh"
# 几种代价并不一致：内存里最小的网络，回答起来并不是最省的。（准确率取自运行记录，是全部测试评论的；第 3、4 课会给出它们的区间和对手。）
#
# **练习 2**（★，3 分钟，课后）。这么多个权重，每个这么多比特，一共占多少兆字节（10^6 字节）？

# %% [markdown] lang="en"
# <details><summary>Hint</summary>
#
# 8 bits are one byte.
#
# </details>

# %% [markdown] lang="zh"
# <details><summary>提示</summary>
#
# 8 比特是 1 字节。
#
# </details>


# %% tags=["solution"]
def my_megabytes(weights, bits):
    return weights * bits / 8 / 1e6


# %% tags=["starter"]
def my_megabytes(weights, bits):
    raise NotImplementedError("bits to bytes, bytes to megabytes")


# %% tags=["nbval-check-output"]
passed = checks.check_megabytes(my_megabytes)

# %% [markdown] lang="en"
# Fewer bits are a fourth way, **quantisation**. `e5-small-cut` lies on the disk in blocks of 4 bits. **Predict.** How many times smaller is its file than the same weights in memory?

# %% [markdown] lang="zh"
# 减少比特数是第四种办法，叫**量化**（quantisation）。`e5-small-cut` 在磁盘上按 4 比特一块存放。**先预测。** 它的文件是内存里同样权重的几分之一？（填分母。）

# %%
my_times = None  # your number, for example 4

# %%
from course_lib import megabytes
from course_lib.models.packed import PACKED
from course_lib.paths import CHECKPOINTS

file = (CHECKPOINTS / "e5-small-cut" / PACKED).stat().st_size / 1e6
memory = megabytes(count_parameters(e5), bits=32)
checks.compare_guess(my_times, memory / file)
say("lesson01.stored", name="e5-small-cut", memory=memory, file=file, times=memory / file)

# %% [markdown] lang="en"
# ## 1.3 Four families (5 min, class)
#
# | family | what it changes | when | one for all sentences? |
# |---|---|---|---|
# | **quantise** | how many bits a weight has | after training, or in it | yes |
# | **distil** | a smaller network learns a big one's answers | in training | yes |
# | **prune** | parts are taken away: layers, heads, neurons | after training | yes |
# | **exit early** | how many layers a sentence climbs | while it runs | no, sentence by sentence |
#
# LayerDrop is the training that makes *pruning* of layers bearable; FastBERT is an *early exit* whose students are *distilled*. What do they give? Some published numbers, and ours. The columns must not be mixed: FLOPs are counted, and only the last number was timed.
#
# **Predict.** Which is the largest factor on the clock in this table, published or ours?

# %% [markdown] lang="zh"
# ## 1.3 四个家族（5 分钟，课堂）
#
# | 家族 | 改变什么 | 什么时候 | 对所有句子都一样吗？ |
# |---|---|---|---|
# | **量化** | 每个权重用几个比特 | 训练之后，或训练之中 | 一样 |
# | **蒸馏** | 小网络学大网络的回答 | 训练之中 | 一样 |
# | **剪枝** | 拿掉一些部分：层、头、神经元 | 训练之后 | 一样 |
# | **提前退出** | 一个句子爬几层 | 运行之中 | 不一样，逐句决定 |
#
# LayerDrop 是一种训练方法，让裁掉几层的**剪枝**变得可以承受；FastBERT 是**提前退出**，它的学生是**蒸馏**出来的。它们各带来多少？看几个已发表的数字和我们自己的。各列不可混为一谈：FLOPs 是数出来的，只有最后一个数是计时得来的。
#
# **先预测。** 这张表里，实测加速比最大的是多少（已发表的和我们的都算）？

# %%
my_factor = None  # your number, for example 5

# %% tags=["nbval-ignore-output", "timing"]
from course_lib import published

fastest = max(published(paper="TinyBERT"), key=lambda row: float(row["speedup"]))
checks.compare_guess(
    my_factor, max(float(fastest["speedup"]), prices["exits"].quicker, prices["cut"].quicker)
)
say("lesson01.families", most=fastest["model"], times=float(fastest["speedup"]))
concepts.families_table(prices, memory / file)

# %% [markdown] lang="en"
# (*Outline, LayerDrop, table 1.* A dash: not reported, or not measured. T3 is “Table 3”. The networks differ, so do the tasks and the machines: the table shows the *kinds* of gain, not a ranking.)

# %% [markdown] lang="zh"
# （**大纲，LayerDrop，表 1。** 短横表示没有报告或没有测。T3 指“表 3”。网络不同，任务和机器也不同：这张表展示的是收益的**种类**，不是排名。）

# %% [markdown] lang="en"
# ## 1.4 FastBERT in one sentence, layer by layer (9 min, class)
#
# *Let every sentence leave at the first exit that is sure.* Our reviews network says after each of its 12 layers whether a review is positive. Three sentences:
#
# - 非常好，强烈推荐 (*very good, strongly recommended*)
# - 价格便宜，但是质量实在不敢恭维 (*the price is low, but the quality I dare not praise*)
# - 房间很干净，但是服务太差 (*the room is clean, but the service is far too bad*)
#
# **Predict.** At which exit, 1 to 12, does the second one leave?

# %% [markdown] lang="zh"
# ## 1.4 FastBERT：一句话，一层一层地看（9 分钟，课堂）
#
# **让每个句子在第一个有把握的出口离开。** 我们的评论网络在 12 层的每一层之后都回答：好评还是差评。看三个句子：
#
# - 非常好，强烈推荐
# - 价格便宜，但是质量实在不敢恭维
# - 房间很干净，但是服务太差
#
# **先预测。** 第二句在哪个出口离开（1 到 12）？

# %%
my_exit = None  # your number, for example 3

# %% [markdown] lang="en"
# By hand it is a loop: a layer, its exit, and the question whether that one is sure (its *uncertainty*, between 0 and 1, below the speed; lesson 3 computes it).

# %% [markdown] lang="zh"
# 手写就是一个循环：过一层，问它的出口，看它有没有把握（**不确定性**在 0 到 1 之间，要小于速度；怎么算见第 3 课）。

# %%
from course_lib import uncertainty

sentences = ["非常好，强烈推荐", "价格便宜，但是质量实在不敢恭维", "房间很干净，但是服务太差"]
speed = 0.5
ids = tokenizer(sentences[1], return_tensors="pt")["input_ids"]  # [1, T]
hidden = model.bert.embeddings(ids)  # [1, T, H]
for depth, (layer, exit) in enumerate(zip(model.bert.encoder.layer, model.exits), start=1):
    hidden = layer(hidden)
    answer = exit(hidden)  # [1, 2]
    print(
        f"exit {depth:2}: positive {answer.softmax(-1)[0, 1]:.2f}, uncertainty {uncertainty(answer)[0]:.2f}"
    )
    if uncertainty(answer)[0] < speed:
        break

# %% tags=["nbval-check-output"]
left = model.predict(ids, speed=speed)
torch.testing.assert_close(left.logits, answer)
assert left.exit_layer.item() == depth
checks.compare_guess(my_exit, depth, ".0f")

# %% [markdown] lang="en"
# The library's `predict` gives the same answer at the same exit. All three sentences, at every exit; pale is what is never computed:

# %% [markdown] lang="zh"
# 课程库的 `predict` 在同一个出口给出同样的回答。下面是三个句子在每个出口的回答；浅色的部分根本不会计算：

# %% tags=["nbval-ignore-output"]
inputs = [tokenizer(sentence, return_tensors="pt")["input_ids"] for sentence in sentences]
every_exit = [model.layer_logits(each)[:, 0] for each in inputs]  # [L, 2] a sentence
names = [t(f"sentence.{name}") for name in ("easy", "hard", "turned")]
answers = {name: each.softmax(-1)[:, 1].numpy() for name, each in zip(names, every_exit)}
outputs = [model.predict(each, speed=speed) for each in inputs]
leaves = {name: output.exit_layer.item() for name, output in zip(names, outputs)}
show(figures.layer_by_layer(answers, leaves))

# %%
words = (t("class.negative"), t("class.positive"))
for name, output, each in zip(names, outputs, every_exit):
    said, top = (words[int(logits.argmax())] for logits in (output.logits[0], each[-1]))
    doubt = {"doubt": output.uncertainty.item(), "layers": len(each)}
    say("lesson01.leaves", sentence=name, layer=output.exit_layer.item(), answer=said, teacher=top, **doubt)

# %% tags=["test"]
assert list(leaves.values()) == [1, 12, 1]  # what the text says
assert answers[names[2]][0] > 0.5 > answers[names[2]][-1]

# %% [markdown] lang="en"
# (*Outline, FastBERT, figure 1.*) The first sentence needs one layer, the second all twelve. And the third leaves at once, sure, with an answer that the later exits do not share: **sure is not right.** How often is that so? All test reviews tell:

# %% [markdown] lang="zh"
# （**大纲，FastBERT，图 1。**）第一句只要一层，第二句十二层全要。第三句马上就走了，很有把握，可是后面的出口并不同意它的回答：**有把握不等于正确。** 这种情况多不多？看全部测试评论：

# %%
from course_lib import load_traces

trace = load_traces("reviews-fastbert", "test")[0]  # every exit's answer to every test review
at_speed, teacher = trace.at(speed), trace.accuracy_by_layer[-1]
counts = {"texts": len(trace.labels), "layers": at_speed.mean_layer, "total": len(trace.accuracy_by_layer)}
say("lesson01.mean_layers", accuracy=at_speed.accuracy, teacher=teacher, **counts)

# %% [markdown] lang="en"
# **Exercise 3** (★★, 6 min, home). What does leaving early save? A layer costs 1, an exit `price`. `left` lists the layers at which sentences left, of `layers`. How many times cheaper are they than the whole network (all its layers and one exit), taken together?

# %% [markdown] lang="zh"
# **练习 3**（★★，6 分钟，课后）。提前离开省了多少？一层的代价是 1，一个出口的代价是 `price`。`left` 列出各个句子在第几层离开（共 `layers` 层）。与完整的网络（全部的层加一个出口）相比，这些句子合起来的加速比是多少？

# %% [markdown] lang="en"
# <details><summary>Hint</summary>
#
# A sentence that leaves at layer 3 has paid for 3 layers *and 3 exits*. Take the mean of the costs, then divide.
#
# </details>

# %% [markdown] lang="zh"
# <details><summary>提示</summary>
#
# 在第 3 层离开的句子付了 3 层**和 3 个出口**的代价。先对代价求平均，再相除。
#
# </details>


# %% tags=["solution"]
def my_saving(left, layers, price):
    costs = [depth * (1 + price) for depth in left]
    return (layers + price) / (sum(costs) / len(costs))


# %% tags=["starter"]
def my_saving(left, layers, price):
    raise NotImplementedError("the whole network's cost, divided by the mean cost")


# %% tags=["nbval-check-output"]
passed = checks.check_saving(my_saving)

# %% [markdown] lang="en"
# ## 1.5 LayerDrop in one sentence, by real draws (7 min, class)
#
# *In training, leave out layers at random; afterwards some can be taken away.* A coin for every layer, by hand: four layers, drop rate 0.5, the random numbers 0.9, 0.2, 0.7, 0.6. A layer runs where its number is at least the rate: layers 1, 3, 4. The library does the same:

# %% [markdown] lang="zh"
# ## 1.5 LayerDrop：一句话，看真实的抽签（7 分钟，课堂）
#
# **训练时随机去掉一些层，之后就可以真的拿掉几层。** 给每一层抛一枚硬币。手算：四层，丢弃率 0.5，随机数是 0.9、0.2、0.7、0.6；数字不小于丢弃率的层运行：第 1、3、4 层。课程库做的也一样：

# %% tags=["nbval-check-output"]
from course_lib import draw, drop_rates

numbers, rates = torch.tensor([0.9, 0.2, 0.7, 0.6]), drop_rates(0.5, num_layers=4)
by_hand = [depth for depth, number in enumerate(numbers, start=1) if number >= 0.5]
assert by_hand == [1, 3, 4] == ((numbers >= rates).nonzero()[:, 0] + 1).tolist()

real = draw(drop_rates(0.2, num_layers=12), torch.Generator().manual_seed(4))  # [12], True = it runs
runs = [depth for depth, on in enumerate(real.tolist(), start=1) if on]
say("lesson01.drawn", runs=t("list.comma").join(map(str, runs)), number=len(runs), layers=12)

# %% tags=["nbval-ignore-output"]
show(figures.training_draws(rate=0.2, num_layers=12, steps=40, keeps=[12, 9, 6, 3]))

# %% [markdown] lang="en"
# (*Outline, LayerDrop, figure 1.*) Left, the training: every step is another, shallower network. Right, what may stay afterwards: a plain smaller BERT.
#
# **Predict.** Half of the layers of `e5-small-cut` are taken away. What percentage of its weights is left?

# %% [markdown] lang="zh"
# （**大纲，LayerDrop，图 1。**）左边是训练：每一步都是另一个、更浅的网络。右边是训练之后可以留下的层：一个普通的、小一些的 BERT。
#
# **先预测。** 把 `e5-small-cut` 的层拿掉一半，还剩百分之几的权重？

# %%
my_percent = None  # your number, for example 50

# %%
from course_lib import every_other, prune

stay = parts["e5-small-cut"]["embeddings"]
stay += sum(count_parameters(e5.encoder.layer[depth - 1]) for depth in every_other(12, 6))
half = prune(model, every_other(12, 6))  # the exits of the layers that go, go with them
halves = {"big": stay / totals["e5-small-cut"], "small": count_parameters(half) / totals["reviews-fastbert"]}
checks.compare_guess(my_percent, 100 * halves["big"])
say("lesson01.halves", **halves)

# %% [markdown] lang="en"
# What the practice is worth: two networks that differ in LayerDrop alone, cut to 9, 6, 3 and 2 of 12 layers and **not trained again** (mean accuracy over the seeds, per cent; from the run records).

# %% [markdown] lang="zh"
# 这种练习值多少？两个网络只差在有没有 LayerDrop，从 12 层裁到 9、6、3、2 层，**之后不再训练**（各种子的平均准确率，%；取自运行记录）。

# %%
from course_lib import cut_table, cuts, points

table = cut_table("plain", "layerdrop")
cuts.cut_means(table, ["every_other"])

# %%
gain = cuts.cut_gains(table, "layerdrop", "plain")[6]
say("lesson01.cut_gain", points=points(gain), verdict=cuts.verdict(gain))

# %% [markdown] lang="en"
# (*Outline, LayerDrop, table 2: random depth against fixed depth.*) A mean can look large and its interval still hold 0: the seeds differ that much. Lesson 4 asks more networks, and finds where LayerDrop's gain is clear.

# %% [markdown] lang="zh"
# （**大纲，LayerDrop，表 2：随机深度与固定深度。**）平均值看上去可以很大，区间却仍然包含 0：种子之间就相差这么多。第 4 课会再问几个网络，看 LayerDrop 在哪里确实有用。

# %% [markdown] lang="en"
# ## 1.6 Neighbours (8 min, home)
#
# | method | changed in training | changed at inference | weights | by input? |
# |---|---|---|---|---|
# | DistilBERT (2019) | a 6-layer student learns BERT's answers, labels (hidden words) and states | nothing | fewer | no |
# | TinyBERT (2019) | a narrow 4-layer student learns layer by layer, first in general, then on the task | nothing | fewer | no |
# | LayerDrop (2020) | layers left out at random | layers cut away, once | fewer | no |
# | DeeBERT (2020) | an exit after each layer, trained on labels, backbone frozen | leaves where entropy is low | more | yes |
# | **FastBERT** (2020) | an exit after each layer, distilled from the last one, backbone frozen | leaves where normalised entropy is low | more | yes |
# | PABEE (2020) | an exit after each layer | leaves when several exits in a row agree | more | yes |
# | CALM (2022) | one output layer read at every depth of a decoder | each *token* leaves where a confidence is high | about as many | yes, token by token |
# | LayerSkip (2024) | layer dropout that rises with depth, and a loss on early answers | early layers draft, all layers check | as many | no: the depth of the draft is fixed |
#
# FastBERT's authors compared it with DistilBERT on twelve data sets (their Table 2; means over the sets, computed here):

# %% [markdown] lang="zh"
# ## 1.6 近邻（8 分钟，课后）
#
# | 方法 | 训练时改变什么 | 推理时改变什么 | 权重 | 因输入而异？ |
# |---|---|---|---|---|
# | DistilBERT（2019） | 6 层的学生学 BERT 的回答、标签（被遮住的词）和状态 | 不变 | 更少 | 否 |
# | TinyBERT（2019） | 又窄又浅的 4 层学生逐层学，先通用，再针对任务 | 不变 | 更少 | 否 |
# | LayerDrop（2020） | 随机去掉一些层 | 一次裁掉几层 | 更少 | 否 |
# | DeeBERT（2020） | 每层之后一个出口，用标签训练，主干冻结 | 熵低就离开 | 更多 | 是 |
# | **FastBERT**（2020） | 每层之后一个出口，从最后一个出口蒸馏，主干冻结 | 归一化熵低就离开 | 更多 | 是 |
# | PABEE（2020） | 每层之后一个出口 | 连续几个出口一致就离开 | 更多 | 是 |
# | CALM（2022） | 解码器的每个深度都接同一个输出层 | 每个**词元**在置信度高时离开 | 差不多 | 是，逐词元 |
# | LayerSkip（2024） | 层丢弃率随深度上升，并对早期的回答计算损失 | 前几层起草，所有层检查 | 一样多 | 否：起草的深度固定 |
#
# FastBERT 的作者在十二个数据集上与 DistilBERT 做了比较（论文表 2；各数据集的平均值由这里算出）：

# %%
concepts.neighbours_table()

# %%
near = concepts.neighbours()
ours, six, three = (
    near.loc[key]
    for key in (("FastBERT", "speed=0.5"), ("DistilBERT", "6 layers"), ("DistilBERT", "3 layers"))
)
shares = {"ours": ours["accuracy"], "six": six["accuracy"], "three": three["accuracy"]}
say("lesson01.neighbours", least=ours["min"], most=ours["max"], **shares)

# %% [markdown] lang="en"
# (*Outline, FastBERT, table 1.*) One run each, published without intervals: read differences of tenths as equal.
#
# **Think.** DistilBERT's 3 layers save 4 times the FLOPs on every data set, FastBERT at speed 0.5 saves 2 to 12 times. When would you still take DistilBERT?
#
# <details><summary>Answer</summary>
#
# When memory counts (it is smaller; FastBERT is larger than BERT), when sentences come in big batches (a batch waits for its slowest sentence, lesson 3), when the time must be the same for every sentence, or when the network is exported to a format that cannot branch.
#
# </details>

# %% [markdown] lang="zh"
# （**大纲，FastBERT，表 1。**）每格只有一次运行，发表时没有区间：相差零点几，就当作相等。
#
# **想一想。** DistilBERT 的 3 层网络在每个数据集上 FLOPs 加速比都是 4，FastBERT 在速度 0.5 时是 2 到 12。什么时候你仍然会选 DistilBERT？
#
# <details><summary>答案</summary>
#
# 内存紧张时（它更小，FastBERT 则比 BERT 还大）；句子成大批到来时（一个批次要等最慢的句子，见第 3 课）；每个句子的用时必须相同时；或者要把网络导出成不能分支的格式时。
#
# </details>

# %% [markdown] lang="en"
# ## 1.7 What the outlines say, and what holds (5 min, home)
#
# This course follows two outlines. Some of their sentences are not so:
#
# | the outline says | what holds | where |
# |---|---|---|
# | FastBERT works by “two-stage pre-training” | it pre-trains nothing: it loads a BERT; its own stages are fine-tuning and self-distillation | section 3.2; lesson 2 |
# | FastBERT is a light model | it adds a classifier to every layer: more weights, not fewer | 1.2; section 3.1 |
# | it “significantly” raises speed | “1 to 12 times” is a ratio of *counted* FLOPs, one sentence at a time; users measured less | 1.6; section 4.3 |
# | LayerDrop “significantly reduces the model's size” | LayerDrop is a way of training; what shrinks the model is the cut after it, and embeddings stay | 1.5; section 3.2 |
# | random depth adapts to the task and the computing power | it lets *us* choose a depth; the depth never depends on the input | lesson 4 |
# | both are good at long documents and text generation | FastBERT's paper tried at most 128 tokens, and classification and matching only; LayerDrop's did try generation (translation, summaries, language models) | FastBERT, sections 4.2, 4.3; LayerDrop, section 4 |

# %% [markdown] lang="zh"
# ## 1.7 大纲怎么说，实际如何（5 分钟，课后）
#
# 本课程按两份大纲编写。大纲里有几句话与事实不符：
#
# | 大纲的说法 | 实际情况 | 出处 |
# |---|---|---|
# | FastBERT 靠“两阶段预训练” | 它并不做预训练，而是加载一个 BERT；它自己的阶段是微调和自蒸馏 | 3.2 节；第 2 课 |
# | FastBERT 是轻量的模型 | 它给每一层加了一个分类器：权重更多，而不是更少 | 本课 1.2；论文 3.1 节 |
# | “显著提高推理速度” | “1 到 12 倍”是逐句处理时 FLOPs **计数**之比；用户实测没有这么多 | 本课 1.6；论文 4.3 节 |
# | LayerDrop “显著减小模型体积” | LayerDrop 是训练方法；让模型变小的是之后的裁层，而且嵌入还在 | 本课 1.5；论文 3.2 节 |
# | 随机深度能适应不同的任务和计算资源 | 它让**我们**可以选择深度；深度从不随输入变化 | 第 4 课 |
# | 两者都擅长长文档和文本生成 | FastBERT 的论文最多用 128 个词元，只做过分类和匹配；LayerDrop 的论文做过生成（翻译、摘要、语言模型） | FastBERT 4.2、4.3 节；LayerDrop 第 4 节 |

# %% [markdown] lang="en"
# ## 1.8 Check yourself (4 min, home)
#
# 1. A layer of width 100 with 400 neurons: about how many weights? (Leave biases and LayerNorms out.)
# 2. A network's layers are cut to a quarter. Why does its file not shrink to a quarter?
# 3. Which two of the four families change nothing at all while a sentence is answered?
# 4. FastBERT at speed 0: is it cheaper or dearer than the BERT that it was made from?
# 5. “Twelve times faster.” Which three questions do you ask?
# 6. LayerDrop with rate 0.2 is on. How many layers run in evaluation?
#
# <details><summary>Answers</summary>
#
# 1. $4 \cdot 100^2 + 2 \cdot 100 \cdot 400 = 120\,000$.
# 2. The embeddings and the head stay.
# 3. Distilling and pruning: what comes out is an ordinary network. (A quantised one may compute with fewer bits, or be unpacked first, as ours is.)
# 4. Dearer: every sentence climbs all layers and asks every exit on the way.
# 5. Counted or timed? At what accuracy? Against what, on which machine, in which batches?
# 6. All of them.
#
# </details>

# %% [markdown] lang="zh"
# ## 1.8 自测（4 分钟，课后）
#
# 1. 宽度 100、前馈 400 个神经元的一层，大约有多少权重？（不算偏置和 LayerNorm。）
# 2. 一个网络的层裁到四分之一，它的文件为什么没有缩到四分之一？
# 3. 四个家族里，哪两个在回答句子的时候什么也不改变？
# 4. 速度为 0 的 FastBERT，与它所用的 BERT 相比，更省还是更费？
# 5. “快十二倍。”你要问哪三个问题？
# 6. 开着 LayerDrop，丢弃率 0.2。评估时有几层在运行？
#
# <details><summary>答案</summary>
#
# 1. $4 \cdot 100^2 + 2 \cdot 100 \cdot 400 = 120\,000$。
# 2. 嵌入和输出头还在。
# 3. 蒸馏和剪枝：得到的就是普通的网络。（量化的网络可能用更少的比特计算，也可能像我们的那样先还原。）
# 4. 更费：每个句子都爬完所有的层，还要问遍一路上的出口。
# 5. 是数出来的还是计时得来的？准确率是多少？与什么相比，在什么机器上，批次多大？
# 6. 全部。
#
# </details>

# %% [markdown] lang="en"
# ## What you saw
#
# - A layer's weights can be counted on paper; in a small BERT with many tokens the embeddings hold a large part (1.1).
# - Memory, FLOPs and milliseconds are three prices, and they disagree: exits make a network bigger and its answers cheaper (1.2).
# - Four families: fewer bits, a smaller pupil, fewer parts, fewer layers for the easy (1.3).
# - FastBERT decides sentence by sentence while it runs, and may be sure and wrong; LayerDrop prepares a cut that we make once (1.4, 1.5).
# - A published factor means little without what was counted, at what accuracy, against what (1.6).
#
# **What this lesson does not show.** Times are of one processor and batches of 16; on a GPU, or one sentence at a time, they differ. The networks that we timed are small. Whether exits or a cut are *worth* their loss of accuracy needs rivals of equal cost and intervals: lessons 3 and 4.
#
# **Next:** lesson 2, how such a network is trained: initial pre-training, fine-tuning, self-distillation.
#
# **References.** Liu et al. (2020), *FastBERT: a Self-distilling BERT with Adaptive Inference Time*, ACL: sections 3 and 4, Tables 1 and 2. Fan, Grave and Joulin (2020), *Reducing Transformer Depth on Demand with Structured Dropout*, ICLR; the LayerDrop README of fairseq. Devlin et al. (2018), *BERT*. Vaswani et al. (2017), *Attention is all you need*. Sanh et al. (2019), *DistilBERT*: Table 3. Jiao et al. (2019), *TinyBERT*: Tables 2 and 3. Xin et al. (2020), *DeeBERT*: Table 1. Zhou et al. (2020), *BERT Loses Patience* (PABEE). Schuster et al. (2022), *Confident Adaptive Language Modeling* (CALM). Elhoushi et al. (2024), *LayerSkip*.

# %% [markdown] lang="zh"
# ## 这一课看到了什么
#
# - 一层有多少权重，在纸上就能数出来；词元很多的小 BERT，很大一部分权重在嵌入里（1.1）。
# - 内存、FLOPs 和毫秒是三种代价，彼此并不一致：出口让网络变大，却让回答变省（1.2）。
# - 四个家族：更少的比特、更小的学生、更少的部分、容易的句子少走几层（1.3）。
# - FastBERT 在运行时逐句决定，而且可能有把握却答错；LayerDrop 为一次性的裁层做准备（1.4、1.5）。
# - 论文里的一个倍数，不知道数的是什么、准确率多少、与什么相比，就说明不了什么（1.6）。
#
# **这一课没有说明什么。** 用时是在一种处理器上、批大小 16 时测的；在 GPU 上，或者逐句处理，都会不同。我们计时的网络很小。出口或裁层**值不值得**那一点准确率，要有代价相等的对手和区间才能说：见第 3、4 课。
#
# **下一课：** 第 2 课，这样的网络怎么训练：初始预训练、微调、自蒸馏。
#
# **参考文献。** Liu 等（2020），*FastBERT: a Self-distilling BERT with Adaptive Inference Time*，ACL：第 3、4 节，表 1、2。Fan、Grave、Joulin（2020），*Reducing Transformer Depth on Demand with Structured Dropout*，ICLR；fairseq 的 LayerDrop README。Devlin 等（2018），*BERT*。Vaswani 等（2017），*Attention is all you need*。Sanh 等（2019），*DistilBERT*：表 3。Jiao 等（2019），*TinyBERT*：表 2、3。Xin 等（2020），*DeeBERT*：表 1。Zhou 等（2020），*BERT Loses Patience*（PABEE）。Schuster 等（2022），*Confident Adaptive Language Modeling*（CALM）。Elhoushi 等（2024），*LayerSkip*。
