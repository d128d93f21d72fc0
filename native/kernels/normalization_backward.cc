#include "kernels/normalization_rows.h"

namespace chainrule::CHAINRULE_ISA {
namespace {

// dy, or 0 where the ReLU was closed.
template <class V>
CHAINRULE_INLINE V opened(const BatchNormBackward& b, const float* slope, V x, int64_t at, int64_t c) {
  const V dy = get<V>(b.dy + at);
  if (!b.relu) return dy;
  return normalised(x, b.mean, slope, b.beta, c) > V{} ? dy : V{};
}

// by_shift = sum of the gradient over the rows, by_scale = sum of the gradient times the deviation from the mean.
template <bool kRelu>
void add_rows(BatchNormBackward b, const float* slope, int64_t channels, Range range, float* by_shift,
              float* by_scale) {
  b.relu = kRelu;
  over_vectors(channels, [&](int64_t c, auto zero) { put(by_shift + c, zero), put(by_scale + c, zero); });
  over_cells(range.first, range.last, channels, [&](int64_t row, int64_t c, auto zero, auto rows) {
    using V = decltype(zero);
    V shift{}, scale{};
#pragma GCC unroll 4
    for (int r = 0; r < decltype(rows)::rows; ++r) {
      const int64_t at = (row + r) * channels + c;
      const V x = get<V>(b.x + at), g = opened(b, slope, x, at, c);
      shift += g;
      scale += g * (x - get<V>(b.mean + c));
    }
    put(by_shift + c, get<V>(by_shift + c) + shift);
    put(by_scale + c, get<V>(by_scale + c) + scale);
  });
}

// What dx is made of, a number for each channel: through the result itself, through the variance (linear in x - mean)
// and through the mean (constant). Rows that do not count move neither of these two.
struct Factors {
  const float *slope, *linear, *constant;
};

// dx = g * slope, and for rows that count + (x - mean) * linear + constant
template <bool kRelu, bool kCounted>
void apply_rows(BatchNormBackward b, const Factors& f, int64_t channels, Range range) {
  b.relu = kRelu;
  over_cells(range.first, range.last, channels, [&](int64_t row, int64_t c, auto zero, auto rows) {
    using V = decltype(zero);
#pragma GCC unroll 4
    for (int r = 0; r < decltype(rows)::rows; ++r) {
      const int64_t at = (row + r) * channels + c;
      const V x = get<V>(b.x + at), g = opened(b, f.slope, x, at, c);
      V dx = g * get<V>(f.slope + c);
      if (kCounted) dx += (x - get<V>(b.mean + c)) * get<V>(f.linear + c) + get<V>(f.constant + c);
      put(b.dx + at, dx);
    }
  });
}

template <bool kRelu>
void apply(const BatchNormBackward& b, const BatchNormSizes& s, const Factors& f, Range range) {
  while (range.first < range.last) {
    const Range skipped = next_run(b.weight, s.rows, {range.first, range.last}, false);
    const bool leads = skipped.first == range.first && skipped.last > skipped.first;
    const Range run = leads ? skipped : next_run(b.weight, s.rows, range);
    (leads ? apply_rows<kRelu, false> : apply_rows<kRelu, true>)(b, f, s.channels, run);
    range.first = run.last;
  }
}

int64_t rows_that_count(const float* weight, const BatchNormSizes& s) {
  int64_t examples = weight == nullptr ? s.examples : 0;
  for (int64_t i = 0; weight != nullptr && i < s.examples; ++i) examples += weight[i] > 0;
  return examples * s.rows;
}

// Adds the items' sums in their order; dgamma still lacks the factor of 1 / sqrt(variance + epsilon).
void add_items(const float* parts, const Items& items, int64_t channels, const BatchNormBackward& b) {
  for (int64_t c = 0; c < channels; ++c) b.dbeta[c] = b.dgamma[c] = 0;
  for (int64_t item = 0; item < items.count; ++item) {
    const float* part = parts + item * 2 * channels;
    over_vectors(channels, [&](int64_t c, auto zero) {
      using V = decltype(zero);
      put(b.dbeta + c, get<V>(b.dbeta + c) + get<V>(part + c));
      put(b.dgamma + c, get<V>(b.dgamma + c) + get<V>(part + channels + c));
    });
  }
}

}  // namespace

bool batch_norm_backward(Pool& pool, const BatchNormBackward& b, const BatchNormSizes& s) {
  const Items items = items_of(s);
  const int64_t channels = s.channels;
  float* parts = static_cast<float*>(scratch(0, (items.count * 2 + 3) * channels * int64_t{sizeof(float)}));
  if (parts == nullptr) return false;
  float *slope = parts + items.count * 2 * channels, *linear = slope + channels, *constant = linear + channels;
  slopes(b.gamma, b.variance, b.epsilon, channels, slope);
  parallel_for(pool, items.count, [&](int64_t item) {
    float* part = parts + item * 2 * channels;
    (b.relu ? add_rows<true> : add_rows<false>)(b, slope, channels, range_of(items, item), part, part + channels);
  });
  add_items(parts, items, channels, b);
  const float each = 1.0f / static_cast<float>(larger(rows_that_count(b.weight, s), 1));
  for (int64_t c = 0; c < channels; ++c) {
    const float rstd = 1.0f / __builtin_sqrtf(b.variance[c] + b.epsilon);
    b.dgamma[c] *= rstd;
    linear[c] = (2 * b.dvariance[c] - slope[c] * rstd * b.dgamma[c]) * each;
    constant[c] = (b.dmean[c] - slope[c] * b.dbeta[c]) * each;
  }
  const Factors factors{slope, linear, constant};
  parallel_for(pool, items.count, [&](int64_t item) {
    (b.relu ? apply<true> : apply<false>)(b, s, factors, range_of(items, items.count - 1 - item));
  });
  return true;
}

}  // namespace chainrule::CHAINRULE_ISA
