// The products between the transforms: many small matrices against one panel of columns.
#pragma once

#include "chainrule/simd.h"

#define CHAINRULE_INLINE inline __attribute__((always_inline))

namespace chainrule::CHAINRULE_ISA {

constexpr int64_t kPanel = 2 * kWidth;  // columns of a panel; rows of right side and result are that far apart

// Rows of a tile of the result: 6 x 2 vectors leave four of 16 registers for operands, 12 x 2 eight of 32; with one
// vector, enough rows to hide the latency of an addition.
template <int V>
constexpr int kTileRows = V == 2 ? (kRegisters == 32 ? 12 : 6) : (kRegisters == 32 ? 16 : 12);

// result[r, :] (+)= sum over k of left(r, k) * right[k, :], where left(r, k) is left[k * step + r] if transposed and
// left[r * step + k] if not.
template <int R, int V, bool kTransposed, bool kAdd>
CHAINRULE_INLINE void product_tile(const float* __restrict left, int64_t step, const float* __restrict right,
                                   float* __restrict result, int64_t depth) {
  Vec sum[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) sum[r][v] = kAdd ? load(result + r * kPanel + v * kWidth) : Vec{};
  for (int64_t k = 0; k < depth; ++k) {
    Vec b[V];
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) b[v] = load(right + k * kPanel + v * kWidth);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const Vec a = broadcast(kTransposed ? left[k * step + r] : left[r * step + k]);
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) sum[r][v] += a * b[v];
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) store(result + r * kPanel + v * kWidth, sum[r][v]);
}

// The last rows, fewer than a tile has.
template <int R, int V, bool kTransposed, bool kAdd>
CHAINRULE_INLINE void product_rest(int64_t rows, const float* left, int64_t step, const float* right, float* result,
                                   int64_t depth) {
  if constexpr (R > 0) {
    if (rows == R)
      product_tile<R, V, kTransposed, kAdd>(left, step, right, result, depth);
    else
      product_rest<R - 1, V, kTransposed, kAdd>(rows, left, step, right, result, depth);
  }
}

template <int V, bool kTransposed, bool kAdd>
void product(int64_t rows, const float* left, int64_t step, const float* right, float* result, int64_t depth) {
  constexpr int R = kTileRows<V>;
  int64_t r = 0;
  for (; r + R <= rows; r += R)
    product_tile<R, V, kTransposed, kAdd>(left + (kTransposed ? r : r * step), step, right, result + r * kPanel, depth);
  product_rest<R - 1, V, kTransposed, kAdd>(rows - r, left + (kTransposed ? r : r * step), step, right,
                                            result + r * kPanel, depth);
}

}  // namespace chainrule::CHAINRULE_ISA
