#include "kernels/depthwise.h"
#include "kernels/depthwise_pack.h"

namespace chainrule::CHAINRULE_ISA {
namespace {

constexpr int kMostTaps = 9;  // whose sums are kept in registers at a time

// Rows of the results' gradient, and the packed cells they meet: result q of row i has its cells `q * step + i * down`
// floats on, and is itself `q * channels + i * columns * channels` on.
struct Rows {
  const float* cells;
  const float* gradient;
  int64_t rows, columns, channels, step, down;
  int64_t lanes;  // channels of the vector that exist
};

// sums[t] += sum over all results of cell * gradient, for T taps `offsets` floats on, and one vector of channels.
template <int T, bool kPart>
CHAINRULE_INLINE void add_taps(const Rows& rows, const int64_t* offsets, float* sums, int64_t sums_step) {
  const auto get = [lanes = rows.lanes](const float* p) __attribute__((always_inline)) {
    return kPart ? load_part(p, lanes) : load(p);
  };
  Vec sum[T];
#pragma GCC unroll 9
  for (int t = 0; t < T; ++t) sum[t] = get(sums + t * sums_step);
  for (int64_t i = 0; i < rows.rows; ++i) {
    const float* cells[T];
#pragma GCC unroll 9
    for (int t = 0; t < T; ++t) cells[t] = rows.cells + i * rows.down + offsets[t];
    const float* gradient = rows.gradient + i * rows.columns * rows.channels;
    for (int64_t q = 0, at = 0; q < rows.columns; ++q, at += rows.step, gradient += rows.channels) {
      const Vec g = get(gradient);
#pragma GCC unroll 9
      for (int t = 0; t < T; ++t) sum[t] += load(cells[t] + at) * g;
    }
  }
#pragma GCC unroll 9
  for (int t = 0; t < T; ++t)
    kPart ? store_part(sums + t * sums_step, sum[t], rows.lanes) : store(sums + t * sums_step, sum[t]);
}

// The same for a number of taps that is known only now.
template <int T>
void add(const Rows& rows, const int64_t* offsets, int64_t count, float* sums, int64_t sums_step) {
  if constexpr (T > 0) {
    if (count != T)
      add<T - 1>(rows, offsets, count, sums, sums_step);
    else if (rows.lanes < kWidth)
      add_taps<T, true>(rows, offsets, sums, sums_step);
    else
      add_taps<T, false>(rows, offsets, sums, sums_step);
  }
}

// Adds rows [first, last) of the results of an image to sums [tap][channel].
bool add_rows(const float* x, const float* dy, const ConvSizes& s, int64_t first, int64_t last, float* sums) {
  const Region region = met_forward(s, first, last);
  const int64_t taps = s.kh * s.kw;
  float* cells = static_cast<float*>(scratch(1, region.floats() * 4));
  int64_t* offsets = static_cast<int64_t*>(scratch(2, taps * static_cast<int64_t>(sizeof(int64_t))));
  if (cells == nullptr || offsets == nullptr) return false;
  for (int64_t t = 0; t < taps; ++t)
    offsets[t] = (t / s.kw * s.dilation_h * region.columns + t % s.kw * s.dilation_w) * kChannels;
  for (int64_t c = 0; c < s.f; c += kChannels) {
    pack({x, s.h, s.w, s.c, s.f / s.c}, region, c, cells);
    for (int64_t v = 0; v < kChannels && c + v < s.f; v += kWidth) {
      const Rows rows{cells + v, dy + first * s.ow * s.f + c + v, last - first, s.ow, s.f, s.stride_w * kChannels,
                      s.stride_h * region.columns * kChannels, smaller(s.f - c - v, kWidth)};
      for (int64_t t = 0; t < taps; t += kMostTaps)
        add<kMostTaps>(rows, offsets + t, smaller(taps - t, kMostTaps), sums + t * s.f + c + v, s.f);
    }
  }
  return true;
}

}  // namespace

// Blocks of rows are dealt to chunks, a function of the sizes alone; each chunk has sums of its own, which are added in
// their order.
bool depthwise_kernel_gradient(Pool& pool, const float* x, const float* dy, float* dkernel, const ConvSizes& s) {
  constexpr int64_t kMostChunks = 32, kPiece = 1024;
  if (s.kh * s.kw * s.f == 0) return true;
  const bool is_empty = s.n * s.oh * s.ow == 0;
  const int64_t columns = is_empty ? 1 : met_forward(s, 0, 1).columns;
  const int64_t size = rows_of_item(s.oh, s.stride_h, (s.kh - 1) * s.dilation_h, columns);
  const int64_t blocks = ceil_div(s.oh, size), items = is_empty ? 0 : s.n * blocks, weights = s.kh * s.kw * s.f;
  const int64_t chunks = smaller(items, kMostChunks);
  float* sums = static_cast<float*>(scratch(0, chunks * weights * 4));
  if (sums == nullptr) return false;
  int failed = 0;
  parallel_for(pool, chunks, [&](int64_t chunk) {
    float* own = sums + chunk * weights;
    for (int64_t i = 0; i < weights; ++i) own[i] = 0;
    for (int64_t item = chunk * items / chunks; item < (chunk + 1) * items / chunks; ++item) {
      const int64_t n = item / blocks, first = item % blocks * size, last = smaller(first + size, s.oh);
      if (!add_rows(x + n * s.h * s.w * s.c, dy + n * s.oh * s.ow * s.f, s, first, last, own))
        __atomic_store_n(&failed, 1, __ATOMIC_RELAXED);
    }
  });
  if (failed) return false;
  parallel_for(pool, ceil_div(weights, kPiece), [&](int64_t piece) {
    const int64_t from = piece * kPiece, until = smaller(from + kPiece, weights);
    for (int64_t i = from; i < until; ++i) dkernel[i] = 0;
    for (int64_t chunk = 0; chunk < chunks; ++chunk)
      for (int64_t i = from; i < until; ++i) dkernel[i] += sums[chunk * weights + i];
  });
  return true;
}

}  // namespace chainrule::CHAINRULE_ISA
