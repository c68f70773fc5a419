# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] lang="en"
# # 2 · “Two-stage pre-training”: how a FastBERT is trained
#
# Hidden words teach a network language, labels teach it a task, and then it teaches itself to answer early. This lesson does all three, small and live.
#
# | | |
# |---|---|
# | Time | {{class_minutes}} minutes in class, {{home_minutes}} minutes at home, {{exercise_minutes}} of exercises in them |
# | Necessary | lesson 1 (layers, exits, weights), softmax, cross-entropy |
# | Helpful | what a training loop does |
# | The code runs in | {{runtime}} |

# %% [markdown] lang="zh"
# # 2 · “两阶段预训练”：FastBERT 是怎样训练的
#
# 被遮住的词教会网络语言，标签教会它一个任务，然后它自己教自己提前作答。这一课把三件事都做一遍，规模很小，现场完成。
#
# | | |
# |---|---|
# | 时间 | 课堂 {{class_minutes}} 分钟，课后 {{home_minutes}} 分钟，其中练习 {{exercise_minutes}} 分钟 |
# | 必备 | 第 1 课（层、出口、权重）、softmax、交叉熵 |
# | 有帮助 | 训练循环做些什么 |
# | 代码运行时间 | {{runtime}} |

# %% [markdown] lang="en"
# **You will be able to**
#
# 1. name the three stages, what each reads and what each trains, and which of them FastBERT does itself;
# 2. compute the loss of masked language modelling by hand, and pre-train a small network;
# 3. show what pre-training has put into a network before it has seen one label;
# 4. compute the KL divergence in both directions, and say whom each punishes;
# 5. distil students without labels, and say what self-distillation is worth and what it cannot do.

# %% [markdown] lang="zh"
# **学完这一课，你能够**
#
# 1. 说出三个阶段、各自读什么、训练什么，以及哪些阶段是 FastBERT 自己做的；
# 2. 手算掩码语言建模的损失，并预训练一个小网络；
# 3. 展示网络在见到任何标签之前，预训练已经给了它什么；
# 4. 计算两个方向的 KL 散度，并说出各自惩罚谁；
# 5. 不用标签蒸馏学生，并说出自蒸馏值多少、做不到什么。

# %% [markdown] lang="en"
# ## The lesson in one picture (2 min, class)

# %% [markdown] lang="zh"
# ## 一张图看懂这一课（2 分钟，课堂）

# %% tags=["nbval-ignore-output"]
from course_lib import figures, show

show(figures.stages_schematic())

# %% [markdown] lang="en"
# (*Outline, FastBERT, figure 2.*) The **backbone** is the embeddings and layers. The **teacher** is the exit after the last layer, the **students** are the exits below it. One network, three stages.

# %% [markdown] lang="zh"
# （**大纲，FastBERT，图 2。**）**主干**（backbone）是嵌入和各层；**教师**是最后一层之后的出口，**学生**是它下面的那些出口。一个网络，三个阶段。

# %% tags=["nbval-ignore-output"]
import math

import torch

from course_lib import checks, language, load_fastbert, load_masked_lm, read_record, reviews, say, stages

torch.manual_seed(0)
torch.set_grad_enabled(False)  # switched on where something is trained
print("torch", torch.__version__, "·", torch.get_num_threads(), "threads ·", language())

# %% [markdown] lang="en"
# ## 2.1 Two stages, or three? (5 min, class)
#
# The outline says: “two-stage pre-training, an initial one and a further self-distillation pre-training”. Counted properly there are three stages, and of these FastBERT *loads* the first (paper, section 3.2.1: any BERT will do), so its own two are **fine-tuning** and **self-distillation**. Only the first is pre-training in the usual sense: the other two are done anew for each task.
#
# **Predict.** Of all weights, what percentage does self-distillation train?

# %% [markdown] lang="zh"
# ## 2.1 两个阶段，还是三个？（5 分钟，课堂）
#
# 大纲说：“两阶段预训练，即初始预训练和进一步的自蒸馏预训练”。认真数一数，有三个阶段，其中第一个 FastBERT 是直接**加载**的（论文 3.2.1 节：任何 BERT 都行），所以它自己的两个阶段是**微调**和**自蒸馏**。通常意义上的预训练只有第一个：另外两个，每换一个任务都要重做。
#
# **先预测。** 自蒸馏训练的权重，占全部权重的百分之几？

# %%
my_percent = None  # your number, for example 50

# %%
from course_lib import count_parameters, trained_weights

model, tokenizer = load_fastbert("reviews-fastbert")
trained = trained_weights(model)  # as `set_stage` of the model chooses them
share = trained["distil"] / count_parameters(model)
checks.compare_guess(my_percent, 100 * share)
long_run = [read_record("reviews-start"), read_record("reviews-backbone")]
stages.stages_table(model, long_run, read_record("reviews-fastbert-seed1"))

# %%
say("lesson02.share", share=share)

# %% [markdown] lang="en"
# (*Outline, FastBERT, table 2: the first two rows are the usual way, the third is what FastBERT adds.*)
#
# **Exercise 1** (★, 3 min). Which of `"backbone"`, `"teacher"`, `"students"` learn in the stage `"finetune"`, in `"distill"`, and in `"joint"` (the paper's ablation, without distillation: everything at once, on labels)? Return a list.

