// How the kernels of batch normalisation walk over rows and channels, and what forward and backward both compute.
#pragma once

#include "chainrule/simd.h"
#include "kernels/normalization.h"

#define CHAINRULE_INLINE inline __attribute__((always_inline))

namespace chainrule::CHAINRULE_ISA {

template <class V>
CHAINRULE_INLINE V get(const float* p) {
  if constexpr (sizeof(V) == sizeof(float)) {
    return *p;
  } else {
    return load(p);
  }
}
CHAINRULE_INLINE void put(float* p, float v) { *p = v; }
CHAINRULE_INLINE void put(float* p, Vec v) { store(p, v); }

template <int N>
struct Count {
  static constexpr int rows = N;
};

// body(row, c, zero, count) for all cells of rows [first, last): vectors of channels, then those left over one by one
// (`zero` tells the type), and four rows at a time (`count` tells how many), so that what belongs to a channel is loaded
// and stored a quarter as often.
template <class Body>
CHAINRULE_INLINE void over_cells(int64_t first, int64_t last, int64_t channels, Body&& body) {
  const auto over_channels = [&](int64_t row, auto count) __attribute__((always_inline)) {
    int64_t c = 0;
    for (; c + kWidth <= channels; c += kWidth) body(row, c, Vec{}, count);
    for (; c < channels; ++c) body(row, c, 0.0f, count);
  };
  for (; first + 4 <= last; first += 4) over_channels(first, Count<4>{});
  for (; first < last; ++first) over_channels(first, Count<1>{});
}

// The same for numbers per channel.
template <class Body>
CHAINRULE_INLINE void over_vectors(int64_t channels, Body&& body) {
  over_cells(0, 1, channels, [&](int64_t, int64_t c, auto zero, auto) __attribute__((always_inline)) { body(c, zero); });
}

// Rows are dealt to items of about 64 KiB, a function of the sizes alone: they stay in the second-level cache between
// the two passes over them, and are worth a thread's while.
struct Items {
  int64_t rows, size, count;
};

inline Items items_of(const BatchNormSizes& s) {
  constexpr int64_t kFloats = 16384;
  const int64_t rows = s.channels == 0 ? 0 : s.examples * s.rows, size = larger(kFloats / larger(s.channels, 1), 1);
  return {rows, size, ceil_div(rows, size)};
}

struct Range {
  int64_t first, last;
};

inline Range range_of(const Items& items, int64_t item) {
  return {item * items.size, smaller((item + 1) * items.size, items.rows)};
}

// The first run of rows within a range that count, or, with `counted` false, do not; empty where there is none.
inline Range next_run(const float* weight, int64_t rows_of_example, Range within, bool counted = true) {
  if (weight == nullptr) return counted ? within : Range{within.last, within.last};
  const auto skip = [&](int64_t row, bool while_counted) {
    while (row < within.last && (weight[row / rows_of_example] > 0) == while_counted)
      row = (row / rows_of_example + 1) * rows_of_example;
    return smaller(row, within.last);
  };
  const int64_t first = skip(within.first, !counted);
  return {first, skip(first, counted)};
}

// The result before the ReLU. Backward asks for it again, to the same bits, instead of keeping it.
template <class V>
CHAINRULE_INLINE V normalised(V x, const float* mean, const float* slope, const float* beta, int64_t c) {
  return (x - get<V>(mean + c)) * get<V>(slope + c) + get<V>(beta + c);
}

// slope = gamma / sqrt(variance + epsilon)
inline void slopes(const float* gamma, const float* variance, float epsilon, int64_t channels, float* slope) {
  for (int64_t c = 0; c < channels; ++c) slope[c] = gamma[c] / __builtin_sqrtf(variance[c] + epsilon);
}

// The least value that a result may have; as first operand of `>` it keeps what is not a number.
CHAINRULE_INLINE float least(bool relu) { return relu ? 0.0f : -__builtin_inff(); }

bool batch_norm_backward(Pool& pool, const BatchNormBackward& b, const BatchNormSizes& s);

}  // namespace chainrule::CHAINRULE_ISA
