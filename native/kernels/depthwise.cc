#include "kernels/depthwise.h"

#include "kernels/depthwise_row.h"

namespace chainrule::CHAINRULE_ISA {
namespace {

// A row of results: result q is at output[q * out_step] and takes cells in_step columns apart.
struct Row {
  const float* input;
  const float* kernel;
  const float* bias;
  float* output;
  int64_t channels, width, in_step, out_step, count;
  bool relu = false;
};

// Results smaller than this become this; as first operand of larger(), it keeps what is not a number.
CHAINRULE_INLINE Vec least(const Row& row) { return row.relu ? Vec{} : broadcast(-__builtin_inff()); }

// R results from q on, for V vectors of channels from c on; every tap meets the input. Weights are loaded once for R
// results; the cells come as operands of the multiply-adds, one load each, which the processor does at the same rate.
template <int R, int V>
CHAINRULE_INLINE void results(const Row& row, const Tap* taps, int64_t count, int64_t q, int64_t c) {
  const int64_t step = row.in_step * row.channels;
  Vec sum[R][V];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) sum[r][v] = row.bias ? load(row.bias + c + v * kWidth) : Vec{};
  for (int64_t t = 0; t < count; ++t) {
    const float* cells = row.input + (taps[t].cell + q * step + c);
    const float* weights = row.kernel + (taps[t].weight + c);
    Vec weight[V];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) weight[v] = load(weights + v * kWidth);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sum[r][v] += load(cells + r * step + v * kWidth) * weight[v];
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    float* output = row.output + (q + r) * row.out_step + c;
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) store(output + v * kWidth, larger(least(row), sum[r][v]));
  }
}

// The same for all channels. The last vector overlaps the one before where channels do not fill it: its results are
// computed twice, to the same bits.
template <int R, int V>
void all_channels(const Row& given, const Tap* taps, int64_t count, int64_t q) {
  const Row row = given;  // a copy that no store can change
  int64_t c = 0;
  for (; c + V * kWidth <= row.channels; c += V * kWidth) results<R, V>(row, taps, count, q, c);
  if constexpr (V > 4)
    for (; c + 4 * kWidth <= row.channels; c += 4 * kWidth) results<R, 4>(row, taps, count, q, c);
  for (; c < row.channels; c += kWidth) results<R, 1>(row, taps, count, q, smaller(c, row.channels - kWidth));
}

// R results for fewer channels than a vector has.
void few_channels(const Row& row, const Tap* taps, int64_t count, int64_t q) {
  Vec sum = row.bias ? load_part(row.bias, row.channels) : Vec{};
  for (int64_t t = 0; t < count; ++t)
    sum += load_part(row.input + (taps[t].cell + q * row.in_step * row.channels), row.channels) *
           load_part(row.kernel + taps[t].weight, row.channels);
  store_part(row.output + q * row.out_step, larger(least(row), sum), row.channels);
}

// A result that some taps miss; `met` is memory for as many taps.
void edge(const Row& row, const Tap* taps, int64_t count, int64_t q, Tap* met) {
  int64_t kept = 0;
  for (int64_t t = 0; t < count; ++t) {
    const int64_t column = taps[t].column + q * row.in_step;
    if (column >= 0 && column < row.width) met[kept++] = taps[t];
  }
  (row.channels < kWidth ? few_channels : all_channels<1, 4>)(row, met, kept, q);
}

void whole_row(const Row& row, const Tap* taps, int64_t count, Tap* met) {
  const Range inner = common(taps, count, row.in_step, row.width, row.count);
  for (int64_t q = 0; q < inner.low; ++q) edge(row, taps, count, q, met);
  int64_t q = inner.low;
  if (row.channels >= kWidth) {
    // Result by result goes through memory in its order, eight results at a time load weights less often: the first is
    // faster for long or strided cells, although it loads twice as much.
    if (row.in_step > 1 || row.channels >= 8 * kWidth)
      for (; q < inner.high; ++q) all_channels<1, 8>(row, taps, count, q);
    for (; q + 8 <= inner.high; q += 8) all_channels<8, 1>(row, taps, count, q);
    for (; q + 4 <= inner.high; q += 4) all_channels<4, 2>(row, taps, count, q);
    for (; q + 2 <= inner.high; q += 2) all_channels<2, 4>(row, taps, count, q);
  }
  for (; q < row.count; ++q) edge(row, taps, count, q, met);
}

