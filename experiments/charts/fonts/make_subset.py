#!/usr/bin/env python3
"""Makes the two small fonts beside this file out of DejaVu Sans 2.37 (Debian: fonts-dejavu-core).

Needed only when a chart wants a character that is missing; the result is part of the repository, so that a
chart looks the same on every machine. Run with fonttools 4.x installed:

    python3 make_subset.py /usr/share/fonts/truetype/dejavu
"""

import pathlib
import sys

from fontTools import subset

# Printable ASCII, Latin-1, and what figures need: minus, dashes, bullet, ellipsis, arrow, comparisons, micro.
CHARACTERS = [*range(0x20, 0x7F), *range(0xA0, 0x100), *map(ord, "−–—•…→≤≥≈σμΔ‘’“”")]


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    here = pathlib.Path(__file__).resolve().parent
    for name in ("DejaVuSans", "DejaVuSans-Bold"):
        # Hints are for 1-bit screens; the charts are drawn with 256 levels of coverage. Kerning stays. The name
        # table keeps copyright and licence, as the licence asks; LICENSE repeats them for the eye.
        options = subset.Options(
            hinting=False, layout_features=["kern"], name_IDs=[0, 1, 2, 4, 5, 13, 14], notdef_outline=True,
            glyph_names=False, drop_tables=["FFTM", "GSUB", "MATH"])
        font = subset.load_font(pathlib.Path(sys.argv[1]) / f"{name}.ttf", options)
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=CHARACTERS)
        subsetter.subset(font)
        target = here / f"{name}-subset.ttf"
        subset.save_font(font, target, options)
        licence = "\n\n".join(str(font["name"].getDebugName(i)).strip() for i in (0, 13))
        (here / "LICENSE").write_text(licence.replace("\r", "") + "\n", encoding="utf-8")
        print(f"{target.name}: {target.stat().st_size} bytes, {len(font.getGlyphOrder())} glyphs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
