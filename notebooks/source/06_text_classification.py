# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] lang="en"
# # 6 · Text classification: three corpora, and a fair comparison
#
# Both papers promise much for classification. Here a real pre-trained BERT does three tasks, and early exit must beat its simplest rivals at equal cost.
#
# | | |
# |---|---|
# | Time | {{class_minutes}} minutes in class, {{home_minutes}} at home, {{exercise_minutes}} of exercises in them |
# | Necessary | lesson 3 (exits, uncertainty, speed) |
# | Helpful | lesson 4 (LayerDrop), what a standard deviation is |
# | The code runs in | {{runtime}} |

# %% [markdown] lang="zh"
# # 6 · 文本分类：三个语料库，一场公平的比较
#
# 两篇论文都对分类寄予厚望。这一课让一个真正预训练过的 BERT 做三个任务；提前退出必须在代价相等时胜过最简单的对手。
#
# | | |
# |---|---|
# | 时间 | 课堂 {{class_minutes}} 分钟，课后 {{home_minutes}} 分钟，其中练习 {{exercise_minutes}} 分钟 |
# | 必备 | 第 3 课（出口、不确定性、速度） |
# | 有帮助 | 第 4 课（LayerDrop）、什么是标准差 |
# | 代码运行时间 | {{runtime}} |

# %% [markdown] lang="en"
# **You will be able to**
#
# 1. say how far a task can be solved without any network, and why that must be known first;
# 2. compare two classifiers on the same texts, at equal cost, with an interval around the difference;
# 3. name the rivals that early exit must beat, and where it does not;
# 4. choose a measure of uncertainty for a task with many classes;
# 5. say which technique fits which user.

# %% [markdown] lang="zh"
# **学完这一课，你能够**
#
# 1. 说出一个任务不用神经网络能做到什么程度，以及为什么必须先知道这一点；
# 2. 在同样的文本上、代价相等时比较两个分类器，并给出差值的区间；
# 3. 列出提前退出必须胜过的对手，以及它胜不过的地方；
# 4. 为类别很多的任务选择一种不确定性度量；
# 5. 说明哪种技术适合哪种用户。

# %%
import numpy as np
import torch

from course_lib import checks, class_names, figures, laws, load_fastbert, load_traces, news, reviews
from course_lib.style import show
from course_lib.tables import rivals
from course_lib.words import class_word, say, t
from course_lib.words.glosses import with_gloss

_ = torch.set_grad_enabled(False)  # nothing is trained in this lesson

# %% [markdown] lang="en"
# ## 6.1 Three tasks (6 min, class)
#
# - **Reviews** (Chinese): does the writer like it? Two classes.
# - **Laws** (Chinese): which of 41 laws does this article belong to? Where an article names its own law, the name is replaced by 某法 ("some law"), or it would give the answer away.
# - **News** (English, BBC): which of five topics?

# %% [markdown] lang="zh"
# ## 6.1 三个任务（6 分钟，课堂）
#
# - **评论**（中文）：作者喜欢还是不喜欢？两个类别。
# - **法律**（中文）：这一条出自 41 部法律中的哪一部？条文里提到自己这部法律的名字时，用“某法”代替，否则等于泄露答案。
# - **新闻**（英文，BBC）：属于五个主题中的哪一个？

# %%
corpora = {"reviews": reviews(), "laws": laws(), "news": news()}
for (name, corpus), number in zip(corpora.items(), (4, 7, 7), strict=True):
    row = corpus["test"][number]
    print(f"{name}: {with_gloss(row['text'][:200])} → {class_word(class_names(corpus)[row['label']])}")

# %% [markdown] lang="en"
# Before any network: how far do counted n-grams get (TF-IDF of one to three characters, logistic regression)? A task that they solve needs no BERT, and whoever does not ask does not know.
#
# **Predict.** On which task are counted n-grams right most often: `"reviews"`, `"laws"` or `"news"`?

