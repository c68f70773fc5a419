# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] lang="en"
# # 3 · Hierarchical classifiers: a network that stops when it is sure
#
# Most sentences are easy. This lesson builds a BERT that notices it, answers those early, and keeps its full depth for the hard ones.
#
# | | |
# |---|---|
# | Time | {{class_minutes}} minutes in class, {{home_minutes}} minutes at home, {{exercise_minutes}} of exercises in them |
# | Necessary | softmax, a Transformer layer, lesson 1 |
# | Helpful | lesson 2 (fine-tuning and self-distillation): there the exits were trained |
# | The code runs in | {{runtime}} |

# %% [markdown] lang="zh"
# # 3 · 分层分类器：有把握就停下来的网络
#
# 大多数句子并不难。这一课搭建一个能察觉这一点的 BERT：容易的句子早早作答，把完整的深度留给难句。
#
# | | |
# |---|---|
# | 时间 | 课堂 {{class_minutes}} 分钟，课后 {{home_minutes}} 分钟，其中练习 {{exercise_minutes}} 分钟 |
# | 必备 | softmax、Transformer 层、第 1 课 |
# | 有帮助 | 第 2 课（微调与自蒸馏）：出口就是在那里训练的 |
# | 代码运行时间 | {{runtime}} |

# %% [markdown] lang="en"
# **You will be able to**
#
# 1. explain why some inputs need more layers than others, and show it on a task whose difficulty is known;
# 2. compute the *uncertainty* of an answer by hand and in tensors;
# 3. implement early exit, for one sentence and for a batch;
# 4. measure what a speed threshold costs and saves: accuracy, layers, FLOPs *and* milliseconds, against a rival of equal cost;
# 5. name the cases in which it does not pay.

# %% [markdown] lang="zh"
# **学完这一课，你能够**
#
# 1. 说明为什么有的输入需要更多层，并在难度已知的任务上展示出来；
# 2. 手算一个回答的**不确定性**（uncertainty），再用张量计算；
# 3. 实现提前退出（early exit）：先对一个句子，再对一个批次；
# 4. 测量速度阈值的代价与收益：准确率、层数、FLOPs **以及**毫秒，并与代价相同的对手比较；
# 5. 指出哪些情况下它并不划算。

# %% [markdown] lang="en"
# ## The lesson in one picture (2 min, class)

# %% [markdown] lang="zh"
# ## 一张图看懂这一课（2 分钟，课堂）

# %% tags=["nbval-ignore-output"]
from course_lib import figures, show

show(figures.fastbert_schematic())

# %% [markdown] lang="en"
# A sentence enters as **tokens** (words or pieces of words). The first token, **[CLS]**, stands for no word: the answer is read from its vector. After *every* layer stands a classifier, called an **exit**. The topmost exit is the **teacher**, the ones below are its **students**: they were trained to answer as the teacher does. At run time the sentence asks one exit after the other and leaves at the first that is sure.

# %% [markdown] lang="zh"
# 句子以**词元**（token，词或词的一部分）的形式进入。第一个词元 **[CLS]** 不代表任何词：回答就从它的向量读出。**每一层**之后都有一个分类器，叫作**出口**（exit）。最上面的出口是**教师**，下面的都是**学生**：它们学着像教师那样回答。运行时，句子从下往上逐个询问出口，遇到第一个有把握的就离开。

# %% tags=["nbval-ignore-output"]
import math

import numpy as np
import torch

from course_lib import checks, language, load_fastbert, load_traces, reviews, say, uncertainty, worlds

torch.manual_seed(0)
torch.set_grad_enabled(False)  # nothing is trained in this lesson
print("torch", torch.__version__, "·", torch.get_num_threads(), "threads ·", language())

# %% [markdown] lang="en"
# ## 3.1 Why depth? (10 min, class)
#
# To see what layers are for, we need a task whose difficulty is *known*, not guessed. Eight children pass a ball; a text says who passes to whom, where the ball is, and how often it is passed. **Who has it at the end?** Each pass needs the answer of the one before: `steps` is the difficulty. We call such a text a *world*.

# %% [markdown] lang="zh"
# ## 3.1 为什么需要深度？（10 分钟，课堂）
#
# 要看清“层”有什么用，先要有一个难度**已知**而不是靠猜的任务。八个孩子传一个球，文字说明谁传给谁、球在谁手里、一共传几次。**最后球在谁手里？** 每传一次都要用到上一次的结果，所以“步数”就是难度。这样一段文字，我们叫它一个**玩具世界**。

# %%
from course_lib.texts.worlds import NAMES, follow, make_world, render

names = NAMES[language()]
ring = [names[child] for child in (3, 0, 5, 1, 7, 2, 6, 4)]  # the ball goes round in this order
world = make_world(ring, steps=3)
text = render(world, language())
print(text)

# %% [markdown] lang="en"
# **Predict.** Follow the passes with your finger. Who has the ball at the end? Write the name between the quotation marks.

# %% [markdown] lang="zh"
# **先预测。** 用手指跟着传球走一遍。最后球在谁手里？把名字写在引号之间。

# %%
my_child = ""

# %%
holders = [names[follow(world, passes)] for passes in range(world.steps + 1)]
print(" → ".join(holders), "" if my_child == "" else "✓" if my_child == holders[-1] else "✗")

# %% [markdown] lang="en"
# Now a small network reads the same text, and we ask each of its exits.

# %% [markdown] lang="zh"
# 现在让一个小网络读同一段文字，逐个询问它的出口。

# %%
worlds_model, worlds_tokenizer = load_fastbert("worlds-fastbert")
ids = worlds_tokenizer(text, return_tensors="pt")["input_ids"]  # [1, T]
answers = worlds_model.layer_logits(ids).softmax(-1)[:, 0]  # [L, 8]

for exit, probabilities in enumerate(answers, start=1):
    child = int(probabilities.argmax())
    verdict = "✓" if child == follow(world) else "✗"
    print(f"exit {exit}  {names[child]:4}  p = {probabilities[child]:.2f}  {verdict}")

# %% [markdown] lang="en"
# One world proves nothing. The next cell asks all worlds of the test split; none of their rings occurred in training.
#
# **Predict.** Worlds with 4 steps: on how many per cent is *exit 1* right? (Guessing among eight children gives 12.5.)

# %% [markdown] lang="zh"
# 一个例子说明不了什么。下一个单元格问遍测试集里的所有玩具世界，它们的传球顺序在训练中从未出现过。
#
# **先预测。** 需要 4 步的玩具世界，**出口 1** 能答对百分之几？（在八个孩子里瞎猜是 12.5。）

# %%
my_percent = None  # your number, for example 30

# %%
worlds_test = worlds()["test"]
worlds_trace = load_traces("worlds-fastbert", "test")[0]  # every exit's answer to every world
assert np.array_equal(worlds_trace.labels, worlds_test["label"])  # the trace belongs to these texts

steps = np.array(worlds_test["steps"])
table = figures.accuracy_table(worlds_trace, steps)  # [steps, exits]
checks.compare_guess(my_percent, 100 * table[-1, 0])

# %% tags=["nbval-ignore-output"]
show(figures.accuracy_by_steps(worlds_trace, steps))

# %%
from course_lib import enough_exits

for number, exit in enumerate(enough_exits(table, least=0.95), start=1):
    say("lesson03.enough" if exit else "lesson03.never_enough", steps=number, exit=exit)

# %% [markdown] lang="en"
# Read the table from left to right: a number of steps is out of reach for the first exits and then, at one layer, becomes easy. In this network, trained as it was, each layer adds a look-up, and no exit can answer before the look-ups are done. **Depth is needed where the answer must be composed**, and only there.

# %% [markdown] lang="zh"
# 从左往右看这张表：某个步数对前几个出口遥不可及，到了某一层就一下子变得容易。在这个网络里、照这样训练，每一层多查一次表；表没有查完，哪个出口也答不出来。**需要一步步推出答案的地方才需要深度**，别处并不需要。

