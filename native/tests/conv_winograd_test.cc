// The three products by F(4x4, 3x3) agree with sums in double precision, write every output and nothing else, and have
// the same bits for any number of threads.
#include "harness.h"

#include <algorithm>
#include <array>

#include "kernels/conv_winograd.h"

using namespace chainrule;
using namespace chainrule::testing;

namespace {

// Calls term(index in x, index in the kernel, index in y) for every product that the convolution sums.
template <class Term>
void over_terms(const ConvSizes& s, Term&& term) {
  for (int64_t n = 0; n < s.n; ++n)
    for (int64_t i = 0; i < s.oh; ++i)
      for (int64_t j = 0; j < s.ow; ++j)
        for (int64_t a = 0; a < 3; ++a)
          for (int64_t b = 0; b < 3; ++b) {
            const int64_t row = i + a - s.pad_h, column = j + b - s.pad_w;
            if (row < 0 || row >= s.h || column < 0 || column >= s.w) continue;
            for (int64_t c = 0; c < s.c; ++c)
              for (int64_t f = 0; f < s.f; ++f)
                term(((n * s.h + row) * s.w + column) * s.c + c, ((a * 3 + b) * s.c + c) * s.f + f,
                     ((n * s.oh + i) * s.ow + j) * s.f + f);
          }
}

// Arguments and results of one convolution.
struct Problem {
  Problem(const ConvSizes& sizes, Random& random, Guarded::Edge edge)
      : sizes(sizes),
        x(sizes.n * sizes.h * sizes.w * sizes.c, edge),
        kernel(9 * sizes.c * sizes.f, edge),
        bias(sizes.f, edge),
        dy(sizes.n * sizes.oh * sizes.ow * sizes.f, edge) {
    for (Guarded* each : {&x, &kernel, &bias, &dy}) random.fill(*each, each->size());
  }
  ConvSizes sizes;
  Guarded x, kernel, bias, dy;
};

struct Results {
  explicit Results(const Problem& problem, Guarded::Edge edge)
      : y(problem.dy.size(), edge), dx(problem.x.size(), edge), dkernel(problem.kernel.size(), edge) {}
  Guarded y, dx, dkernel;
};

void compute(const Problem& p, bool has_bias, bool relu, int threads, Results& results) {
  ThreadPool pool(threads);
  const Winograd& winograd = current_winograd();
  const float* bias = has_bias ? p.bias.data() : nullptr;
  EXPECT(winograd.possible(p.sizes), "refused");
  EXPECT(winograd.forward(pool, p.x.data(), p.kernel.data(), bias, results.y.data(), p.sizes, relu), "no memory");
  EXPECT(winograd.input_gradient(pool, p.dy.data(), p.kernel.data(), results.dx.data(), p.sizes), "no memory");
  EXPECT(winograd.kernel_gradient(pool, p.x.data(), p.dy.data(), results.dkernel.data(), p.sizes), "no memory");
}

bool has_same_bits(const Guarded& a, const Guarded& b) {
  return std::memcmp(a.data(), b.data(), static_cast<size_t>(a.size()) * sizeof(float)) == 0;
}

void check(const ConvSizes& sizes, Random& random) {
  const Guarded::Edge edge = random.between(0, 1) ? Guarded::Edge::end : Guarded::Edge::start;
  const bool has_bias = random.between(0, 1), relu = random.between(0, 1);
  const Problem p(sizes, random, edge);
  std::vector<double> y(p.dy.size()), dx(p.x.size()), dkernel(p.kernel.size());
  for (int64_t i = 0; has_bias && i < p.dy.size(); ++i) y[i] = p.bias[i % sizes.f];
  over_terms(sizes, [&](int64_t in, int64_t weight, int64_t out) {
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
           "%s: n %d, %d x %d x %d -> %d x %d x %d, padding %d %d: errors %.1e %.1e %.1e", isa_name(isa), (int)sizes.n,
           (int)sizes.h, (int)sizes.w, (int)sizes.c, (int)sizes.oh, (int)sizes.ow, (int)sizes.f, (int)sizes.pad_h,
           (int)sizes.pad_w, errors[0], errors[1], errors[2]);
    EXPECT(has_same_bits(one.y, many.y) && has_same_bits(one.dx, many.dx) && has_same_bits(one.dkernel, many.dkernel),
           "%s: %d threads give other bits", isa_name(isa), (int)threads);
  }
}

// Sizes with all remainders of tiles and vectors, cells that no window covers, windows that lie wholly in the padding.
ConvSizes random_sizes(Random& random) {
  ConvSizes s{};
  s.n = random.between(1, 3);
  s.h = random.between(1, 11), s.w = random.between(1, 11);
  s.c = random.between(1, random.between(0, 3) ? 20 : 70), s.f = random.between(1, random.between(0, 3) ? 20 : 70);
  s.kh = s.kw = 3;
  s.pad_h = random.between(0, 2), s.pad_w = random.between(0, 2);
  s.oh = std::max<int64_t>(1, s.h + s.pad_h - 2 + random.between(-1, 2));
  s.ow = std::max<int64_t>(1, s.w + s.pad_w - 2 + random.between(-1, 2));
  s.stride_h = s.stride_w = s.dilation_h = s.dilation_w = s.groups = 1;
  return s;
}

// More tiles than one block or chunk holds, and more channels and filters than a block of the kernel's gradient.
void test_large(Random& random) {
  for (const auto& [n, side, c, f] : {std::array<int64_t, 4>{20, 21, 16, 17}, {3, 9, 130, 66}, {6, 40, 33, 34}}) {
    ConvSizes s{n, side, side + 1, c, 3, 3, f, side, side + 1, 1, 1, 1, 1, 1, 1, 1};
    check(s, random);
  }
}

// Not a number and infinity reach every output whose tile they touch, and no other.
void test_not_a_number_stays_in_its_tiles() {
  ThreadPool pool(1);
  const ConvSizes s{1, 12, 12, 8, 3, 3, 8, 12, 12, 1, 1, 1, 1, 1, 1, 1};
  std::vector<float> x(12 * 12 * 8, 1.0f), kernel(9 * 64, 1.0f), y(12 * 12 * 8);
  x[0] = NAN;
  for (Isa isa : isas()) {
    select_isa(isa);
    current_winograd().forward(pool, x.data(), kernel.data(), nullptr, y.data(), s, false);
    EXPECT(std::isnan(y[0]) && std::isnan(y[(12 + 1) * 8]), "lost");
    EXPECT(!std::isnan(y[(8 * 12 + 8) * 8]), "spread");
  }
}

void test_what_applies() {
  ConvSizes s{1, 8, 8, 32, 3, 3, 32, 8, 8, 1, 1, 1, 1, 1, 1, 1};
  const Winograd& winograd = current_winograd();
  EXPECT(winograd.possible(s), "refused");
  for (int64_t ConvSizes::*field : {&ConvSizes::stride_h, &ConvSizes::stride_w, &ConvSizes::dilation_h,
                                    &ConvSizes::dilation_w, &ConvSizes::groups, &ConvSizes::kh, &ConvSizes::kw}) {
    ConvSizes other = s;
    other.*field = 2;
    EXPECT(!winograd.possible(other) && !winograd.applies(other, ConvProduct::forward), "another kind of convolution");
  }
  for (int64_t ConvSizes::*field : {&ConvSizes::n, &ConvSizes::h, &ConvSizes::c, &ConvSizes::f, &ConvSizes::oh}) {
    ConvSizes other = s;
    other.*field = 0;
    EXPECT(!winograd.possible(other), "nothing to compute");
  }
  // measured: twice as fast as the direct way for many tiles, slower for one, or for few channels
  const ConvSizes many{32, 16, 16, 32, 3, 3, 32, 16, 16, 1, 1, 1, 1, 1, 1, 1};
  const ConvSizes one{1, 4, 4, 64, 3, 3, 64, 4, 4, 1, 1, 1, 1, 1, 1, 1};
  const ConvSizes few{32, 32, 32, 3, 3, 3, 16, 32, 32, 1, 1, 1, 1, 1, 1, 1};
  for (ConvProduct product : {ConvProduct::forward, ConvProduct::input_gradient, ConvProduct::kernel_gradient}) {
    EXPECT(winograd.applies(many, product), "not taken");
    EXPECT(!winograd.applies(one, product) && !winograd.applies(few, product), "taken");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t count = shapes(argc, argv, 2000);
  Random random(3);
  for (int64_t i = 0; i < count; ++i) check(random_sizes(random), random);
  test_large(random);
  test_not_a_number_stays_in_its_tiles();
  test_what_applies();
  return finish("conv_winograd", count + 3);
}
