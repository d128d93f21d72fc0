// The taps of a window that meet a row of results, and inputs with repeated channels.
#pragma once

#include "chainrule/pool.h"
#include "chainrule/simd.h"
#include "kernels/conv_sizes.h"

#define CHAINRULE_INLINE inline __attribute__((always_inline))

namespace chainrule::CHAINRULE_ISA {

// One weight of the window, as a row of results meets it: result q takes the cell in column `column + q * step`.
struct Tap {
  int64_t column;
  int64_t cell;    // floats from the input's start to the cell of result 0, which may lie outside
  int64_t weight;  // floats from the kernel's start
};

// Results [low, high) meet a cell of the input.
struct Range {
  int64_t low, high;
};

inline int64_t clamp(int64_t x, int64_t low, int64_t high) { return x < low ? low : (x > high ? high : x); }

// Where 0 <= column + q * step < width, out of q in [0, count).
inline Range meeting(int64_t column, int64_t step, int64_t width, int64_t count) {
  const int64_t low = column < 0 ? clamp(ceil_div(-column, step), 0, count) : 0;
  const int64_t high = column < width ? clamp(ceil_div(width - column, step), low, count) : low;
  return {low, high};
}

// The results that all taps meet; low <= high.
inline Range common(const Tap* taps, int64_t taps_count, int64_t step, int64_t width, int64_t count) {
  Range inner{0, count};
  for (int64_t t = 0; t < taps_count; ++t) {
    const Range range = meeting(taps[t].column, step, width, count);
    inner = {larger(inner.low, range.low), smaller(inner.high, range.high)};
  }
  return {smaller(inner.low, count), larger(inner.high, smaller(inner.low, count))};
}

// The taps of the forward product that meet row i of the results, in an input of `channels` whose row 0 is `first_row`.
inline int64_t forward_taps(const ConvSizes& s, int64_t i, int64_t channels, int64_t first_row, Tap* taps) {
  int64_t count = 0;
  for (int64_t a = 0; a < s.kh; ++a) {
    const int64_t row = i * s.stride_h + a * s.dilation_h - s.pad_h;
    if (row < 0 || row >= s.h) continue;
    for (int64_t b = 0; b < s.kw; ++b) {
      const int64_t column = b * s.dilation_w - s.pad_w;
      taps[count++] = {column, ((row - first_row) * s.w + column) * channels, (a * s.kw + b) * s.f};
    }
  }
  return count;
}

// The input of rows [first, last) of the results of image n, with every channel as often as it has filters, from row
// *first_row on; in scratch memory where that is more than once. Null where there is no memory.
inline const float* input_rows(const float* x, const ConvSizes& s, int64_t n, int64_t first, int64_t last,
                               int64_t* first_row) {
  const float* image = x + n * s.h * s.w * s.c;
  *first_row = 0;
  if (s.f == s.c) return image;
  const int64_t low = clamp(first * s.stride_h - s.pad_h, 0, s.h);
  const int64_t high = clamp((last - 1) * s.stride_h + (s.kh - 1) * s.dilation_h + 1 - s.pad_h, low, s.h);
  float* repeated = static_cast<float*>(scratch(1, (high - low) * s.w * s.f * 4));
  if (repeated == nullptr) return nullptr;
  float* to = repeated;
  for (int64_t i = low * s.w * s.c; i < high * s.w * s.c; ++i)
    for (int64_t j = 0; j < s.f / s.c; ++j) *to++ = image[i];
  *first_row = low;
  return repeated;
}

}  // namespace chainrule::CHAINRULE_ISA
