// Pooling against double-precision loops, over random shapes, on every instruction set and number of threads.
#include "kernels/pooling.h"

#include "harness.h"

using namespace chainrule;
using namespace chainrule::testing;

namespace {

struct Case {
  PoolingSizes s;
  bool count_padding;
  int64_t large() const { return s.n * s.h * s.w * s.c; }
  int64_t small() const { return s.n * s.oh * s.ow * s.c; }
};

int64_t positions(int64_t size, int64_t window, int64_t stride, int64_t low, int64_t high) {
  const int64_t room = size + low + high - window;
  return room < 0 ? 0 : room / stride + 1;
}

Case draw(Random& random) {
  const int64_t primes[] = {0, 1, 2, 3, 5, 7, 8, 11, 13, 16, 17, 31, 33, 67};
  Case k;
  PoolingSizes& s = k.s;
  s.n = random.between(0, 3);
  s.h = random.between(0, 12);
  s.w = random.between(0, 12);
  s.c = primes[random.between(0, 13)];
  s.window_h = random.between(1, 5);
  s.window_w = random.between(1, 5);
  s.stride_h = random.between(1, 6);
  s.stride_w = random.between(1, 6);
  s.pad_h = random.between(0, s.window_h - 1);
  s.pad_w = random.between(0, s.window_w - 1);
  s.oh = positions(s.h, s.window_h, s.stride_h, s.pad_h, random.between(0, s.window_h - 1));
  s.ow = positions(s.w, s.window_w, s.stride_w, s.pad_w, random.between(0, s.window_w - 1));
  k.count_padding = random.between(0, 1) == 1;
  return k;
}

// Calls visit(input offset, cell number) for every cell of the window that lies inside.
template <class Visit>
void each_cell(const PoolingSizes& s, int64_t n, int64_t i, int64_t j, int64_t c, Visit visit) {
  for (int64_t u = 0; u < s.window_h; ++u)
    for (int64_t v = 0; v < s.window_w; ++v) {
      const int64_t y = i * s.stride_h - s.pad_h + u, x = j * s.stride_w - s.pad_w + v;
      if (y >= 0 && y < s.h && x >= 0 && x < s.w) visit(((n * s.h + y) * s.w + x) * s.c + c, u * s.window_w + v);
    }
}

struct Reference {
  std::vector<double> top, mean, top_gradient, mean_gradient;
};

Reference reference(const Case& k, const Guarded& x, const Guarded& dy) {
  const PoolingSizes& s = k.s;
  Reference r;
  r.top.assign(k.small(), -INFINITY);
  r.mean.assign(k.small(), 0);
  r.top_gradient.assign(k.large(), 0);
  r.mean_gradient.assign(k.large(), 0);
  int64_t out = 0;
  for (int64_t n = 0; n < s.n; ++n)
    for (int64_t i = 0; i < s.oh; ++i)
      for (int64_t j = 0; j < s.ow; ++j)
        for (int64_t c = 0; c < s.c; ++c, ++out) {
          int64_t winner = -1, count = 0;
          each_cell(s, n, i, j, c, [&](int64_t at, int64_t) {
            ++count;
            r.mean[out] += x[at];
            if (winner < 0 || x[at] > x[winner]) winner = at;
          });
          if (k.count_padding) count = s.window_h * s.window_w;
          if (count == 0) count = 1;
          r.mean[out] /= static_cast<double>(count);
          each_cell(s, n, i, j, c, [&](int64_t at, int64_t) { r.mean_gradient[at] += dy[out] / static_cast<double>(count); });
          if (winner >= 0) {
            r.top[out] = x[winner];
            r.top_gradient[winner] += dy[out];
          }
        }
  return r;
}

// At infinite values (a window without cells) only equality counts.
template <class Wanted>
double error(const Guarded& found, const Wanted& wanted, int64_t count) {
  std::vector<double> a(count), b(count);
  for (int64_t i = 0; i < count; ++i) {
    const bool infinite = std::isinf(wanted[i]);
    a[i] = infinite ? (found[i] == wanted[i] ? 0 : INFINITY) : found[i];
    b[i] = infinite ? 0 : wanted[i];
  }
  return relative_error(a, b, count);
}

void test_case(Pool& pool, Isa isa, int64_t number) {
  Random random(static_cast<uint64_t>(number));
  const Case k = draw(random);
  const auto edge = number % 2 ? Guarded::Edge::start : Guarded::Edge::end;
  Guarded x(k.large(), edge), dy(k.small(), edge), y(k.small(), edge), mean(k.small(), edge);
  Guarded dx(k.large(), edge), dmean(k.large(), edge);
  std::vector<uint8_t> index(k.small() + 1, 0xCD);
  random.fill(x, k.large());
  random.fill(dy, k.small());
  for (int64_t i = 0; number % 3 == 0 && i < k.large(); ++i) x[i] = std::floor(x[i] * 2);  // many ties
  const Reference r = reference(k, x, dy);
  const PoolingKernels& kernels = current_pooling_kernels();
  kernels.max_forward(pool, x.data(), y.data(), nullptr, k.s);
  const double without = error(y, r.top, k.small());
  kernels.max_forward(pool, x.data(), y.data(), index.data(), k.s);
  kernels.max_gradient(pool, dy.data(), index.data(), dx.data(), k.s);
  kernels.mean_forward(pool, x.data(), mean.data(), k.s, k.count_padding);
  kernels.mean_gradient(pool, dy.data(), dmean.data(), k.s, k.count_padding);
  // sums of at most 25 floats: 25 roundings of 6e-8 each
  EXPECT(without == 0 && error(y, r.top, k.small()) == 0, "max, case %lld, %s", (long long)number, isa_name(isa));
  EXPECT(index[k.small()] == 0xCD, "index beyond its end, case %lld", (long long)number);
  EXPECT(relative_error(dx, r.top_gradient, k.large()) < 2e-6, "max gradient, case %lld, %s", (long long)number, isa_name(isa));
  EXPECT(error(mean, r.mean, k.small()) < 2e-6, "mean, case %lld, %s", (long long)number, isa_name(isa));
  EXPECT(relative_error(dmean, r.mean_gradient, k.large()) < 2e-6, "mean gradient, case %lld, %s", (long long)number, isa_name(isa));
}

void test_same_bits_for_any_number_of_threads() {
  Case k;
  k.s = {5, 11, 9, 37, 6, 5, 3, 2, 2, 2, 1, 1};
  Random random(1);
  std::vector<float> x(k.large()), dy(k.small()), first;
  random.fill(x, k.large());
  random.fill(dy, k.small());
  for (int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    for (int repeat = 0; repeat < 30; ++repeat) {
      std::vector<float> y(k.small()), dx(k.large()), all;
      std::vector<uint8_t> index(k.small());
      current_pooling_kernels().max_forward(pool, x.data(), y.data(), index.data(), k.s);
      current_pooling_kernels().max_gradient(pool, dy.data(), index.data(), dx.data(), k.s);
      all.insert(all.end(), y.begin(), y.end());
      all.insert(all.end(), dx.begin(), dx.end());
      current_pooling_kernels().mean_forward(pool, x.data(), y.data(), k.s, false);
      current_pooling_kernels().mean_gradient(pool, dy.data(), dx.data(), k.s, false);
      all.insert(all.end(), y.begin(), y.end());
      all.insert(all.end(), dx.begin(), dx.end());
      if (first.empty()) first = all;
      EXPECT(std::memcmp(all.data(), first.data(), all.size() * sizeof(float)) == 0, "%d threads", threads);
    }
  }
}

void test_nan_wins() {
  const PoolingSizes s = {1, 1, 4, 9, 1, 2, 1, 2, 1, 2, 0, 0};
  std::vector<float> x(36, 1.0f), y(18);
  std::vector<uint8_t> index(18);
  for (int c = 0; c < 9; ++c) x[9 + c] = NAN;
  ThreadPool pool(1);
  current_pooling_kernels().max_forward(pool, x.data(), y.data(), index.data(), s);
  for (int c = 0; c < 9; ++c)
    EXPECT(std::isnan(y[c]) && index[c] == 1 && y[9 + c] == 1 && index[9 + c] == 0, "channel %d", c);
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t tried = shapes(argc, argv, 2500);
  ThreadPool pool(2);
  for (Isa isa : isas()) {
    select_isa(isa);
    for (int64_t number = 0; number < tried; ++number) test_case(pool, isa, number);
    test_same_bits_for_any_number_of_threads();
    test_nan_wins();
  }
  return finish("pooling", tried);
}
