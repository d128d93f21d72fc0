// What the recurrent kernels share: a register tile of a product, packed weights, rows of a sequence.
#pragma once

#include "chainrule/pool.h"
#include "chainrule/simd.h"

namespace chainrule::CHAINRULE_ISA::recurrent {

#define CHAINRULE_INLINE inline __attribute__((always_inline))

constexpr int64_t kDepth = 128;  // steps of a product between two visits to the sums: 4 vectors a step are 16 KB of AVX2

// Rows of a tile of so many vectors: sums, one vector of each row or column, and one more, fill the registers.
constexpr int64_t tile_rows(int64_t vectors) { return (kRegisters - 1) / (vectors + 1); }

// sums[row][vector] += a[row * row_step + k * depth_step] * panel[k][vector] over k.
template <int64_t kRows, int64_t kVectors>
CHAINRULE_INLINE void multiply(Vec (&sums)[kRows][kVectors], const float* __restrict a, int64_t row_step,
                               int64_t depth_step, const float* __restrict panel, int64_t depth) {
#pragma GCC unroll 4
  for (int64_t k = 0; k < depth; ++k, a += depth_step, panel += kVectors * kWidth) {
    if constexpr (kRows <= kVectors) {
      Vec s[kRows];
      for (int64_t r = 0; r < kRows; ++r) s[r] = broadcast(a[r * row_step]);
      for (int64_t v = 0; v < kVectors; ++v) {
        const Vec b = load(panel + v * kWidth);
        for (int64_t r = 0; r < kRows; ++r) sums[r][v] += s[r] * b;
      }
    } else {
      Vec b[kVectors];
      for (int64_t v = 0; v < kVectors; ++v) b[v] = load(panel + v * kWidth);
      for (int64_t r = 0; r < kRows; ++r) {
        const Vec s = broadcast(a[r * row_step]);
        for (int64_t v = 0; v < kVectors; ++v) sums[r][v] += s * b[v];
      }
    }
  }
}

// Floats from one row of private memory to the next: rows of a power of two would share few lines of the cache.
CHAINRULE_INLINE int64_t row_stride(int64_t columns) { return round_up(columns, 16) + 16; }

CHAINRULE_INLINE void copy(float* __restrict to, const float* __restrict from, int64_t count) {
  if (count > 0) __builtin_memcpy(to, from, static_cast<unsigned long>(count) * sizeof(float));
}
CHAINRULE_INLINE void clear(float* to, int64_t count) {
  if (count > 0) __builtin_memset(to, 0, static_cast<unsigned long>(count) * sizeof(float));
}

// Asks for memory that will be read, or written, some thousand cycles from now: runs of a few hundred bytes, each at
// another place, are too short for the hardware to foresee.
CHAINRULE_INLINE void fetch(const float* from, int64_t count) {
  for (int64_t i = 0; i < count; i += 16) __builtin_prefetch(from + i, 0, 2);
}
CHAINRULE_INLINE void fetch_to_write(const float* from, int64_t count) {
  for (int64_t i = 0; i < count; i += 16) __builtin_prefetch(from + i, 1, 2);
}

CHAINRULE_INLINE Vec load_first(const float* p, int64_t count) { return count == kWidth ? load(p) : load_part(p, count); }
CHAINRULE_INLINE void store_first(float* p, Vec v, int64_t count) {
  if (count == kWidth) store(p, v);
  else store_part(p, v, count);
}

// Weights of `gates` gates side by side, [rows, gates * units], turned into panels: for each vector of units, for each
// row, one vector of every gate; zeros where the units end.
inline void pack_gates(const float* weights, int64_t rows, int64_t gates, int64_t units, int64_t panel, float* packed) {
  const int64_t first = panel * kWidth;
  const int64_t count = smaller(kWidth, units - first);
  for (int64_t k = 0; k < rows; ++k)
    for (int64_t g = 0; g < gates; ++g, packed += kWidth)
      store(packed, load_first(weights + (k * gates + g) * units + first, count));
}

// The transpose of weights [units, columns], rows of units turned into panels of up to 4 vectors of units: for each
// column one run of them.
inline void pack_transposed(const float* weights, int64_t columns, int64_t units, int64_t panel, float* packed) {
  const int64_t first = panel * 4 * kWidth;
  const int64_t width = smaller(4 * kWidth, round_up(units - first, kWidth));
  const int64_t count = smaller(width, units - first);
  for (int64_t k = 0; k < columns; ++k, packed += width) {
    for (int64_t j = 0; j < count; ++j) packed[j] = weights[(first + j) * columns + k];
    for (int64_t j = count; j < width; ++j) packed[j] = 0;
  }
}

// Which rows of the batch a piece of work owns, for all steps.
struct Rows {
  int64_t items, each;
};

// At most about 48 rows a piece, so that their states stay in the first-level cache; no fewer pieces than threads.
inline Rows split_rows(int64_t batch, int64_t threads, int64_t tile) {
  int64_t items = threads;
  while (ceil_div(batch, items) > 48) items += threads;
  const int64_t each = round_up(larger(ceil_div(batch, items), 1), tile);
  return {ceil_div(batch, each), each};
}

}  // namespace chainrule::CHAINRULE_ISA::recurrent