# %% [markdown] lang="zh"
# 在用任何网络之前：只数 n 元字串（一到三个字符的 TF-IDF 加逻辑回归）能做到什么程度？它能解决的任务用不着 BERT；不问这一句，就不会知道。
#
# **先预测。** 数 n 元字串在哪个任务上答对得最多：`"reviews"`（评论）、`"laws"`（法律）还是 `"news"`（新闻）？

# %%
my_task = None  # "reviews", "laws" or "news"

# %%
from course_lib import read_record

counted = {name: read_record(f"{name}-tfidf")["metrics"]["test"] for name in corpora}
checks.compare_choice(my_task, max(counted, key=counted.get), list(corpora))
sizes = rivals.corpus_table(corpora, counted)
sizes

# %%
say("lesson06.counted", most=max(counted.values()), least=min(counted.values()))

# %% [markdown] lang="en"
# Counted n-grams are strong where a topic has its own words. What is left for a network is what single words do not say.

# %% [markdown] lang="zh"
# 主题有自己的词汇时，数 n 元字串就很强。留给网络的，是单个词语说不出来的东西。

# %% [markdown] lang="en"
# ## 6.2 A real BERT below the exits (6 min, class)
#
# Until now the networks of this course were trained from nothing. This one, multilingual-e5-small, has read a hundred languages: 12 layers, 384 wide. Of its vocabulary the course keeps what its texts need. Each task then adds two small things: **adapters** (LoRA: beside every matrix a product of two thin ones, added to it before use) and the **exits**.

# %% [markdown] lang="zh"
# ## 6.2 出口下面是一个真正的 BERT（6 分钟，课堂）
#
# 到目前为止，本课程的网络都是从零训练的。这一个叫 multilingual-e5-small，读过一百种语言：12 层，宽 384。词表只保留课程文本需要的部分。每个任务再加两样小东西：**适配器**（adapter，LoRA：在每个矩阵旁边加一个由两个细长矩阵相乘的积，使用前加进去）和**出口**。

# %%
models = {name: load_fastbert(f"{name}-e5") for name in corpora}
model, tokenizer = models["reviews"]
layers, exits = (sum(w.numel() for w in part.parameters()) for part in (model.bert.encoder, model.exits))
say(
    "lesson06.parameters",
    layers=layers,
    words=model.bert.embeddings.word_embeddings.weight.numel(),
    exits=exits,
)

# %% [markdown] lang="en"
# **Predict.** The course's own small network gained less than two points between its first and its last exit on the reviews. And this one: how many points?

# %% [markdown] lang="zh"
# **先预测。** 在评论上，课程自己的小网络从第一个出口到最后一个出口提高不到两个百分点。这一个会提高几个百分点？

# %%
my_gain = None  # your number, for example 3

# %%
traces = {name: load_traces(f"{name}-e5", "test") for name in corpora}  # one trace for each seed
by_exit = np.mean([trace.accuracy_by_layer for trace in traces["reviews"]], axis=0)  # [L]
checks.compare_guess(my_gain, 100 * (by_exit[-1] - by_exit[0]))

# %% tags=["nbval-ignore-output"]
show(figures.accuracy_by_exit_of_tasks(traces, counted))

# %%
say("lesson06.depth_worth", **rivals.depth_worth(traces))

# %% [markdown] lang="en"
# Dashed: counted n-grams, without a network. Where a curve rises, depth is worth something, and it costs something to leave early. Where it is flat from the start, a shallow network would do for all.

# %% [markdown] lang="zh"
# 虚线：不用网络、只数 n 元字串。曲线上升的地方，深度是值钱的，提前离开就要付出代价；一开始就平的地方，一个浅网络足以应付所有文本。

# %% [markdown] lang="en"
# ## 6.3 What is a fair comparison? (10 min, class)
#
# "Early exit: 2.5 times fewer FLOPs, half a point lost" says little. What would a network that simply *ends* earlier lose, for the same FLOPs? Three rules:
#
# 1. **The same texts.** Then easy and hard ones are the same for both.
# 2. **Equal cost.** A fixed depth knows only the costs of 1, 2, 3 … layers. Between two of them we *mix*: some texts get the shallower, the others the deeper, so that the mean cost fits.
# 3. **An interval.** Other texts and other seeds would give another difference. How different?
#
# **Exercise 1** (★, 5 min). Depths cost 10, 20 and 40 and are right on 70, 80 and 84 %. What does fixed depth reach at the cost of 15? And at 12.5? Write it for any cost.