# %% [markdown] lang="zh"
# （**大纲，FastBERT，表 2：前两行是通常的做法，第三行是 FastBERT 增加的。**）
#
# **练习 1**（★，3 分钟）。`"backbone"`（主干）、`"teacher"`（教师）、`"students"`（学生）之中，哪些在 `"finetune"`（微调）阶段学习，哪些在 `"distill"`（自蒸馏）阶段，哪些在 `"joint"` 阶段（论文的消融实验，不做蒸馏：所有部分一起用标签训练）？返回一个列表。

# %% [markdown] lang="en"
# <details><summary>Hint</summary>
#
# Look at the colours in the first picture.
#
# </details>

# %% [markdown] lang="zh"
# <details><summary>提示</summary>
#
# 看第一张图里的颜色。
#
# </details>


# %% tags=["solution"]
def my_trained_parts(stage):
    if stage == "finetune":
        return ["backbone", "teacher"]
    if stage == "distill":
        return ["students"]
    return ["backbone", "teacher", "students"]  # "joint"


# %% tags=["starter"]
def my_trained_parts(stage):
    raise NotImplementedError("a list of parts")


# %% tags=["nbval-check-output"]
passed = checks.check_trained_parts(my_trained_parts)

# %% [markdown] lang="en"
# ## 2.2 Hidden words, by hand (9 min, class)
#
# Stage one needs no labels: the text is its own teacher. A share of the tokens is hidden, and the network must say what stood there (**masked language modelling**). BERT hides 15 %; this course 30 %, since its texts are few and small networks learn more from more questions.
#
# By hand: five tokens, two of them hidden. The network gives the right tokens of the hidden places the probabilities 0.5 and 0.1. The loss of a place is $-\log p$, and only hidden places count: $(-\log 0.5 - \log 0.1)/2 \approx (0.69 + 2.30)/2 \approx 1.50$ **nats** (a loss in natural logarithms). As a loop, and in tensors:

# %% [markdown] lang="zh"
# ## 2.2 手算：被遮住的词（9 分钟，课堂）
#
# 第一阶段不需要标签：文本就是自己的老师。遮住一部分词元，让网络说出原来是什么（**掩码语言建模**，masked language modelling）。BERT 遮住 15%；本课程遮住 30%，因为文本少，小网络多回答一些问题能学得更多。
#
# 手算：五个词元，遮住两个。网络给这两处的正确词元的概率是 0.5 和 0.1。每一处的损失是 $-\log p$，而且只算被遮住的：$(-\log 0.5 - \log 0.1)/2 \approx (0.69 + 2.30)/2 \approx 1.50$ **奈特**（nat，用自然对数计的损失）。先写成循环，再写成张量：

# %% tags=["nbval-check-output"]
probabilities = [0.9, 0.5, 0.8, 0.1, 0.7]  # of the right token, place by place
hidden = [False, True, False, True, False]

losses = []
for probability, asked in zip(probabilities, hidden):
    if asked:
        losses.append(-math.log(probability))
by_loop = sum(losses) / len(losses)

right, asked = torch.tensor(probabilities), torch.tensor(hidden)  # [T], [T]
in_tensors = -right[asked].log().mean()
assert math.isclose(by_loop, in_tensors.item(), abs_tol=1e-6)
say("lesson02.by_hand", loop=by_loop, tensor=in_tensors.item())

# %% [markdown] lang="en"
# **Exercise 2** (★★, 5 min, home). The loss as a function of `probabilities` (of the right tokens) and `hidden`.

# %% [markdown] lang="zh"
# **练习 2**（★★，5 分钟，课后）。把损失写成 `probabilities`（正确词元的概率）和 `hidden`（是否被遮住）的函数。

# %% [markdown] lang="en"
# <details><summary>Hint</summary>
#
# Collect $-\log p$ where `hidden` is True; divide by how many there are, not by all tokens.
#
# </details>

# %% [markdown] lang="zh"
# <details><summary>提示</summary>
#
# 在 `hidden` 为 True 处收集 $-\log p$；除以它们的个数，不是全部词元的个数。
#
# </details>


# %% tags=["solution"]
def my_masked_loss(probabilities, hidden):
    losses = [-math.log(p) for p, asked in zip(probabilities, hidden) if asked]
    return sum(losses) / len(losses)


# %% tags=["starter"]
def my_masked_loss(probabilities, hidden):
    raise NotImplementedError("the mean of -log p over the hidden tokens")


# %% tags=["nbval-check-output"]
passed = checks.check_masked_loss(my_masked_loss)

# %% [markdown] lang="en"
# Now a real one: our own backbone, 12 layers, pre-trained on these reviews and a newspaper. Its tokens are pieces of one to four characters. The fifth token is hidden:
#
# 房间 · 很干净 · ， · 但是 · **[MASK]** · 太差 (*the room · very clean · , · but · [MASK] · too bad*)
#
# **Predict.** What will it guess? Write a word, in Chinese or English, and look for it.

# %% [markdown] lang="zh"
# 现在看真的网络：我们自己的主干，12 层，在这些评论和一份报纸上预训练过。它的词元是一到四个字的词块。遮住第五个词元：
#
# 房间 · 很干净 · ， · 但是 · **[MASK]** · 太差
#
# **先预测。** 它会猜什么？写一个词，再看看有没有。

# %%
my_word = ""

# %%
backbone, backbone_tokenizer = load_masked_lm("reviews-backbone")
text = "房间很干净，但是服务太差"
stages.guesses_table(backbone, backbone_tokenizer, text, place=5)

