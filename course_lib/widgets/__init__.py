"""The sliders of the lessons: one file each.

No maths here: a slider asks a pure function and shows its answer. Its one figure is drawn once; a move
redraws only what moves (see `picture.py`), so nothing flickers or jumps.
"""

from course_lib.widgets.depth import DepthSlider
from course_lib.widgets.drop_rate import DropRateSlider
from course_lib.widgets.guarantee import PromiseSlider
from course_lib.widgets.speed import SpeedSlider, easy_to_hard

__all__ = ["DepthSlider", "DropRateSlider", "PromiseSlider", "SpeedSlider", "easy_to_hard"]