// Rows [first, last) of the results of image n.
bool forward_rows(const float* x, const float* kernel, const float* bias, float* y, const ConvSizes& s, bool relu,
                  int64_t n, int64_t first, int64_t last) {
  Tap* taps = static_cast<Tap*>(scratch(0, 2 * s.kh * s.kw * static_cast<int64_t>(sizeof(Tap))));
  int64_t first_row = 0;
  const float* input = input_rows(x, s, n, first, last, &first_row);
  if (taps == nullptr || input == nullptr) return false;
  for (int64_t i = first; i < last; ++i) {
    const int64_t count = forward_taps(s, i, s.f, first_row, taps);
    const Row row{input, kernel, bias, y + (n * s.oh + i) * s.ow * s.f, s.f, s.w, s.stride_w, s.f, s.ow, relu};
    whole_row(row, taps, count, taps + count);
  }
  return true;
}

// The taps that meet row u of the gradient, in its columns v = phase, phase + stride, ...
int64_t backward_taps(const ConvSizes& s, int64_t u, int64_t phase, Tap* taps) {
  int64_t count = 0;
  for (int64_t a = 0; a < s.kh; ++a) {
    const int64_t down = u + s.pad_h - a * s.dilation_h;
    if (down < 0 || down % s.stride_h != 0 || down / s.stride_h >= s.oh) continue;
    for (int64_t b = 0; b < s.kw; ++b) {
      const int64_t across = phase + s.pad_w - b * s.dilation_w;
      if (across % s.stride_w != 0) continue;
      const int64_t column = across / s.stride_w;
      taps[count++] = {column, (down / s.stride_h * s.ow + column) * s.f, (a * s.kw + b) * s.f};
    }
  }
  return count;
}

// Rows [first, last) of the gradient to image n.
bool backward_rows(const float* dy, const float* kernel, const float* bias, float* dx, const ConvSizes& s, int64_t n,
                   int64_t first, int64_t last) {
  Tap* taps = static_cast<Tap*>(scratch(0, 2 * s.kh * s.kw * static_cast<int64_t>(sizeof(Tap))));
  const int64_t times = s.f / s.c;
  float* repeated = times > 1 ? static_cast<float*>(scratch(1, s.w * s.f * 4)) : nullptr;
  if (taps == nullptr || (times > 1 && repeated == nullptr)) return false;
  for (int64_t u = first; u < last; ++u) {
    float* target = dx + (n * s.h + u) * s.w * s.c;
    float* row_start = times > 1 ? repeated : target;
    for (int64_t phase = 0; phase < smaller(s.stride_w, s.w); ++phase) {
      const int64_t count = backward_taps(s, u, phase, taps);
      const float* shift = times > 1 ? nullptr : bias;
      const Row row{dy + n * s.oh * s.ow * s.f, kernel, shift, row_start + phase * s.f, s.f, s.ow, 1,
                    s.stride_w * s.f, ceil_div(s.w - phase, s.stride_w)};
      whole_row(row, taps, count, taps + count);
    }
    if (times > 1) {
      const float* from = repeated;
      for (int64_t v = 0; v < s.w; ++v)
        for (int64_t c = 0; c < s.c; ++c) {
          float sum = bias ? bias[c] : 0.0f;
          for (int64_t j = 0; j < times; ++j) sum += *from++;
          *target++ = sum;
        }
    }
  }
  return true;
}

// rows(image, first, last) for blocks of rows of all images.
template <class Rows>
bool over_rows(Pool& pool, int64_t images, int64_t rows, int64_t columns, int64_t channels, Rows&& body) {
  constexpr int64_t kFloats = 16384;  // of an item, so that it is worth a thread's while
  const int64_t size = clamp(kFloats / (columns * channels), 1, rows), blocks = ceil_div(rows, size);
  int failed = 0;
  parallel_for(pool, images * blocks, [&](int64_t item) {
    const int64_t first = item % blocks * size;
    if (!body(item / blocks, first, smaller(first + size, rows))) __atomic_store_n(&failed, 1, __ATOMIC_RELAXED);
  });
  return failed == 0;
}

}  // namespace

bool depthwise_forward(Pool& pool, const float* x, const float* kernel, const float* bias, float* y, const ConvSizes& s,
                       bool relu) {
  if (s.n * s.oh * s.ow * s.f == 0) return true;
  return over_rows(pool, s.n, s.oh, s.ow, s.f, [&](int64_t n, int64_t first, int64_t last) {
    return forward_rows(x, kernel, bias, y, s, relu, n, first, last);
  });
}

bool depthwise_input_gradient(Pool& pool, const float* dy, const float* kernel, const float* bias, float* dx,
                              const ConvSizes& s) {
  if (s.n * s.h * s.w * s.c == 0) return true;
  return over_rows(pool, s.n, s.h, s.w, s.f, [&](int64_t n, int64_t first, int64_t last) {
    return backward_rows(dy, kernel, bias, dx, s, n, first, last);
  });
}

extern const Depthwise depthwise;
const Depthwise depthwise = {depthwise_forward, depthwise_input_gradient, depthwise_kernel_gradient};

}  // namespace chainrule::CHAINRULE_ISA