# %%
ids = backbone_tokenizer(text, return_tensors="pt")["input_ids"]  # [1, T]
seen = ids.clone()
seen[0, 5] = backbone_tokenizer.mask_token_id  # place 0 is [CLS]
probability = backbone(seen).logits[0, 5].softmax(-1)[ids[0, 5]].item()
vocabulary = len(backbone_tokenizer)
costs = {"loss": -math.log(probability), "tokens": vocabulary, "guessing": math.log(vocabulary)}
say("lesson02.guess", probability=probability, **costs)

# %% [markdown] lang="en"
# What is hidden need not look hidden: of the tokens that are asked for, 80 % become [MASK], 10 % another token and 10 % stay, so that the network must keep an eye on every token. The course's class does the hiding:

# %% [markdown] lang="zh"
# 被遮住的不一定看得出来：在要猜的词元里，80% 换成 [MASK]，10% 换成别的词元，10% 保持原样，这样网络对每个词元都不敢大意。课程库的类负责遮词：

# %%
from course_lib import MaskedLanguageModel, t

rows = backbone_tokenizer(
    reviews()["train"]["text"][:400], truncation=True, padding=True, return_tensors="pt"
)
for rate in (0.15, 0.3):
    hider = MaskedLanguageModel(backbone, backbone_tokenizer, mask_rate=rate)
    seen, asked = hider.hide(rows["input_ids"])  # [B, T], [B, T]
    texts, tokens = rows["attention_mask"].shape[0], int(rows["attention_mask"].sum())
    say("lesson02.hidden", rate=rate, share=asked.sum().item() / tokens, tokens=tokens, texts=texts)

# %%
same = seen[asked] == rows["input_ids"][asked]
masked = seen[asked] == hider.mask_id
fate = {"mask": masked, "random": ~masked & ~same, "same": same}
for kind, those in fate.items():
    print(f"{t(f'masked.kind_{kind}')}: {those.float().mean():.1%}")

# %% [markdown] lang="en"
# The shares are what was drawn: close to the rates, not equal to them (special tokens lower the first two, and a random token may by chance be the right one). And the class's loss is our mean of $-\log p$, on the real network:

# %% [markdown] lang="zh"
# 这些比例是抽签抽出来的：接近设定的比率，但不相等（特殊词元不遮，使前两个比例略低；随机的词元也可能碰巧就是原来的那个）。而课程库的类算出的损失，就是我们的 $-\log p$ 的平均，在真实的网络上验证：

# %% tags=["nbval-check-output"]
few = {name: rows[name][:8] for name in ("input_ids", "attention_mask")}  # [8, T]
torch.manual_seed(0)
by_class = hider(**few)
torch.manual_seed(0)  # the same tokens are hidden
seen, asked = hider.hide(few["input_ids"])
guessed = backbone(seen, few["attention_mask"]).logits.softmax(-1)  # [8, T, V]
right = guessed.gather(-1, few["input_ids"][..., None])[..., 0]  # [8, T]: of the right token
torch.testing.assert_close(-right[asked].log().mean(), by_class, rtol=1e-4, atol=1e-4)
print("equal")

# %% [markdown] lang="en"
# ## 2.3 Pre-training, live (8 min, class)
#
# A new network with random weights: 3 layers, as the recipe of our backbone begins. It gets a few seconds of reviews.
#
# **Predict.** What is the loss of a network that knows nothing and guesses among all tokens? ($\log$ of how many tokens there are.)

# %% [markdown] lang="zh"
# ## 2.3 现场预训练（8 分钟，课堂）
#
# 一个权重随机的新网络：3 层，与我们主干的配方开头一样。给它几秒钟读评论。
#
# **先预测。** 一个什么也不懂、在全部词元里瞎猜的网络，损失是多少？（词元个数的 $\log$。）

# %%
my_loss = None  # your number, for example 5

# %% tags=["nbval-ignore-output", "timing"]
import time

from course_lib import in_time, pretrain_live, tokenise

unlabelled = reviews()["train"].select_columns("text")
rows = tokenise(unlabelled.select(range(3000)), backbone_tokenizer)
recipe, start = long_run[0]["recipe"], time.perf_counter()
with torch.enable_grad():  # at most 80 steps, and about 20 seconds
    (young, history), steps = in_time(
        lambda number: pretrain_live(recipe, backbone_tokenizer, rows, number), 80, at_most=20, trial=10
    )
seconds = time.perf_counter() - start
checks.compare_guess(my_loss, math.log(vocabulary), ".2f")

# %% tags=["nbval-ignore-output", "timing"]
show(figures.pretraining_loss(long_run, history, vocabulary))

# %% tags=["nbval-ignore-output", "timing"]
first, last = history[0]["loss"], history[-1]["loss"]
choices = {"choices": math.exp(last), "all": vocabulary}
say("lesson02.live", steps=steps, seconds=seconds, first=first, last=last, **choices)

# %%
from course_lib import held_out_loss

all_steps = sum(phase["history"][-1]["step"] for record in long_run for phase in record["phases"])
hours = sum(record["seconds"] for record in long_run) / 3600
end = held_out_loss("reviews-backbone")
machine = {"threads": long_run[1]["machine"]["threads"], "hours": hours, "steps": all_steps}
say("lesson02.recorded", loss=end, choices=math.exp(end), **machine)

