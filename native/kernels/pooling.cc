#include "kernels/pooling.h"

#include "chainrule/simd.h"

namespace chainrule::CHAINRULE_ISA {
namespace {

// The part of a window that lies inside an axis of `size` cells: first and one past the last, as cells of the window.
struct Range {
  int64_t from, to;
};

inline Range inside(int64_t start, int64_t window, int64_t size) {
  const int64_t from = larger(0, -start);
  return {smaller(from, window), larger(smaller(window, size - start), smaller(from, window))};
}

// Where a window stands, and how much of it is inside.
struct Place {
  int64_t y, x;  // of the window's first cell; may be negative
  Range rows, columns;
};

inline Place place(const PoolingSizes& s, int64_t i, int64_t j) {
  const int64_t y = i * s.stride_h - s.pad_h, x = j * s.stride_w - s.pad_w;
  return {y, x, inside(y, s.window_h, s.h), inside(x, s.window_w, s.w)};
}

inline int64_t cells(const PoolingSizes& s, const Place& p, bool count_padding) {
  if (count_padding) return s.window_h * s.window_w;
  return larger(1, (p.rows.to - p.rows.from) * (p.columns.to - p.columns.from));
}

constexpr float kLowest = -__builtin_inff();

// The larger of the two; a NaN on either side wins, and of equals the first stays.
inline VecInt beats(Vec candidate, Vec best) { return ~(candidate <= best) & (best == best); }

// One vector of channels of one window; T says how to read and write it (whole or in part).
template <class Load>
inline void window_max(const PoolingSizes& s, const Place& p, const float* image, Load get, Vec* best, VecInt* winner) {
  Vec top = broadcast(kLowest);
  VecInt who = VecInt{};
  bool first = true;
  for (int64_t u = p.rows.from; u < p.rows.to; ++u) {
    for (int64_t v = p.columns.from; v < p.columns.to; ++v) {
      const Vec value = get(image + ((p.y + u) * s.w + p.x + v) * s.c);
      const int32_t number = static_cast<int32_t>(u * s.window_w + v);
      const VecInt wins = first ? ~VecInt{} : beats(value, top);
      top = wins ? value : top;
      who = wins ? VecInt{} + number : who;
      first = false;
    }
  }
  *best = top;
  *winner = who;
}

// The same for a window that lies inside with all its cells, whose loops the compiler unrolls.
template <int kRows, int kColumns>
inline void whole_max(const PoolingSizes& s, const float* corner, Vec* best, VecInt* winner) {
  Vec top = load(corner);
  VecInt who = VecInt{};
#pragma GCC unroll 9
  for (int k = 1; k < kRows * kColumns; ++k) {
    const Vec value = load(corner + ((k / kColumns) * s.w + k % kColumns) * s.c);
    const VecInt wins = beats(value, top);
    top = wins ? value : top;
    who = wins ? VecInt{} + k : who;
  }
  *best = top;
  *winner = who;
}

template <int kRows, int kColumns>
inline Vec whole_sum(const PoolingSizes& s, const float* corner) {
  Vec sum = load(corner);
#pragma GCC unroll 9
  for (int k = 1; k < kRows * kColumns; ++k) sum += load(corner + ((k / kColumns) * s.w + k % kColumns) * s.c);
  return sum;
}

// Whether all cells of a window lie inside.
inline bool whole(const PoolingSizes& s, const Place& p) {
  return p.rows.to - p.rows.from == s.window_h && p.columns.to - p.columns.from == s.window_w;
}

// 2 or 3 for the windows of 2×2 and 3×3 cells, which have loops of their own; else 0.
inline int side(const PoolingSizes& s) {
  return s.window_h == s.window_w && (s.window_h == 2 || s.window_h == 3) ? static_cast<int>(s.window_h) : 0;
}

void max_row(const PoolingSizes& s, const float* x, float* y, uint8_t* index, int64_t row) noexcept {
  const int64_t image = row / s.oh, i = row % s.oh;
  const float* source = x + image * s.h * s.w * s.c;
  for (int64_t j = 0; j < s.ow; ++j) {
    const Place p = place(s, i, j);
    const int64_t out = (row * s.ow + j) * s.c;
    const float* corner = source + (p.y * s.w + p.x) * s.c;
    const int square = whole(s, p) ? side(s) : 0;
    Vec best;
    VecInt winner;
    int64_t c = 0;
    for (; c + kWidth <= s.c; c += kWidth) {
      if (square == 2)
        whole_max<2, 2>(s, corner + c, &best, &winner);
      else if (square == 3)
        whole_max<3, 3>(s, corner + c, &best, &winner);
      else
        window_max(s, p, source + c, [](const float* q) { return load(q); }, &best, &winner);
      store(y + out + c, best);
      if (index) store_bytes(index + out + c, winner);
    }
    if (const int64_t rest = s.c - c; rest > 0) {
      window_max(s, p, source + c, [rest](const float* q) { return load_part(q, rest); }, &best, &winner);
      store_part(y + out + c, best, rest);
      for (int64_t k = 0; index && k < rest; ++k) index[out + c + k] = static_cast<uint8_t>(winner[k]);
    }
  }
}

void max_forward(Pool& pool, const float* x, float* y, uint8_t* index, const PoolingSizes& s) noexcept {
  if (s.n * s.oh * s.ow * s.c == 0) return;
  parallel_for(pool, s.n * s.oh, [&](int64_t row) { max_row(s, x, y, index, row); });
}

// The windows along an axis that hold the cell at `at`: first and one past the last.
inline Range holding(int64_t at, int64_t pad, int64_t window, int64_t stride, int64_t windows) {
  const int64_t from = ceil_div(larger(0, at + pad - window + 1), stride);
  return {smaller(from, windows), smaller((at + pad) / stride + 1, windows)};
}

// A row of a gradient: each cell is the sum of what the windows that hold it give, window by window, and is written
// once. give(i, j, u, v, out, zero) is the share of cell (u, v) of window (i, j), whose gradient stands at `out`, in the
// type of `zero`: a vector of channels, or one that is left over.
template <class Give>
inline void gather_row(const PoolingSizes& s, float* dx, int64_t row, Give give) {
  constexpr int kBlock = 4;  // vectors that are summed at a time
  const int64_t image = row / s.h, y = row % s.h;
  const Range rows = holding(y, s.pad_h, s.window_h, s.stride_h, s.oh);
  for (int64_t x = 0; x < s.w; ++x) {
    const Range columns = holding(x, s.pad_w, s.window_w, s.stride_w, s.ow);
    float* cell = dx + (row * s.w + x) * s.c;
    const auto over_windows = [&](auto&& body) __attribute__((always_inline)) {
      for (int64_t i = rows.from; i < rows.to; ++i)
        for (int64_t j = columns.from; j < columns.to; ++j)
          body(i, j, y + s.pad_h - i * s.stride_h, x + s.pad_w - j * s.stride_w, ((image * s.oh + i) * s.ow + j) * s.c);
    };
    int64_t c = 0;
    for (; c + kBlock * kWidth <= s.c; c += kBlock * kWidth) {
      Vec sums[kBlock] = {};
      over_windows([&](int64_t i, int64_t j, int64_t u, int64_t v, int64_t out) __attribute__((always_inline)) {
#pragma GCC unroll 4
        for (int k = 0; k < kBlock; ++k) sums[k] += give(i, j, u, v, out + c + k * kWidth, Vec{});
      });
      for (int k = 0; k < kBlock; ++k) store(cell + c + k * kWidth, sums[k]);
    }
    const auto one = [&](auto sum) __attribute__((always_inline)) {
      over_windows([&](int64_t i, int64_t j, int64_t u, int64_t v, int64_t out) __attribute__((always_inline)) {
        sum += give(i, j, u, v, out + c, decltype(sum){});
      });
      return sum;
    };
    for (; c + kWidth <= s.c; c += kWidth) store(cell + c, one(Vec{}));
    for (; c < s.c; ++c) cell[c] = one(0.0f);
  }
}

// Whether the windows tile the image: each cell lies in just one of them.
inline bool tiles(const PoolingSizes& s) {
  return s.pad_h == 0 && s.pad_w == 0 && s.stride_h == s.window_h && s.stride_w == s.window_w &&
         s.oh * s.stride_h == s.h && s.ow * s.stride_w == s.w;
}

// Rows of windows that tile: every cell is written once.
void max_gradient_tiles(const PoolingSizes& s, const float* dy, const uint8_t* index, float* dx, int64_t row) noexcept {
  for (int64_t j = 0; j < s.ow; ++j) {
    const int64_t out = (row * s.ow + j) * s.c;
    float* corner = dx + (row * s.window_h * s.w + j * s.window_w) * s.c;
    int64_t c = 0;
    for (; c + kWidth <= s.c; c += kWidth) {
      const Vec slope = load(dy + out + c);
      const VecInt winner = load_bytes(index + out + c);
      int32_t number = 0;
      for (int64_t u = 0; u < s.window_h; ++u)
        for (int64_t v = 0; v < s.window_w; ++v, ++number)
          store(corner + (u * s.w + v) * s.c + c, winner == number ? slope : Vec{});
    }
    for (; c < s.c; ++c)
      for (int64_t u = 0; u < s.window_h; ++u)
        for (int64_t v = 0; v < s.window_w; ++v)
          corner[(u * s.w + v) * s.c + c] = index[out + c] == u * s.window_w + v ? dy[out + c] : 0;
  }
}

void max_gradient_row(const PoolingSizes& s, const float* dy, const uint8_t* index, float* dx, int64_t row) noexcept {
  const auto give = [&](int64_t, int64_t, int64_t u, int64_t v, int64_t out, auto zero) __attribute__((always_inline)) {
    const int32_t number = static_cast<int32_t>(u * s.window_w + v);
    if constexpr (sizeof(zero) == sizeof(float)) {
      return index[out] == number ? dy[out] : zero;
    } else {
      return load_bytes(index + out) == number ? load(dy + out) : zero;
    }
  };
  gather_row(s, dx, row, give);
}

void max_gradient(Pool& pool, const float* dy, const uint8_t* index, float* dx, const PoolingSizes& s) noexcept {
  if (s.n * s.h * s.w * s.c == 0) return;
  if (tiles(s)) return parallel_for(pool, s.n * s.oh, [&](int64_t row) { max_gradient_tiles(s, dy, index, dx, row); });
  parallel_for(pool, s.n * s.h, [&](int64_t row) { max_gradient_row(s, dy, index, dx, row); });
}

void mean_row(const PoolingSizes& s, const float* x, float* y, int64_t row, bool count_padding) noexcept {
  const int64_t image = row / s.oh, i = row % s.oh;
  const float* source = x + image * s.h * s.w * s.c;
  for (int64_t j = 0; j < s.ow; ++j) {
    const Place p = place(s, i, j);
    const float share = 1.0f / static_cast<float>(cells(s, p, count_padding));
    float* out = y + (row * s.ow + j) * s.c;
    const float* corner = source + (p.y * s.w + p.x) * s.c;
    const int square = whole(s, p) ? side(s) : 0;
    int64_t c = 0;
    for (; square == 2 && c + kWidth <= s.c; c += kWidth) store(out + c, whole_sum<2, 2>(s, corner + c) * share);
    for (; square == 3 && c + kWidth <= s.c; c += kWidth) store(out + c, whole_sum<3, 3>(s, corner + c) * share);
    for (; c < s.c; c += kWidth) {
      const int64_t rest = smaller(kWidth, s.c - c);
      Vec sum{};
      for (int64_t u = p.rows.from; u < p.rows.to; ++u) {
        for (int64_t v = p.columns.from; v < p.columns.to; ++v) {
          const float* cell = source + ((p.y + u) * s.w + p.x + v) * s.c + c;
          sum += rest == kWidth ? load(cell) : load_part(cell, rest);
        }
      }
      if (rest == kWidth)
        store(out + c, sum * share);
      else
        store_part(out + c, sum * share, rest);
    }
  }
}

void mean_forward(Pool& pool, const float* x, float* y, const PoolingSizes& s, bool count_padding) noexcept {
  if (s.n * s.oh * s.ow * s.c == 0) return;
  parallel_for(pool, s.n * s.oh, [&](int64_t row) { mean_row(s, x, y, row, count_padding); });
}

void mean_gradient_tiles(const PoolingSizes& s, const float* dy, float* dx, int64_t row) noexcept {
  const float share = 1.0f / static_cast<float>(s.window_h * s.window_w);
  for (int64_t j = 0; j < s.ow; ++j) {
    const float* slope = dy + (row * s.ow + j) * s.c;
    float* corner = dx + (row * s.window_h * s.w + j * s.window_w) * s.c;
    for (int64_t u = 0; u < s.window_h; ++u) {
      for (int64_t v = 0; v < s.window_w; ++v) {
        float* cell = corner + (u * s.w + v) * s.c;
        int64_t c = 0;
        for (; c + kWidth <= s.c; c += kWidth) store(cell + c, load(slope + c) * share);
        for (; c < s.c; ++c) cell[c] = slope[c] * share;
      }
    }
  }
}

void mean_gradient_row(const PoolingSizes& s, const float* dy, float* dx, int64_t row, bool count_padding) noexcept {
  const float whole_share = 1.0f / static_cast<float>(s.window_h * s.window_w);
  const auto give = [&](int64_t i, int64_t j, int64_t, int64_t, int64_t out, auto zero) __attribute__((always_inline)) {
    const Place at = place(s, i, j);
    const float share =
        count_padding || whole(s, at) ? whole_share : 1.0f / static_cast<float>(cells(s, at, count_padding));
    if constexpr (sizeof(zero) == sizeof(float)) {
      return dy[out] * share;
    } else {
      return load(dy + out) * share;
    }
  };
  gather_row(s, dx, row, give);
}

void mean_gradient(Pool& pool, const float* dy, float* dx, const PoolingSizes& s, bool count_padding) noexcept {
  if (s.n * s.h * s.w * s.c == 0) return;
  if (tiles(s)) return parallel_for(pool, s.n * s.oh, [&](int64_t row) { mean_gradient_tiles(s, dy, dx, row); });
  parallel_for(pool, s.n * s.h, [&](int64_t row) { mean_gradient_row(s, dy, dx, row, count_padding); });
}

}  // namespace

extern const PoolingKernels pooling_kernels = {max_forward, max_gradient, mean_forward, mean_gradient};

}  // namespace chainrule::CHAINRULE_ISA
