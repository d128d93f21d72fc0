#include "kernels/depthwise.h"
#include "kernels/depthwise_row.h"

namespace chainrule::CHAINRULE_ISA {
namespace {

constexpr int kMostTaps = 9;  // whose sums are kept in registers at a time

// A row of the results' gradient, the input its taps meet, and sums [tap][channel] to add to.
struct Row {
  const float* input;
  const float* gradient;
  float* sums;
  int64_t channels, width, step, count;  // step: floats from a result's cell to the next one's
};

// sums[tap] += sum over results q of cell * gradient, for T taps and a vector of channels, the last `lanes` if kPart.
template <int T, bool kPart>
CHAINRULE_INLINE void add_vector(const Row& row, const Tap* taps, Range range, int64_t c, int64_t lanes) {
  const auto get = [lanes](const float* p) __attribute__((always_inline)) { return kPart ? load_part(p, lanes) : load(p); };
  Vec sum[T];
  const float* cells[T];
#pragma GCC unroll 9
  for (int t = 0; t < T; ++t) {
    sum[t] = get(row.sums + (taps[t].weight + c));
    cells[t] = row.input + (taps[t].cell + range.low * row.step + c);
  }
  const float* gradient = row.gradient + (range.low * row.channels + c);
  for (int64_t q = range.low, at = 0; q < range.high; ++q, at += row.step, gradient += row.channels) {
    const Vec g = get(gradient);
#pragma GCC unroll 9
    for (int t = 0; t < T; ++t) sum[t] += get(cells[t] + at) * g;
  }
#pragma GCC unroll 9
  for (int t = 0; t < T; ++t) {
    float* target = row.sums + (taps[t].weight + c);
    kPart ? store_part(target, sum[t], lanes) : store(target, sum[t]);
  }
}

template <int T>
void add(const Row& row, const Tap* taps, Range range) {
  int64_t c = 0;
  for (; c + kWidth <= row.channels; c += kWidth) add_vector<T, false>(row, taps, range, c, kWidth);
  if (c < row.channels) add_vector<T, true>(row, taps, range, c, row.channels - c);
}

// The same for a number of taps that is known only now.
template <int T>
CHAINRULE_INLINE void add_some(const Row& row, const Tap* taps, int64_t count, Range range) {
  if constexpr (T > 0) {
    if (count == T)
      add<T>(row, taps, range);
    else
      add_some<T - 1>(row, taps, count, range);
  }
}

// One result, whose cell some taps miss.
void add_edge(const Row& row, const Tap* taps, int64_t count, int64_t stride, int64_t q) {
  Tap met[kMostTaps];
  int64_t kept = 0;
  for (int64_t t = 0; t < count; ++t) {
    const int64_t column = taps[t].column + q * stride;
    if (column >= 0 && column < row.width) met[kept++] = taps[t];
  }
  add_some<kMostTaps>(row, met, kept, {q, q + 1});
}

// At most kMostTaps taps: together where all of them meet the input, and result by result at the edges.
void add_group(const Row& row, const Tap* taps, int64_t count, int64_t stride) {
  const Range inner = common(taps, count, stride, row.width, row.count);
  for (int64_t q = 0; q < inner.low; ++q) add_edge(row, taps, count, stride, q);
  if (inner.low < inner.high) add_some<kMostTaps>(row, taps, count, inner);
  for (int64_t q = inner.high; q < row.count; ++q) add_edge(row, taps, count, stride, q);
}

// Adds rows [first, last) of the results of image n.
bool add_rows(const float* x, const float* dy, const ConvSizes& s, int64_t n, int64_t first, int64_t last, float* sums) {
  Tap* taps = static_cast<Tap*>(scratch(2, s.kh * s.kw * static_cast<int64_t>(sizeof(Tap))));
  int64_t first_row = 0;
  const float* input = input_rows(x, s, n, first, last, &first_row);
  if (taps == nullptr || input == nullptr) return false;
  for (int64_t i = first; i < last; ++i) {
    const int64_t count = forward_taps(s, i, s.f, first_row, taps);
    const Row row{input, dy + (n * s.oh + i) * s.ow * s.f, sums, s.f, s.w, s.stride_w * s.f, s.ow};
    for (int64_t t = 0; t < count; t += kMostTaps) add_group(row, taps + t, smaller(count - t, kMostTaps), s.stride_w);
  }
  return true;
}

}  // namespace

// Blocks of rows are dealt to chunks, a function of the sizes alone; each chunk has sums of its own, which are added in
// their order.
bool depthwise_kernel_gradient(Pool& pool, const float* x, const float* dy, float* dkernel, const ConvSizes& s) {
  constexpr int64_t kMostChunks = 64, kPiece = 1024;
  const int64_t size = rows_of_item(s.oh, s.ow, s.f), blocks = ceil_div(s.oh, size);
  const int64_t items = s.ow > 0 && s.c > 0 ? s.n * blocks : 0, chunks = smaller(items, kMostChunks);
  const int64_t weights = s.kh * s.kw * s.f;
  float* sums = static_cast<float*>(scratch(0, chunks * weights * 4));
  if (sums == nullptr) return false;
  int failed = 0;
  parallel_for(pool, chunks, [&](int64_t chunk) {
    float* own = sums + chunk * weights;
    for (int64_t i = 0; i < weights; ++i) own[i] = 0;
    for (int64_t item = chunk * items / chunks; item < (chunk + 1) * items / chunks; ++item) {
      const int64_t first = item % blocks * size;
      if (!add_rows(x, dy, s, item / blocks, first, smaller(first + size, s.oh), own))
        return __atomic_store_n(&failed, 1, __ATOMIC_RELAXED);
    }
  });
  if (failed) return false;
  parallel_for(pool, ceil_div(weights, kPiece), [&](int64_t piece) {
    for (int64_t i = piece * kPiece; i < smaller((piece + 1) * kPiece, weights); ++i) dkernel[i] = 0;
    for (int64_t chunk = 0; chunk < chunks; ++chunk)
      for (int64_t i = piece * kPiece; i < smaller((piece + 1) * kPiece, weights); ++i)
        dkernel[i] += sums[chunk * weights + i];
  });
  return true;
}

}  // namespace chainrule::CHAINRULE_ISA