# %% [markdown] lang="zh"
# ## 6.3 怎样比较才公平？（10 分钟，课堂）
#
# “提前退出：FLOPs 减少到 2.5 分之一，只损失半个百分点”，这句话说明不了什么。一个干脆**早点结束**的网络，花同样多的 FLOPs 会损失多少？三条规则：
#
# 1. **同样的文本。** 这样难易对双方都一样。
# 2. **代价相等。** 固定深度只有 1、2、3 …… 层这几种代价。介于两者之间就**混合**：一部分文本用较浅的，其余用较深的，使平均代价恰好相等。
# 3. **给出区间。** 换一批文本、换几个随机种子，差值会变。会变多少？
#
# **练习 1**（★，5 分钟）。几个深度的代价是 10、20、40，正确率是 70%、80%、84%。代价为 15 时固定深度能达到多少？12.5 呢？请对任意代价写出来。

# %% [markdown] lang="en"
# <details><summary>Hint</summary>
#
# Find the two neighbours. If the cost lies a quarter of the way from the cheaper to the dearer, a quarter of the texts gets the dearer. `np.interp` does it in one call.
#
# </details>

# %% [markdown] lang="zh"
# <details><summary>提示</summary>
#
# 找出相邻的两个深度。如果代价位于从便宜到贵的四分之一处，就让四分之一的文本用贵的那个。`np.interp` 一次调用就能完成。
#
# </details>


# %% tags=["solution"]
def my_equal_cost(costs, accuracies, cost):
    return float(np.interp(cost, costs, accuracies))


# %% tags=["starter"]
def my_equal_cost(costs, accuracies, cost):
    raise NotImplementedError("the mixture of the two neighbours whose mean cost is `cost`")


# %% tags=["nbval-check-output"]
passed = checks.check_equal_cost(my_equal_cost)

# %% [markdown] lang="en"
# Now the interval, by hand. Ten texts; 1 = right. Draw ten of the ten *with replacement*, so that some come twice and others not at all, and look at the difference; do it again and again. This is a **bootstrap**; it is *paired*, since a drawn text brings both its answers along.

# %% [markdown] lang="zh"
# 现在手工求区间。十个文本，1 表示答对。从十个里**有放回地**抽十个：有的抽到两次，有的一次也没有；看差值是多少，再反复抽。这叫**自助法**（bootstrap）；它是**成对**的，因为抽到一个文本，就同时带上双方对它的回答。

# %% tags=["nbval-check-output"]
early = np.array([1, 1, 1, 0, 1, 1, 1, 1, 0, 1])
fixed = np.array([1, 0, 1, 0, 1, 1, 0, 1, 1, 1])
random = np.random.default_rng(0)
for _ in range(4):
    drawn = random.integers(0, 10, 10)
    print(np.sort(drawn), "→", round(float(early[drawn].mean() - fixed[drawn].mean()), 1))

# %% tags=["nbval-check-output"]
drawn = random.integers(0, 10, (4000, 10))  # [draws, texts]
differences = (early - fixed)[drawn].mean(1)  # [draws]
print("mean", round(float(differences.mean()), 2))

# %% [markdown] lang="en"
# **Exercise 2** (★★, 4 min). From drawn differences to the interval that holds 95 % of them: leave 2.5 % out on either side.

# %% [markdown] lang="zh"
# **练习 2**（★★，4 分钟）。由抽样得到的差值求出包含其中 95% 的区间：两侧各去掉 2.5%。

# %% [markdown] lang="en"
# <details><summary>Hint</summary>
#
# Sorted, 400 values: the 11th from below and the 11th from above. `np.quantile` does it for any number.
#
# </details>

# %% [markdown] lang="zh"
# <details><summary>提示</summary>
#
# 400 个值排好序：从下往上第 11 个和从上往下第 11 个。`np.quantile` 适用于任意个数。
#
# </details>


