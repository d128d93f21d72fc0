// Panels of channels: the cells that some rows of results meet, copied to a small array with zeros where the map has
// none, so that no edge is left and few cells lie in one set of the cache.
#pragma once

#include "kernels/depthwise_row.h"

namespace chainrule::CHAINRULE_ISA {

constexpr int64_t kChannels = 2 * kWidth;  // of a panel

// An image whose channels are seen `times` times each: channel c as c * times, ..., c * times + times - 1.
struct Map {
  const float* data;
  int64_t h, w, channels, times;
};

// Cells of a map, from (top, left) on; it may reach outside.
struct Region {
  int64_t top, left, rows, columns;
  int64_t floats() const { return rows * columns * kChannels; }
};

// `count` floats, then zeros up to a panel.
CHAINRULE_INLINE void copy_panel(const float* from, float* to, int64_t count) {
  if (count >= kChannels) {
    store(to, load(from));
    store(to + kWidth, load(from + kWidth));
  } else {
    for (int64_t i = 0; i < kChannels; ++i) to[i] = i < count ? from[i] : 0.0f;
  }
}

CHAINRULE_INLINE void clear_panels(float* to, int64_t count) {
  for (int64_t i = 0; i < count * kChannels; i += kWidth) store(to + i, Vec{});
}

// The channels from c on of a region: to[(row * columns + column) * kChannels + channel].
inline void pack(const Map& map, const Region& region, int64_t c, float* to) {
  const int64_t low = clamp(-region.left, 0, region.columns);  // columns inside of the map: from low to high
  const int64_t high = clamp(map.w - region.left, low, region.columns), count = map.channels * map.times - c;
  for (int64_t i = region.top; i < region.top + region.rows; ++i, to += region.columns * kChannels) {
    if (i < 0 || i >= map.h || low == high) {
      clear_panels(to, region.columns);
      continue;
    }
    clear_panels(to, low);
    const float* row = map.data + (i * map.w + region.left + low) * map.channels;
    if (map.times == 1) {
      for (int64_t j = low; j < high; ++j, row += map.channels) copy_panel(row + c, to + j * kChannels, count);
    } else {
      for (int64_t j = low; j < high; ++j)
        for (int64_t k = 0; k < kChannels; ++k)
          to[j * kChannels + k] = k < count ? row[(j - low) * map.channels + (c + k) / map.times] : 0.0f;
    }
    clear_panels(to + high * kChannels, region.columns - high);
  }
}

// The cells that rows [first, last) of the results meet.
inline Region met_forward(const ConvSizes& s, int64_t first, int64_t last) {
  return {first * s.stride_h - s.pad_h, -s.pad_w, (last - 1 - first) * s.stride_h + (s.kh - 1) * s.dilation_h + 1,
          (s.ow - 1) * s.stride_w + (s.kw - 1) * s.dilation_w + 1};
}

// Rows of results of an item, of `rows`: their region is to stay in a level-1 cache of 32 KiB, where it still holds a
// few rows. A function of the sizes alone.
inline int64_t rows_of_item(int64_t rows, int64_t stride, int64_t reach, int64_t columns) {
  constexpr int64_t kBytes = 24 << 10, kFewest = 4;
  const int64_t room = kBytes / (4 * kChannels * larger(columns, int64_t{1}));
  return clamp((room - reach) / stride, smaller(kFewest, larger(rows, int64_t{1})), larger(rows, int64_t{1}));
}

}  // namespace chainrule::CHAINRULE_ISA
