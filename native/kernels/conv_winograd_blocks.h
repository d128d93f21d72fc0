// Where the tiles of F(4x4, 3x3) lie in an image, and the transforms over a run of them.
#pragma once

#include "kernels/conv_sizes.h"
#include "kernels/conv_winograd_product.h"
#include "kernels/conv_winograd_transform.h"

namespace chainrule::CHAINRULE_ISA {

constexpr int64_t kTile = 4;   // outputs of a tile along an axis
constexpr int64_t kPatch = 6;  // inputs of a tile along an axis
constexpr int64_t kSkew = 16;  // floats between planes: 4096 bytes apart, they share cache sets (up to 2x slower)

// Some channels of a batch of images: `channels` of each pixel from `data` on, pixels `pixel` floats apart.
struct Image {
  const float* data;
  int64_t h, w, pixel, channels;
};

// The tiles that cover the outputs, numbered through all images.
struct Tiles {
  int64_t down, across, count;
};

struct Place {
  int64_t image, top, left;
};

inline Tiles tiles_of(const ConvSizes& sizes) {
  const int64_t down = ceil_div(sizes.oh, kTile), across = ceil_div(sizes.ow, kTile);
  return {down, across, sizes.n * down * across};
}

CHAINRULE_INLINE Place place_of(const Tiles& tiles, int64_t tile) {
  const int64_t row = tile / tiles.across;
  return {row / tiles.down, row % tiles.down * kTile, tile % tiles.across * kTile};
}

// The place of the tile that follows; without the divisions.
CHAINRULE_INLINE void advance(const Tiles& tiles, Place& place) {
  if ((place.left += kTile) < tiles.across * kTile) return;
  place.left = 0;
  if ((place.top += kTile) < tiles.down * kTile) return;
  place.top = 0;
  ++place.image;
}

// Where each cell of an N x N patch lies; `zeros` for those outside of the image.
template <int64_t N>
CHAINRULE_INLINE void locate(const Image& image, const Place& place, const float* zeros, const float* (&cells)[N * N]) {
  const int64_t low = -place.left, high = image.w - place.left;  // the columns inside are those from low to high
  for (int64_t r = 0; r < N; ++r) {
    const int64_t i = place.top + r;
    const bool is_down = i >= 0 && i < image.h;
    const int64_t start = ((place.image * image.h + i) * image.w + place.left) * image.pixel;
#pragma GCC unroll 6
    for (int64_t s = 0; s < N; ++s)
      cells[r * N + s] = is_down & (s >= low) & (s < high) ? image.data + (start + s * image.pixel) : zeros;
  }
}

// Copies the cells to where their last vectors are whole, and points at the copies.
template <int64_t N>
inline void copy_cells(int64_t channels, float* spare, const float* (&cells)[N * N]) {
  const int64_t whole = channels / kWidth * kWidth, row = whole + kWidth;
  float* copy = spare + row;
  for (int64_t i = 0; i < N * N; ++i, copy += row) {
    if (cells[i] == spare) continue;
    for (int64_t c = 0; c < whole; c += kWidth) store(copy + c, load(cells[i] + c));
    store(copy + whole, load_part(cells[i] + whole, channels - whole));
    cells[i] = copy;
  }
}

inline int64_t spare_floats(int64_t channels) { return (kPatch * kPatch + 1) * round_up(channels, kWidth); }

// Calls tile(at, channel) for each vector of channels of a patch, where at(row, column) is the vector of a cell, zeros
// outside of the image and beyond the channels. `spare` holds spare_floats(channels), the first whole vectors of them
// zeros.
template <int64_t N, class Tile>
CHAINRULE_INLINE void over_channels(const Image& image, const Place& place, float* spare, Tile&& tile) {
  if (image.channels % kWidth == 0 && place.top >= 0 && place.left >= 0 && place.top + N <= image.h &&
      place.left + N <= image.w) {
    const float* base = image.data + ((place.image * image.h + place.top) * image.w + place.left) * image.pixel;
    const int64_t down = image.w * image.pixel, across = image.pixel;
    for (int64_t c = 0; c < image.channels; c += kWidth)
      tile([=](int64_t r, int64_t s) CHAINRULE_INLINED { return load(base + r * down + s * across + c); }, c);
    return;
  }
  const float* cells[N * N];
  locate<N>(image, place, spare, cells);
  if (image.channels % kWidth) copy_cells<N>(image.channels, spare, cells);
  for (int64_t c = 0; c < image.channels; c += kWidth)
    tile([&cells, c](int64_t r, int64_t s) CHAINRULE_INLINED { return load(cells[r * N + s] + c); }, c);
}

// The transformed inputs of `count` tiles: out[point * plane + t * row + channel]; row a multiple of the vector.
inline void transform_inputs(const Image& image, const ConvSizes& sizes, int64_t first, int64_t count, float* spare,
                             float* out, int64_t row, int64_t plane) {
  const Tiles tiles = tiles_of(sizes);
  Place place = place_of(tiles, first);
  for (int64_t c = 0; c < row; ++c) spare[c] = 0;
  for (int64_t t = 0; t < count; ++t, advance(tiles, place)) {
    const Place corner{place.image, place.top - sizes.pad_h, place.left - sizes.pad_w};
    float* target = out + t * row;
    over_channels<kPatch>(image, corner, spare, [=](auto&& at, int64_t c) CHAINRULE_INLINED {
      input_tile(at, target + c, plane);
    });
  }
}

// The transformed output gradients of `count` tiles, in panels: out[point * plane + channel / kPanel * panel +
// t * kPanel + channel % kPanel].
inline void transform_output_gradients(const Image& image, const ConvSizes& sizes, int64_t first, int64_t count,
                                       float* spare, float* out, int64_t panel, int64_t plane) {
  const Tiles tiles = tiles_of(sizes);
  Place place = place_of(tiles, first);
  for (int64_t c = 0; c < round_up(image.channels, kWidth); ++c) spare[c] = 0;
  for (int64_t t = 0; t < count; ++t, advance(tiles, place)) {
    float* target = out + t * kPanel;
    over_channels<kTile>(image, place, spare, [=](auto&& at, int64_t c) CHAINRULE_INLINED {
      output_gradient_tile(at, target + c / kPanel * panel + c % kPanel, plane);
    });
  }
}

}  // namespace chainrule::CHAINRULE_ISA