# %% [markdown] lang="en"
# The first seconds bring the easy part: which tokens are frequent. What comes after it takes hours, and BERT's own pre-training took days on many processors. That is why FastBERT's authors, like everybody, *load* a pre-trained BERT. (The steps in the blue curve: the network grows from 3 to 6 to 12 layers, each time by copying the layers that it has; the last jump is the learning rate, which begins anew.)

# %% [markdown] lang="zh"
# 开头几秒学到的是容易的部分：哪些词元常见。之后的部分要几个小时，而 BERT 自己的预训练要在许多处理器上跑好几天。所以 FastBERT 的作者和大家一样，**加载**一个预训练好的 BERT。（曲线上的台阶：网络从 3 层长到 6 层再到 12 层，每次都是把已有的层复制一遍；最后一个小坡是学习率重新开始。）

# %% [markdown] lang="en"
# ## 2.4 What has it learnt, before any label? (7 min, class)
#
# A **probe** finds out: the network is left as it is, its states are averaged over each review, and a simple classifier (logistic regression) must read *positive* or *negative* off them. Three networks of 12 layers: random weights; our backbone, pre-trained; and the same after fine-tuning.
#
# **Predict.** How often is the probe right on the *pre-trained* network, which has never seen a label? (Guessing: about 50 %.)

# %% [markdown] lang="zh"
# ## 2.4 见到标签之前，它学会了什么？（7 分钟，课堂）
#
# 用**探针**（probe）来看：网络保持不变，把它的状态在每条评论上求平均，让一个简单的分类器（逻辑回归）从中读出**好评**还是**差评**。三个 12 层的网络：随机权重的；预训练过的主干；微调之后的。
#
# **先预测。** 在**只做过预训练**、从没见过标签的网络上，探针答对百分之几？（瞎猜约为 50%。）

# %%
my_percent = None  # your number, for example 60

# %%
from course_lib import new_masked_lm, probe_accuracy


def short_ones(rows, number):
    places = [place for place, text in enumerate(rows["text"]) if len(text) < 60]
    return rows.select(places[:number])


short, asked_texts = short_ones(reviews()["train"], 300), short_ones(reviews()["test"], 300)
torch.manual_seed(0)
newborn = new_masked_lm(backbone_tokenizer, 12, **recipe["model"]).eval()
networks = {"nothing": newborn.bert, "pretrained": backbone.bert, "tuned": model.bert}
probes = {name: probe_accuracy(bert, tokenizer, short, asked_texts) for name, bert in networks.items()}
checks.compare_guess(my_percent, 100 * probes["pretrained"])
say("lesson02.probe", texts=len(short), asked=len(asked_texts), **probes)

# %% tags=["test"]
assert probes["nothing"] < probes["pretrained"] < probes["tuned"]  # what the text says

# %% [markdown] lang="en"
# Even random layers pass something on: which words occur. Pre-training adds much of what separates praise from blame, since words that are used alike get similar states. **Fine-tuning**, stage two, then trains the whole backbone with its teacher on the labels; our recipe reads the training reviews five times.

# %% [markdown] lang="zh"
# 随机的层也能传递一点东西：出现了哪些词。预训练又补上了许多能区分褒贬的东西，因为用法相近的词会得到相近的状态。然后是第二阶段**微调**：用标签训练整个主干和教师，我们的配方把训练评论读五遍。

# %% [markdown] lang="en"
# And more pre-training? Two backbones, one after the first half of its pre-training (`reviews-start`), one after all of it, both fine-tuned and distilled alike:

# %% [markdown] lang="zh"
# 预训练更多呢？两个主干，一个只做完预训练的前一半（`reviews-start`），一个全部做完，微调和蒸馏都一样：

# %%
from course_lib import accuracy_by_seed, difference_of_seeds, points

before = accuracy_by_seed("reviews-start-fastbert")  # [seeds, exits]
after = accuracy_by_seed("reviews-fastbert")[: len(before)]  # the same seeds
gains = {
    name: points(difference_of_seeds(after[:, exit], before[:, exit]))
    for name, exit in (("first", 0), ("last", -1))
}
say("lesson02.second_half", before=held_out_loss("reviews-start"), after=end, **gains)

# %% [markdown] lang="en"
# ## 2.5 Self-distillation, by hand (9 min, class)
#
# Stage three: each student is to answer as the teacher does. How far is one answer from another? The **KL divergence** measures it, and it has a direction. Two classes: the teacher says $p_t = (0.9, 0.1)$, a student $p_s = (0.6, 0.4)$.
#
# $$\mathrm{KL}(p_s \| p_t) = \sum_i p_s(i) \log \frac{p_s(i)}{p_t(i)} = 0.6 \log \frac{0.6}{0.9} + 0.4 \log \frac{0.4}{0.1} \approx -0.243 + 0.555$$
#
# $$\mathrm{KL}(p_t \| p_s) = \sum_i p_t(i) \log \frac{p_t(i)}{p_s(i)} = 0.9 \log \frac{0.9}{0.6} + 0.1 \log \frac{0.1}{0.4} \approx 0.365 - 0.139$$
#
# The first is the paper's (equation 5; its $p_t(j)$ is a misprint for $p_t(i)$), the second that of the official code, and of Hinton's distillation. Neither has a temperature, neither looks at labels; equation 6 adds up all students.

