// The three products of a depthwise convolution agree with sums in double precision, write every output and nothing
// else, and have the same bits for any number of threads.
#include "harness.h"

#include <algorithm>

#include "kernels/depthwise.h"

using namespace chainrule;
using namespace chainrule::testing;

namespace {

// Calls term(index in x, index in the kernel, index in y) for every product that the convolution sums.
template <class Term>
void over_terms(const ConvSizes& s, Term&& term) {
  const int64_t times = s.f / std::max<int64_t>(s.c, 1);
  for (int64_t n = 0; n < s.n; ++n)
    for (int64_t i = 0; i < s.oh; ++i)
      for (int64_t j = 0; j < s.ow; ++j)
        for (int64_t a = 0; a < s.kh; ++a)
          for (int64_t b = 0; b < s.kw; ++b) {
            const int64_t row = i * s.stride_h + a * s.dilation_h - s.pad_h;
            const int64_t column = j * s.stride_w + b * s.dilation_w - s.pad_w;
            if (row < 0 || row >= s.h || column < 0 || column >= s.w) continue;
            for (int64_t f = 0; f < s.f; ++f)
              term(((n * s.h + row) * s.w + column) * s.c + f / times, (a * s.kw + b) * s.f + f,
                   ((n * s.oh + i) * s.ow + j) * s.f + f);
          }
}

// Arguments and results of one convolution.
struct Problem {
  Problem(const ConvSizes& sizes, Random& random, Guarded::Edge edge)
      : sizes(sizes),
        x(sizes.n * sizes.h * sizes.w * sizes.c, edge),
        kernel(sizes.kh * sizes.kw * sizes.f, edge),
        bias(sizes.f, edge),
        shift(sizes.c, edge),
        dy(sizes.n * sizes.oh * sizes.ow * sizes.f, edge) {
    for (Guarded* each : {&x, &kernel, &bias, &shift, &dy}) random.fill(*each, each->size());
  }
  ConvSizes sizes;
  Guarded x, kernel, bias, shift, dy;
};

struct Results {
  explicit Results(const Problem& problem, Guarded::Edge edge)
      : y(problem.dy.size(), edge), dx(problem.x.size(), edge), dkernel(problem.kernel.size(), edge) {}
  Guarded y, dx, dkernel;
};

void compute(const Problem& p, bool has_bias, bool relu, int threads, Results& results) {
  ThreadPool pool(threads);
  const Depthwise& depthwise = current_depthwise();
  const float* bias = has_bias ? p.bias.data() : nullptr;
  EXPECT(depthwise.forward(pool, p.x.data(), p.kernel.data(), bias, results.y.data(), p.sizes, relu), "no memory");
  const float* shift = has_bias ? p.shift.data() : nullptr;
  EXPECT(depthwise.input_gradient(pool, p.dy.data(), p.kernel.data(), shift, results.dx.data(), p.sizes), "no memory");
  EXPECT(depthwise.kernel_gradient(pool, p.x.data(), p.dy.data(), results.dkernel.data(), p.sizes), "no memory");
}

bool has_same_bits(const Guarded& a, const Guarded& b) {
  return std::memcmp(a.data(), b.data(), static_cast<size_t>(a.size()) * sizeof(float)) == 0;
}

void check(const ConvSizes& s, Random& random) {
  const Guarded::Edge edge = random.between(0, 1) ? Guarded::Edge::end : Guarded::Edge::start;
  const bool has_bias = random.between(0, 1), relu = random.between(0, 1);
  const Problem p(s, random, edge);
  std::vector<double> y(p.dy.size()), dx(p.x.size()), dkernel(p.kernel.size());
  for (int64_t i = 0; has_bias && i < p.dy.size(); ++i) y[i] = p.bias[i % s.f];
  for (int64_t i = 0; has_bias && i < p.x.size(); ++i) dx[i] = p.shift[i % s.c];
  over_terms(s, [&](int64_t in, int64_t weight, int64_t out) {
    y[out] += static_cast<double>(p.x[in]) * p.kernel[weight];
    dx[in] += static_cast<double>(p.dy[out]) * p.kernel[weight];
    dkernel[weight] += static_cast<double>(p.x[in]) * p.dy[out];
  });
  for (double& each : y) each = relu && each < 0 ? 0 : each;
  const int64_t threads = random.between(2, 4);
  for (Isa isa : isas()) {
    select_isa(isa);
    Results one(p, edge), many(p, edge);
    compute(p, has_bias, relu, 1, one);
    compute(p, has_bias, relu, static_cast<int>(threads), many);
    const double errors[] = {relative_error(one.y, y, one.y.size()), relative_error(one.dx, dx, one.dx.size()),
                             relative_error(one.dkernel, dkernel, one.dkernel.size())};
    EXPECT(errors[0] <= 1e-5 && errors[1] <= 1e-5 && errors[2] <= 1e-5,
           "%s: %d x %d x %d x %d, window %d x %d, strides %d %d, dilations %d %d, padding %d %d -> %d x %d x %d: "
           "errors %.1e %.1e %.1e",
           isa_name(isa), (int)s.n, (int)s.h, (int)s.w, (int)s.c, (int)s.kh, (int)s.kw, (int)s.stride_h,
           (int)s.stride_w, (int)s.dilation_h, (int)s.dilation_w, (int)s.pad_h, (int)s.pad_w, (int)s.oh, (int)s.ow,
           (int)s.f, errors[0], errors[1], errors[2]);
    EXPECT(has_same_bits(one.y, many.y) && has_same_bits(one.dx, many.dx) && has_same_bits(one.dkernel, many.dkernel),
           "%s: %d threads give other bits", isa_name(isa), (int)threads);
  }
}

// Windows wider than the map, strides wider than the window, padding wider than both, empty axes, all remainders.
ConvSizes random_sizes(Random& random) {
  ConvSizes s{};
  s.n = random.between(0, 15) ? random.between(1, 3) : 0;
  s.h = random.between(0, 12), s.w = random.between(0, 12);
  s.c = random.between(0, random.between(0, 3) ? 20 : 70);
  s.f = s.c * (random.between(0, 2) ? 1 : random.between(1, 5));
  s.groups = s.c;
  s.kh = random.between(0, 3) ? random.between(1, 4) : random.between(0, 7);
  s.kw = random.between(0, 3) ? random.between(1, 4) : random.between(0, 7);
  s.stride_h = random.between(1, 4), s.stride_w = random.between(1, 4);
  s.dilation_h = random.between(1, 3), s.dilation_w = random.between(1, 3);
  s.pad_h = random.between(0, 1) ? random.between(0, 2) : random.between(0, 9);
  s.pad_w = random.between(0, 1) ? random.between(0, 2) : random.between(0, 9);
  const int64_t down = s.h + s.pad_h + random.between(-2, 9) - s.dilation_h * (s.kh - 1) - 1;
  const int64_t across = s.w + s.pad_w + random.between(-2, 9) - s.dilation_w * (s.kw - 1) - 1;
  s.oh = down < 0 ? 0 : down / s.stride_h + 1;
  s.ow = across < 0 ? 0 : across / s.stride_w + 1;
  return s;
}

// More rows than one item holds, and more items than there are chunks.
void test_large(Random& random) {
  check({3, 40, 40, 32, 3, 3, 32, 40, 40, 1, 1, 1, 1, 1, 1, 32}, random);
  check({70, 21, 33, 9, 3, 3, 27, 10, 16, 2, 2, 0, 1, 1, 1, 9}, random);
}

// A window of 7 x 7 on a map of 4 x 4: no result lies inside of the map.
void test_wide_window_on_small_map(Random& random) {
  for (int64_t stride : {1, 2})
    check({2, 4, 4, 24, 7, 7, 24, 4 / stride, 4 / stride, stride, stride, 3, 3, 1, 1, 24}, random);
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t count = shapes(argc, argv, 2000);
  Random random(4);
  for (int64_t i = 0; i < count; ++i) check(random_sizes(random), random);
  test_large(random);
  test_wide_window_on_small_map(random);
  return finish("depthwise", count + 4);
}