# %% tags=["solution"]
def my_interval(drawn):
    return np.quantile(drawn, [0.025, 0.975])


# %% tags=["starter"]
def my_interval(drawn):
    raise NotImplementedError("[low, high]: 95 % of the drawn differences lie between them")


# %% tags=["nbval-check-output"]
passed = checks.check_interval(my_interval)

# %% [markdown] lang="en"
# The library's `difference` does the same, and draws seeds as well as texts:

# %% [markdown] lang="zh"
# 课程库里的 `difference` 做的是同一件事，而且除了文本还抽随机种子：

# %% tags=["nbval-check-output"]
from course_lib import difference, static

found = difference(static("early", early, flops=1.0), static("fixed", fixed, flops=1.0))
low, high = np.quantile(differences, [0.025, 0.975])
np.testing.assert_allclose([found.mean, found.low, found.high], [0.1, low, high], atol=0.11)
print(rivals.interval(found), "·", t("rivals.clear" if found.clear else "rivals.not_clear"))

# %% [markdown] lang="en"
# One more right answer out of ten looks like a lead, and the interval holds 0: with ten texts nobody knows.

# %% [markdown] lang="zh"
# 十个里多对一个，看起来是领先；可是区间包含 0：只有十个文本，谁也说不准。

# %% [markdown] lang="en"
# ## 6.4 Early exit and its rivals (9 min, class)
#
# - **fixed depth**: the network ends after layer *k* for everybody (two depths mixed);
# - **patience** (PABEE): a text leaves when several exits in a row have said the same;
# - **random exit**: as many leave at every layer as with early exit, but chance says which ones;
# - **TF-IDF**, and **students** distilled to 6 and 3 layers (DistilBERT's recipe) as far as they are trained: no dial, one cost.
#
# **Predict.** Reviews, 2.5 times fewer FLOPs: how many points is early exit ahead of fixed depth? (Behind: a negative number.)

# %% [markdown] lang="zh"
# ## 6.4 提前退出和它的对手（9 分钟，课堂）
#
# - **固定深度**：所有文本都在第 *k* 层之后结束（两个深度混合）；
# - **耐心准则**（PABEE）：连续几个出口答案相同，文本就离开；
# - **随机退出**：各层离开的数目与提前退出一样，但由运气决定是哪些；
# - **TF-IDF**，以及蒸馏成 6 层和 3 层的**学生**（DistilBERT 的做法，只列出已训练好的）：没有旋钮，只有一种代价。
#
# **先预测。** 评论，FLOPs 减少到 2.5 分之一：提前退出领先固定深度几个百分点？（落后就写负数。）

# %%
my_lead = None  # your number, for example 1.5

# %%
early, others, whole = rivals.rivals("reviews-e5", 2.5)
checks.compare_guess(my_lead, 100 * (early.accuracy - others[0].accuracy))
rivals.in_words(early, others, whole)

# %%
say("lesson06.lead", **rivals.verdict(early, others, whole))

# %% [markdown] lang="en"
# Read it row by row: whom does early exit beat *clearly* (the interval leaves 0 out)? The row "random exit" shows what choosing the texts is worth; "whole network" what is lost. And the other two tasks:

# %% [markdown] lang="zh"
# 一行一行地看：提前退出**明显**胜过谁（区间不含 0）？“随机退出”一行说明挑选文本值多少；“完整网络”一行说明损失了多少。另外两个任务：

# %%
for name in ("laws", "news"):
    early, others, whole = rivals.rivals(f"{name}-e5", 2.5)
    say("lesson06.lead_of", task=t(f"task.{name}"), **rivals.verdict(early, others, whole))

# %% tags=["test"]
from course_lib import difference

for name in ("laws", "news"):  # the summary says that the network is not shown to beat n-grams there
    early, others, whole = rivals.rivals(f"{name}-e5", 2.5)
    (tfidf,) = (each for each in others if each.name == "tfidf")
    assert difference(whole, tfidf).low <= 0 and difference(early, tfidf).low <= 0