# %% [markdown] lang="zh"
# ## 2.5 手算自蒸馏（9 分钟，课堂）
#
# 第三阶段：每个学生都要像教师那样回答。一个回答离另一个有多远？用 **KL 散度**衡量，它是有方向的。两个类别：教师说 $p_t = (0.9, 0.1)$，学生说 $p_s = (0.6, 0.4)$。
#
# $$\mathrm{KL}(p_s \| p_t) = \sum_i p_s(i) \log \frac{p_s(i)}{p_t(i)} = 0.6 \log \frac{0.6}{0.9} + 0.4 \log \frac{0.4}{0.1} \approx -0.243 + 0.555$$
#
# $$\mathrm{KL}(p_t \| p_s) = \sum_i p_t(i) \log \frac{p_t(i)}{p_s(i)} = 0.9 \log \frac{0.9}{0.6} + 0.1 \log \frac{0.1}{0.4} \approx 0.365 - 0.139$$
#
# 第一个是论文的方向（公式 5；其中的 $p_t(j)$ 是 $p_t(i)$ 的误印），第二个是官方代码的方向，也是 Hinton 蒸馏的方向。两者都没有温度，都不看标签；公式 6 把所有学生的加起来。

# %% tags=["nbval-check-output"]
from course_lib import self_distillation_loss

teacher, student = torch.tensor([0.9, 0.1]), torch.tensor([0.6, 0.4])
paper = code = 0.0
for p_s, p_t in zip(student.tolist(), teacher.tolist()):  # the loop
    paper += p_s * math.log(p_s / p_t)
    code += p_t * math.log(p_t / p_s)
in_tensors = (student * (student / teacher).log()).sum(), (teacher * (teacher / student).log()).sum()

logits = student.log()[None, None], teacher.log()[None]  # students [L-1, B, C], teacher [B, C]
for by_loop, tensor, way in zip((paper, code), in_tensors, ("student||teacher", "teacher||student")):
    course = self_distillation_loss(*logits, way)
    torch.testing.assert_close(course, tensor)
    assert math.isclose(course.item(), by_loop, abs_tol=1e-6)
say("lesson02.kl", paper=paper, code=code)

# %% [markdown] lang="en"
# **Predict.** Beside a teacher that is sure (95 %), a student hesitates (50 %). Which direction punishes it more, `"paper"` or `"code"`?

# %% [markdown] lang="zh"
# **先预测。** 教师很有把握（95%），学生却拿不定主意（50%）。哪个方向罚得更重：`"paper"`（论文）还是 `"code"`（代码）？

# %%
my_direction = None  # "paper" or "code"

# %%
from course_lib import penalty

torn = {"paper": penalty(0.5, 0.95, "student||teacher"), "code": penalty(0.5, 0.95, "teacher||student")}
checks.compare_choice(my_direction, max(torn, key=torn.get), ("paper", "code"))

# %% tags=["nbval-ignore-output"]
show(figures.divergences())

# %% [markdown] lang="en"
# The paper's direction punishes *hesitating where the teacher is sure*; the code's punishes *being sure where the teacher is not* (right), and without bound ruling out what the teacher holds possible. Which is better depends on whether a student can know the answer at all: lesson 3, section 3.13, shows a task on which the paper's direction makes students too sure.
#
# **Exercise 3** (★★, 6 min, home). The paper's direction, for lists of any length. Mind $0 \cdot \log 0$.

# %% [markdown] lang="zh"
# 论文的方向惩罚**教师有把握而学生犹豫**；代码的方向惩罚**教师没把握而学生很肯定**（右图），而且学生若把教师认为可能的答案完全排除，惩罚没有上限。哪个更好，要看学生究竟有没有可能知道答案：第 3 课 3.13 节有一个任务，论文的方向会让学生过于自信。
#
# **练习 3**（★★，6 分钟，课后）。写出论文的方向，列表可以是任意长度。留意 $0 \cdot \log 0$。

# %% [markdown] lang="en"
# <details><summary>Hint</summary>
#
# One term a class: $p_s \log(p_s / p_t)$; skip classes to which the student gives 0. Sum, do not average.
#
# </details>

# %% [markdown] lang="zh"
# <details><summary>提示</summary>
#
# 每个类别一项：$p_s \log(p_s / p_t)$；学生给 0 的类别跳过。求和，不是求平均。
#
# </details>


# %% tags=["solution"]
def my_kl(student, teacher):
    total = 0.0
    for p_s, p_t in zip(student, teacher):
        if p_s > 0:  # 0 · log 0 counts as 0
            total += p_s * math.log(p_s / p_t)
    return total


# %% tags=["starter"]
def my_kl(student, teacher):
    raise NotImplementedError("the sum of p_s log(p_s / p_t)")


# %% tags=["nbval-check-output"]
passed = checks.check_kl(my_kl)

# %% [markdown] lang="en"
# ## 2.6 Students learn without labels, live (5 min, class)
#
# Our reviews network again, but with new students, whose weights are random. First: does the loss look at labels? The same two reviews with the right labels, with wrong ones, with none:

# %% [markdown] lang="zh"
# ## 2.6 学生不用标签也能学，现场看（5 分钟，课堂）
#
# 还是那个评论网络，但换上权重随机的新学生。先看：损失看不看标签？同样两条评论，标签正确、标签错误、没有标签：

# %% tags=["nbval-check-output"]
from course_lib import with_new_students