# %% [markdown] lang="en"
# <details><summary>Why? Couldn't one wide layer do it all? And must it be one layer for each step?</summary>
#
# In one layer a token can fetch what other tokens hold *now*. The second pass needs what the first pass fetched, and that is only there one layer later. Width holds more at a time; it does not chain.
#
# One layer a step is what *this* network learnt, not a law: tokens can also fetch each other's *look-ups* and so double the number of passes with every layer. In theory a depth of about the logarithm of the number of steps is enough for such chains (Sanford, Hsu and Telgarsky 2024, *Transformers, parallel computation, and logarithmic depth*).
#
# </details>

# %% [markdown] lang="zh"
# <details><summary>为什么？一层做宽一点不行吗？每一步非要一层不可吗？</summary>
#
# 在一层之内，一个词元只能取到其他词元**此刻**持有的信息。第二次传球要用到第一次取到的结果，而它要到下一层才存在。加宽能让一次记住更多，却不能把推理串起来。
#
# 一步一层是**这个**网络学到的做法，并不是定律：词元也可以互相取用对方的**查表结果**，于是每过一层，能走的步数就翻一倍。理论上，深度只要达到步数的对数量级，就足以完成这样的链条（Sanford、Hsu、Telgarsky 2024，*Transformers, parallel computation, and logarithmic depth*）。
#
# </details>

# %% [markdown] lang="en"
# ## 3.2 How sure is an answer? (8 min, class)
#
# A sentence may stop as soon as its answer is *certain*. The paper measures the opposite, the **uncertainty** of probabilities $p_1 \dots p_N$ (equation 7): their entropy, divided by the largest entropy that $N$ classes can have.
#
# $$\text{uncertainty} = \frac{-\sum_i p_i \log p_i}{\log N} \in [0, 1]$$
#
# Two classes: $(0.5, 0.5)$ knows nothing, uncertainty 1. $(1, 0)$ is certain, uncertainty 0. And $(0.9, 0.1)$?
#
# **Predict.** Work it out on paper: $\log 0.9 \approx -0.105$, $\log 0.1 \approx -2.303$, $\log 2 \approx 0.693$.

# %% [markdown] lang="zh"
# ## 3.2 回答有多大把握？（8 分钟，课堂）
#
# 回答一旦**有把握**，句子就可以停下。论文衡量的是反面，即概率 $p_1 \dots p_N$ 的**不确定性**（公式 7）：熵除以 $N$ 个类别所能达到的最大熵。
#
# $$\text{不确定性} = \frac{-\sum_i p_i \log p_i}{\log N} \in [0, 1]$$
#
# 两个类别：$(0.5, 0.5)$ 一无所知，不确定性为 1；$(1, 0)$ 完全肯定，不确定性为 0。那么 $(0.9, 0.1)$ 呢？
#
# **先预测。** 在纸上算一算：$\log 0.9 \approx -0.105$，$\log 0.1 \approx -2.303$，$\log 2 \approx 0.693$。

# %%
my_result = None  # your number, for example 0.9

# %%
checks.compare_guess(my_result, uncertainty(torch.tensor([0.9, 0.1]).log()).item(), ".3f")

# %% [markdown] lang="en"
# (The library's `uncertainty` starts from **logits**, the scores that a network gives before softmax; logarithms of probabilities are logits, too.)
#
# The **speed** of the paper is a threshold on this number: a sentence leaves where uncertainty < speed. So what does "speed 0.5" ask of an exit?
#
# **Predict.** Two classes, speed 0.5: how likely, in per cent, must the likelier class be?

# %% [markdown] lang="zh"
# （课程库里的 `uncertainty` 从 **logits** 开始，也就是网络在 softmax 之前给出的分数；概率的对数也是 logits。）
#
# 论文里的**速度**（speed）就是这个数的阈值：不确定性 < 速度，句子就离开。那么“速度 0.5”对出口提出了什么要求？
#
# **先预测。** 两个类别，速度 0.5：较可能的那一类，概率至少要达到百分之几？

# %%
my_probability = None  # your number, for example 75

# %%
likelier = torch.linspace(0.5, 0.9999, 5000)
doubt = uncertainty(torch.stack([likelier, 1 - likelier], dim=-1).log())
needed = {speed: likelier[doubt < speed][0].item() for speed in (0.1, 0.5, 0.9)}
checks.compare_guess(my_probability, 100 * needed[0.5])
say("lesson03.needed", low=needed[0.1], middle=needed[0.5], high=needed[0.9])

# %% [markdown] lang="en"
# **Exercise 1** (★, 4 min, home). Write the formula for a list of probabilities.

# %% [markdown] lang="zh"
# **练习 1**（★，4 分钟，课后）。对一个概率列表写出这个公式。

# %% [markdown] lang="en"
# <details><summary>Hint</summary>
#
# `math.log(x)` fails at 0, and $0 \cdot \log 0$ counts as 0: leave those terms out. $N$ is `len(p)`.
#
# </details>

# %% [markdown] lang="zh"
# <details><summary>提示</summary>
#
# `math.log(x)` 在 0 处会报错，而 $0 \cdot \log 0$ 按 0 计算：跳过这些项。$N$ 就是 `len(p)`。
#
# </details>


# %% tags=["solution"]
def my_uncertainty(p):
    entropy = 0.0
    for share in p:
        if share > 0:  # 0 · log 0 counts as 0
            entropy -= share * math.log(share)
    return entropy / math.log(len(p))


# %% tags=["starter"]
def my_uncertainty(p):
    raise NotImplementedError("entropy of p, divided by the largest possible entropy")


# %% tags=["nbval-check-output"]
passed = checks.check_uncertainty(my_uncertainty)

# %% [markdown] lang="en"
# ## 3.3 Leave early (6 min, class)
#
# One sentence first: layer, exit, question, again. The loop ends at the first exit that is certain enough.

# %% [markdown] lang="zh"
# ## 3.3 提前离开（6 分钟，课堂）
#
# 先看一个句子：过一层、问出口、够不够确定，再来一遍。遇到第一个足够确定的出口，循环就结束。

# %%
speed = 0.5
hidden = worlds_model.bert.embeddings(ids)
for depth, (layer, exit) in enumerate(zip(worlds_model.bert.encoder.layer, worlds_model.exits), start=1):
    hidden = layer(hidden)
    doubt = uncertainty(exit(hidden)).item()
    print(f"layer {depth}: uncertainty {doubt:.3f}")
    if doubt < speed:
        break

# %% [markdown] lang="en"
# The layers after that line were never computed. Does depth follow difficulty? We choose the speed on *validation* worlds, so that at most half a point of accuracy is lost, and look at the test worlds.
#
# **Predict.** From 1 step to 4 steps: how many layers later do worlds leave, on average?

# %% [markdown] lang="zh"
# 最后一行之后的层没有再计算。深度会跟着难度走吗？速度在**验证集**上选，使准确率最多损失半个百分点，然后看测试集。
#
# **先预测。** 从 1 步到 4 步，玩具世界平均晚几层离开？

# %%
my_layers = None  # your number, for example 1.5

# %%
worlds_speed = load_traces("worlds-fastbert", "validation")[0].budget(max_loss=0.005)
mean_layers = figures.mean_exit_layers(worlds_trace, steps, worlds_speed)
checks.compare_guess(my_layers, mean_layers[-1] - mean_layers[0])

# %% tags=["nbval-ignore-output"]
show(figures.exit_layer_by_steps(worlds_trace, steps, worlds_speed))

# %%
at_budget = worlds_trace.at(worlds_speed)
loss = 100 * (worlds_trace.accuracy_by_layer[-1] - at_budget.accuracy)
say("lesson03.worlds_budget", speed=worlds_speed, loss=loss, exits=at_budget)

# %% [markdown] lang="en"
# (It follows so neatly because it was taught to: 3.13. You write the rule yourself in 3.8.)

# %% [markdown] lang="zh"
# （它跟得这么整齐，是因为专门教过：见 3.13 节。3.8 节由你自己写出这条规则。）

# %% [markdown] lang="en"
# ## 3.4 Real sentences (6 min, class)
#
# Hotel, book and laptop reviews, written by people in Chinese: positive or negative? Nobody knows their "steps". All test reviews have been run through all exits once; the answers are stored in a *trace*, so that every question below is a look-up.
#
# **Predict.** By how many points is the last exit better than the first?

