// The one inner loop of the direct convolutions: a tile of R rows and V vectors of the result, held in registers, to
// which products of broadcast values (operand a) and vectors (operand b) are added.
//
//   c[row r][vector v] += sum over segments s, k < s.count of
//       a[a_rows[r] + s.a + k * a_step] * b[(s.b + k) * b_step + v * kWidth]
//
// Forward and input gradient take one run of neighbouring cells and channels as a segment (a_step = 1) and packed
// weights as b; the kernel gradient takes one row of positions as a segment and the output's gradient as b.
#pragma once

#include "chainrule/simd.h"

namespace chainrule::CHAINRULE_ISA::direct {

struct Segment {
  int64_t a, b, count;
};

struct Tile {
  const float* a;
  const int64_t* a_rows;
  int64_t a_step;
  const float* b;
  int64_t b_step;
  const Segment* segments;
  int64_t segment_count;
  float* c;
  const int64_t* c_rows;
  int64_t lanes;      // floats of a row of c, at most V * kWidth
  const float* bias;  // what c starts from; null: zeros. V * kWidth floats
  bool add;           // c starts from what stands there
  bool relu;  // NaN stays NaN
};

// Rows of a tile of V vectors. The accumulators and the V vectors of b must fit the registers, and there must be at
// least eight accumulators (two products a cycle, four cycles each). Measured on Zen 3 with 16 registers: see conv.h.
constexpr int64_t tile_rows(int64_t vectors) {
  if (kRegisters >= 32) return vectors == 1 ? 16 : vectors == 2 ? 12 : 8;
  return vectors == 1 ? 10 : vectors == 2 ? 6 : 4;
}
constexpr int64_t kMostVectors = 3;
constexpr int64_t kMostRows = tile_rows(1);

template <int R, int V>
void tile(const Tile& t) {
  const float* rows[R];
  Vec c[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    rows[r] = t.a + t.a_rows[r];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) c[r][v] = Vec{};
  }
  for (int64_t s = 0; s < t.segment_count; ++s) {
    const Segment segment = t.segments[s];
    const float* b = t.b + segment.b * t.b_step;
    int64_t at = segment.a;
    for (int64_t k = segment.count; k > 0; --k) {
      Vec bv[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) bv[v] = load(b + v * kWidth);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const Vec value = broadcast(rows[r][at]);
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) c[r][v] += value * bv[v];
      }
      at += t.a_step;
      b += t.b_step;
    }
  }
  const bool whole = t.lanes == V * kWidth;
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    float* out = t.c + t.c_rows[r];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const int64_t left = t.lanes - v * kWidth;
      Vec sum = c[r][v];
      if (t.bias != nullptr) sum += load(t.bias + v * kWidth);
      if (whole) {
        if (t.add) sum += load(out + v * kWidth);
        if (t.relu) sum = larger(Vec{}, sum);
        store(out + v * kWidth, sum);
      } else if (left > 0) {
        const int64_t lanes = smaller(left, kWidth);
        if (t.add) sum += load_part(out + v * kWidth, lanes);
        if (t.relu) sum = larger(Vec{}, sum);
        store_part(out + v * kWidth, sum, lanes);
      }
    }
  }
}

using TileFunction = void (*)(const Tile&);

// tile<R, V> for R = 1 .. tile_rows(V)
template <int V, int R = 1>
TileFunction tile_of(int64_t rows) {
  if constexpr (R < tile_rows(V)) {
    if (rows > R) return tile_of<V, R + 1>(rows);
  }
  return tile<R, V>;
}

inline TileFunction tile_function(int64_t vectors, int64_t rows) {
  return vectors == 1 ? tile_of<1>(rows) : vectors == 2 ? tile_of<2>(rows) : tile_of<3>(rows);
}

// The vectors that cover `lanes` floats, cut into panels: pairs, which share each broadcast value best, and one of
// three where their number is odd.
struct Panels {
  int64_t vectors;  // in all
  int64_t count;
};

inline Panels panels_of(int64_t lanes) {
  const int64_t vectors = ceil_div(lanes, kWidth);
  return {vectors, vectors <= 3 ? (vectors > 0 ? 1 : 0) : vectors / 2};
}
inline int64_t panel_vectors(Panels p, int64_t panel) {
  if (p.vectors <= 3) return p.vectors;
  return panel == p.count - 1 ? 2 + p.vectors % 2 : 2;
}
inline int64_t panel_start(int64_t panel) { return panel * 2 * kWidth; }

}  // namespace chainrule::CHAINRULE_ISA::direct
