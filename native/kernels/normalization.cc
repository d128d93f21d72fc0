#include "kernels/normalization_rows.h"

namespace chainrule::CHAINRULE_ISA {
namespace {

// Rows that count, their mean, and the sum of squared deviations from it, of an item or of several.
struct Moments {
  double count;
  float *mean, *squares;
};

// Two passes over the rows, of which the second finds them in the cache: the plain mean, then the deviations from it,
// whose own mean corrects what the first pass lost to rounding.
void measure(const BatchNormForward& b, const BatchNormSizes& s, Range within, Moments* to) {
  const int64_t channels = s.channels;
  float *mean = to->mean, *squares = to->squares;
  over_vectors(channels, [&](int64_t c, auto zero) { put(mean + c, zero), put(squares + c, zero); });
  int64_t count = 0;
  Range run{};
  for (Range left = within; left.first < left.last; left.first = run.last) {
    run = next_run(b.weight, s.rows, left);
    count += run.last - run.first;
    over_cells(run.first, run.last, channels, [&](int64_t row, int64_t c, auto zero, auto rows) {
      auto sum = zero;
#pragma GCC unroll 4
      for (int r = 0; r < decltype(rows)::rows; ++r) sum += get<decltype(zero)>(b.x + (row + r) * channels + c);
      put(mean + c, get<decltype(zero)>(mean + c) + sum);
    });
  }
  to->count = static_cast<double>(count);
  if (count == 0) return;
  const float each = 1.0f / static_cast<float>(count);
  float* off = squares + channels;  // sums of the deviations
  over_vectors(channels, [&](int64_t c, auto zero) {
    put(mean + c, get<decltype(zero)>(mean + c) * each), put(off + c, zero);
  });
  for (Range left = within; left.first < left.last; left.first = run.last) {
    run = next_run(b.weight, s.rows, left);
    over_cells(run.first, run.last, channels, [&](int64_t row, int64_t c, auto zero, auto rows) {
      using V = decltype(zero);
      const V centre = get<V>(mean + c);
      V sum{}, square{};
#pragma GCC unroll 4
      for (int r = 0; r < decltype(rows)::rows; ++r) {
        const V deviation = get<V>(b.x + (row + r) * channels + c) - centre;
        sum += deviation;
        square += deviation * deviation;
      }
      put(off + c, get<V>(off + c) + sum);
      put(squares + c, get<V>(squares + c) + square);
    });
  }
  over_vectors(channels, [&](int64_t c, auto zero) {
    using V = decltype(zero);
    const V sum = get<V>(off + c), correction = sum * each;
    put(mean + c, get<V>(mean + c) + correction);
    put(squares + c, get<V>(squares + c) - sum * correction);
  });
}

// Adds the rows of another item: Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample
// variances", 1979, equation 2.1.
void join(Moments* all, const Moments& one, int64_t channels) {
  if (one.count == 0) return;
  const double count = all->count + one.count;
  const float share = static_cast<float>(one.count / count);
  const float both = static_cast<float>(all->count * one.count / count);
  all->count = count;
  over_vectors(channels, [&](int64_t c, auto zero) {
    using V = decltype(zero);
    const V mean = get<V>(all->mean + c), apart = get<V>(one.mean + c) - mean;
    put(all->mean + c, mean + apart * share);
    put(all->squares + c, get<V>(all->squares + c) + (get<V>(one.squares + c) + apart * apart * both));
  });
}

void apply(const BatchNormForward& b, const float* slope, int64_t channels, Range range) {
  const float lowest = least(b.relu);
  over_cells(range.first, range.last, channels, [&](int64_t row, int64_t c, auto zero, auto rows) {
    using V = decltype(zero);
    const V low = zero + lowest;
#pragma GCC unroll 4
    for (int r = 0; r < decltype(rows)::rows; ++r) {
      const int64_t at = (row + r) * channels + c;
      const V y = normalised(get<V>(b.x + at), b.mean, slope, b.beta, c);
      put(b.y + at, low > y ? low : y);
    }
  });
}

bool forward(Pool& pool, const BatchNormForward& b, const BatchNormSizes& s) {
  const Items items = items_of(s);
  const int64_t part = 3 * round_up(s.channels, 16);  // mean, squares and room for one more
  float* parts = static_cast<float*>(scratch(0, (items.count * part + s.channels) * int64_t{sizeof(float)}));
  double* counts = static_cast<double*>(scratch(1, items.count * int64_t{sizeof(double)}));
  if (parts == nullptr || counts == nullptr) return false;
  parallel_for(pool, items.count, [&](int64_t item) {
    Moments own{0, parts + item * part, parts + item * part + s.channels};
    measure(b, s, range_of(items, item), &own);
    counts[item] = own.count;
  });
  for (int64_t c = 0; c < s.channels; ++c) b.mean[c] = b.variance[c] = 0;
  Moments all{0, b.mean, b.variance};
  for (int64_t item = 0; item < items.count; ++item)
    join(&all, {counts[item], parts + item * part, parts + item * part + s.channels}, s.channels);
  const float each = static_cast<float>(1 / (all.count > 0 ? all.count : 1));
  for (int64_t c = 0; c < s.channels; ++c) b.variance[c] *= each;
  float* slope = parts + items.count * part;
  slopes(b.gamma, b.variance, b.epsilon, s.channels, slope);
  parallel_for(pool, items.count,
               [&](int64_t item) { apply(b, slope, s.channels, range_of(items, items.count - 1 - item)); });
  return true;
}

}  // namespace

extern const BatchNorm batch_norm;
const BatchNorm batch_norm = {forward, batch_norm_backward};

}  // namespace chainrule::CHAINRULE_ISA