# %% [markdown] lang="zh"
# ## 3.4 真实的句子（6 分钟，课堂）
#
# 真人写的酒店、图书和电脑评论：好评还是差评？没有人知道它们需要几“步”。所有测试评论已经走过全部出口，回答存放在逐层记录（trace）里，所以下面的每个问题都只是查表。
#
# **先预测。** 最后一个出口比第一个出口高几个百分点？

# %%
my_points = None  # your number, for example 5

# %%
model, tokenizer = load_fastbert("reviews-fastbert")
test = reviews()["test"]
traces = load_traces("reviews-fastbert", "test")  # one for each seed whose answers are kept
trace = traces[0]
assert np.array_equal(trace.labels, test["label"])
by_layer = trace.accuracy_by_layer
checks.compare_guess(my_points, 100 * (by_layer[-1] - by_layer[0]))

# %% tags=["nbval-ignore-output"]
show(figures.accuracy_by_exit(trace))

# %%
from course_lib import difference, first_exit, points, whole_network

first, last = first_exit(traces), whole_network(traces)
worth = points(difference(last, first))
worlds_worth = 100 * (table[-1, -1] - table[-1, 0])
say("lesson03.depth_worth", first=first.accuracy, last=last.accuracy, reviews=worth, worlds=worlds_worth)

# %% [markdown] lang="en"
# Be honest about this figure: on reviews depth is worth far less than on worlds. Sentiment is largely a matter of *which words occur*, and that needs little composing. Early exit saves most exactly where depth is needed least.
#
# It rests on a hypothesis, **LUHA**: *Lower Uncertainty, Higher Accuracy* (paper, section 4.4). We test it, exit by exit. The bars are 95 % intervals: below each point stands how many sentences it was counted on.
#
# **Predict.** Look for two exits that report the *same* uncertainty: are they right equally often?

# %% [markdown] lang="zh"
# 对这张图要诚实：在评论上，深度的价值远不如在玩具世界上。情感主要取决于**出现了哪些词**，几乎不用一步步推。恰恰是最不需要深度的地方，提前退出省得最多。
#
# 提前退出依据的是一个假设：**LUHA**（Lower Uncertainty, Higher Accuracy，不确定性越低，准确率越高；论文 4.4 节）。我们逐个出口检验它。竖线是 95% 区间；每个点是从多少个句子数出来的，见下面的柱子。
#
# **先预测。** 两个出口报告**同样**的不确定性时，它们答对的比例也一样吗？

