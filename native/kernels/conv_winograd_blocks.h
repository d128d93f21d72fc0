// Where the tiles of F(4x4, 3x3) lie in an image, and the transforms over a run of them.
#pragma once

#include "kernels/conv_sizes.h"
#include "kernels/conv_winograd_product.h"
#include "kernels/conv_winograd_transform.h"

namespace chainrule::CHAINRULE_ISA {

constexpr int64_t kTile = 4;       // outputs of a tile along an axis
constexpr int64_t kPatch = 6;      // inputs of a tile along an axis
constexpr int64_t kSkew = 16;      // floats between planes: those a multiple of 4096 bytes apart share cache sets (up to 1.8x)

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

// Where each cell of an N x N patch lies; `zeros` for those outside of the image.
template <int64_t N>
inline void locate(const Image& image, const Place& place, const float* zeros, const float* (&cells)[N * N]) {
  for (int64_t r = 0; r < N; ++r) {
    const int64_t i = place.top + r;
    for (int64_t s = 0; s < N; ++s) {
      const int64_t j = place.left + s;
      const bool is_inside = i >= 0 && i < image.h && j >= 0 && j < image.w;
      cells[r * N + s] = is_inside ? image.data + ((place.image * image.h + i) * image.w + j) * image.pixel : zeros;
    }
  }
}

template <int64_t N>
inline bool is_inside(const Image& image, const Place& place) {
  return place.top >= 0 && place.left >= 0 && place.top + N <= image.h && place.left + N <= image.w;
}

// Calls tile(at, channel) for each vector of channels of one patch, where at(row, column) is the vector of a cell.
// `zeros` are as many as there are channels.
template <int64_t N, class Tile>
CHAINRULE_INLINE void over_channels(const Image& image, const Place& place, const float* zeros, Tile&& tile) {
  const int64_t whole = image.channels / kWidth * kWidth;
  const float* cells[N * N];
  if (is_inside<N>(image, place)) {
    const float* base = image.data + ((place.image * image.h + place.top) * image.w + place.left) * image.pixel;
    const int64_t across = image.pixel, down = image.w * image.pixel;
    for (int64_t c = 0; c < whole; c += kWidth)
      tile([&](int64_t r, int64_t s) { return load(base + r * down + s * across + c); }, c);
    if (whole == image.channels) return;
    locate<N>(image, place, zeros, cells);
  } else {
    locate<N>(image, place, zeros, cells);
    for (int64_t c = 0; c < whole; c += kWidth) tile([&](int64_t r, int64_t s) { return load(cells[r * N + s] + c); }, c);
  }
  if (whole < image.channels) {
    const int64_t rest = image.channels - whole;
    tile([&](int64_t r, int64_t s) { return load_part(cells[r * N + s] + whole, rest); }, whole);
  }
}

// The transformed inputs of `count` tiles: out[point * plane + t * row + channel]; row a multiple of the vector.
inline void transform_inputs(const Image& image, const ConvSizes& sizes, int64_t first, int64_t count,
                             const float* zeros, float* out, int64_t row, int64_t plane) {
  const Tiles tiles = tiles_of(sizes);
  for (int64_t t = 0; t < count; ++t) {
    Place place = place_of(tiles, first + t);
    place.top -= sizes.pad_h;
    place.left -= sizes.pad_w;
    over_channels<kPatch>(image, place, zeros,
                          [&](auto&& at, int64_t c) { input_tile(at, out + t * row + c, plane); });
  }
}

// The transformed output gradients of `count` tiles, in panels: out[point * plane + channel / kPanel * panel +
// t * kPanel + channel % kPanel].
inline void transform_output_gradients(const Image& image, const ConvSizes& sizes, int64_t first, int64_t count,
                                       const float* zeros, float* out, int64_t panel, int64_t plane) {
  const Tiles tiles = tiles_of(sizes);
  for (int64_t t = 0; t < count; ++t)
    over_channels<kTile>(image, place_of(tiles, first + t), zeros, [&](auto&& at, int64_t c) {
      output_gradient_tile(at, out + c / kPanel * panel + t * kPanel + c % kPanel, plane);
    });
}

}  // namespace chainrule::CHAINRULE_ISA