fresh = with_new_students(model, seed=1).set_stage("distill")
batch = tokenizer(["非常好，强烈推荐", "太差了，不会再来"], padding=True, return_tensors="pt")
given = {"right": torch.tensor([1, 0]), "wrong": torch.tensor([0, 1]), "none": None}
found = {name: fresh(**batch, labels=labels).loss.item() for name, labels in given.items()}
assert found["right"] == found["wrong"] == found["none"]
say("lesson02.no_labels", **found)

# %% [markdown] lang="en"
# **Predict.** After at most 50 steps on reviews without their labels, how many per cent of the test reviews do the 11 students get right, on average?

# %% [markdown] lang="zh"
# **先预测。** 在去掉标签的评论上训练最多 50 步之后，11 个学生平均答对百分之几的测试评论？

# %%
my_percent = None  # your number, for example 70

# %% tags=["nbval-ignore-output", "timing"]
from course_lib import ExitTrace, distil_live

rows = tokenise(unlabelled.select(range(3000)), tokenizer)  # no column `label`
with torch.enable_grad():  # at most 50 steps, and about 20 seconds
    taught, steps = in_time(
        lambda number: distil_live(model, tokenizer, rows, number), 50, at_most=20, trial=10
    )
exits = {
    "untrained": ExitTrace.of(fresh, tokenizer, asked_texts).accuracy_by_layer,
    "reviews": ExitTrace.of(taught, tokenizer, asked_texts).accuracy_by_layer,
    "recorded": ExitTrace.of(model, tokenizer, asked_texts).accuracy_by_layer,
}
checks.compare_guess(my_percent, 100 * exits["reviews"][:-1].mean())
stages.accuracy_rows(exits)

# %% tags=["nbval-ignore-output", "timing"]
means = {"before": exits["untrained"][:-1].mean(), "after": exits["reviews"][:-1].mean()}
say("lesson02.distilled", steps=steps, teacher=exits["reviews"][-1], **means)

# %% tags=["test"]
assert exits["untrained"][-1] == exits["reviews"][-1] == exits["recorded"][-1]  # one and the same teacher
assert means["after"] > means["before"]

# %% [markdown] lang="en"
# A few seconds, and not one label. The teacher is *not a separate model*: it is the last exit of the same network, and since the backbone is frozen, its answers stay what they were.

# %% [markdown] lang="zh"
# 只用了几秒，一个标签也没有用。教师**不是另一个模型**：它就是同一个网络的最后一个出口；主干冻结，所以它的回答一直不变。

# %% [markdown] lang="en"
# ## 2.7 Must the texts be reviews? (6 min, home)
#
# If labels do not matter, perhaps the texts do not, either. New students read only a *newspaper* of 1998, which says nothing about hotels, and copy what the teacher answers to it.
#
# **Predict.** How many per cent of the reviews will these students get right, on average?

# %% [markdown] lang="zh"
# ## 2.7 非得是评论吗？（6 分钟，课后）
#
# 标签无关紧要，也许文本也无关紧要？让新学生只读 1998 年的**报纸**，里面不谈酒店；它们照抄教师对这些段落的回答。
#
# **先预测。** 这些学生平均能答对百分之几的评论？

# %%
my_percent = None  # your number, for example 55

# %% tags=["nbval-ignore-output", "timing"]
from course_lib import newspaper

rows = tokenise(newspaper().select(range(1500)), tokenizer)
with torch.enable_grad():
    readers, steps = in_time(
        lambda number: distil_live(model, tokenizer, rows, number), 50, at_most=20, trial=10
    )
exits["newspaper"] = ExitTrace.of(readers, tokenizer, asked_texts).accuracy_by_layer
checks.compare_guess(my_percent, 100 * exits["newspaper"][:-1].mean())

# %% tags=["nbval-ignore-output", "timing"]
show(
    figures.students_by_exit(
        {name: exits[name] for name in ("untrained", "reviews", "newspaper", "recorded")}
    )
)

# %% tags=["nbval-ignore-output", "timing"]
both = {name: exits[name][:-1].mean() for name in ("untrained", "newspaper", "reviews")}
say("lesson02.newspaper", steps=steps, **both)

# %% [markdown] lang="en"
# (*Outline, FastBERT, figure 4.*) What is copied is not answers to reviews but a *function*, the teacher's way of answering, and that shows on any text; the better, the more steps there are. A few steps and one seed: an observation, no law.

# %% [markdown] lang="zh"
# （**大纲，FastBERT，图 4。**）学生模仿的不是对评论的回答，而是教师这个**函数**，即它回答的方式；这在任何文本上都看得到，步数越多越清楚。步数很少、只有一个种子：这是一次观察，不是定律。

# %% [markdown] lang="en"
# ## 2.8 With and without self-distillation (8 min, home)
#
# What if the students are not distilled, but trained with everything else on the labels (the stage `"joint"`)? The paper's ablation (Table 3; accuracy in per cent, in brackets how many times fewer FLOPs, counted):

# %% [markdown] lang="zh"
# ## 2.8 有自蒸馏与没有自蒸馏（8 分钟，课后）
#
# 如果学生不蒸馏，而是和其他部分一起用标签训练（`"joint"` 阶段）呢？论文的消融实验（表 3；准确率，%；括号里是按计数的 FLOPs 加速比）：

# %%
stages.ablation_table()

# %%
for dataset, each in stages.ablation().items():
    say("lesson02.ablation", dataset=dataset, **each)