# %% tags=["nbval-ignore-output"]
exits = [1, len(by_layer) // 2, len(by_layer)]
show(figures.accuracy_by_uncertainty(trace, exits))

# %%
from course_lib import by_uncertainty

for exit in exits:
    bins = by_uncertainty(trace, exit)
    rises, clear = bins.rises()
    say("lesson03.luha", exit=exit, surest=bins.surest, rises=rises, clear=clear)

# %% [markdown] lang="en"
# Three lessons in one picture: (1) on the whole LUHA holds; (2) it is a tendency and no guarantee: see the mistakes made with certainty; a rise within two standard errors, though, is no evidence against it; (3) **the same uncertainty need not be the same risk at every exit**: the title names the bin in which two exits differ most, of those where the difference is more than two standard errors.

# %% [markdown] lang="zh"
# 一张图有三点启示：（1）总体上 LUHA 成立；（2）它是趋势，不是保证：看看那些很有把握的错误；不过，两个标准误以内的回升算不上反例；（3）**同样的不确定性，在不同出口未必是同样的风险**：标题指出的，是差别超过两个标准误的各格中相差最大的一格。

# %% [markdown] lang="en"
# ## 3.5 Demo: the speed slider, and a fair rival (9 min, class)
#
# Move the slider with the mouse or the arrow keys. Watch where sentences leave, the point on the trade-off curve, and which answers change. Below you can type a sentence in Chinese, for example 房间很干净，但是服务太差 ("The room is clean, but the service is terrible"), and see every layer's answer. (Reading without a kernel? Then you see one picture of it.)

# %% [markdown] lang="zh"
# ## 3.5 演示：速度滑块，以及一个公平的对手（9 分钟，课堂）
#
# 用鼠标或方向键移动滑块。看句子在哪一层离开、圆点在权衡曲线上的位置，以及哪些回答变了。下面的输入框里可以写一句话，例如“房间很干净，但是服务太差”，看每一层怎么回答。（没有内核、只是阅读？那么这里是它的一张静态图。）

# %% tags=["nbval-ignore-output"]
from course_lib import SpeedSlider

slider = SpeedSlider(trace, test["text"], test.features["label"].names, model, tokenizer)
slider

# %% [markdown] lang="en"
# **Think.** At which speeds does the curve stay flat? And which points does it beat, which not? The squares are the rival without any threshold: the network simply cut off after layer 1, 2, 3 …
#
# <details><summary>Answer</summary>
#
# Flat twice. At the lowest speeds nothing leaves at all (3.10 says why that even costs). Above them, as long as those who leave would get the same answer from the teacher.
#
# The squares cannot be judged by eye: curve and squares were counted on the same sentences, and a tenth of a point is a handful of them. The fair question: at *equal* FLOPs, is the difference larger than chance would make it? The next table answers it.
#
# </details>

# %% [markdown] lang="zh"
# **想一想。** 曲线在哪些速度下保持平坦？它胜过哪些方块，又胜不过哪些？方块是不用阈值的对手：把网络直接截断在第 1、2、3 …… 层之后。
#
# <details><summary>答案</summary>
#
# 有两段平坦。速度最低的一段，根本没有句子离开（3.10 节说明为什么这样反而更贵）。再往上，只要离开的句子从教师那里得到的也是同样的回答，曲线就保持平坦。
#
# 方块不能靠眼睛判断：曲线和方块是在同样的句子上数出来的，0.1 个百分点只是一两个句子。公平的问题是：FLOPs **相等**时，差别是否超出了偶然？下一张表回答这个问题。
#
# </details>

# %% [markdown] lang="en"
# At equal FLOPs: the speed is chosen on validation reviews; the rival uses one depth for all, or a mixture of two neighbouring depths that costs the same on average.
#
# **Predict.** At four times fewer FLOPs, by how many points is early exit ahead of the network that is simply cut off?

# %% [markdown] lang="zh"
# FLOPs 相等的比较：速度在验证集上选；对手对所有句子用同一个深度，或者把相邻两个深度混合起来，使平均代价恰好相同。
#
# **先预测。** FLOPs 降到四分之一时，提前退出比直接截断的网络高几个百分点？

# %%
my_lead = None  # your number, for example 2

# %%
from course_lib import equal_cost, equal_cost_table, exit_gain, price_of_exit

compared = {"reviews-fastbert": equal_cost("reviews-fastbert", savings=(2, 4, 7))}
checks.compare_guess(my_lead, 100 * compared["reviews-fastbert"][1].gain.mean)
equal_cost_table([each for found in compared.values() for each in found])

# %%
from course_lib import equal_cost_in_words

for recipe, found in compared.items():
    verdict = equal_cost_in_words(found)
    say("lesson03.equal_cost", recipe=recipe, seeds=found[0].seeds, verdict=verdict)

# %% [markdown] lang="en"
# Say it plainly: where the sentence above says "not shown", you may as well take a network of a few layers, without exits and without thresholds: it costs the same, and nobody could tell the difference. That is not the fault of the method alone: on reviews this small network gains little after its first layers (3.4), and where depth brings little, there is little for an exit rule to keep. If early exit is ahead anywhere, then where most is saved: there the rival must make do with one or two layers for all. A rule that the course keeps to: **no saving without its rival at equal cost, no difference without its interval.**

# %% [markdown] lang="zh"
# 说得直白些：上面写着“看不出”的地方，不如直接用一个只有几层、没有出口也没有阈值的网络：花同样的计算量，谁也看不出差别。这不全怪方法：在评论上，这个小网络过了最初几层就提高不多（3.4），深度带来的本来就少，退出规则能保住的也就少。提前退出若在哪里领先，那就是省得最多的地方：这时对手只能让所有句子都止步于一两层。本课程始终遵守一条规矩：**谈节省，必须有代价相等的对手；谈差别，必须给出区间。**

# %% [markdown] lang="en"
# And where depth *is* worth something? A real pre-trained BERT (multilingual-e5-small, 12 layers, 384 wide), fine-tuned with adapters (small matrices beside its own, which stay as they are) on the same reviews, and on a second task: which of 41 Chinese laws does an article belong to?
#
# **Predict.** The reviews again, at about 2.5 times fewer FLOPs, on the real BERT: early exit is ahead by how many points?

# %% [markdown] lang="zh"
# 如果深度**确实**值钱呢？换成真正预训练过的 BERT（multilingual-e5-small，12 层，宽 384），用适配器（加在原有矩阵旁边的小矩阵，原有权重不变）在同样的评论上微调；再加一个任务：一条法律条文出自 41 部法律中的哪一部？
#
# **先预测。** 还是评论，FLOPs 降到大约 2.5 分之一，用真正的 BERT：提前退出高几个百分点？

# %%
my_lead_on_bert = None  # your number, for example 1

# %%
on_bert = {recipe: equal_cost(recipe, savings=(1.5, 2.5, 4)) for recipe in ("reviews-e5", "laws-e5")}
checks.compare_guess(my_lead_on_bert, 100 * on_bert["reviews-e5"][1].gain.mean)
equal_cost_table([each for found in on_bert.values() for each in found])

# %%
for recipe, found in on_bert.items():
    say("lesson03.equal_cost", recipe=recipe, seeds=found[0].seeds, verdict=equal_cost_in_words(found))
    say("lesson03.depth_on_bert", recipe=recipe, **exit_gain(recipe))
    say("lesson03.price", recipe=recipe, **price_of_exit(recipe, saving=2.5))

# %% tags=["test"]
assert all(found[1].gain.low > 0 for found in on_bert.values())  # at 2.5x, as the text below says
lost = {recipe: price_of_exit(recipe, saving=2.5) for recipe in on_bert}
assert not lost["reviews-e5"]["loss_is_clear"] and lost["laws-e5"]["loss_is_clear"]
assert lost["laws-e5"]["over_tfidf_is_clear"] is False

# %% [markdown] lang="en"
# In these two networks accuracy grows with depth (not at every single layer), so a fixed depth loses what it cuts off. The exit rule keeps part of it, for it spends the layers on the sentences that need them. How large a part differs: on the reviews what it loses cannot be told from nothing, on the laws it is clear. And the laws teach modesty: the whole network is not shown to beat counted n-grams (TF-IDF), which need no network. Two networks, few seeds: a hint that **early exit has something to win where depth does**, not a law.

# %% [markdown] lang="zh"
# 在这两个网络里，准确率随深度上升（并非每一层都升），所以固定深度截掉多少就损失多少。退出规则能保住一部分，因为它把层数花在需要的句子上。能保住多少，各不相同：在评论上，损失看不出与零有别；在法律上，损失是明显的。法律任务还提醒我们要谦虚：完整网络看不出胜过数 n 元字串（TF-IDF），而后者不用任何网络。只有两个网络、少数随机种子：这提示**深度值钱的地方，提前退出才有得可赢**，还不是定律。

# %% [markdown] lang="en"
# ## 3.6 What it really saves (4 min, class)
#
# Accuracy, layers, counted FLOPs and the clock belong together. The next cell times both ways *alternately* on this machine, on the same sentences.
#
# **Predict.** Batch of 1, speed 0.5: FLOPs promise a factor. How much of it will the clock keep, in per cent?

# %% [markdown] lang="zh"
# ## 3.6 真正省了多少（4 分钟，课堂）
#
# 准确率、层数、按公式计数的 FLOPs 和实测用时要放在一起看。下一个单元格在这台机器上、对同样的句子**交替**计时两种做法。
#
# **先预测。** 批大小为 1，速度 0.5：FLOPs 许诺了一个倍数，实测用时能兑现其中的百分之几？

# %%
my_kept = None  # your number, for example 80

# %% tags=["nbval-ignore-output", "timing"]
from course_lib import bench_exits, clock_table

options = {"speeds": [0.3, 0.5, 0.9], "ways": ["batch"], "rounds": 9}
alone = bench_exits(model, tokenizer, test, batch_size=1, sentences=32, **options)
many = bench_exits(model, tokenizer, test, batch_size=32, sentences=128, **options)
checks.compare_guess(my_kept, 100 * alone[1].ratio, ".0f")
clock_table(alone + many, trace)

# %% tags=["nbval-ignore-output", "timing"]
benches = sorted(alone + many, key=lambda bench: bench.ratio)
say("lesson03.clock", worst=benches[0], best=benches[-1])

# %% [markdown] lang="en"
# That was the course's own small network, whose layers take a fraction of a millisecond: exits and Python weigh much beside them. On the real BERT a layer is some nine times the work:

# %% [markdown] lang="zh"
# 上面是课程自己的小网络，一层只要零点几毫秒，出口和 Python 的开销相比之下就很重。换成真正的 BERT，一层的计算量大约是它的九倍：

# %%
from course_lib import clock_in_words, recorded_ratios

say("lesson03.clock_on_bert", **clock_in_words("reviews-e5"))
recorded_ratios("reviews-e5")

# %% tags=["test"]
from course_lib import layer_flops, load_traces

one = [load_traces(name, "test")[0] for name in ("reviews-fastbert", "reviews-e5")]
small, real = (layer_flops(each.config, each.lengths).mean() for each in one)
assert 8 < real / small < 10  # "some nine times"

# %% [markdown] lang="en"
# (Accuracy is that of the whole test split; the other columns belong to the few sentences timed.) FLOPs are a promise, the clock is the fact. Each layer of an adaptive network also pays for its exit, for a comparison, and in a batch for moving tensors. Report both, always.
#
# *Here the class hour ends. What follows is for home; 3.2, 3.8 and 3.10 have the exercises.*

# %% [markdown] lang="zh"
# （准确率是整个测试集的，其余各列属于计时用的少量句子。）FLOPs 是许诺，实测用时才是事实。自适应网络的每一层还要为出口、为一次比较、在批次里为搬动张量付出时间。所以两者总要一起报告。
#
# *课堂部分到此结束，以下内容课后完成；练习在 3.2、3.8 和 3.10 节。*

# %% [markdown] lang="en"
# ## 3.7 Inside an exit (8 min, home)
#
# An exit must be cheap, or stopping early saves nothing. The paper's exit (its Figure 2) first makes the vectors *narrow*, then lets [CLS] look at the tokens once more, then classifies:
#
# `narrow linear → self-attention → linear → linear`
#
# We walk a world through exit 1, one line a stage, and watch the shapes.

# %% [markdown] lang="zh"
# ## 3.7 出口里面有什么？（8 分钟，课后）
#
# 出口必须便宜，否则提前停下也省不了什么。论文的出口（论文图 2）先把向量**变窄**，再让 [CLS] 最后看一遍所有词元，然后分类：
#
# `变窄的线性层 → 自注意力 → 线性层 → 线性层`
#
# 下面让一个玩具世界走过出口 1，一行一步，注意形状的变化。

# %%
exit_1, layer_1 = worlds_model.exits[0], worlds_model.bert.encoder.layer[0]
hidden = layer_1(worlds_model.bert.embeddings(ids))  # [1, T, H]
narrow = exit_1.narrow(hidden).tanh()  # [1, T, E]
query = exit_1.query(narrow[:, :1])  # only [CLS] asks
key, value = exit_1.key_value(narrow).chunk(2, dim=-1)  # every token answers
for name, tensor in {"hidden": hidden, "narrow": narrow, "query": query, "key": key}.items():
    print(f"{name:7}", tuple(tensor.shape))


# %%
def heads(x):  # [1, T, E] -> [1, heads, T, E / heads]
    return x.unflatten(-1, (exit_1.heads, -1)).transpose(1, 2)


seen = torch.nn.functional.scaled_dot_product_attention(heads(query), heads(key), heads(value))
seen = exit_1.attention_output(seen.flatten(1))  # [1, E]
logits = exit_1.classifier(exit_1.dense(seen).tanh())  # [1, C]
torch.testing.assert_close(logits, exit_1(hidden))
print("seen   ", tuple(seen.shape), "\nlogits ", tuple(logits.shape))

# %% [markdown] lang="en"
# The stages by hand and the library's exit agree. What does it cost, beside the layer that stands before it?
#
# **Predict.** Its FLOPs, in per cent of the layer's?

# %% [markdown] lang="zh"
# 手工一步步算的结果与课程库的出口一致。与它前面的那一层相比，它要花多少代价？
#
# **先预测。** 它的 FLOPs 是这一层的百分之几？

# %%
my_share = None  # your number, for example 20

# %%
from course_lib import count_parameters, exit_flops, layer_flops

config, tokens = worlds_model.config, ids.shape[1]
in_weights = count_parameters(exit_1) / count_parameters(layer_1)
in_flops = float(exit_flops(config, tokens) / layer_flops(config, tokens))
checks.compare_guess(my_share, 100 * in_flops)

# %%
from course_lib import FastBertConfig, paper_exit_flops, paper_layer_flops

bert_base = FastBertConfig()  # the paper's sizes: 768 wide, exits 128 wide
in_paper = paper_exit_flops(bert_base) / paper_layer_flops(bert_base)
say("lesson03.exit_cost", weights=in_weights, flops=in_flops, paper=in_paper)

# %% [markdown] lang="en"
# ## 3.8 The rule, and a batch (17 min, home)
#
# First the uncertainty without a loop, for many answers at once:

# %% [markdown] lang="zh"
# ## 3.8 规则与批次（17 分钟，课后）
#
# 先去掉循环，一次计算许多个回答的不确定性：

# %% tags=["nbval-check-output"]
p = torch.tensor([[0.5, 0.5], [0.9, 0.1], [0.99, 0.01]])  # [B, C]
in_tensors = -(p * p.log()).sum(-1) / math.log(2)  # [B]
torch.testing.assert_close(in_tensors, uncertainty(p.log()))
print([round(value, 3) for value in in_tensors.tolist()])

# %% [markdown] lang="en"
# The middle one is the answer to the question of 3.2.
#
# **Exercise 2** (★★, 8 min). Write the rule of 3.3 as a function: from the uncertainties of all exits (a list) and the speed to the layer at which the sentence leaves, counted from 1. What if no exit is certain enough?

# %% [markdown] lang="zh"
# 中间的数就是 3.2 节那个问题的答案。
#
# **练习 2**（★★，8 分钟）。把 3.3 节的规则写成函数：输入所有出口的不确定性（列表）和速度，返回句子在第几层离开，从 1 数起。如果没有一个出口足够确定呢？

# %% [markdown] lang="en"
# <details><summary>Hint</summary>
#
# `enumerate(doubts, start=1)` counts from 1. After the loop, one exit must still answer: two public implementations forgot it, and return zeros.
#
# </details>

# %% [markdown] lang="zh"
# <details><summary>提示</summary>
#
# `enumerate(doubts, start=1)` 从 1 数起。循环结束之后，还是得有一个出口来回答：有两个公开的实现忘了这一点，返回的全是零。
#
# </details>


# %% tags=["solution"]
def my_exit_layer(doubts, speed):
    for depth, doubt in enumerate(doubts, start=1):
        if doubt < speed:
            return depth
    return len(doubts)  # the last exit always answers


# %% tags=["starter"]
def my_exit_layer(doubts, speed):
    raise NotImplementedError("the first depth whose uncertainty is below the speed")


# %% tags=["nbval-check-output"]
passed = checks.check_exit_layer(my_exit_layer)

# %% [markdown] lang="en"
# A **batch** is harder: its sentences want to leave at different layers. If all wait for the slowest, nothing is saved. So we take out those that leave and go on with the rest, a smaller tensor. This is *compaction*.

# %% [markdown] lang="zh"
# **批次**要麻烦一些：每个句子想离开的层不同。如果大家都等最慢的那个，就什么也没省。所以把要离开的句子取出来，剩下的组成更小的张量继续往上走，这就是**压缩批次**（compaction）。

# %%
batch = worlds_tokenizer(worlds_test["text"][:32], return_tensors="pt")["input_ids"]  # [B, T], one length
hidden, waiting = worlds_model.bert.embeddings(batch), torch.arange(len(batch))
left_at = torch.zeros(len(batch), dtype=torch.long)
for depth, (layer, exit) in enumerate(zip(worlds_model.bert.encoder.layer, worlds_model.exits), start=1):
    hidden = layer(hidden)  # computes only those that wait
    leaves = uncertainty(exit(hidden)) < speed
    leaves |= depth == len(worlds_model.exits)  # the last exit always answers
    left_at[waiting[leaves]] = depth
    hidden, waiting = hidden[~leaves], waiting[~leaves]
    print(f"layer {depth}: {int(leaves.sum()):2} leave, {len(waiting):2} go on")
    if len(waiting) == 0:
        break

# %% [markdown] lang="en"
# `predict` of the course's model does the same, and handles padding too. Equal, sentence by sentence:

# %% [markdown] lang="zh"
# 课程模型的 `predict` 做的是同一件事，并且会处理填充。逐句核对，结果相同：

# %% tags=["nbval-check-output"]
output = worlds_model.predict(batch, speed=speed)
print(torch.equal(output.exit_layer, left_at))

# %% [markdown] lang="en"
# The slider of 3.5 on the worlds. Type a world of your own: change one pass of the first text, or ask for more steps.

# %% [markdown] lang="zh"
# 3.5 节的滑块，这次用玩具世界。写一个你自己的玩具世界：改动第一段文字里的一次传球，或者多传几步。

# %% tags=["nbval-ignore-output"]
mine = np.flatnonzero(np.array(worlds_test["language"]) == language())
class_names = worlds_test.features["label"].names
worlds_slider = SpeedSlider(
    worlds_trace, worlds_test["text"], class_names, worlds_model, worlds_tokenizer, among=mine
)
worlds_slider

# %% tags=["test"]
for each, sentence in ((worlds_slider, text), (slider, "房间很干净，但是服务太差")):
    pictures = set()
    for value in (0.0, 1.0, 0.5):  # both ends and the middle
        each.speed.value = value
        here = each.trace.at(value)
        assert each.table(value).iloc[:, 1].tolist() == here.exit_layer[each.shown].tolist()
        assert f"<b>{here.accuracy:.1%}</b>" in each.state.value  # bold: the teacher's stands there as well
        pictures.add(each.image.value)
    assert len(pictures) == 3
    each.box.value = sentence
    assert "<table" in each.layers.value
    each.box.value = ""
    each.notice.value = ""

# %% [markdown] lang="en"
# ## 3.9 Which reviews need depth? (7 min, home)
#
# Which reviews do *only deep* exits get right? We compare those that the teacher mends with those it spoils: are they longer, or do they turn round in the middle, with a 但, 不过 or 可是 ("but") or a 虽然 ("although")?
#
# **Predict.** For every ten reviews that the teacher mends, how many does it spoil?

# %% [markdown] lang="zh"
# ## 3.9 哪些评论需要深度？（7 分钟，课后）
#
# 哪些评论**只有深的出口**才答对？比较教师改对的和改错的：它们更长吗？或者中间有转折，带着“但”“不过”“虽然”“可是”？
#
# **先预测。** 教师每改对十条评论，会改错几条？

# %%
my_spoilt = None  # your number, for example 1

# %%
from course_lib import class_word, outcome_table, outcomes, shortest, with_gloss

groups = outcomes(trace)
checks.compare_guess(my_spoilt, 10 * groups["spoilt"].sum() / groups["mended"].sum())
outcome_table(trace, test["text"])

# %% tags=["nbval-ignore-output"]
for number in shortest(trace, groups["mended"]):
    word = class_word(test.features["label"].int2str(int(trace.labels[number])))
    print(f"{word}: {with_gloss(test['text'][number])}")

# %% [markdown] lang="en"
# Read the two first rows against each other before believing in any one of the examples (the shortest that the teacher mends): the teacher mends some reviews and spoils others, and the difference is all that depth is worth here.
#
# Back to 3.4, where two exits that reported the same uncertainty were not right equally often. The paper's own Figure 4 shows the like, on its book reviews:

# %% [markdown] lang="zh"
# 先把前两行对照着读，再决定要不要相信这些例子（教师改对的评论中最短的几条）：教师改对一些评论，也改错另一些，两者之差就是深度在这里的全部价值。
#
# 回到 3.4 节：报告同样不确定性的两个出口，答对的比例并不一样。论文的图 4（图书评论）可作旁证：

# %%
from course_lib import published

for row in published(paper="FastBERT", table="Figure 4", setting="uncertainty 0.2-0.3"):
    say("lesson03.figure_4", model=row["model"], accuracy=float(row["value"]) / 100)
for exit in reversed(exits):
    say("lesson03.figure_4_here", exit=exit, accuracy=by_uncertainty(trace, exit).accuracy[2])

# %% [markdown] lang="en"
# Compare the two orders, from top to bottom (the paper counts its classifiers from 0). Which exit is the safer one at equal uncertainty need not be the same for two models, so a threshold must be chosen for the model that it serves. The authors add that this is an effect of *which* sentences fall into a bin, not proof that students beat their teacher.

# %% [markdown] lang="zh"
# 从上到下比较这两个次序（论文的分类器从 0 数起）。不确定性相同时哪个出口更可靠，不同的模型未必一样，所以阈值要针对所用的模型来选。作者也说明：这反映的是**哪些**句子落在这一格里，并不证明学生胜过教师。

# %% [markdown] lang="en"
# ## 3.10 A speed for a purpose (38 min, home)
#
# What does a very low speed do?
#
# **Predict.** Speed 0.1, which lets only the surest sentences leave: how many times fewer FLOPs than the plain model?

# %% [markdown] lang="zh"
# ## 3.10 为目的选速度（38 分钟，课后）
#
# 速度很低时会怎样？
#
# **先预测。** 速度 0.1，只放走最有把握的句子：FLOPs 比普通模型少几倍？

# %%
my_saving = None  # your number, for example 1.5

# %%
least = trace.uncertainties[:-1].min()  # the last exit always answers, whatever it reports
checks.compare_guess(my_saving, trace.at(0.1).flops_speedup, ".2f")
say("lesson03.nothing_leaves", least=least, speedup=trace.at(0.99 * least).flops_speedup)

# %% [markdown] lang="en"
# So the useful range of speeds begins where the surest exit begins, and that differs from model to model: look at the uncertainties before choosing a speed. (Distillation from a cautious teacher teaches caution: a student that is never nearly certain has learnt it from targets that are never nearly 0 or 1.)
#
# **Exercise 3** (★★, 12 min). Nobody wants "speed 0.37"; people want "lose at most half a point". Choose, from a list of speeds, the one that saves most FLOPs and loses at most `max_loss` against the teacher.

# %% [markdown] lang="zh"
# 可见，速度从最有把握的出口所能达到的不确定性起才开始有用，而这一点因模型而异：选速度之前，先看看不确定性。（向谨慎的教师蒸馏，学到的也是谨慎：学生从不近乎肯定，是因为目标从不接近 0 或 1。）
#
# **练习 3**（★★，12 分钟）。没有人想要“速度 0.37”，人们想要的是“最多损失半个百分点”。从一列速度中选出最省 FLOPs、且相对教师的损失不超过 `max_loss` 的那一个。

# %% [markdown] lang="en"
# <details><summary>Hint</summary>
#
# `trace.at(speed)` has `.accuracy` and `.flops_speedup`; speed 0 is the teacher. Keep the speeds within the budget, then take the `max` of them by saving.
#
# </details>

# %% [markdown] lang="zh"
# <details><summary>提示</summary>
#
# `trace.at(speed)` 有 `.accuracy` 和 `.flops_speedup`；速度 0 就是教师。先留下预算之内的速度，再按节省程度取 `max`。
#
# </details>


# %% tags=["solution"]
def choose_speed(trace, speeds, max_loss):
    teacher = trace.at(0.0).accuracy
    allowed = [speed for speed in speeds if teacher - trace.at(speed).accuracy <= max_loss + 1e-9]
    return max(allowed, key=lambda speed: trace.at(speed).flops_speedup)


# %% tags=["starter"]
def choose_speed(trace, speeds, max_loss):
    raise NotImplementedError("the speed that saves most within the budget")


# %% tags=["nbval-check-output"]
passed = checks.check_budget(choose_speed)

# %% [markdown] lang="en"
# A speed is chosen on *validation* sentences and judged on *test* sentences. Does the budget hold there?

# %% [markdown] lang="zh"
# 速度在**验证集**上选，在**测试集**上评判。预算在那里还守得住吗？

# %%
validation = load_traces("reviews-fastbert", "validation")[0]
chosen = validation.budget(max_loss=0.005)
kept = trace.at(chosen)
say("lesson03.budget", speed=chosen, points=100 * (kept.accuracy - by_layer[-1]), exits=kept)

# %% [markdown] lang="en"
# **Exercise 4** (★★★, 20 min, open). The same uncertainty can be another risk at every exit, so why one speed for all? Find a list of speeds, one for each student exit, that is more accurate on the validation sentences than one speed *at the same FLOPs*. (Faster but less accurate proves nothing, nor does slower but righter: one speed for all can be moved that way, too.) Then look at the test sentences: how much of the gain is left?

# %% [markdown] lang="zh"
# **练习 4**（★★★，20 分钟，开放题）。同样的不确定性在各出口可能意味着不同的风险，那为什么要共用一个速度？为每个学生出口各找一个速度，使它们在验证集上比**FLOPs 相同**的统一速度更准。（更快但更不准，或者更准但更慢，都说明不了什么：统一的速度也可以这样调。）再看测试集：收益还剩多少？

# %% [markdown] lang="en"
# <details><summary>Hint</summary>
#
# Start from `[0.5] * students`. Change one number at a time and keep a change that makes nothing worse and something better: then the list beats speed 0.5, and it may beat its neighbours, too.
#
# </details>

# %% [markdown] lang="zh"
# <details><summary>提示</summary>
#
# 从 `[0.5] * students` 出发，每次只改一个数；如果没有变差、又有所改进，就保留这个改动：这样得到的列表胜过速度 0.5，很可能也胜过附近的速度。
#
# </details>

# %% tags=["solution"]
students = len(by_layer) - 1
my_speeds = [0.5] * students
best = validation.at(my_speeds)
for exit in range(students):
    for candidate in np.linspace(0, 1, 21):
        trial = my_speeds[:exit] + [float(candidate)] + my_speeds[exit + 1 :]
        found = validation.at(trial)
        if found.accuracy >= best.accuracy and found.flops_speedup > best.flops_speedup:
            my_speeds, best = trial, found

# %% tags=["starter"]
students = len(by_layer) - 1
my_speeds = ...  # a list of `students` numbers

# %%
passed = checks.check_thresholds(my_speeds, validation)

# %% tags=["solution"]
from course_lib import early_exit, one_speed

own = early_exit([trace], [my_speeds])
say("lesson03.own_speeds", gain=points(difference(own, one_speed([trace], own.cost))))

# %% tags=["starter"]
from course_lib import early_exit, one_speed

# Your speeds on the test sentences: own = early_exit([trace], [my_speeds]); one_speed([trace], own.cost)
# is its rival at equal FLOPs, and points(difference(…, …)) says what lies between them.
own = ...

# %% [markdown] lang="en"
# ## 3.11 Where it loses (8 min, home)
#
# **A batch waits for its slowest sentence.** Compaction makes the upper layers cheaper, but somebody still has to climb them:

# %% [markdown] lang="zh"
# ## 3.11 它在哪里吃亏（8 分钟，课后）
#
# **一个批次要等最慢的句子。** 压缩批次让上面几层变便宜，但总还有句子要爬上去：

# %%
from course_lib import slowest_of_batches

left = trace.at(0.5).exit_layer
say("lesson03.slowest", mean=left.mean(), slowest=slowest_of_batches(left, batch_size=32))

# %% [markdown] lang="en"
# **Speed is not per cent.** The same threshold saved very different amounts on the paper's twelve data sets (Table 2):

# %% [markdown] lang="zh"
# **速度不是百分比。** 同一个阈值，在论文的十二个数据集上节省的程度大不相同（表 2）：

# %%
from course_lib import fastbert_savings

by_saving = sorted(fastbert_savings(0.5), key=lambda each: each.flops_speedup)
say("lesson03.paper_range", sets=len(by_saving), least=by_saving[0], most=by_saving[-1])

# %%
slow = fastbert_savings(0.1)
saving = [each for each in slow if each.flops_speedup >= 2]
lossless = sum(each.accuracy >= each.teacher for each in saving)
say("lesson03.without_loss", n=len(saving), sets=len(slow), m=lossless)

# %% [markdown] lang="en"
# **The model gets bigger, and long texts stay expensive.** Exits are added, nothing is taken away; and inside each layer attention still grows with the square of the length, a part that the paper's counting leaves out:

# %% [markdown] lang="zh"
# **模型变大了，长文本依旧昂贵。** 只增加了出口，什么也没有减少；而且每一层里注意力的计算量仍随长度的平方增长，论文的计算方法没有计入这一部分：

# %%
added = sum(count_parameters(exit) for exit in model.exits[:-1]) / count_parameters(model)
attention = {n: 1 - paper_layer_flops(bert_base, n) / float(layer_flops(bert_base, n)) for n in (128, 512)}
say("lesson03.bigger", added=added, short=attention[128], long=attention[512])

# %% [markdown] lang="en"
# **Often said, and not so:**
#
# | claim | what holds | source |
# |---|---|---|
# | "FastBERT is 1 to 12 times faster" | a ratio of *counted FLOPs*, one sentence at a time; users measured less, some nothing below speed 0.8 | section 4.3; issues of the repositories |
# | "speed = 0.5 means half the time" | it is a threshold on uncertainty | section 3.3, Table 2 |
# | "low entropy guarantees a right answer" | LUHA is a hypothesis, shown on one data set and not monotone; certain answers are wrong too (3.4) | section 4.4, Figure 4 |
# | "it handles long sequences efficiently" | at most 128 tokens were tried; attention stays quadratic | section 4.3 |
# | "it makes the model smaller" | it adds a classifier to every layer; LayerDrop with pruning shrinks (lesson 4) | section 3.1 |
# | "2 to 5 times without loss" | on some of the paper's data sets, not on all: the count for speed 0.1 stands above | section 4.3, Table 2 |
# | "one threshold means the same everywhere" | accuracy at equal uncertainty differs by exit; with many classes entropy stays near 1 | Figure 4; issue 7 of the official repository |

# %% [markdown] lang="zh"
# **常听到、其实不对的说法：**
#
# | 说法 | 实际情况 | 出处 |
# |---|---|---|
# | “FastBERT 快 1 到 12 倍” | 这是逐句处理时 **FLOPs 计数**之比；用户实测没有这么多，有人在速度低于 0.8 时毫无收益 | 4.3 节；代码仓库的 issue |
# | “speed = 0.5 就是时间减半” | 它是不确定性的阈值 | 3.3 节，表 2 |
# | “熵低就一定答对” | LUHA 是假设，只在一个数据集上展示过，而且并不单调；有把握的回答也会错（本课 3.4） | 4.4 节，图 4 |
# | “能高效处理长序列” | 论文最多只用 128 个词元；注意力仍是平方复杂度 | 4.3 节 |
# | “模型变小了” | 每一层都多了一个分类器；真正变小的是 LayerDrop 加剪枝（第 4 课） | 3.1 节 |
# | “无损加速 2 到 5 倍” | 论文中只有一部分数据集如此：速度 0.1 时的个数见上文 | 4.3 节，表 2 |
# | “同一个阈值到处含义相同” | 同样的不确定性，各出口准确率不同；类别很多时，熵总在 1 附近 | 图 4；官方代码仓库 issue 7 |

# %% [markdown] lang="en"
# ## 3.12 Could depth be worth more? (9 min, home)
#
# Would depth be worth more if words had to be *composed* first? bert-base-chinese reads single characters; our model reads pieces of one to four. Two small networks of 6 layers, trained alike on the same amount of tokens, tell (`data/recipes/tokens-*.toml`).
#
# **Predict.** Which one gains more points from exit 1 to exit 6?

# %% [markdown] lang="zh"
# ## 3.12 深度能不能更值钱？（9 分钟，课后）
#
# 如果词要先由网络**拼**出来，深度会不会更值钱？bert-base-chinese 读的是单个的字，我们的模型读的是一到四个字的词块。两个 6 层的小网络，训练方法和读过的词元数都一样，可以回答这个问题（`data/recipes/tokens-*.toml`）。
#
# **先预测。** 从出口 1 到出口 6，哪一个提高得更多？

# %%
from course_lib import accuracy_by_exit_table, t

characters, pieces = "tokens-characters-fastbert", "tokens-pieces-fastbert"
accuracy_by_exit_table({t("tokens.characters"): characters, t("tokens.pieces"): pieces})

# %%
from course_lib import accuracy_by_seed, difference_of_seeds

ours, theirs = accuracy_by_seed(pieces), accuracy_by_seed(characters)  # [seeds, exits]
better = points(difference_of_seeds(ours[:, -1], theirs[:, -1]))
deeper = points(difference_of_seeds(ours[:, -1] - ours[:, 0], theirs[:, -1] - theirs[:, 0]))
say("lesson03.tokens", better=better, depth=deeper)

# %% [markdown] lang="en"
# Or is it the pre-training: would more of it make depth worth more? The same fine-tuning and distillation, with the same seed, on our backbone as it was before the last phase of its pre-training (`reviews-start`) and after it (`reviews-backbone`).
#
# **Predict.** How many points does the last exit gain by that phase?

# %% [markdown] lang="zh"
# 还是与预训练有关：预训练更久，深度会不会更值钱？用同样的微调和蒸馏、同一个种子，分别从预训练最后一个阶段之前的主干（`reviews-start`）和之后的主干（`reviews-backbone`）开始。
#
# **先预测。** 多了这个阶段，最后一个出口提高几个百分点？

# %%
my_gain = None  # your number, for example 1

# %%
before = accuracy_by_seed("reviews-start-fastbert")
after = accuracy_by_seed("reviews-fastbert")[: len(before)]  # the same seeds
first, last = (difference_of_seeds(after[:, exit], before[:, exit]) for exit in (0, -1))
checks.compare_guess(my_gain, 100 * last.mean)

# %%
from course_lib import held_out_loss

losses = {"before": held_out_loss("reviews-start"), "after": held_out_loss("reviews-backbone")}
say("lesson03.pretraining", **losses, first=points(first), last=points(last))

# %% [markdown] lang="en"
# **Exercise 5** (★★★, open; you train it yourself). The recipes of characters and pieces made it small to be quick. `course train tokens-characters-backbone`, with more steps or more layers in a recipe of your own: does the difference grow or vanish?

# %% [markdown] lang="zh"
# **练习 5**（★★★，开放题；要自己训练）。为了省时间，字和词块的两个配方都做得很小。用 `course train tokens-characters-backbone` 的配方改出你自己的：更多步数，或者更多层。差别会变大，还是消失？

# %%
from course_lib import read_record

say("lesson03.tokens_minutes", minutes=read_record("tokens-characters-backbone")["seconds"] / 60)

# %% [markdown] lang="en"
# ## 3.13 Depth that was taught, and the direction of the KL divergence (7 min, home)
#
# Why did depth follow the steps of the worlds so neatly (3.3)? Because it was **taught** to. While the teacher was trained, every layer was also asked a question of its own: who has the ball after one more pass? (`StepByStep` in `course_lib/training/finetune.py`; the students never saw these questions.) Then the students were distilled from the teacher's answers: trained until their **KL divergence** from it, a measure of how far one distribution is from another, was small. All recipes stand in `data/recipes`.
#
# **Predict.** Without that help, on how many per cent of the worlds with 4 steps is the teacher right?

# %% [markdown] lang="zh"
# ## 3.13 教出来的深度，以及 KL 散度的方向（7 分钟，课后）
#
# 在 3.3 节里，深度为什么那么整齐地跟着步数走？因为这是**教出来的**。训练教师时，每一层还另外被问一个自己的问题：再传一次球之后，球在谁手里？（见 `course_lib/training/finetune.py` 里的 `StepByStep`；学生从没见过这些问题。）然后学生向教师的回答蒸馏：一直训练到它与教师之间的 **KL 散度**（衡量两个分布相差多远）变小。配方都在 `data/recipes` 里。
#
# **先预测。** 没有这种帮助，4 步的玩具世界教师能答对百分之几？

# %%
my_unaided = None  # your number, for example 50

# %%
from course_lib import teacher_by_steps_table

by_steps = teacher_by_steps_table(["worlds-fastbert", "worlds-unaided", "worlds-paper-kl"])
checks.compare_guess(my_unaided, 100 * by_steps.loc["worlds-unaided"].iloc[-1])
by_steps

# %% [markdown] lang="en"
# Without help the network answers by chance. `worlds-paper-kl` had the help; it was distilled with the paper's direction of the KL divergence, KL(student||teacher), instead of the official code's, KL(teacher||student). What does that change?

# %% [markdown] lang="zh"
# 没有帮助，网络只能瞎猜。`worlds-paper-kl` 得到了帮助，但蒸馏时 KL 散度用的是论文的方向 KL(学生||教师)，而不是官方代码的 KL(教师||学生)。这改变了什么？

# %%
from course_lib import kl_table

kl_table(["worlds-fastbert", "worlds-paper-kl"])

# %% [markdown] lang="en"
# In the paper's direction a student is punished hardest for spreading its answer where the teacher is sure. A student that cannot know yet then leans to *one* answer and is too sure of it: at the same speed it loses more, and a network that may lose no more must be slower. (The networks without help and with the paper's KL are of one seed each: what you see is an observation.)

# %% [markdown] lang="zh"
# 按论文的方向，教师很有把握时，学生把概率分散开来受罚最重。还不可能知道答案的学生就会偏向**某一个**答案，而且过于有把握：速度相同时，损失更多；损失相同时，就得更慢。（没有帮助的网络和用论文 KL 方向的网络都只有一个种子：这只是一次观察。）

# %% [markdown] lang="en"
# ## 3.14 Check yourself (4 min, home)
#
# 1. *From lesson 2:* the students learn by KL divergence from the teacher. Do they need labels? Which way round is the KL in the paper?
# 2. Speed 0: how many layers does a sentence use? And speed 1?
# 3. Why does exit 1 nearly reach the teacher on reviews, but not on worlds with 4 steps?
# 4. Two exits both report uncertainty 0.2. May you trust them equally?
# 5. FLOPs fall by 4, the clock by 2. Name two places where the rest went.
# 6. "Early exit keeps the accuracy at a quarter of the FLOPs." What must be said beside it?
#
# <details><summary>Answers</summary>
#
# 1. No labels: the teacher's answers are the targets, so unlabelled text will do. The paper uses KL(student ‖ teacher) (equation 5); the official code the other direction.
# 2. Speed 0: all layers, since uncertainty is never below 0. Speed 1: the first, unless its answer is exactly uniform.
# 3. Sentiment is mostly in the words, which layer 1 can see. Four passes must be chained, and in this network each link takes a layer.
# 4. Not without looking. Accuracy at the same uncertainty can differ from exit to exit: here, and in the paper's Figure 4.
# 5. Exits and comparisons at each layer; moving tensors when a batch is compacted; small batches that use the processor badly; the slowest sentence of each batch.
# 6. What a fixed depth reaches at the same FLOPs, and the interval of the difference (3.5); and the measured time (3.6).
#
# </details>

# %% [markdown] lang="zh"
# ## 3.14 自测（4 分钟，课后）
#
# 1. **第 2 课的内容：** 学生用 KL 散度向教师学习。需要标签吗？论文里 KL 的方向是哪一个？
# 2. 速度为 0 时，一个句子要用几层？速度为 1 呢？
# 3. 为什么在评论上出口 1 几乎赶得上教师，却答不了 4 步的玩具世界？
# 4. 两个出口都报告不确定性 0.2，可以同样相信它们吗？
# 5. FLOPs 减少到四分之一，时间只减少一半。说出另一半去了哪里，举两处。
# 6. “提前退出只用四分之一的 FLOPs，准确率不变。”这句话旁边还必须说明什么？
#
# <details><summary>答案</summary>
#
# 1. 不需要标签：教师的回答就是目标，用没有标注的文本即可。论文用 KL(学生 ‖ 教师)（公式 5），官方代码用的是另一个方向。
# 2. 速度 0：全部层，因为不确定性不会小于 0。速度 1：第一层，除非它的回答恰好是均匀分布。
# 3. 情感大多写在词里，第 1 层就能看到；四次传球必须一环扣一环，在这个网络里每一环都要一层。
# 4. 不能想当然。同样的不确定性，各出口的准确率可能不同：本课如此，论文图 4 也如此。
# 5. 每一层的出口和比较；压缩批次时搬动张量；小批次用不满处理器；每个批次里最慢的句子。
# 6. FLOPs 相同时固定深度能达到多少，以及差别的区间（3.5）；还有实测用时（3.6）。
#
# </details>

# %% [markdown] lang="en"
# ## What you saw
#
# - Depth is for composing: in the worlds network each number of steps needs its own depth, and easy inputs leave it unused (3.1, 3.3).
# - Uncertainty is normalised entropy; speed is a threshold on it, not a percentage (3.2).
# - Early exit is a short loop; an exit costs little beside its layer, and a batch must be compacted (3.3, 3.7, 3.8).
# - Accuracy, layers, FLOPs and milliseconds belong together, and beside them a rival of equal cost (3.5, 3.6).
# - It loses where batches wait, where exits differ in risk, where texts are long, where memory counts, and where depth is worth little (3.5, 3.9, 3.11).
#
# **What this lesson does not show.** One small model on one set of reviews and one constructed task. The intervals of 3.5 say how sure the comparison is on other texts of this kind, and, where several seeds are compared, on other seeds; not what a model of 110 million parameters does on your texts, or on a GPU: measure it there, with the cells above.
#
# **Next:** lesson 4, LayerDrop: a network that can be cut to any depth *before* it runs.
#
# **References.** Liu et al. (2020), *FastBERT: a Self-distilling BERT with Adaptive Inference Time*, ACL: sections 3.1 (exits), 3.2.3 (self-distillation, equations 5 and 6), 3.3 (uncertainty, equation 7; speed), 4.3 (Tables 1 and 2), 4.4 (LUHA, Figure 4). Sanford, Hsu and Telgarsky (2024), *Transformers, parallel computation, and logarithmic depth*, ICML.

# %% [markdown] lang="zh"
# ## 这一课看到了什么
#
# - 深度用来一步步推理：在玩具世界的网络里，每多一步就需要更深，容易的输入用不上它（3.1、3.3）。
# - 不确定性是归一化的熵；速度是它的阈值，不是百分比（3.2）。
# - 提前退出只是一个短循环；与一层相比，出口很便宜，批次则必须压缩（3.3、3.7、3.8）。
# - 准确率、层数、FLOPs 和毫秒要放在一起看，旁边还要有代价相等的对手（3.5、3.6）。
# - 批次要等、各出口风险不同、文本很长、内存紧张、深度本来就不值钱，这些地方它都吃亏（3.5、3.9、3.11）。
#
# **这一课没有说明什么。** 这里只有一个小模型、一个评论数据集和一个人造任务。3.5 节的区间说明，换成同类的其他文本（比较了多个种子时，也包括换成别的种子），结论有多可靠；至于一亿一千万参数的模型在你的文本上、在 GPU 上表现如何，这里什么也没有说：请用上面的单元格在那里实测。
#
# **下一课：** 第 4 课 LayerDrop，一种在运行**之前**就能裁到任意深度的网络。
#
# **参考文献。** Liu 等（2020），*FastBERT: a Self-distilling BERT with Adaptive Inference Time*，ACL：3.1 节（出口）、3.2.3 节（自蒸馏，公式 5、6）、3.3 节（不确定性，公式 7；速度）、4.3 节（表 1、表 2）、4.4 节（LUHA，图 4）。Sanford、Hsu、Telgarsky（2024），*Transformers, parallel computation, and logarithmic depth*，ICML。