# %%
rivals.by_saving(corpora, savings=(1.5, 2.5, 4.0, 6.0))

# %% [markdown] lang="en"
# An interval that holds 0 shows no lead, however large its middle. And mind the last line of the sentences above: where TF-IDF is among the better ones or is not beaten, the dial makes a network cheaper that was not needed in the first place.

# %% [markdown] lang="zh"
# 区间包含 0，就看不出领先，不管中间值有多大。再看上面几句话的末尾：TF-IDF 如果更好，或者没有被胜过，那么旋钮只是让一个本来就用不着的网络变便宜了。

# %% [markdown] lang="en"
# **Think.** Where would you rather ship the 3-layer network than the dial?
#
# <details><summary>An answer</summary>
#
# Where fixed depth is not clearly behind at the saving you want; where texts come one by one on a chip that prefers the same work each time; where memory counts (a shallow network is smaller, exits are not). The dial pays where the interval says so, and where the budget changes from hour to hour.
#
# </details>

# %% [markdown] lang="zh"
# **想一想。** 在什么情况下，你宁愿交付一个 3 层的网络，而不要这个旋钮？
#
# <details><summary>一种回答</summary>
#
# 在你想要的节省程度上，固定深度并没有明显落后；文本一条一条地来，而芯片喜欢每次做同样的工作；内存紧张（浅网络更小，出口却不会变小）。区间说它值得、而且预算时时在变的地方，旋钮才划算。
#
# </details>

# %% [markdown] lang="en"
# ## 6.5 Demo: three sliders (5 min, class)
#
# Move each slider. On which task does the curve bend first? Type a sentence of your own: for example 房间很干净，但是服务太差 ("the room is clean, but the service is too bad") for the reviews.

# %% [markdown] lang="zh"
# ## 6.5 演示：三个滑块（5 分钟，课堂）
#
# 逐个移动滑块。哪个任务的曲线最先弯下来？也可以输入自己的句子，例如给评论输入“房间很干净，但是服务太差”。

# %% tags=["nbval-ignore-output"]
from course_lib.widgets import SpeedSlider

sliders = {
    name: SpeedSlider(
        traces[name][0], corpora[name]["test"]["text"], class_names(corpora[name]), *models[name], rows=5
    )
    for name in corpora
}
sliders["reviews"]

# %% tags=["nbval-ignore-output"]
sliders["laws"]

# %% tags=["nbval-ignore-output"]
sliders["news"]

# %% tags=["test"]
for name, slider in sliders.items():
    pictures = set()
    for value in (0.0, 1.0, 0.5):  # both ends and the middle
        slider.speed.value = value
        here = slider.trace.at(value)
        assert slider.table(value).iloc[:, 1].tolist() == here.exit_layer[slider.shown].tolist()
        pictures.add(slider.image.value)
    assert len(pictures) >= 2, name

# %% [markdown] lang="en"
# ## 6.6 Forty-one classes: which uncertainty? (6 min, class)
#
# Normalised entropy divides by $\log N$. With 41 classes a long tail of small probabilities can keep it high, or a division by a large $\log N$ keep it low. Two others look only at the top: **max probability** (one minus the largest, scaled) and **top-k entropy** (among the five likeliest).

# %% [markdown] lang="zh"
# ## 6.6 四十一个类别：用哪种不确定性？（6 分钟，课堂）
#
# 归一化的熵要除以 $\log N$。有 41 个类别时，长长的一串小概率会把它抬高，除以很大的 $\log N$ 又会把它压低。另有两种只看最可能的几类：**最大概率**（1 减最大概率，再缩放）和 **top-k 熵**（只在最可能的五类之间计算）。

# %% tags=["nbval-check-output"]
from course_lib import uncertainty

certain = torch.tensor([0.6, *[0.4 / 40] * 40]).log()  # one class stands out, the rest is a long tail
torn = torch.tensor([0.5, 0.5, *[1e-9] * 39]).log()  # two classes, nothing else
for measure in ("entropy", "max_probability", "top_k_entropy"):
    print(f"{measure:16} {uncertainty(certain, measure):.2f} {uncertainty(torn, measure):.2f}")