# %% [markdown] lang="en"
# (*Outline, FastBERT, table 4.*) On Book review distillation is ahead at about the same cost. On Yelp.P the network without it saves *more* FLOPs and is a little less accurate: not at equal cost, so neither is shown to be better. One run each, no intervals. The first reason for self-distillation is another: the backbone is not disturbed, and unlabelled text will do.
#
# And what a student cannot get is what its teacher does not know. On the worlds of lesson 3 (who has the ball after so many passes?) a teacher trained with help at every layer, and one without:

# %% [markdown] lang="zh"
# （**大纲，FastBERT，表 4。**）在 Book review 上，代价相近时有蒸馏的领先。在 Yelp.P 上，没有蒸馏的网络省下**更多** FLOPs，准确率低一点：代价并不相等，所以说不上谁更好。每格只有一次运行，没有区间。自蒸馏首要的理由在别处：它不动主干，而且没有标签的文本也能用。
#
# 教师不会的，学生也学不到。看第 3 课的玩具世界（传这么多次之后，球在谁手里？）：一个教师在训练时每一层都得到帮助，一个没有：

# %%
from course_lib import kl_table, summary, teacher_by_steps_table

names = ["worlds-fastbert", "worlds-unaided", "worlds-paper-kl"]
teacher_by_steps_table(names)

# %%
aided, unaided = (summary(name) for name in names[:2])
hardest = max(aided["by_steps"])
values = {
    "aided": aided["by_steps"][hardest]["teacher"][0],
    "unaided": unaided["by_steps"][hardest]["teacher"][0],
}
students = sum(mean for mean, _ in unaided["accuracy_by_layer"][:-1]) / (
    len(unaided["accuracy_by_layer"]) - 1
)
say("lesson02.help", steps=hardest, students=students, **values)

# %% [markdown] lang="en"
# Both directions on these worlds, else alike (one seed of the second): right answers at speed 0.5, the speed that loses at most 0.2 points, and the mean layer there.

# %% [markdown] lang="zh"
# 在这些玩具世界上，两个方向的比较，其余都一样（第二行只有一个种子）：速度 0.5 时答对的比例，最多损失 0.2 个百分点的速度，以及此时的平均层数。

# %%
kl_table(["worlds-fastbert", "worlds-paper-kl"])

# %% [markdown] lang="en"
# In the paper's direction (second row) students that cannot know yet become sure of something: at the same threshold they are wrong more often.

# %% [markdown] lang="zh"
# 按论文的方向（第二行），还不可能知道答案的学生也变得很有把握：阈值相同时，错得更多。

# %% [markdown] lang="en"
# ## 2.9 What the outline says, and what holds (4 min, home)
#
# | the outline says | what holds | source |
# |---|---|---|
# | “initial pre-training and further self-distillation pre-training” | FastBERT loads a pre-trained BERT; fine-tuning and self-distillation are done per task | section 3.2 |
# | it “raises the training's efficiency” | it adds a stage: the paper distils for 5 epochs after 3 of fine-tuning; only inference gets cheaper | section 4.3 |
# | it “raises the model's power of representation” | self-distillation leaves the backbone and its states as they are; only exits are trained | section 3.2.3; 2.1 |
# | (often) a big teacher teaches a small student | the teacher is the same network's last exit | section 3.2.3 |
# | (often) distillation needs labelled data | it does not look at labels | 2.6 |
# | (often) the loss is KL(teacher ‖ student) | so in the official code; the paper prints the other direction | equation 5; `run_fastbert.py` |
# | LayerDrop is “trained with an autoregressive objective, like BERT” | BERT guesses hidden words (2.2); LayerDrop keeps whatever objective its network has | LayerDrop, section 4 |

# %% [markdown] lang="zh"
# ## 2.9 大纲怎么说，实际如何（4 分钟，课后）
#
# | 说法 | 实际情况 | 出处 |
# |---|---|---|
# | 大纲：“初始预训练和进一步的自蒸馏预训练” | FastBERT 加载预训练好的 BERT；微调和自蒸馏是按任务做的 | 3.2 节 |
# | 大纲：“提高模型的训练效率” | 它多了一个阶段：论文先微调 3 个 epoch，再蒸馏 5 个；变省的只有推理 | 4.3 节 |
# | 大纲：“提升模型的表示能力” | 自蒸馏不改变主干和它的状态，训练的只有出口 | 3.2.3 节；本课 2.1 |
# | 常听到：大教师教小学生 | 教师就是同一个网络的最后一个出口 | 3.2.3 节 |
# | 常听到：蒸馏需要标注数据 | 它不看标签 | 本课 2.6 |
# | 常听到：损失是 KL(教师 ‖ 学生) | 官方代码如此；论文印的是另一个方向 | 公式 5；`run_fastbert.py` |
# | 大纲：LayerDrop “采用与 BERT 类似的自回归语言建模” | BERT 是猜被遮住的词（本课 2.2）；LayerDrop 不改变网络原来的训练目标 | LayerDrop 论文第 4 节 |

