#include "kernels/pooling.h"

#include "chainrule/simd.h"

namespace chainrule::CHAINRULE_ISA {
namespace {

typedef uint8_t Bytes __attribute__((vector_size(CHAINRULE_WIDTH)));
typedef Bytes BytesUnaligned __attribute__((aligned(1), may_alias));

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
inline VecInt beats(Vec candidate, Vec best) { return (candidate > best) | ((candidate != candidate) & (best == best)); }

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
      if (index) *reinterpret_cast<BytesUnaligned*>(index + out + c) = __builtin_convertvector(winner, Bytes);
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

// Windows overlap along h where their step is smaller than they are, so an image is never divided along h; images and
// blocks of channels are what threads share. Blocks of 64 channels are whole cache lines.
constexpr int64_t kBlock = 64;

struct Part {
  int64_t image, from, to;  // channels
};

inline int64_t num_parts(const PoolingSizes& s) { return s.n * ceil_div(s.c, kBlock); }

inline Part part(const PoolingSizes& s, int64_t item) {
  const int64_t blocks = ceil_div(s.c, kBlock), block = item % blocks;
  return {item / blocks, block * kBlock, smaller(s.c, (block + 1) * kBlock)};
}

void clear(const PoolingSizes& s, const Part& p, float* image) {
  if (p.to - p.from == s.c) {
    for (int64_t i = 0; i < s.h * s.w * s.c; ++i) image[i] = 0;
    return;
  }
  for (int64_t cell = 0; cell < s.h * s.w; ++cell)
    for (int64_t c = p.from; c < p.to; ++c) image[cell * s.c + c] = 0;
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
      const VecInt winner = __builtin_convertvector(*reinterpret_cast<const BytesUnaligned*>(index + out + c), VecInt);
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

void max_gradient_part(const PoolingSizes& s, const float* dy, const uint8_t* index, float* dx, const Part& p) noexcept {
  float* image = dx + p.image * s.h * s.w * s.c;
  clear(s, p, image);
  for (int64_t i = 0; i < s.oh; ++i) {
    for (int64_t j = 0; j < s.ow; ++j) {
      const Place at = place(s, i, j);
      const int64_t out = ((p.image * s.oh + i) * s.ow + j) * s.c;
      int64_t c = p.from;
      for (; c + kWidth <= p.to; c += kWidth) {
        const Vec slope = load(dy + out + c);
        const VecInt winner = __builtin_convertvector(*reinterpret_cast<const BytesUnaligned*>(index + out + c), VecInt);
        for (int64_t u = at.rows.from; u < at.rows.to; ++u) {
          for (int64_t v = at.columns.from; v < at.columns.to; ++v) {
            float* cell = image + ((at.y + u) * s.w + at.x + v) * s.c + c;
            const VecInt won = winner == static_cast<int32_t>(u * s.window_w + v);
            store(cell, load(cell) + (won ? slope : Vec{}));
          }
        }
      }
      for (; c < p.to; ++c) {
        const int64_t u = index[out + c] / s.window_w, v = index[out + c] % s.window_w;
        if (u >= at.rows.from && u < at.rows.to && v >= at.columns.from && v < at.columns.to)
          image[((at.y + u) * s.w + at.x + v) * s.c + c] += dy[out + c];
      }
    }
  }
}

void max_gradient(Pool& pool, const float* dy, const uint8_t* index, float* dx, const PoolingSizes& s) noexcept {
  if (s.n * s.h * s.w * s.c == 0) return;
  if (tiles(s)) return parallel_for(pool, s.n * s.oh, [&](int64_t row) { max_gradient_tiles(s, dy, index, dx, row); });
  parallel_for(pool, num_parts(s), [&](int64_t item) { max_gradient_part(s, dy, index, dx, part(s, item)); });
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

void mean_gradient_part(const PoolingSizes& s, const float* dy, float* dx, const Part& p, bool count_padding) noexcept {
  float* image = dx + p.image * s.h * s.w * s.c;
  clear(s, p, image);
  for (int64_t i = 0; i < s.oh; ++i) {
    for (int64_t j = 0; j < s.ow; ++j) {
      const Place at = place(s, i, j);
      const float share = 1.0f / static_cast<float>(cells(s, at, count_padding));
      const float* slope = dy + ((p.image * s.oh + i) * s.ow + j) * s.c;
      for (int64_t u = at.rows.from; u < at.rows.to; ++u) {
        for (int64_t v = at.columns.from; v < at.columns.to; ++v) {
          float* cell = image + ((at.y + u) * s.w + at.x + v) * s.c;
          int64_t c = p.from;
          for (; c + kWidth <= p.to; c += kWidth) store(cell + c, load(cell + c) + load(slope + c) * share);
          for (; c < p.to; ++c) cell[c] += slope[c] * share;
        }
      }
    }
  }
}

void mean_gradient(Pool& pool, const float* dy, float* dx, const PoolingSizes& s, bool count_padding) noexcept {
  if (s.n * s.h * s.w * s.c == 0) return;
  if (tiles(s)) return parallel_for(pool, s.n * s.oh, [&](int64_t row) { mean_gradient_tiles(s, dy, dx, row); });
  parallel_for(pool, num_parts(s), [&](int64_t item) { mean_gradient_part(s, dy, dx, part(s, item), count_padding); });
}

}  // namespace

extern const PoolingKernels pooling_kernels = {max_forward, max_gradient, mean_forward, mean_gradient};

}  // namespace chainrule::CHAINRULE_ISA
