"""The two lectures as slides: one source in slides/, built into HTML, PDF and PowerPoint in both languages.

source    slides/fastbert.md -> Deck: what is written, held to the rules
facts     the values that placeholders may name
filled    Deck and language -> what stands on each slide, numbers, pictures and tables filled in
live      the data of the sliders
web       filled slides -> one HTML file that needs nothing else
paper     that HTML -> PDF, by Chromium
powerpoint  filled slides -> PPTX
build     all of it, and whether what was built is still what the sources give
"""