# %% [markdown] lang="en"
# The first answer knows which law it is; the second hesitates between two. Normalised entropy calls the *first* one much more uncertain; the others turn it round. Does that matter for exits?
#
# **Predict.** At equal FLOPs (2.5 times fewer): which measure answers the laws best: `"entropy"`, `"max_probability"` or `"top_k_entropy"`?

# %% [markdown] lang="zh"
# 第一个回答知道是哪部法律，第二个在两部之间犹豫。归一化的熵却说**第一个**不确定得多；另外两种正好相反。这对出口要紧吗？
#
# **先预测。** FLOPs 相等（减少到 2.5 分之一）时，哪种度量在法律上答得最好：`"entropy"`（熵）、`"max_probability"`（最大概率）还是 `"top_k_entropy"`（top-k 熵）？

# %%
my_measure = None  # "entropy", "max_probability" or "top_k_entropy"

# %%
measures = rivals.measures_table("laws-e5", 2.5)
best = rivals.best_measure("laws-e5", 2.5)
checks.compare_choice(my_measure, best, ("entropy", "max_probability", "top_k_entropy"))
measures

# %%
say("lesson06.measures", **rivals.measure_verdict("laws-e5", 2.5))

# %% tags=["test"]
by_measure = [rivals.rivals("laws-e5", 2.5, measure=name) for name in rivals.MEASURES_OF_DOUBT]
accuracies = [early.accuracy for early, _, _ in by_measure]
assert max(accuracies) - min(accuracies) < (accuracies[0] - by_measure[0][1][0].accuracy) / 4

# %% [markdown] lang="en"
# The toy example is right, and yet the choice of a measure matters far less than having exits at all: compare its gain with the leads over fixed depth in the table. What counts is in which *order* a measure puts the texts of an exit, for the threshold is chosen afterwards.

# %% [markdown] lang="zh"
# 小例子没有错，可是选哪种度量，远不如“有没有出口”要紧：把它带来的好处和表中对固定深度的领先比一比。真正起作用的是一种度量给同一出口的文本排出的**次序**，因为阈值是事后选定的。

# %% [markdown] lang="en"
# ## 6.7 One threshold is not one risk (8 min, home)
#
# Is an exit as often right as it says? Each point holds an eighth of the test texts; the bars are 95 % intervals.

# %% [markdown] lang="zh"
# ## 6.7 一个阈值不等于一种风险（8 分钟，课后）
#
# 出口说自己有多大把握，就真有多大的正确率吗？每个点代表八分之一的测试文本，竖线是 95% 区间。

# %% tags=["nbval-ignore-output"]
show(figures.reliability_by_exit(traces["reviews"][0]))

# %% [markdown] lang="en"
# Below the diagonal an exit boasts. Students learn to imitate the teacher's probabilities, not to be right. Now one threshold for all: of those that leave at each layer, how many are wrong?

# %% [markdown] lang="zh"
# 落在对角线下方，说明出口在吹牛。学生学的是模仿教师的概率，不是答对。现在所有出口用同一个阈值：在各层离开的文本中，有多少答错？

# %% tags=["nbval-ignore-output"]
show(figures.risk_of_one_threshold(traces["reviews"][0], speed=0.5))

# %% tags=["test"]
at_half = traces["reviews"][0].at(0.5)
wrong = at_half.predictions != traces["reviews"][0].labels
assert wrong[at_half.exit_layer == 12].mean() > 2 * wrong.mean()

# %% [markdown] lang="en"
# The numbers above the bars count the texts. The same threshold lets through very different shares of errors, and not in step with depth; where few texts leave, the bars are long, and little is known. The last exit answers without any threshold: what is left there are the hard cases. Whoever promises "at most 5 % wrong" needs a threshold for each exit, chosen on texts with known answers; lesson 10 gives such a promise its guarantee.