# %% [markdown] lang="en"
# ## 2.10 Check yourself (4 min, home)
#
# 1. *From lesson 1:* FastBERT's third stage trains about 3 % of the weights. Does it make the network smaller? What does it make cheaper?
# 2. A network gives the right token at three hidden places the probabilities 1, 0.5 and 0.25. The loss, in multiples of $\log 2$?
# 3. Which stage needs labels?
# 4. Student and teacher agree completely. What are the two KL divergences?
# 5. Student $(1, 0)$, teacher $(0.5, 0.5)$: which direction is without bound?
# 6. Why must the backbone be frozen while the students are distilled?
#
# <details><summary>Answers</summary>
#
# 1. No: exits are added, nothing is taken away. Answers get cheaper, since easy sentences leave early.
# 2. $(0 + 1 + 2)/3 = 1$ times $\log 2$.
# 3. Fine-tuning alone.
# 4. Both 0.
# 5. KL(teacher ‖ student): the student rules out what the teacher holds possible. The paper's direction gives $\log 2$.
# 6. Otherwise the teacher's answers, the targets, would move, and what fine-tuning has reached could be lost.
#
# </details>

# %% [markdown] lang="zh"
# ## 2.10 自测（4 分钟，课后）
#
# 1. **第 1 课的内容：** FastBERT 的第三阶段只训练约 3% 的权重。它让网络变小了吗？它让什么变省了？
# 2. 三处被遮住的地方，网络给正确词元的概率是 1、0.5、0.25。损失是 $\log 2$ 的几倍？
# 3. 哪个阶段需要标签？
# 4. 学生与教师完全一致。两个方向的 KL 散度各是多少？
# 5. 学生 $(1, 0)$，教师 $(0.5, 0.5)$：哪个方向没有上限？
# 6. 蒸馏学生的时候，主干为什么必须冻结？
#
# <details><summary>答案</summary>
#
# 1. 没有：只增加了出口，什么也没有减少。变省的是回答，因为容易的句子提前离开。
# 2. $(0 + 1 + 2)/3 = 1$ 倍。
# 3. 只有微调。
# 4. 都是 0。
# 5. KL(教师 ‖ 学生)：学生排除了教师认为可能的答案。论文的方向等于 $\log 2$。
# 6. 否则教师的回答，也就是目标，会跟着变；微调的成果也可能丢失。
#
# </details>

# %% [markdown] lang="en"
# ## What you saw
#
# - Three stages: hidden words, labels, the teacher's answers. FastBERT loads the first and does the other two (2.1).
# - The masked loss counts hidden tokens only; seconds bring the frequent tokens, hours the rest (2.2, 2.3).
# - A pre-trained network holds much of a task before it has seen a label (2.4).
# - The KL divergence has two directions, which punish different students; paper and code differ (2.5).
# - Self-distillation looks at no labels, trains few weights, and copies the teacher: its knowledge and its ignorance (2.6, 2.7, 2.8).
#
# **What this lesson does not show.** A network 128 wide and little text; a backbone that was pre-trained once. The live cells run for seconds, with one seed, and are tested on a few hundred short reviews: their figures move by points from machine to machine. Whether distilled students are better than jointly trained ones at *equal cost* is not shown here, and in the paper only on one of two data sets.
#
# **Next:** lesson 3, what the trained exits are good for: uncertainty, the speed threshold, and where early exit loses.
#
# **References.** Liu et al. (2020), *FastBERT*, ACL: sections 3.2.1 to 3.2.3 (the stages, equations 5 and 6), 4.3 (training), Table 3 (ablation); the official code, `run_fastbert.py`. Devlin et al. (2018), *BERT*: section 3.1 (masked language modelling). Gong et al. (2019), *Efficient Training of BERT by Progressively Stacking*. Hinton, Vinyals and Dean (2015), *Distilling the Knowledge in a Neural Network*. Sanh et al. (2019), *DistilBERT*. Fan, Grave and Joulin (2020), *Reducing Transformer Depth on Demand with Structured Dropout*, ICLR. Radford et al. (2019), *Language models are unsupervised multitask learners*.

# %% [markdown] lang="zh"
# ## 这一课看到了什么
#
# - 三个阶段：被遮住的词、标签、教师的回答。FastBERT 加载第一个阶段的结果，自己做后两个（2.1）。
# - 掩码损失只算被遮住的词元；几秒钟学到常见的词元，其余的要几个小时（2.2、2.3）。
# - 预训练过的网络，在见到标签之前就懂得任务的一大半（2.4）。
# - KL 散度有两个方向，惩罚的是不同的学生；论文与代码不一致（2.5）。
# - 自蒸馏不看标签，训练的权重很少，模仿的是教师：连同它会的和不会的（2.6、2.7、2.8）。
#
# **这一课没有说明什么。** 网络只有 128 宽，文本不多，主干只预训练过一次。现场训练的单元格只跑几秒、一个种子，在几百条短评论上测试：数字会因机器不同而差几个百分点。**代价相等**时，蒸馏的学生是否比一起训练的学生好，这里没有说明，论文里也只在两个数据集之一上看得出来。
#
# **下一课：** 第 3 课，训练好的出口有什么用：不确定性、速度阈值，以及提前退出在哪里吃亏。
#
# **参考文献。** Liu 等（2020），*FastBERT*，ACL：3.2.1 到 3.2.3 节（各阶段，公式 5、6）、4.3 节（训练）、表 3（消融）；官方代码 `run_fastbert.py`。Devlin 等（2018），*BERT*：3.1 节（掩码语言建模）。Gong 等（2019），*Efficient Training of BERT by Progressively Stacking*。Hinton、Vinyals、Dean（2015），*Distilling the Knowledge in a Neural Network*。Sanh 等（2019），*DistilBERT*。Fan、Grave、Joulin（2020），*Reducing Transformer Depth on Demand with Structured Dropout*，ICLR。Radford 等（2019），*Language models are unsupervised multitask learners*。
