# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] lang="en"
# ## 6.9 The other technique: LayerDrop on the same BERT (7 min, home)
#
# LayerDrop makes a network that bears cuts. Here the real BERT is fine-tuned on the reviews with drop rates 0, 0.2 and 0.5, then cut by four rules: the first layers stay ("ending early"), every other, a search on validation texts, and **layer similarity** (the layers that change their input least go; so are large language models pruned). Then some are trained a little further, without LayerDrop.
#
# **Predict.** Cut to 6 layers and *not* trained after: which network is right most often: the one fine-tuned with rate `0`, `0.2` or `0.5`?

# %% [markdown] lang="zh"
# ## 6.9 另一种技术：在同一个 BERT 上用 LayerDrop（7 分钟，课后）
#
# LayerDrop 训练出经得起裁层的网络。这里把真正的 BERT 在评论上微调，丢弃率为 0、0.2 和 0.5，然后按四种规则裁层：保留前几层（“提前结束”）、隔层保留、在验证文本上搜索，以及**层相似度**（先去掉对输入改动最小的层；大语言模型就是这样剪枝的）。其中一部分裁完再训练一小段，不用 LayerDrop。
#
# **先预测。** 裁到 6 层、裁后**不**再训练：哪个网络答对得最多？微调时丢弃率是 `0`、`0.2` 还是 `0.5`？

# %%
my_rate = None  # 0, 0.2 or 0.5

# %%
from course_lib import checks
from course_lib.tables import real_cuts
from course_lib.words import say

checks.compare_guess(my_rate, real_cuts.best_rate(6), "g")
real_cuts.real_cut_table()

# %%
say("lesson06.real_cuts", **real_cuts.cut_verdict(6))

# %% [markdown] lang="en"
# **Think.** Training after the cut makes most of these networks alike. So does anything beat the plainest way: keep the first layers and train on?

# %% [markdown] lang="zh"
# **想一想。** 裁后再训练，这些网络大多变得差不多。那么，有什么胜得过最朴素的做法（保留前几层，继续训练）吗？

# %%
real_cuts.against_ending_early(6)

# %%
real_cuts.against_ending_early(3)

# %%
for keep in (6, 3):
    say("lesson06.ending_early", keep=keep, winners=real_cuts.winners(keep))

# %% [markdown] lang="en"
# One seed, one task: the intervals are over texts. LayerDrop at fine-tuning is not the paper's recipe either: there it is used from pre-training on (lesson 4), and its authors saw little robustness when it was only added at the end.

# %% [markdown] lang="zh"
# 只有一个随机种子、一个任务：区间只反映文本的变化。只在微调时用 LayerDrop 也不是论文的做法：论文从预训练起就用它（第 4 课）；作者发现只在最后加上它，网络并不怎么经得起裁层。