# %% [markdown] lang="zh"
# 柱子上方的数字是文本个数。同一个阈值，各层放过的错误比例相差很大，而且并不随深度依次增减；离开的文本少的地方，误差线很长，能知道的不多。最后一个出口不用阈值就要回答：留到那里的都是难题。谁要承诺“最多错 5%”，就得为每个出口各选一个阈值，并在已知答案的文本上选；第 10 课会给这样的承诺加上保证。

# %% [markdown] lang="en"
# ## 6.8 At equal milliseconds (4 min, home)
#
# FLOPs are counted; a clock says what they are worth. Early exit and networks that end after layer 1, 2, 3 … took turns on one machine, in batches, sorted by length. This table gives fixed depth the *time* that early exit took, not its FLOPs.
#
# **Predict.** Does the lead over fixed depth become `"larger"` or `"smaller"` when time is equal instead of FLOPs (at 2.5x)?

# %% [markdown] lang="zh"
# ## 6.8 用时相等（4 分钟，课后）
#
# FLOPs 是数出来的，值多少要看时钟。提前退出与在第 1、2、3 …… 层之后结束的网络在同一台机器上轮流计时：按批次，按长度排序。这张表让固定深度花的**时间**与提前退出相等，而不是 FLOPs 相等。
#
# **先预测。** 把 FLOPs 相等换成用时相等（2.5 倍处），对固定深度的领先会变`"larger"`（更大）还是`"smaller"`（更小）？

# %%
my_change = None  # "larger" or "smaller"

# %%
savings, times = rivals.recorded_times("reviews-e5")
checks.compare_choice(my_change, rivals.change_of_lead("reviews-e5", 2.5), ("larger", "smaller"))
rivals.at_equal_time("reviews-e5", savings, times)

# %%
say("lesson06.clock", **rivals.how_timed(times))

# %% tags=["test"]
whole_ms = times.of_depths(model.config.num_hidden_layers)[-1]
assert all(whole_ms / each > 0.8 * saving for saving, each in zip(savings, times.early, strict=True))

# %% [markdown] lang="en"
# Where "quicker" is less than "fewer FLOPs", exits, comparisons and shrinking batches have eaten the rest. One machine, one batch size: `course bench rivals` measures yours.

# %% [markdown] lang="zh"
# “实测加速”小于“FLOPs 减少倍数”的地方，差额被出口、比较和不断缩小的批次吃掉了。这只是一台机器、一种批大小：`course bench rivals` 可以测你自己的机器。

# %% [markdown] lang="en"
# ## 6.9 Which technique for whom? (2 min, class)
#
# | you have … | then | why |
# |---|---|---|
# | a task that n-grams solve | no network at all | 6.1: the baseline comes first |
# | a budget that changes, or texts from trivial to hard | early exit | one network, one dial; look at the interval of 6.4 for your saving |
# | one small device, always the same budget | a network with fewer layers (cut or distilled) | smaller in memory, too; the clock keeps what FLOPs promise (lesson 4) |
# | many devices with different budgets | LayerDrop while you train, then cut for each | trained once, cut to the depths that training practised (lesson 4) |
# | a promise about errors | early exit with thresholds that were checked | 6.7, lesson 10 |

# %% [markdown] lang="zh"
# ## 6.9 哪种技术适合谁？（2 分钟，课堂）
#
# | 你的情况 | 选择 | 理由 |
# |---|---|---|
# | n 元字串就能解决的任务 | 不用网络 | 6.1：先看基线 |
# | 预算会变，或文本有易有难 | 提前退出 | 一个网络，一个旋钮；先看 6.4 里你要的节省程度对应的区间 |
# | 一台小设备，预算固定 | 层数更少的网络（裁层或蒸馏） | 内存也更小；FLOPs 许诺的，时钟能兑现（第 4 课） |
# | 许多设备，预算各不相同 | 训练时用 LayerDrop，再为每台设备裁层 | 训练一次，裁到训练中练习过的深度（第 4 课） |
# | 要对错误率作出承诺 | 提前退出，阈值经过检验 | 6.7，第 10 课 |

