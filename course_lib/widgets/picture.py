"""A chart that moves: its background is drawn once, and each move sends one PNG."""

import io
from collections.abc import Sequence
from functools import lru_cache

import ipywidgets
import numpy as np
from matplotlib.artist import Artist
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from course_lib.style import BLUE, GREEN, INK, ORANGE, PURPLE, mime_bundle
from course_lib.widgets.former import close_former, widgets_below

WIDTH, HEIGHT = 10.0, 4.0  # inches at `style.DOTS` dots
DENSITY = 1.5  # sharp on dense screens, too, and a browser decodes it in time


class MovingPicture:
    """A figure of which only `moving` changes; their axes' limits are fixed."""

    def __init__(self, figure: Figure, moving: Sequence[Artist]):
        self.figure, self.moving = figure, moving
        self.background = None

    def png(self) -> bytes:
        """The PNG of what is set now, `DENSITY` times as many dots as shown."""
        canvas = self.figure.canvas
        if self.background is None:
            self.figure.set_dpi(DENSITY * self.figure.dpi)
            for artist in self.moving:
                artist.set_animated(True)
            canvas.draw()
            self.background = canvas.copy_from_bbox(self.figure.bbox)
        canvas.restore_region(self.background)
        for artist in self.moving:
            artist.axes.draw_artist(artist)
        size = canvas.get_width_height()
        pixels = Image.frombuffer("RGBA", size, canvas.buffer_rgba(), "raw", "RGBA", 0, 1).convert("RGB")
        # A hundred colours suffice for a chart, and are encoded in a fraction of the time that all take.
        pixels = pixels.quantize(palette=_palette(), dither=Image.Dither.NONE)
        buffer = io.BytesIO()
        pixels.save(buffer, "PNG", compress_level=1)
        return buffer.getvalue()


class PictureBox(ipywidgets.VBox):
    """A slider with its picture. Without a kernel the same notebook output shows `static_now()`.

    Where the cell that made a slider is run again, its former slider is closed (see `former.py`). One that is
    closed can still be asked in Python: it then draws its picture anew.
    """

    _picture: MovingPicture | None = None

    def __init__(self, children: Sequence[ipywidgets.Widget]):
        super().__init__(children)
        close_former(self)

    @staticmethod
    def new_image() -> ipywidgets.Image:
        return ipywidgets.Image(format="png", layout=ipywidgets.Layout(max_width="100%", width="1000px"))

    def new_picture(self) -> MovingPicture:
        """The slider's chart, drawn for the first time."""
        raise NotImplementedError

    @property
    def picture(self) -> MovingPicture:
        """The chart that moves."""
        if self._picture is None:
            self._picture = self.new_picture()
        return self._picture

    def static_now(self) -> Figure:
        """The picture for the values that the sliders have now, as a figure of its own."""
        raise NotImplementedError

    def close(self) -> None:
        """Closes all widgets of the slider, and lets go of its picture."""
        for widget in widgets_below(self):
            widget.close()
        super().close()
        self._picture = None

    def _repr_mimebundle_(self, include=None, exclude=None, **options):
        data = super()._repr_mimebundle_(**options) or {}
        picture, metadata = mime_bundle(self.static_now())
        return {**data, **picture}, metadata


@lru_cache
def _palette() -> Image.Image:
    """The colours of the pictures, and the steps between them that smooth edges need."""
    steps = np.linspace(0, 1, 24)[:, None]
    pairs = [(colour, "white") for colour in (BLUE, ORANGE, GREEN, PURPLE)] + [(BLUE, ORANGE)]
    # Pillow takes the nearest colour only roughly: next to white it must find nothing but grey.
    mixed = [to_rgb(one) + (np.array(to_rgb(other)) - to_rgb(one)) * 0.85 * steps for one, other in pairs]
    grey = to_rgb(INK) + (1 - np.array(to_rgb(INK))) * steps
    colours = np.concatenate([grey, *mixed])
    palette = Image.new("P", (1, 1))
    palette.putpalette((255 * colours).round().astype(np.uint8).tobytes())
    return palette