# %% [markdown] lang="en"
# ## 6.10 Check yourself (1 min, class)
#
# 1. *From lesson 3:* why does a speed of 0 cost more FLOPs than the plain network?
# 2. Early exit loses 0.3 points at 2.5x. What else must you know before you praise it?
# 3. The interval of a difference is −0.2 to +1.4. What may you say?
# 4. Why must the texts be the same for both?
#
# <details><summary>Answers</summary>
#
# 1. All layers run, and all exits on the way are paid for.
# 2. What fixed depth, patience, a small student and TF-IDF reach at the same cost, and the interval.
# 3. That the lead is not clear: 0 lies inside.
# 4. Texts differ in difficulty far more than classifiers do; on the same texts this cancels out.
#
# </details>

# %% [markdown] lang="zh"
# ## 6.10 自测（1 分钟，课堂）
#
# 1. **第 3 课的内容：** 速度为 0 时，为什么 FLOPs 比普通网络还多？
# 2. 提前退出在 2.5 倍时损失 0.3 个百分点。称赞它之前，你还必须知道什么？
# 3. 差值的区间是 −0.2 到 +1.4。你可以怎么说？
# 4. 为什么双方必须用同样的文本？
#
# <details><summary>答案</summary>
#
# 1. 所有层都要算，沿途的所有出口也都要付费。
# 2. 固定深度、耐心准则、小的学生网络和 TF-IDF 在同样代价下能达到多少，以及区间。
# 3. 领先并不明显：0 在区间之内。
# 4. 文本之间的难易差别远大于分类器之间的差别；用同样的文本，这部分就抵消了。
#
# </details>

# %% [markdown] lang="en"
# ## What you saw
#
# - Count n-grams first: on two of the three tasks no network of this lesson is shown to beat them (6.1, 6.4).
# - On a real BERT depth is worth something, and then leaving early has something to win and to lose (6.2).
# - A comparison is fair on the same texts, at equal cost, with an interval (6.3, 6.4).
# - The clock keeps most of what the FLOPs promise, on this network and in batches (6.8).
# - With many classes, too, what matters is the order of the texts, less the formula of uncertainty (6.6).
#
# **What this lesson does not show.** One backbone of 12 narrow layers, three corpora, at most 128 tokens of a text: the news are read by their beginnings only. The reviews' labels are noisy, which bounds every model. Where time was measured (6.8), it was one machine's.
#
# **Next:** lesson 7, text generation.
#
# **References.** Liu et al. (2020), *FastBERT*, ACL, Table 2. Zhou et al. (2020), *BERT Loses Patience: Fast and Robust Inference with Early Exit*, NeurIPS. Sanh et al. (2019), *DistilBERT*. Wang et al. (2022, 2024), E5 text embeddings. Hu et al. (2022), *LoRA*, ICLR. Efron and Tibshirani (1993), *An Introduction to the Bootstrap*.

# %% [markdown] lang="zh"
# ## 这一课看到了什么
#
# - 先数 n 元字串：三个任务中有两个，这一课的网络看不出胜过它（6.1、6.4）。
# - 在真正的 BERT 上深度是值钱的，提前离开才有得可赢、有得可输（6.2）。
# - 用同样的文本、代价相等、给出区间，比较才公平（6.3、6.4）。
# - 在这个网络上、成批处理时，FLOPs 许诺的大部分，时钟都兑现了（6.8）。
# - 类别再多，对出口起作用的也是文本的次序，不确定性用哪个公式没那么要紧（6.6）。
#
# **这一课没有说明什么。** 只有一个 12 层的窄网络、三个语料库，每个文本最多读 128 个词元：新闻只读了开头。评论的标签有噪声，任何模型都受此限制。实测用时（6.8）只是一台机器的。
#
# **下一课：** 第 7 课，文本生成。
#
# **参考文献。** Liu 等（2020），*FastBERT*，ACL，表 2。Zhou 等（2020），*BERT Loses Patience: Fast and Robust Inference with Early Exit*，NeurIPS。Sanh 等（2019），*DistilBERT*。Wang 等（2022、2024），E5 文本嵌入。Hu 等（2022），*LoRA*，ICLR。Efron 与 Tibshirani（1993），*An Introduction to the Bootstrap*。
